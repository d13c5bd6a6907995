"""BiGAN: a generator and its inverse, learned by a game about pairs."""

import keras
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.latents import Categorical, Gaussian, Point
from tfdisent.trainers.base import Trainer
from tfdisent.trainers.optimizers import FusedAdam


@keras.saving.register_keras_serializable("tfdisent")
class BiGANTrainer(Trainer):
    """Makes pairs (x, E(x)) of images and codes alike to pairs (G(z), z) of samples.

    A discriminator tells pairs of an image and its code from pairs of a sample z ~ p(z) and its
    decoding; encoder E and generator G, the mean of the decoder's likelihood, minimise its loss
    with the labels inverted. Nothing compares an image with its reconstruction, but where the
    pairs cannot be told apart E and G are each other's inverse. Both players move at once, on the
    logits of the same pairs.

    Args:
      vae: `tfdisent.VAE` with `Point` groups (the deterministic encoder), Gaussian ones, or
        `Categorical` ones.
      discriminator: Keras model, (x [B, H, W, C], z [B, D]) -> logit [B]; by default two layers of
        1024 leaky units.
      **kwargs: see `Trainer`.

    Raises:
      ValueError: if a prior is to be learned: nothing here trains it.

    Reference:
      Donahue, Kraehenbuehl, Darrell, Adversarial Feature Learning, 2017, arXiv:1605.09782, Eq. 3
      and section 3.4 (inverted labels).
    """

    metric_names = ("loss", "discriminator_loss", "discriminator_accuracy")
    optimizer_names = ("optimizer", "discriminator_optimizer")
    latent_groups = (Point, Gaussian, Categorical)
    trains_prior = False

    def __init__(self, vae, discriminator=None, **kwargs):
        super().__init__(vae, **kwargs)
        self.discriminator = discriminator or networks.pair_discriminator(
            vae.image_shape, vae.latents.size
        )

    def compile(self, optimizer="adam", discriminator_optimizer=None, **kwargs):
        """Configures training; see `Trainer.compile`.

        Args:
          optimizer: of encoder and generator.
          discriminator_optimizer: by default Adam(2e-4, 0.5); the authors take 2e-4 on MNIST, too.
          **kwargs: see `Trainer.compile`.
        """
        if discriminator_optimizer is None:
            discriminator_optimizer = FusedAdam(2e-4, beta_1=0.5)
        optimizers = {"optimizer": optimizer, "discriminator_optimizer": discriminator_optimizer}
        self._compile_with(optimizers, kwargs)

    def players(self):
        return {
            "optimizer": self.vae.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def train_step(self, data):
        x = self.images(data, training=True)
        with tf.GradientTape(persistent=True) as tape:
            terms = self.objective(x, training=True)
        # Both gradients are of the same logits: what the first update changes, the tape has read.
        self.minimize(
            terms["discriminator_loss"],
            tape,
            self.discriminator_optimizer,
            self.discriminator.trainable_variables,
        )
        self.minimize(terms["loss"], tape, self.optimizer, self.vae.trainable_variables)
        del tape
        self.step.assign_add(1)
        return self.update_metrics(**terms)

    def objective(self, x, training):
        seed_code, seed_prior = self.seeds(2)
        posterior = self.vae.posterior(x, training=training)
        codes = self.sample(posterior, seed_code)  # E(x)
        z = self.vae.sample_prior(tf.shape(x)[0], seed_prior)
        images = self.vae.likelihood(z, training=training).mean()  # G(z)

        pairs = [tf.concat([x, images], axis=0), tf.concat([codes, z], axis=0)]
        encoded, generated = tf.split(self.discriminator(pairs, training=training), 2)
        return {
            "loss": objectives.density_ratio_loss(generated, encoded),  # the labels inverted
            "discriminator_loss": objectives.density_ratio_loss(encoded, generated),
            "discriminator_accuracy": objectives.discriminator_accuracy(encoded, generated),
            "rate_per_dimension": objectives.rate_per_dimension(posterior, self.vae.prior()),
        }

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {**super().get_config(), "discriminator": serialize(self.discriminator)}
