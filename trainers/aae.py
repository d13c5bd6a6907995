"""The adversarial autoencoder."""

import keras
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.latents import Categorical, Gaussian, Point
from tfdisent.trainers.base import Trainer
from tfdisent.trainers.optimizers import FusedAdam


@keras.saving.register_keras_serializable("tfdisent")
class AAETrainer(Trainer):
    """An autoencoder whose codes, over all images, are to look like samples of the prior.

    The rate of a VAE is replaced by a game about the aggregated posterior q(z). Each step updates

    1. encoder and decoder on the distortion, `E_x E_q -log p(x | z)`;
    2. the discriminator on telling z ~ p(z) from codes;
    3. the encoder on `-E log D(z)`, z its codes: the loss that does not saturate.

    Each update has an optimiser of its own, and sees what the one before it has changed.

    Args:
      vae: `tfdisent.VAE` with `Point` groups (the deterministic encoder), Gaussian ones, or
        `Categorical` ones (a relaxed sample against one-hot vectors of the prior).
      discriminator: Keras model, z [B, D] -> logit [B]; by default two layers of 1000 ReLU units,
        the paper's on MNIST.
      **kwargs: see `Trainer`.

    Raises:
      ValueError: if a prior is to be learned: nothing here trains it.

    Reference:
      Makhzani, Shlens, Jaitly, Goodfellow, Frey, Adversarial Autoencoders, 2015, arXiv:1511.05644,
      section 2.
    """

    metric_names = (
        "loss",
        "distortion",
        "encoder_loss",
        "discriminator_loss",
        "discriminator_accuracy",
    )
    optimizer_names = ("optimizer", "discriminator_optimizer", "encoder_optimizer")
    latent_groups = (Point, Gaussian, Categorical)
    trains_prior = False

    def __init__(self, vae, discriminator=None, **kwargs):
        super().__init__(vae, **kwargs)
        self.discriminator = discriminator or networks.latent_discriminator(
            vae.latents.size, depth=2, slope=0.0
        )

    def compile(
        self, optimizer="adam", discriminator_optimizer=None, encoder_optimizer=None, **kwargs
    ):
        """Configures training; see `Trainer.compile`.

        Args:
          optimizer: of encoder and decoder, for the distortion.
          discriminator_optimizer: by default Adam(1e-4, 0.5).
          encoder_optimizer: of the encoder, for the game; by default Adam(1e-4, 0.5).
          **kwargs: see `Trainer.compile`.
        """
        game = {
            "discriminator_optimizer": discriminator_optimizer,
            "encoder_optimizer": encoder_optimizer,
        }
        game = {
            name: FusedAdam(1e-4, beta_1=0.5) if given is None else given
            for name, given in game.items()
        }
        self._compile_with({"optimizer": optimizer, **game}, kwargs)

    def players(self):
        return {
            "optimizer": self.vae.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
            "encoder_optimizer": self.vae.encoder.trainable_variables,
        }

    def train_step(self, data):
        x = self.images(data, training=True)
        seed, seed_prior, seed_code = self.seeds(3)

        with tf.GradientTape() as tape:
            distortion, rates, _, _ = self.elbo_terms(x, seed, training=True)
            loss = tf.reduce_mean(distortion)
        self.minimize(loss, tape, self.optimizer, self.vae.trainable_variables)

        z_prior = self.vae.sample_prior(tf.shape(x)[0], seed_prior)
        z = self._code(x, seed_code, training=True)  # a value: outside of the discriminator's tape
        with tf.GradientTape() as tape:
            logits_prior, logits = self._discriminate(z_prior, z, training=True)
            discriminator_loss = objectives.density_ratio_loss(logits_prior, logits)
        self.minimize(
            discriminator_loss,
            tape,
            self.discriminator_optimizer,
            self.discriminator.trainable_variables,
        )

        with tf.GradientTape() as tape:
            z = self._code(x, seed_code, training=True)
            encoder_loss = objectives.non_saturating_loss(self.discriminator(z, training=True))
        self.minimize(
            encoder_loss, tape, self.encoder_optimizer, self.vae.encoder.trainable_variables
        )
        self.step.assign_add(1)
        return self.update_metrics(
            **_terms(distortion, rates, encoder_loss, discriminator_loss, logits_prior, logits)
        )

    def objective(self, x, training):
        seed, seed_prior, seed_code = self.seeds(3)
        distortion, rates, _, _ = self.elbo_terms(x, seed, training)
        z_prior = self.vae.sample_prior(tf.shape(x)[0], seed_prior)
        z = self._code(x, seed_code, training)
        logits_prior, logits = self._discriminate(z_prior, z, training)
        encoder_loss = objectives.non_saturating_loss(logits)
        discriminator_loss = objectives.density_ratio_loss(logits_prior, logits)
        return _terms(distortion, rates, encoder_loss, discriminator_loss, logits_prior, logits)

    def _code(self, x, seed, training):
        """A code [B, D] of every image."""
        return self.sample(self.vae.posterior(x, training=training), seed)

    def _discriminate(self, z_prior, z, training):
        """Logits of both batches from one pass, which is faster than two."""
        both = self.discriminator(tf.concat([z_prior, z], axis=0), training=training)
        return tf.split(both, 2)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {**super().get_config(), "discriminator": serialize(self.discriminator)}


def _terms(distortion, rates, encoder_loss, discriminator_loss, logits_prior, logits):
    return {
        "loss": tf.reduce_mean(distortion),
        "distortion": distortion,
        "encoder_loss": encoder_loss,
        "discriminator_loss": discriminator_loss,
        "discriminator_accuracy": objectives.discriminator_accuracy(logits_prior, logits),
        "rate_per_dimension": rates,
    }
