"""Total correlation of samples, by a discriminator that permuted dimensions must fool."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.trainers import estimates
from tfdisent.trainers.estimates import Estimate
from tfdisent.trainers.initial_weights import initial_weights_from
from tfdisent.trainers.players import Players

METHODS = ("discriminator", "gaussian", "knn")


@keras.saving.register_keras_serializable("tfdisent")
class TotalCorrelationTrainer(Players, keras.Model):
    """Trains a discriminator to tell codes from codes with permuted dimensions.

    At the optimum its logit is `log q(z) / prod_j q(z_j)`, whose mean over codes is the total
    correlation. Each step takes 2 m codes: m as they are, m permuted.

    Args:
      discriminator: Keras model, z [B, D] -> logit [B].
      blocks: see `objectives.permute_dims`.
      seed: of the permutations.

    Reference:
      Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, section 3, appendix D.
    """

    metric_names = ("loss", "total_correlation")

    def __init__(self, discriminator, blocks=None, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.discriminator = discriminator
        self.blocks = blocks
        self._set_up(seed)

    def players(self):
        return {"optimizer": self.discriminator.trainable_variables}

    def compile(self, optimizer="adam", **kwargs):
        """Configures training; see `keras.Model.compile`."""
        self._compile_with({"optimizer": optimizer}, kwargs)

    def train_step(self, z):
        z, z_other = tf.split(z, 2)
        with tf.GradientTape() as tape:
            terms = self._terms(z, z_other, training=True)
        variables = self.discriminator.trainable_variables
        self.minimize(terms["loss"], tape, self.optimizer, variables)
        self.step.assign_add(1)
        return self.update_metrics(**terms)

    def test_step(self, z):
        half = tf.shape(z)[0] // 2
        return self.update_metrics(**self._terms(z[:half], z[half : 2 * half], training=False))

    def _terms(self, z, z_other, training):
        z_permuted = objectives.permute_dims(z_other, self.blocks, *self.seeds(1))
        both = self.discriminator(tf.concat([z, z_permuted], axis=0), training=training)
        logits, logits_permuted = tf.split(both, 2)
        loss = objectives.density_ratio_loss(logits, logits_permuted)
        return {"loss": loss, "total_correlation": logits}

    def call(self, z):
        """Logits [B] of codes [B, D]."""
        return self.discriminator(z)

    def get_config(self):
        return {
            **super().get_config(),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "blocks": self.blocks,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        discriminator = keras.saving.deserialize_keras_object(config["discriminator"])
        return cls(**{**config, "discriminator": discriminator})


def estimate_total_correlation(
    z,
    method="discriminator",
    *,
    blocks=None,
    steps=4000,
    batch_size=512,
    evaluation_size=1_000_000,
    hidden=256,
    depth=3,
    learning_rate=1e-3,
    seed=0,
):
    """Total correlation `KL(q(z) || prod_j q(z_j))` of samples.

    Args:
      z: [N, D] samples; or, for "discriminator", a function (count, seed) -> float32 [count, D]
        that draws fresh samples in TensorFlow operations, seed being int32 [2].
      method: "discriminator" (a density ratio: neither an upper nor a lower bound), "gaussian" (the
        closed form at the sample covariance) or "knn" (nearest neighbours).
      blocks: column blocks that move as one, see `objectives.permute_dims`; "discriminator" only.
      steps: training steps of the discriminator, at most: it stops early once its loss on
        validation samples has ceased to fall, and takes the best weights.
      batch_size: codes a step, half of them permuted.
      evaluation_size: fresh samples that the value is the mean over, where `z` draws them; of an
        array a fifth of the rows is held out instead, and another fifth for validation.
      hidden: units of a hidden layer of the discriminator.
      depth: hidden layers of the discriminator.
      learning_rate: at the start; it falls to zero along a cosine.
      seed: of everything.

    Returns:
      `Estimate`. Those of "gaussian" and "knn" have a standard error of NaN: none of their own.

    Raises:
      ValueError: if the method is unknown, or `z` has too few rows or columns, is not finite, or is
        a function that the method cannot use.
    """
    if method not in METHODS:
        raise ValueError(
            f"method must be 'discriminator', 'gaussian' or 'knn', received {method!r}."
        )
    if method != "discriminator":
        return _without_training(z, method)
    if batch_size % 2:
        raise ValueError(
            f"batch_size must be even, for batches are split in two, received {batch_size}."
        )
    if callable(z):
        samples = estimates.from_sampler(z, evaluation_size, seed)
    else:
        z = estimates.check_rows(z, "z", min_rows=10, min_columns=2)
        samples = estimates.from_arrays(z, seed)
    with initial_weights_from(seed):
        discriminator = networks.latent_discriminator(samples.validation.shape[-1], hidden, depth)
    trainer = TotalCorrelationTrainer(discriminator, blocks, seed)
    best = estimates.fit(
        trainer,
        samples,
        steps=steps,
        batch_size=batch_size,
        validation_batch_size=estimates.CHUNK,
        learning_rate=learning_rate,
        seed=seed,
    )
    logits = [discriminator.predict_on_batch(chunk) for chunk in samples.test]
    logits = np.concatenate(logits).astype(np.float64)
    value, error = estimates.with_error(np.mean, logits)
    return Estimate(value, error, len(logits), method, steps=best)


def _without_training(z, method):
    from tfdisent import information

    if callable(z):
        raise ValueError(f"method {method!r} takes samples z [N, D], received a function.")
    z = estimates.check_rows(z, "z", min_rows=10, min_columns=2)
    if method == "gaussian":
        value = information.fitted_gaussian_total_correlation(z)
    else:
        value = information.knn_total_correlation(z)
    return Estimate(float(value), float("nan"), len(z), method)
