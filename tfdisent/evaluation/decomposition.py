"""The three parts of the rate: what the codes say of the image, of each other, of the prior."""

from typing import NamedTuple

import numpy as np

from tfdisent.evaluation.aggregate_posterior import Posteriors, log_ratios
from tfdisent.evaluation.encode import encode_dataset
from tfdisent.evaluation.prior_density import PriorDensity
from tfdisent.latents import Categorical, Gaussian


class Decomposition(NamedTuple):
    """`E_x KL(q(z | x) || p(z)) = I(x; z) + TC(z) + sum_j KL(q(z_j) || p(z_j))`, in nats.

    q(z) is the mean of the posteriors of the rows. Of these rows all parts are unbiased estimates;
    of a larger set that the rows were drawn from, `index_code_mi`, which cannot exceed
    `log num_rows`, is an underestimate, and `total_correlation` too large by up to as much.

    A learned, joint prior may itself hold the dimensions to be dependent. It then has a fourth part
    that is taken off, `E_q(z) log p(z) / prod_j p(z_j)`; of any other prior it is 0.

    Attributes:
      index_code_mi: I(x; z), between the row and its code.
      total_correlation: KL(q(z) || prod_j q(z_j)).
      dimensionwise_kl: sum over latent variables of KL(q(z_j) || p(z_j)).
      prior_correlation: the dependence between dimensions that a learned prior accounts for, 0 for
        N(0, I).
      rate: the left side, in closed form, mean over all rows; of a learned prior, from samples that
        are independent of those of the parts.
      gap: the sum of the parts minus `rate`: zero but for sampling.
      standard_errors: {"index_code_mi", "total_correlation", "dimensionwise_kl",
        "prior_correlation", "prior_kl", "gap": of the sampling of z, as standard deviations}.
      marginal_mi: float64 [V], I(x; z_j) of each latent variable; their sum is I(x; z) + TC(z).
      marginal_kl: float64 [V], KL(q(z_j) || p(z_j)).
      num_rows: N.
      num_samples: samples of z that the expectations are means over.
    """

    index_code_mi: float
    total_correlation: float
    dimensionwise_kl: float
    prior_correlation: float
    rate: float
    gap: float
    standard_errors: dict
    marginal_mi: np.ndarray
    marginal_kl: np.ndarray
    num_rows: int
    num_samples: int

    @property
    def largest_mi(self):
        """log N, the most that `index_code_mi` can be, nats."""
        return float(np.log(self.num_rows))

    @property
    def prior_kl(self):
        """KL(q(z) || p(z)), the part of the rate that is not I(x; z)."""
        return self.total_correlation + self.dimensionwise_kl - self.prior_correlation

    @property
    def is_saturated(self):
        """Whether fewer than e^2 rows share a typical code: too few to stand for a larger set."""
        return self.index_code_mi > self.largest_mi - 2

    def to_dict(self):
        """All of it as types that `json.dumps` accepts."""
        return {
            **self._asdict(),
            "marginal_mi": self.marginal_mi.tolist(),
            "marginal_kl": self.marginal_kl.tolist(),
            "largest_mi": self.largest_mi,
            "is_saturated": bool(self.is_saturated),
        }


def elbo_decomposition(vae, dataset, rows=None, num_samples=10_000, seed=0):
    """Decomposes the rate of a model on a data set; see `Decomposition`.

    Each categorical group is one latent variable, with its class probabilities as its posterior (of
    a searched group, those that the search gives). Noise groups are independent of the image and of
    the rest, and add nothing to any part. The time is that of
    `num_samples * N * D` evaluations of a normal density; memory is bounded.

    Args:
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset`.
      rows: integer array [N], or None for all.
      num_samples: samples of z, at least 2.
      seed: of their draw.

    Returns:
      `Decomposition`; its latent variables are the continuous columns, then the discrete groups.

    Raises:
      ValueError: if a group is neither Gaussian nor categorical, or see `encode_dataset`.

    Reference:
      Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, arXiv:1802.04942, Eq. 2.
    """
    check_groups(vae.latents)
    posteriors = Posteriors.of(encode_dataset(vae, dataset, rows))
    return decompose(posteriors, num_samples, seed, PriorDensity.of(vae))


def aggregate_decomposition(mean, std, probabilities=(), num_samples=10_000, seed=0):
    """Decomposes the rate of factorised posteriors against N(0, 1) and uniform priors.

    Args:
      mean: [N, D] of the Gaussian dimensions.
      std: [N, D].
      probabilities: tuple of [N, K_g], one per categorical variable.
      num_samples: samples of z, at least 2.
      seed: of their draw.

    Returns:
      `Decomposition`.

    Raises:
      ValueError: if the arrays or numbers are not as stated.
    """
    return decompose(Posteriors(mean, std, tuple(probabilities)), num_samples, seed)


