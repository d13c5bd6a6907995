"""What is measured of a model before a diagnosis."""

import dataclasses

import numpy as np
import tensorflow as tf

from tfdisent import metrics, objectives
from tfdisent.evaluation.aggregate_posterior import Posteriors, class_probabilities
from tfdisent.evaluation.decomposition import (
    Decomposition,
    categorical_rates,
    decompose,
    has_rates,
)
from tfdisent.evaluation.elbo_terms import elbo_terms
from tfdisent.evaluation.encode import encode_dataset
from tfdisent.evaluation.prior_density import PriorDensity
from tfdisent.evaluation.reconstruction import reconstruction

_BINS = 20
_BATCHES = 32  # whose total correlations are averaged
_ACTIVE = 0.01  # variance of a unit's code above which the unit is used
_CHUNK = 1024


@dataclasses.dataclass(frozen=True)
class Measurements:
    """Numbers about a model on a data set; None is what was not measured.

    Latent variables ("units", U of them) are the continuous columns of the codes, then one for each
    discrete group. Information is in nats. Models with other than Gaussian and categorical groups
    have no rate: `rates`, `elbo`, `decomposition`, `likelihood_scale` and `batch_total_correlation`
    of them are None.

    Attributes:
      num_rows: rows that were encoded.
      num_available: rows of the data set.
      num_bad_weights: weights that are NaN or infinite.
      num_bad_codes: posterior means, deviations and class probabilities that are.
      unit_names: tuple of U names.
      variances: [U], of the codes over the rows; see `metrics.active_units`.
      rates: [U], mean KL(q(z_j | x) || p(z_j)); of a learned prior see `Encoding.kl_per_dim`.
      elbo: `ElboTerms.summary()`.
      decomposition: `Decomposition`.
      factor_names: tuple of the K factors that vary.
      factor_entropy: [K].
      mutual_information: [U, K], between binned posterior means and factors, less what independent
        ones would have by chance, (bins - 1) (values - 1) / (2 N), and at most the unit's rate, if
        it has one: the means of a unit that is nearly all noise may well be in order.
      residual: root of the mean squared difference of images and reconstructions.
      sharpness: squared differences of neighbouring pixels, summed over the reconstructions, as a
        share of those of the images: 1 / w if edges are w pixels wide that were 1 pixel wide.
      likelihood_scale: fixed standard deviation of a Gaussian likelihood.
      discriminator_accuracy: of a discriminator of codes and codes with permuted dimensions.
      discriminator_total_correlation: mean of its logits over codes, and the standard error.
      batch_size: rows of a batch.
      batch_total_correlation: mean total correlation of batches, each with q(z) taken to be the
        mean of its own posteriors, and the standard error.
    """

    num_rows: int
    num_available: int
    num_bad_weights: int = 0
    num_bad_codes: int = 0
    unit_names: tuple = ()
    variances: np.ndarray | None = None
    rates: np.ndarray | None = None
    elbo: dict | None = None
    decomposition: Decomposition | None = None
    factor_names: tuple = ()
    factor_entropy: np.ndarray | None = None
    mutual_information: np.ndarray | None = None
    residual: float | None = None
    sharpness: float | None = None
    likelihood_scale: float | None = None
    discriminator_accuracy: float | None = None
    discriminator_total_correlation: tuple | None = None
    batch_size: int | None = None
    batch_total_correlation: tuple | None = None

    @property
    def num_active(self):
        """Units whose code varies, by the threshold of `metrics.active_units`, or None."""
        return None if self.variances is None else int(np.sum(self.variances > _ACTIVE))


