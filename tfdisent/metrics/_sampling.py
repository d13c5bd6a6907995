"""Which rows a score is computed from, and the protocol stamp that says so."""

import warnings

import numpy as np

from tfdisent.metrics import _validate, protocols

# Expected share of test rows among the training rows from which on a split earns a warning.
_LARGEST_OVERLAP = 0.1


def rows_for(data, protocol, seed, bins=None):
    """The rows of a score without predictor.

    Args:
        data: checked `Data` or `Units`.
        protocol: None for all rows, or a preset that sets the sampling.
        seed: seed of the draw.
        bins: number of bins, None for a score that has none.

    Returns:
        The data, without the factors that have one value among the rows drawn, the protocol stamp,
        and the seed (None where nothing is drawn).

    Raises:
        ValueError: if the preset sets no sampling or another number of bins, or if no factor has
            two values among the rows drawn.
    """
    if protocol is None:
        return data, "all rows" if bins is None else f"all rows, {bins} bins", None
    sampling = check_sampling(protocol, bins)
    rng = np.random.default_rng(seed)
    drawn = data.take(rng.integers(data.num_rows, size=sampling.num_train))
    if isinstance(drawn, _validate.Data):  # a rare value may be in none of these rows
        drawn = drawn.varying("drawn ")
    return drawn, protocol, seed


def split(num_rows, train, test, protocol, seed, is_tested=True):
    """Train and test rows of a score that fits a predictor.

    Args:
        num_rows: number of rows N.
        train: row indices, or None.
        test: row indices, or None.
        protocol: None, or a preset that sets the sampling (then `train` and `test` must be None).
        seed: seed of the split or the draw.
        is_tested: False if the score makes no use of the test rows.

    Returns:
        Row indices `train` and `test`, and the protocol stamp.

    Warns:
        UserWarning: if a preset draws so many of few rows that more than a tenth of the test rows
            are expected to be training rows too.

    Raises:
        ValueError: if only one of `train` and `test` is given, if they are given beside a preset,
            or if there are too few rows to split.
    """
    if (train is None) != (test is None):
        raise ValueError("train and test rows must be given together, received only one of them.")
    rng = np.random.default_rng(seed)
    if protocol is not None:
        sampling = check_sampling(protocol)
        if train is not None:
            raise ValueError(f"protocol {protocol!r} draws its own rows, received train and test.")
        train, test = (
            rng.integers(num_rows, size=size) for size in (sampling.num_train, sampling.num_test)
        )
        if is_tested:
            _warn_of_overlap(num_rows, sampling.num_train, protocol)
        return train, test, protocol
    if train is not None:
        train = _validate.check_rows(train, num_rows, "train")
        return train, _validate.check_rows(test, num_rows, "test"), "given split"
    if num_rows < 3:
        raise ValueError(f"a split into train and test needs 3 rows or more, received {num_rows}.")
    order = rng.permutation(num_rows)
    border = round(num_rows * 2 / 3)
    return order[:border], order[border:], "split 2:1"


def check_sampling(protocol, bins=None):
    """Returns the preset's `Sampling`, or raises if it has none or other bins."""
    protocols.check_preset(protocol, tuple(protocols.SAMPLING))
    sampling = protocols.SAMPLING[protocol]
    if bins is not None and bins != sampling.bins:
        raise ValueError(f"protocol {protocol!r} has {sampling.bins} bins, received {bins}.")
    return sampling


def _warn_of_overlap(num_rows, num_train, protocol):
    """Warns if many test rows are expected to be among `num_train` rows drawn independently."""
    overlap = 1 - (1 - 1 / num_rows) ** num_train
    if overlap > _LARGEST_OVERLAP:
        warnings.warn(
            f"protocol {protocol!r} draws training and test rows independently: with {num_rows:,} "
            f"rows, {overlap:.0%} of the test rows are expected to be training rows too, not held "
            "out. A score without a protocol holds out a third of the rows, and so does "
            "`evaluate` under 'jeong2019', 'kim2018' and 'lecture'.",
            UserWarning,
            stacklevel=4,  # the caller of the score
        )


def check_two_values(factors, kept_factors, rows_name):
    """Raises ValueError if a factor [N, K] has one value among these rows."""
    constant = np.flatnonzero((factors == factors[:1]).all(axis=0))
    if constant.size:
        raise ValueError(
            f"each factor must have two values among the {rows_name} rows, factor "
            f"{kept_factors[constant[0]]} has one among {len(factors)}."
        )
