"""Mutual information gap."""

import numpy as np

from tfdisent.metrics import _information, _sampling, _validate
from tfdisent.metrics.score import Score


def mig(factors, codes, bins=20, discrete_columns=(), protocol=None, seed=0):
    """Mutual information gap: mean over factors of (I_1 - I_2) / H.

    I_1 and I_2 are the largest and second largest plug-in mutual information between the factor
    and one discretised unit, H the entropy of the factor. A representation of one unit has I_2 = 0.

    Args:
        factors: int [N, K]; factors with one value among the rows used are dropped.
        codes: float [N, D].
        bins: equal-width bins of a continuous column, between its minimum and maximum.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None for the rows given, or "locatello2019": 10,000 of them drawn with
            replacement, 20 bins.
        seed: seed of that draw.

    Returns:
        `Score` in [0, 1]. Details: `gaps` [K], `mutual_information` [units, K] and
        `factor_entropy` [K] in nats, `num_rows`, `kept_factors`.

    Raises:
        ValueError: if the arrays, bins or protocol are not as stated, or if no factor has two
            values among the rows used.

    References:
        Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, arXiv:1802.04942, Eq. 6
        (with sampled codes: `evaluation.mig_chen2018`).
        Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, arXiv:1811.12359 (with binned means, as here).
    """
    data = _validate.check_data(factors, codes, discrete_columns)
    data, stamp, seed = _sampling.rows_for(data, protocol, seed, bins)
    return from_classes(_information.Classes(data, bins), stamp, seed)


def from_classes(classes, stamp, seed):
    """The score of discretised data; see `mig`."""
    information = classes.mutual_information
    entropies = np.array([_information.entropy(factor) for factor in classes.factors])
    gaps = top_two_gap(np.vstack([information, np.zeros_like(entropies)])) / entropies
    details = {
        "gaps": gaps,
        "mutual_information": information,
        "factor_entropy": entropies,
        "num_rows": classes.num_rows,
        "kept_factors": list(classes.kept_factors),
    }
    return Score(np.minimum(1.0, gaps.mean()), "mig", stamp, seed, details)


def top_two_gap(matrix):
    """Difference of the two largest entries of each column: [D, K] -> [K]."""
    ranked = np.sort(matrix, axis=0)
    return ranked[-1] - ranked[-2]