def measure(
    vae, dataset, rows=None, discriminator=None, batch_size=None, num_samples=10_000, seed=0
):
    """Measures a model for `diagnose`.

    Where weights or codes are not finite, nothing else is measured. Of a model without a rate, such
    as an autoencoder, what needs one is not.

    Args:
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset`, with or without factors.
      rows: integer array [N] of rows, at least 2, or None for all.
      discriminator: model z [B, D] -> logit [B] that tells codes from permuted codes, if the method
        has one.
      batch_size: of the training, if its loss estimates q(z) from each batch.
      num_samples: see `elbo_decomposition`.
      seed: of every draw.

    Returns:
      `Measurements`.

    Raises:
      ValueError: if data and model do not fit.
    """
    encoding = encode_dataset(vae, dataset, rows)
    measured = Measurements(
        num_rows=len(encoding.rows),
        num_available=len(dataset),
        num_bad_weights=sum(_num_bad(weight) for weight in vae.weights),
        num_bad_codes=_num_bad(encoding.codes) + _num_bad(encoding.std),
        unit_names=unit_names(vae.latents.coded),
        batch_size=batch_size,
    )
    if measured.num_bad_weights or measured.num_bad_codes:
        return measured
    units = metrics.active_units(encoding.codes, discrete_columns=encoding.discrete_columns)
    pictures = reconstruction(vae, dataset, encoding.rows)
    found = {
        "variances": units.details["variances"],
        "residual": pictures["residual"],
        "sharpness": pictures["sharpness"],
    }
    classes = categorical_rates(class_probabilities(encoding), len(encoding.rows))
    rates = np.append(encoding.kl_per_dim, classes.mean(axis=0))  # infinite where there is none
    if has_rates(vae.latents):
        posteriors = Posteriors.of(encoding)
        found |= {
            "rates": rates,
            "elbo": elbo_terms(vae, dataset, encoding.rows, seed).summary(),
            "decomposition": decompose(posteriors, num_samples, seed, PriorDensity.of(vae)),
            # Without a rate nothing is weighed against the likelihood: its scale is arbitrary.
            "likelihood_scale": getattr(vae.likelihood_family, "scale", None),
        }
        if batch_size is not None:
            found["batch_total_correlation"] = _batch_total_correlation(
                posteriors, batch_size, seed
            )
    if dataset.factors is not None:
        found |= _factors(dataset, encoding, rates)
    if discriminator is not None:
        found |= _discrimination(vae, dataset, encoding.rows, discriminator, seed)
    return dataclasses.replace(measured, **found)


def unit_names(groups):
    """Names of the latent variables of some groups, such as ("continuous_0", ..., "discrete")."""
    names = []
    for group in groups:
        whole = group.is_discrete or group.size == 1
        names += [group.name] if whole else [f"{group.name}_{j}" for j in range(group.size)]
    return tuple(names)


def _num_bad(array):
    return int(np.sum(~np.isfinite(np.asarray(array))))


def _factors(dataset, encoding, rates_of_units):
    """What the units say of the factors; nothing if no factor varies among the rows."""
    factors = np.asarray(dataset.factors)[encoding.rows]
    if (factors == factors[:1]).all():
        return {}
    details = metrics.mig(
        factors, encoding.codes, _BINS, discrete_columns=encoding.discrete_columns
    ).details
    kept = details["kept_factors"]
    num_continuous = len(encoding.kl_per_dim)
    num_classes = [_BINS] * num_continuous + [len(c) for c in encoding.discrete_columns]
    num_values = [len(np.unique(factors[:, k])) for k in kept]
    chance = np.outer(np.subtract(num_classes, 1), np.subtract(num_values, 1)) / (2 * len(factors))
    return {
        "factor_names": tuple(dataset.factor_names[k] for k in kept),
        "factor_entropy": details["factor_entropy"],
        "mutual_information": np.clip(
            details["mutual_information"] - chance, 0, rates_of_units[:, None]
        ),
    }


def _discrimination(vae, dataset, rows, discriminator, seed):
    """How well a discriminator tells codes of all rows from permuted ones."""

    @tf.function(reduce_retracing=True)
    def sample(x, batch_seed):
        return vae.sample(vae.posterior(x), seed=batch_seed)

    chunks = np.array_split(rows, -(-len(rows) // _CHUNK))
    z = np.concatenate(
        [
            sample(tf.constant(dataset.images(chunk)), tf.constant([seed, number], tf.int32))
            for number, chunk in enumerate(chunks)
        ]
    )
    seed_permutation = tf.constant([seed, len(chunks)], tf.int32)
    z_permuted = objectives.permute_dims(
        tf.constant(z), vae.latents.permutation_blocks, seed_permutation
    )
    logits, logits_permuted = (
        np.asarray(discriminator.predict(codes, batch_size=_CHUNK, verbose=0), np.float64)
        for codes in (z, np.asarray(z_permuted))
    )
    accuracy = 0.5 * (np.mean(logits > 0) + np.mean(logits_permuted < 0))
    return {
        "discriminator_accuracy": float(accuracy),
        "discriminator_total_correlation": _mean_and_error(logits),
    }


def _batch_total_correlation(posteriors, batch_size, seed):
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(_BATCHES):
        rows = rng.choice(len(posteriors), min(batch_size, len(posteriors)), replace=False)
        batch = posteriors.take(rows)
        part = decompose(batch, max(2, len(rows)), seed=int(rng.integers(2**31)))
        values.append(part.total_correlation)
    return _mean_and_error(np.array(values))


def _mean_and_error(values):
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