def decompose(posteriors, num_samples, seed, prior=None):
    """See `aggregate_decomposition`; `prior` is a `PriorDensity`, or None for N(0, I)."""
    if isinstance(num_samples, bool) or not isinstance(num_samples, int) or num_samples < 2:
        raise ValueError(f"num_samples must be an integer of at least 2, received {num_samples!r}.")
    rng = np.random.default_rng(seed)

    def draw():
        return posteriors.sample(rng.integers(len(posteriors), size=num_samples), rng)

    samples = draw()
    joint, marginal = log_ratios(posteriors, samples)  # [S], [S, V]
    above_prior, correlation = _log_prior_ratios(posteriors, samples, prior)  # [S, V], [S]
    parts = {
        "index_code_mi": joint,
        "total_correlation": marginal.sum(axis=1) - joint,
        "dimensionwise_kl": (above_prior - marginal).sum(axis=1),
        "prior_correlation": correlation,
    }
    errors = {name: _standard_error(values) for name, values in parts.items()}
    marginal_kl = (above_prior - marginal).mean(axis=0)
    sampled_rate = above_prior.sum(axis=1) - correlation  # the parts' sum, sample by sample
    errors["prior_kl"] = _standard_error(sampled_rate - joint)
    gap_error = _standard_error(sampled_rate)
    if prior is None:
        rate = float(rates(posteriors).mean(axis=0).sum())
    else:
        above_prior, correlation = _log_prior_ratios(posteriors, draw(), prior)
        others = above_prior.sum(axis=1) - correlation
        rate = float(others.mean())
        gap_error = float(np.hypot(gap_error, _standard_error(others)))
    return Decomposition(
        **{name: float(values.mean()) for name, values in parts.items()},
        rate=rate,
        gap=float(sampled_rate.mean()) - rate,
        standard_errors={**errors, "gap": gap_error},
        marginal_mi=marginal.mean(axis=0),
        marginal_kl=marginal_kl,
        num_rows=len(posteriors),
        num_samples=num_samples,
    )


def rates(posteriors):
    """KL(q(z_j | x_n) || p(z_j)) in closed form, float64 [N, V], nats."""
    mean, std = posteriors.mean.astype(np.float64), posteriors.std.astype(np.float64)
    gaussian = 0.5 * (mean**2 + std**2 - 1) - np.log(std)
    categorical = categorical_rates(posteriors.probabilities, len(posteriors))
    return np.concatenate([gaussian, categorical], axis=1)


def categorical_rates(probabilities, num_rows):
    """KL(q(c | x_n) || uniform) of each categorical variable.

    Args:
      probabilities: tuple of [N, K_g], one per variable, rows summing to 1.
      num_rows: N.

    Returns:
      float64 [N, V'], nats.
    """
    found = [np.sum(p * np.log(np.where(p > 0, p * p.shape[1], 1)), axis=1) for p in probabilities]
    return np.reshape(found, [len(found), num_rows]).T


def has_rates(latents):
    """Whether every inferred group is Gaussian or categorical.

    The other groups, `Point` and `Uniform`, have an infinite rate, and so no ELBO and no
    decomposition.
    """
    return not _without_rate(latents)


def check_groups(latents):
    """Raises ValueError unless every inferred group is Gaussian or categorical."""
    other = _without_rate(latents)
    if other:
        raise ValueError(f"expected Gaussian and categorical latent groups, received {other[0]}.")


def _without_rate(latents):
    return [group for group in latents.inferred if not isinstance(group, (Gaussian, Categorical))]


def _log_prior_ratios(posteriors, samples, prior):
    """log q(z_sj | x_s) / p(z_sj), [S, V], and log p(z_s) / prod_j p(z_sj), [S]; float64."""
    std = posteriors.std[samples.rows].astype(np.float64)
    noise = samples.noise.astype(np.float64)
    z = posteriors.mean[samples.rows] + noise
    if prior is None:
        gaussian = 0.5 * (z**2 - (noise / std) ** 2) - np.log(std)
        correlation = np.zeros(len(z))
    else:
        own = -0.5 * (noise / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)
        marginal = prior.marginal(z)  # [S, D]
        gaussian = own - marginal
        correlation = prior.joint(z) - marginal.sum(axis=1)
    categorical = [
        np.log(p[samples.rows, c] * p.shape[1])[:, None]
        for p, c in zip(posteriors.probabilities, samples.classes, strict=True)
    ]
    return np.concatenate([gaussian, *categorical], axis=1), correlation


def _standard_error(values):
    return float(values.std(ddof=1) / np.sqrt(len(values)))
