"""InfoGAN: a generator whose codes can be read off its images."""

import keras
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.latents import Categorical, Gaussian, Uniform
from tfdisent.trainers.base import Trainer
from tfdisent.trainers.optimizers import FusedAdam


@keras.saving.register_keras_serializable("tfdisent")
class InfoGANTrainer(Trainer):
    """A generative adversarial network that keeps its codes c recognisable in its images.

    The decoder is the generator, G(z) the mean of its likelihood at z = (c, noise); the encoder is
    the recognition network Q(c | x), and shares its first layers with the discriminator D. With
    `L_I = E log Q(c | G(z)) + H(c)`, a lower bound of I(c; G(z)), each step updates

    1. D and Q on `-E log D(x) - E log(1 - D(G(z))) - information_weight L_I`;
    2. G on `-E log D(G(z)) - information_weight L_I`, for z drawn anew.

    Each update has an optimiser of its own, and the second sees what the first has changed.

    Args:
      vae: `tfdisent.VAE` whose amortised groups are the codes c; groups with `inference=None` are
        noise. Its encoder is a functional Keras model, see `networks.with_features`.
      information_weight: lambda of the paper.
      discriminator: Keras model, features of the encoder [B, F] -> logit [B]; by default one linear
        layer.
      **kwargs: see `Trainer`.

    Raises:
      ValueError: if `information_weight` is negative, or a prior is to be learned: nothing here
        trains it.

    Reference:
      Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing
      Generative Adversarial Nets, 2016, arXiv:1606.03657, Eq. 5 and 6. The order of the updates,
      and that D and Q are updated together, is from the authors' code.
    """

    metric_names = (
        "loss",
        "discriminator_loss",
        "discriminator_accuracy",
        "continuous_information",
        "discrete_information",
    )
    optimizer_names = ("optimizer", "discriminator_optimizer")
    latent_groups = (Uniform, Gaussian, Categorical)
    trains_prior = False

    def __init__(self, vae, information_weight=1.0, discriminator=None, **kwargs):
        super().__init__(vae, **kwargs)
        if not information_weight >= 0:
            raise ValueError(
                f"information_weight must not be negative, received {information_weight}."
            )
        self.information_weight = float(information_weight)
        self.encoder_with_features = networks.with_features(vae.encoder)
        self.discriminator = discriminator or networks.feature_discriminator(
            self.encoder_with_features.output_shape[0][-1]
        )

    def compile(self, optimizer="adam", discriminator_optimizer=None, **kwargs):
        """Configures training; see `Trainer.compile`.

        Args:
          optimizer: of the generator; the authors take Adam(1e-3, 0.5) on MNIST.
          discriminator_optimizer: of D and Q, by default Adam(2e-4, 0.5), the authors'.
          **kwargs: see `Trainer.compile`.
        """
        if discriminator_optimizer is None:
            discriminator_optimizer = FusedAdam(2e-4, beta_1=0.5)
        optimizers = {"optimizer": optimizer, "discriminator_optimizer": discriminator_optimizer}
        self._compile_with(optimizers, kwargs)

    def players(self):
        judges = [*self.vae.encoder.trainable_variables, *self.discriminator.trainable_variables]
        return {
            "optimizer": self.vae.decoder.trainable_variables,
            "discriminator_optimizer": judges,
        }

    def train_step(self, data):
        x = self.images(data, training=True)
        seed_judges, seed_generator = self.seeds(2)
        players = self.players()

        z = self.vae.sample_prior(tf.shape(x)[0], seed_judges)
        generated = self.generate(z, training=True)  # a value: outside of the judges' tape
        with tf.GradientTape() as tape:
            logits_real, _ = self.judge(x, training=True)
            logits, posterior = self.judge(generated, training=True)
            terms = objectives.discriminator_terms(logits_real, logits)
            information = self.information(posterior, z)
            loss = terms["discriminator_loss"] - self._weighted(information)
        optimizer = self.discriminator_optimizer
        self.minimize(loss, tape, optimizer, players["discriminator_optimizer"])

        z = self.vae.sample_prior(tf.shape(x)[0], seed_generator)
        with tf.GradientTape() as tape:
            logits, posterior = self.judge(self.generate(z, training=True), training=True)
            information = self.information(posterior, z)
            loss = objectives.non_saturating_loss(logits) - self._weighted(information)
        self.minimize(loss, tape, self.optimizer, players["optimizer"])
        self.step.assign_add(1)
        return self.update_metrics(loss=loss, **terms, **information)

    def objective(self, x, training):
        (seed,) = self.seeds(1)
        z = self.vae.sample_prior(tf.shape(x)[0], seed)
        logits_real, _ = self.judge(x, training)
        logits, posterior = self.judge(self.generate(z, training), training)
        information = self.information(posterior, z)
        loss = objectives.non_saturating_loss(logits) - self._weighted(information)
        return {"loss": loss, **objectives.discriminator_terms(logits_real, logits), **information}

    def generate(self, z, training):
        """G(z): images [B, H, W, C] for z [B, D]."""
        return self.vae.likelihood(z, training=training).mean()

    def judge(self, x, training):
        """Of images: logits [B] of D, positive for real, and Q(c | x), {group name: distribution}.

        One pass through the layers that D and Q share.
        """
        features, parameters = self.encoder_with_features(x, training=training)
        posterior = self.vae.latents.posterior(tf.cast(parameters, tf.float32))
        return self.discriminator(features, training=training), posterior

    def information(self, posterior, z):
        """The two parts of L_I, of continuous and of discrete codes, nats, scalars."""
        values, prior = self.vae.latents.split(z), self.vae.prior()
        parts = {"continuous_information": 0.0, "discrete_information": 0.0}
        for group in self.vae.latents.amortised:
            kind = "discrete" if group.is_discrete else "continuous"
            bound = objectives.barber_agakov(
                posterior[group.name].log_prob(values[group.name]), prior[group.name].entropy()
            )
            parts[f"{kind}_information"] += tf.reduce_mean(bound)
        return parts

    def _weighted(self, information):
        """lambda L_I, scalar."""
        return self.information_weight * sum(information.values())

    def get_config(self):
        return {
            **super().get_config(),
            "information_weight": self.information_weight,
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
        }
