"""Modularity: does each unit inform about one factor only?"""

import numpy as np

from tfdisent.metrics import _information, _sampling, _validate
from tfdisent.metrics.score import Score


def modularity(factors, codes, bins=20, discrete_columns=(), protocol=None, seed=0):
    """Mean over units of 1 - sum of I^2 beside the largest / ((K - 1) largest I^2).

    I is the plug-in mutual information between the discretised unit and a factor. A unit that
    informs about nothing counts 0; with a single factor every other unit counts 1.

    Args:
        factors: int [N, K]; factors with one value among the rows used are dropped.
        codes: float [N, D].
        bins: equal-width bins of a continuous column, between its minimum and maximum.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None for the rows given, or "locatello2019": 10,000 of them drawn with
            replacement, 20 bins.
        seed: seed of that draw.

    Returns:
        `Score` in [0, 1]. Details: `per_unit` [units], `mutual_information` [units, K] in nats,
        `num_rows`, `kept_factors`.

    Raises:
        ValueError: if the arrays, bins or protocol are not as stated, or if no factor has two
            values among the rows used.

    Reference:
        Ridgeway and Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss, 2018,
        arXiv:1802.05312, section 3.
    """
    data = _validate.check_data(factors, codes, discrete_columns)
    data, stamp, seed = _sampling.rows_for(data, protocol, seed, bins)
    return from_classes(_information.Classes(data, bins), stamp, seed)


def from_classes(classes, stamp, seed):
    """The score of discretised data; see `modularity`."""
    information = classes.mutual_information
    largest = information.max(axis=1)
    informative = largest > 0
    relative = information[informative] / largest[informative, None]
    num_others = max(1, information.shape[1] - 1)
    per_unit = np.zeros(len(information))
    per_unit[informative] = 1 - (np.sum(relative**2, axis=1) - 1) / num_others
    details = {
        "per_unit": per_unit,
        "mutual_information": information,
        "num_rows": classes.num_rows,
        "kept_factors": list(classes.kept_factors),
    }
    return Score(per_unit.mean(), "modularity", stamp, seed, details)
