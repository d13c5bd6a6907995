"""Interventional robustness score."""

import numpy as np

from tfdisent.metrics import _information, _sampling, _validate
from tfdisent.metrics.score import Score


def irs(factors, codes, quantile=0.99, bins=20, discrete_columns=(), protocol=None, seed=0):
    """How little a unit moves, at worst, while the factor that rules it stays the same.

    For a unit and a factor: among the rows of each factor value, the `quantile` of the distance
    |z - mean of these rows|; averaged over values and divided by the largest distance from the
    mean over all rows, it is the unit's deviation. A unit scores 1 - its least deviation over
    factors; the score is their mean weighted by the largest distances. Units that do not vary are
    dropped; if none is left the score is 0.

    The distance of a discrete group is 1 - share of the label among the rows, half the L1 distance
    between the one-hot code and its mean.

    Args:
        factors: int [N, K]; factors with one value among the rows used are dropped.
        codes: float [N, D].
        quantile: in [0, 1]; 1.0 is the paper's version.
        bins: equal-width bins that merge the values of a factor with more of them, by their
            numbers; a factor with fewer values keeps them all, whatever their numbers.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None for the rows given, or "locatello2019": 10,000 of them drawn with
            replacement, 20 bins, quantile 0.99.
        seed: seed of that draw.

    Returns:
        `Score` in (-1, 1], negative where rows of one factor value lie further from their own mean
        than any row from that of all, as a few outliers do. Details: `per_unit` [units] (None where
        dropped), `matrix` [active units, K], `parents` [active units] (the factor that rules each),
        `max_deviations`, `num_active`, `num_rows`, `kept_factors`.

    Raises:
        ValueError: if the arrays, quantile, bins or protocol are not as stated, or if no factor has
            two values among the rows used.

    Reference:
        Suter et al., Robustly Disentangled Causal Mechanisms: Validating Deep Representations for
        Interventional Robustness, 2019, arXiv:1811.00007, section 4.
    """
    if not 0 <= quantile <= 1:
        raise ValueError(f"quantile must be in [0, 1], received {quantile}.")
    _validate.check_positive_int(bins, "bins")
    if protocol is not None and quantile != 0.99:
        raise ValueError(f"protocol {protocol!r} has quantile 0.99, received {quantile}.")
    data = _validate.check_data(factors, codes, discrete_columns)
    data, stamp, seed = _sampling.rows_for(data, protocol, seed, bins)
    if protocol is None:
        stamp += f", quantile {quantile}"
    return from_data(data, quantile, bins, stamp, seed)


def from_data(data, quantile, bins, stamp, seed):
    """The score of checked rows; see `irs`."""
    distance = _Distance(data.units)
    largest = distance(np.arange(data.num_rows), [data.num_rows], 1.0)[0]  # [units]
    is_active = distance.varies
    deviations = np.empty((len(data.units), data.factors.shape[1]))
    for k, factor in enumerate(data.factors.T):
        order, counts = _sort_by_bin(factor, bins)
        deviations[:, k] = distance(order, counts, quantile).mean(axis=0)
    matrix = 1 - deviations[is_active] / largest[is_active, None]
    scores = matrix.max(axis=1)
    value = np.average(scores, weights=largest[is_active]) if is_active.any() else 0.0
    per_unit = np.full(len(data.units), None)
    per_unit[is_active] = scores
    details = {
        "per_unit": per_unit,
        "matrix": matrix,
        "parents": np.asarray(data.kept_factors)[matrix.argmax(axis=1)],
        "max_deviations": largest,
        "num_active": int(is_active.sum()),
        "num_rows": data.num_rows,
        "kept_factors": list(data.kept_factors),
    }
    return Score(value, "irs", stamp, seed, details)


def _sort_by_bin(factor, bins):
    """Rows ordered by the bin of their factor value, and the number of rows in each bin."""
    classes, counts = _validate.encode(factor)
    if counts.size > bins:
        values = np.empty(counts.size, dtype=np.int64)
        values[classes] = factor
        classes, counts = _validate.encode(_information.bin_column(values, bins)[classes])
    # NumPy sorts 16-bit integers by radix, several times faster.
    small = classes.astype(np.uint16) if counts.size < 2**16 else classes
    return np.argsort(small, kind="stable"), counts


class _Distance:
    """Quantiles of the distance from the mean, inside consecutive segments of reordered rows."""

    def __init__(self, units):
        self._columns = np.ascontiguousarray(units.continuous.T)  # [C, N]
        encoded = [_validate.encode(label) for label in units.labels]
        self._labels = [classes for classes, _ in encoded]
        varies = [column.min() < column.max() for column in self._columns]
        self.varies = np.array(varies + [counts.size > 1 for _, counts in encoded])

    def __call__(self, order, counts, quantile):
        """Quantiles [segments, units]; segment s holds the next `counts[s]` rows of `order`."""
        result, start = [], 0
        columns = self._columns[:, order]
        labels = [label[order] for label in self._labels]
        for count in counts:
            rows = slice(start, start + count)
            distance = columns[:, rows] - columns[:, rows].mean(axis=1, keepdims=True)
            np.abs(distance, out=distance)
            spread = [_quantile(distance, quantile)]
            for label in labels:
                share = np.bincount(label[rows]) / count
                spread.append(_quantile(1 - share[label[rows]][None], quantile))
            result.append(np.concatenate(spread))
            start += count
        return np.array(result)


def _quantile(values, quantile):
    """Linearly interpolated quantile along the last axis of [D, n]; reorders `values`."""
    position = quantile * (values.shape[1] - 1)
    low = int(position)
    values.partition(low, axis=1)
    if low == position:
        return values[:, low]
    above = values[:, low + 1 :].min(axis=1)
    return values[:, low] + (position - low) * (above - values[:, low])
