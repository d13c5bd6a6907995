"""Discretised units and their plug-in mutual information, shared by several scores."""

import numpy as np

from tfdisent.metrics import _validate


class Classes:
    """Discretised units and factor classes of checked data; their mutual information, once."""

    def __init__(self, data, bins):
        """Discretises the units and factors of `Data`."""
        self.units = discretize(data.units, bins)
        self.factors = [_validate.encode(factor)[0] for factor in data.factors.T]
        self.kept_factors = data.kept_factors
        self.num_rows = data.num_rows
        self.mutual_information = np.array(
            [[mutual_information(unit, factor) for factor in self.factors] for unit in self.units]
        )  # [D, K]


def discretize(units, bins):
    """Classes of every unit: bin of a continuous column, label of a group.

    A continuous column is cut in equal-width bins between its own minimum and maximum; each bin
    holds its left edge, the last one both. A column that does not vary is one class.

    Args:
        units: `Units`.
        bins: number of bins.

    Returns:
        List of int64 [N], classes counted from 0, one per unit.
    """
    _validate.check_positive_int(bins, "bins")
    binned = [bin_column(column, bins) for column in units.continuous.T]
    return binned + [_validate.encode(label)[0] for label in units.labels]


def bin_column(column, bins):
    """Equal-width bins of real [N]: int64 [N] in 0..bins-1, the bins of `numpy.histogram`."""
    low, high = column.min(), column.max()
    if low == high:
        return np.zeros(column.size, dtype=np.int64)
    edges = np.linspace(low, high, bins + 1)
    return np.searchsorted(edges[:-1], column, side="right") - 1


def mutual_information(first, second):
    """Plug-in mutual information in nats of two class vectors [N] counted from 0.

    sum_ij (c_ij / n) log(n c_ij / (r_i s_j)) over the cells of the contingency table. The products
    are exact integers, so independent counts give exactly 0.
    """
    height, width = int(first.max()) + 1, int(second.max()) + 1
    joint = np.bincount(first * width + second, minlength=height * width).reshape(height, width)
    expected = np.outer(joint.sum(axis=1), joint.sum(axis=0))  # n times the expected counts
    seen = joint > 0
    count = joint[seen]
    total = (count @ np.log(count * first.size / expected[seen])) / first.size
    return float(np.maximum(0.0, total))


def entropy(classes):
    """Plug-in entropy in nats of a class vector [N] counted from 0."""
    counts = np.bincount(classes)
    share = counts[counts > 0] / classes.size
    return float(-(share @ np.log(share)))
