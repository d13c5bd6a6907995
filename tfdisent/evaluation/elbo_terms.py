"""Distortion and rate of a model, image by image."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfdisent.evaluation._validate import check_decodes_images, check_image_shape
from tfdisent.objectives import elbo

_BATCH = 256


class ElboTerms(NamedTuple):
    """The two terms of the negative ELBO.

    Attributes:
      distortion: float64 [N], -log p(x | z) at one sample z of q(z | x), nats.
      rate: float64 [N], KL(q(z | x) || p(z)) in closed form, nats; under a learned prior, the
        estimate of `elbo.rate_by_group` at the same sample.
    """

    distortion: np.ndarray
    rate: np.ndarray

    def summary(self):
        """Means over the images and the standard errors of these means, as plain numbers."""
        negative = self.distortion + self.rate
        values = {"distortion": self.distortion, "rate": self.rate, "elbo": -negative}
        means = {name: float(value.mean()) for name, value in values.items()}
        errors = {
            f"{name}_standard_error": float(value.std(ddof=1) / np.sqrt(len(value)))
            for name, value in values.items()
            if len(value) > 1
        }
        return {**means, **errors, "num_images": len(self.rate)}


def elbo_terms(vae, dataset, rows=None, seed=0):
    """Distortion and rate of every image of a data set, or of some rows of it.

    Categorical groups are drawn as exact classes, not relaxed as in training: what is returned
    bounds the likelihood of the model that decodes classes.

    Args:
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset`.
      rows: integer array [N] of rows, or None for all, in order.
      seed: of the samples, an integer in [0, 2**31).

    Returns:
      `ElboTerms`.

    Raises:
      ValueError: if the model decodes labels, the images have another shape than the model's, or
        there are no rows.
    """
    check_decodes_images(vae)
    check_image_shape(vae, dataset)
    rows = np.arange(len(dataset)) if rows is None else np.asarray(rows)
    if rows.size == 0:
        raise ValueError("expected at least one row, received none.")
    prior = vae.prior()

    @tf.function(reduce_retracing=True)
    def terms(x, batch_seed):
        posterior = vae.infer(x)
        z = vae.sample(posterior, seed=batch_seed, hard=True)
        rate = elbo.rate(posterior, prior, vae.latents.split(z))
        return elbo.distortion(vae.likelihood(z), x), rate

    parts = []
    for number, start in enumerate(range(0, len(rows), _BATCH)):
        x = tf.constant(dataset.images(rows[start : start + _BATCH]))
        parts.append([part.numpy() for part in terms(x, tf.constant([seed, number], tf.int32))])
    distortion, rate = (np.concatenate(part) for part in zip(*parts, strict=True))
    return ElboTerms(distortion.astype(np.float64), rate.astype(np.float64))
