"""FactorVAE."""

import keras
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.trainers.base import Trainer
from tfdisent.trainers.optimizers import FusedAdam


@keras.saving.register_keras_serializable("tfdisent")
class FactorVAETrainer(Trainer):
    """Minimises the VAE's loss plus gamma times the total correlation of the aggregated posterior.

    `L = E_x [ E_q -log p(x | z) + KL(q(z | x) || p(z)) ] + gamma KL(q(z) || prod_j q(z_j))`, the
    last term by the logit of a discriminator that tells codes from codes with permuted dimensions.
    Two players, two optimisers, two batches: `fit` gives 2 m images per step for the paper's batch
    size m.

    Args:
      vae: `tfdisent.VAE`.
      gamma: weight of the total correlation; the paper's best on dSprites is 35.
      discriminator: Keras model, z [B, D] -> logit [B]; by default six layers of 1000 units.
      **kwargs: see `Trainer`.

    Reference:
      Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, Eq. 2, Algorithm 2.
    """

    metric_names = (
        *Trainer.metric_names,
        "total_correlation",
        "discriminator_loss",
        "discriminator_accuracy",
    )
    optimizer_names = ("optimizer", "discriminator_optimizer")
    batches_per_step = 2

    def __init__(self, vae, gamma=35.0, discriminator=None, **kwargs):
        super().__init__(vae, **kwargs)
        self.gamma = float(gamma)
        self.discriminator = discriminator or networks.latent_discriminator(vae.latents.size)

    def compile(self, optimizer="adam", discriminator_optimizer=None, **kwargs):
        """Configures training; see `Trainer.compile`.

        Args:
          optimizer: of the VAE.
          discriminator_optimizer: by default Adam(1e-4, 0.5, 0.9), the paper's on dSprites.
          **kwargs: see `Trainer.compile`.
        """
        if discriminator_optimizer is None:
            discriminator_optimizer = FusedAdam(1e-4, beta_1=0.5, beta_2=0.9)
        optimizers = {"optimizer": optimizer, "discriminator_optimizer": discriminator_optimizer}
        self._compile_with(optimizers, kwargs)

    def players(self):
        return {
            "optimizer": self.vae.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def train_step(self, data):
        # [m, H, W, C] each: the batches B and B' of Algorithm 2.
        x, x_other = tf.split(self.images(data, training=True), 2)
        seed, seed_other, seed_permutation = self.seeds(3)

        with tf.GradientTape() as tape:
            vae_terms, z = self._vae_terms(x, seed, training=True)
        self.minimize(vae_terms["loss"], tape, self.optimizer, self.vae.trainable_variables)

        z_other = self.sample(self.vae.posterior(x_other, training=True), seed_other)
        z_permuted = objectives.permute_dims(
            z_other, self.vae.latents.permutation_blocks, seed_permutation
        )
        with tf.GradientTape() as tape:
            # z is a value by now: no gradient reaches the encoder from here.
            logits, logits_permuted = self._discriminate(z, z_permuted, training=True)
            discriminator_loss = objectives.density_ratio_loss(logits, logits_permuted)
        self.minimize(
            discriminator_loss,
            tape,
            self.discriminator_optimizer,
            self.discriminator.trainable_variables,
        )
        self.step.assign_add(1)
        return self.update_metrics(
            **vae_terms, **_discriminator_terms(discriminator_loss, logits, logits_permuted)
        )

    def objective(self, x, training):
        seed, seed_permutation = self.seeds(2)
        vae_terms, z = self._vae_terms(x, seed, training)
        z_permuted = objectives.permute_dims(
            z, self.vae.latents.permutation_blocks, seed_permutation
        )
        logits, logits_permuted = self._discriminate(z, z_permuted, training)
        loss = objectives.density_ratio_loss(logits, logits_permuted)
        return {**vae_terms, **_discriminator_terms(loss, logits, logits_permuted)}

    def _vae_terms(self, x, seed, training):
        """The VAE player's loss and its terms, and the sample z [B, D] they were made with."""
        distortion, rates, _, z = self.elbo_terms(x, seed, training)  # [B], [B, D]
        terms = self.elbo_metrics(distortion, rates)
        # [B]: the logit is the log density ratio.
        total_correlation = self.discriminator(z, training=training)
        loss = tf.reduce_mean(distortion + terms["rate"] + self.gamma * total_correlation)
        return {"loss": loss, "total_correlation": total_correlation, **terms}, z

    def _discriminate(self, z, z_permuted, training):
        """Logits of both batches from one pass, which is faster than two."""
        both = self.discriminator(tf.concat([z, z_permuted], axis=0), training=training)
        return tf.split(both, 2)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "discriminator": serialize(self.discriminator),
        }


def _discriminator_terms(loss, logits, logits_permuted):
    return {
        "discriminator_loss": loss,
        "discriminator_accuracy": objectives.discriminator_accuracy(logits, logits_permuted),
    }
