"""Wasserstein distance between the Gaussian of the codes and its product of marginals."""

import numpy as np

from tfdisent.metrics import _covariance, _sampling, _validate
from tfdisent.metrics.score import Score


def gaussian_wasserstein(codes, normalized=False, discrete_columns=(), protocol=None, seed=0):
    """2 tr S - 2 tr sqrt(D^1/2 S D^1/2), the squared distance W_2 of N(0, S) and N(0, D).

    S is the covariance of the codes, D its diagonal (of a discrete group, the block of its
    indicators). Zero for uncorrelated codes, finite for every S.

    Args:
        codes: float [N, D], N >= 2.
        normalized: divide by tr S, which makes it ignore a common scale.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None for the rows given, or "locatello2019": 10,000 of them drawn with
            replacement.
        seed: seed of that draw.

    Returns:
        `Score` >= 0, in squared units of the codes, or in [0, 2] if normalised (0 for codes that
        do not vary). Details: `num_rows`, `num_active` (units that vary), `normalized`.

    Raises:
        ValueError: if the arrays or the protocol are not as stated, or N < 2.

    References:
        Dowson and Landau, The Frechet distance between multivariate normal distributions, 1982.
        Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, arXiv:1811.12359 (as an unsupervised score).
    """
    units = _validate.check_codes(codes, discrete_columns)
    units, stamp, seed = _sampling.rows_for(units, protocol, seed)
    return from_units(units, stamp, seed, normalized)


def from_units(units, stamp, seed, normalized=False):
    """The score of checked rows; see `gaussian_wasserstein`."""
    covariance, scales, blocks = _covariance.covariance_blocks(units)
    unit = scales.max(initial=0.0) or 1.0  # the fourth powers below fit into float64 in this unit
    relative = scales / unit
    covariance = covariance * np.outer(relative, relative)
    root = np.diag(np.sqrt(np.diag(covariance)))  # D^1/2
    for block in (block for block in blocks if block.size > 1):
        inside = np.ix_(block, block)
        eigenvalues, vectors = np.linalg.eigh(covariance[inside])
        root[inside] = (vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T
    trace = np.trace(covariance)
    eigenvalues = np.linalg.eigvalsh(root @ covariance @ root)
    # Eigenvalues that are zero but for rounding would enter through their square root.
    floor = len(covariance) * np.finfo(float).eps * eigenvalues.max(initial=0.0)
    value = np.maximum(0.0, 2 * trace - 2 * np.sum(np.sqrt(eigenvalues[eigenvalues > floor])))
    if normalized:
        value = value / trace if trace > 0 else 0.0
        stamp += ", normalized"
    else:
        value = value * unit * unit
    details = {"num_rows": units.num_rows, "num_active": len(blocks), "normalized": normalized}
    return Score(value, "gaussian_wasserstein", stamp, seed, details)
