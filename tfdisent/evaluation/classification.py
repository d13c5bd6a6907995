"""How well a model of labels knows them, and what its code costs."""

import math
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfdisent import information
from tfdisent.evaluation._validate import check_image_shape
from tfdisent.metrics.score import Score
from tfdisent.objectives import elbo

_BATCH = 500


class Classification(NamedTuple):
    """The classes that a model gives to images, against their labels.

    Attributes:
      errors: {number of samples of z: share of the images that are classified wrongly by the mean
        of so many class probabilities}.
      distortion: float64 [N], -log p(y | z) at one sample of z, nats: the cross-entropy.
      rate: float64 [N], KL(q(z | x) || p(z)), nats.
      label_entropy: H(Y) of the labels of these images, nats.
      seed: of the samples.
    """

    errors: dict
    distortion: np.ndarray
    rate: np.ndarray
    label_entropy: float
    seed: int

    @property
    def relevance(self):
        """H(Y) - E distortion, a lower bound of I(Z; Y), nats."""
        return float(self.label_entropy - self.distortion.mean())

    @property
    def complexity(self):
        """E rate, an upper bound of I(X; Z), nats."""
        return float(self.rate.mean())

    def scores(self, where):
        """{"accuracy_<samples>": `Score`} of the images that `where` names in words."""
        return {
            f"accuracy_{samples}": Score(
                1 - error,
                f"accuracy_{samples}",
                f"{where}, {samples} sample{'s' * (samples > 1)} of z",
                self.seed,
                {"error": error, "num_images": len(self.rate)},
            )
            for samples, error in self.errors.items()
        }

    def to_dict(self):
        """As plain types for JSON; informations in nats."""
        return {
            "num_images": len(self.rate),
            "seed": self.seed,
            "errors": {str(samples): error for samples, error in self.errors.items()},
            "cross_entropy": float(self.distortion.mean()),
            "label_entropy": self.label_entropy,
            "relevance_lower_bound": self.relevance,
            "complexity_upper_bound": self.complexity,
        }


def classify(vae, dataset, rows=None, samples=(1, 12), seed=0):
    """Classifies images by samples of their codes.

    Args:
      vae: `tfdisent.VAE` with a likelihood over labels.
      dataset: `tfdisent.data.Dataset` with labels.
      rows: integer array [N] of rows, or None for all, in order.
      samples: numbers of samples of z whose class probabilities are averaged.
      seed: of the samples, an integer in [0, 2**31).

    Returns:
      `Classification`.

    Raises:
      ValueError: if the model decodes images, the data set has no labels or other images than the
        model's, a label is no class of the model, there are no rows, or a number of samples is not
        positive.
    """
    rows = np.arange(len(dataset)) if rows is None else np.asarray(rows)
    labels = _checked_labels(vae, dataset, rows)
    samples = sorted(set(samples))
    if not samples or samples[0] < 1:
        raise ValueError(f"samples must be positive numbers, received {samples}.")
    prior = vae.prior()

    @tf.function(reduce_retracing=True)
    def terms(x, y, batch_seed):
        posterior = vae.posterior(x)
        seeds = tf.random.split(batch_seed, samples[-1], alg="philox")  # [S, 2]
        z = vae.sample(posterior, seed=seeds[0], hard=True)
        distortion = elbo.distortion(vae.likelihood(z), y)
        rate = elbo.rate(posterior, prior, vae.latents.split(z))
        # The first of the samples is the one that the distortion is of.
        probabilities = tf.map_fn(
            lambda seed: vae.decode(vae.sample(posterior, seed=seed, hard=True)),
            seeds,
            fn_output_signature=tf.float32,
        )  # [S, B, K]
        sums = tf.gather(tf.cumsum(probabilities), [count - 1 for count in samples])
        wrong = tf.argmax(sums, axis=-1, output_type=tf.int32) != y  # [len(samples), B]
        return distortion, rate, tf.transpose(wrong)

    parts = []
    for number, start in enumerate(range(0, len(rows), _BATCH)):
        x = tf.constant(dataset.images(rows[start : start + _BATCH]))
        y = tf.constant(labels[start : start + _BATCH], tf.int32)
        parts.append([part.numpy() for part in terms(x, y, tf.constant([seed, number], tf.int32))])
    distortion, rate, wrong = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Classification(
        errors=dict(zip(samples, wrong.mean(axis=0).tolist(), strict=True)),
        distortion=distortion.astype(np.float64),
        rate=rate.astype(np.float64),
        label_entropy=information.entropy(np.bincount(labels) / len(labels), base=math.e),
        seed=seed,
    )


def _checked_labels(vae, dataset, rows):
    """The labels of the rows, once model and data fit."""
    if vae.num_classes is None:
        raise ValueError(
            "expected a model of labels, received one of images "
            f"(likelihood {vae.likelihood_family.name!r})."
        )
    if dataset.labels is None:
        raise ValueError(f"expected a data set with labels, received {dataset.name!r}.")
    check_image_shape(vae, dataset)
    if rows.size == 0:
        raise ValueError("expected at least one row to classify, received none.")
    labels = np.asarray(dataset.labels)[rows]
    if labels.min() < 0 or labels.max() >= vae.num_classes:
        raise ValueError(
            f"the model has the classes 0 .. {vae.num_classes - 1}, received labels "
            f"{labels.min()} .. {labels.max()}."
        )
    return labels
