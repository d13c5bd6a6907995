"""Closed forms for Gaussian variables, in nats unless another base is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tfdisent.information.tables import check_axes, check_base, check_numbers, clip_negative

# Of an exactly singular correlation matrix, the least eigenvalue was found up to 1.5 eps per row of
# the largest.
_ROUNDING = 16 * np.finfo(float).eps


def gaussian_kl(mean_p, covariance_p, mean_q, covariance_q, base: float = math.e) -> float:
    """KL(N(mean_p, covariance_p) || N(mean_q, covariance_q)).

    0.5 (log(|S_q| / |S_p|) - n + tr(S_q^-1 S_p) + (m_q - m_p)^T S_q^-1 (m_q - m_p)).

    Args:
        mean_p: scalar or [n].
        covariance_p: variance or [n, n].
        mean_q: scalar or [n].
        covariance_q: variance or [n, n].
        base: base of the logarithm.

    Returns:
        KL >= 0, in units of `base`.

    Raises:
        ValueError: if the shapes disagree or a covariance is not positive definite.
    """
    unit = check_base(base)
    covariance_p = check_covariance(covariance_p, "covariance_p")
    covariance_q = check_covariance(covariance_q, "covariance_q")
    size = len(covariance_p)
    mean_p = _check_mean(mean_p, size, "mean_p")
    mean_q = _check_mean(mean_q, size, "mean_q")
    if len(covariance_q) != size:
        raise ValueError(
            f"covariance_q must have shape {covariance_p.shape}, received {covariance_q.shape}."
        )
    difference = mean_q - mean_p
    log_ratio = _log_determinant(covariance_q) - _log_determinant(covariance_p)
    trace = np.trace(np.linalg.solve(covariance_q, covariance_p))
    mahalanobis = difference @ np.linalg.solve(covariance_q, difference)
    return clip_negative(0.5 * float(log_ratio - size + trace + mahalanobis)) / unit


def gaussian_mutual_information(
    covariance,
    target: int | Sequence[int] = -1,
    given: int | Sequence[int] = (),
    base: float = math.e,
) -> float:
    """Mutual information between two blocks of a Gaussian vector.

    0.5 log(|S_x| |S_y| / |S_xy|), with every determinant conditional on the block `given`. A
    pair of correlation rho has -0.5 log(1 - rho^2).

    Args:
        covariance: [n, n].
        target: the coordinates of Y; the last one by default.
        given: coordinates known, which gives I(X; Y | Z); X is what `target` and `given` leave.
        base: base of the logarithm.

    Returns:
        I >= 0, in units of `base`.

    Raises:
        ValueError: if the covariance is not positive definite or a block is empty or overlaps.
    """
    unit = check_base(base)
    covariance = check_covariance(covariance)
    size = len(covariance)
    y = check_axes(target, size, "target")
    z = check_axes(given, size, "given")
    if set(y) & set(z):
        raise ValueError(f"target and given must not overlap, received {y} and {z}.")
    x = tuple(i for i in range(size) if i not in y and i not in z)
    if not x or not y:
        raise ValueError(
            f"target and given must leave two blocks of {size} coordinates, received {y} and {z}."
        )
    value = (
        _log_determinant(covariance, x + z)
        + _log_determinant(covariance, y + z)
        - _log_determinant(covariance, z)
        - _log_determinant(covariance)
    )
    return clip_negative(0.5 * value) / unit


def gaussian_total_correlation(covariance, base: float = math.e) -> float:
    """Total correlation of a Gaussian vector, 0.5 (sum_i log S_ii - log |S|).

    Args:
        covariance: [n, n].
        base: base of the logarithm.

    Returns:
        TC >= 0, in units of `base`.

    Raises:
        ValueError: if the covariance is not positive definite.
    """
    unit = check_base(base)
    covariance = check_covariance(covariance)
    value = np.log(np.diag(covariance)).sum() - _log_determinant(covariance)
    return clip_negative(0.5 * float(value)) / unit


def check_covariance(covariance, name: str = "covariance") -> np.ndarray:
    """Returns a variance or a covariance as a symmetric positive definite float64 matrix.

    Raises ValueError if it is none, also if it is singular but for rounding: if the least
    eigenvalue of its correlations is no more than 16 eps per row of the largest.
    """
    covariance = check_numbers(covariance, name)
    if covariance.ndim == 0:
        covariance = covariance.reshape(1, 1)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1] or covariance.size == 0:
        raise ValueError(f"{name} must be a square matrix, received shape {covariance.shape}.")
    asymmetry = np.abs(covariance - covariance.T)
    if asymmetry.max() > 1e-6 * np.abs(covariance).max():
        i, j = np.unravel_index(int(asymmetry.argmax()), asymmetry.shape)
        raise ValueError(
            f"{name} must be symmetric, received {covariance[i, j]} at [{i}, {j}] "
            f"and {covariance[j, i]} at [{j}, {i}]."
        )
    covariance = 0.5 * (covariance + covariance.T)
    if not _is_positive_definite(covariance):
        smallest = float(np.linalg.eigvalsh(covariance)[0])
        rounding = ", positive by rounding only" if smallest > 0.0 else ""
        raise ValueError(
            f"{name} must be positive definite, its least eigenvalue is {smallest:g}{rounding}."
        )
    return covariance


def is_singular(eigenvalues: np.ndarray) -> bool:
    """Whether correlations with these eigenvalues [n], ascending, are singular but for rounding."""
    return bool(eigenvalues[0] <= _ROUNDING * len(eigenvalues) * eigenvalues[-1])


def _is_positive_definite(covariance: np.ndarray) -> bool:
    """Whether the correlations, which no unit of measurement changes, are not singular."""
    variances = np.diag(covariance)
    if variances.min() <= 0.0:
        return False
    scale = np.sqrt(variances)
    return not is_singular(np.linalg.eigvalsh(covariance / scale[:, None] / scale))


def _check_mean(mean, size: int, name: str) -> np.ndarray:
    mean = np.atleast_1d(check_numbers(mean, name))
    if mean.shape != (size,):
        raise ValueError(f"{name} must have shape ({size},), received {mean.shape}.")
    return mean


def _log_determinant(covariance: np.ndarray, block: Sequence[int] | None = None) -> float:
    if block is not None:
        covariance = covariance[np.ix_(block, block)]
    return float(np.linalg.slogdet(covariance)[1])
