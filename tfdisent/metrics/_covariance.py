"""The covariance of a representation and its blocks, one block per unit."""

import numpy as np

_CHUNK = 2048  # rows that stay in the cache from centring to product


def covariance_blocks(units):
    """Unbiased covariance of the columns that vary, and which of them form a unit.

    The columns are divided by powers of two near their ranges, so that no scale of the codes
    leaves float64 when it is squared, and nothing is rounded. A discrete group of C labels enters
    as C - 1 one-hot columns: the last follows from the others.

    Args:
        units: `Units` of at least two rows.

    Returns:
        Float [F, F], the covariance of the F columns divided by their scales; float [F], the
        scales in the units of the codes; and a list of index arrays into both, one per unit that
        varies.

    Raises:
        ValueError: if there is one row only.
    """
    if units.num_rows < 2:
        raise ValueError(f"a covariance needs at least two rows, received {units.num_rows}.")
    features, owner = units.features()
    ranges = _ranges(features)
    varies = ranges > 0
    for unit in range(units.continuous.shape[1], len(units)):
        varies[np.flatnonzero(owner == unit)[-1]] = False
    if not varies.all():
        features, ranges, owner = features[:, varies], ranges[varies], owner[varies]
    scales = np.ldexp(1.0, np.frexp(ranges)[1])
    borders = np.flatnonzero(np.diff(owner)) + 1
    blocks = np.split(np.arange(owner.size), borders) if owner.size else []
    return _scaled_covariance(features, scales), scales, blocks


def _ranges(features):
    """Largest less least value of each column of [N, F]."""
    least, largest = features[0].copy(), features[0].copy()
    for chunk in _chunks(features):
        columns = np.ascontiguousarray(chunk.T)  # minima along rows of memory are far faster
        np.minimum(least, columns.min(axis=1), out=least)
        np.maximum(largest, columns.max(axis=1), out=largest)
    return largest - least


def _scaled_covariance(features, scales):
    """Unbiased covariance [F, F] of rows [N, F] divided by scales [F].

    The rows are centred first: a difference of moments would lose the digits that tell exact
    dependence from rounding, at every mean that is not far below the standard deviation. Sums over
    chunks also round less than one sum over all rows.
    """
    num_rows, num_columns = features.shape
    mean = np.full(num_rows, 1 / num_rows) @ features
    covariance = np.zeros((num_columns, num_columns))
    for chunk in _chunks(features):
        centered = (chunk - mean) / scales
        covariance += centered.T @ centered
    return covariance / (num_rows - 1)


def _chunks(features):
    return (features[start : start + _CHUNK] for start in range(0, len(features), _CHUNK))
