"""Validation of probability tables: the one place where a wrong entry is named."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

# Float32 outputs of a softmax and tables printed with seven digits sum to one this well.
SUM_TOLERANCE = 1e-6
LEAST_TOLERANCE = 1e-12


def check_table(p, name: str = "p", min_axes: int = 1) -> np.ndarray:
    """Returns `p` as a float64 probability table, or names the entry that is wrong.

    A table has one axis per variable. A sum within 1e-6 of one is accepted and divided out, so
    that the identities of information theory hold to rounding error.

    Args:
        p: array-like of probabilities.
        name: what the messages call the table.
        min_axes: the smallest number of axes accepted.

    Returns:
        A new float64 array that sums to one.

    Raises:
        TypeError: if the entries are not real numbers.
        ValueError: if an entry is negative, NaN or infinite, if the sum is not one, or if the
            table has too few axes.
    """
    p = check_numbers(p, name)
    if p.ndim < min_axes:
        raise ValueError(
            f"{name} must have at least {min_axes} axes, one per variable, "
            f"received shape {p.shape}."
        )
    if p.size == 0:
        raise ValueError(f"{name} must hold at least one entry, received shape {p.shape}.")
    _check_non_negative(p, name)
    total = p.sum()
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise ValueError(f"{name} must sum to 1 within {SUM_TOLERANCE:g}, received {total:.9g}.")
    return p / total


def check_channel(channel, name: str = "channel", num_inputs: int | None = None) -> np.ndarray:
    """Returns `channel[x, y] = P(y | x)` as a float64 matrix whose rows sum to one.

    Args:
        channel: array-like [X, Y].
        name: what the messages call the matrix.
        num_inputs: the number of rows expected, if it is known.

    Returns:
        A new float64 array [X, Y].

    Raises:
        TypeError: if the entries are not real numbers.
        ValueError: if the shape, an entry or the sum of a row is wrong.
    """
    channel = check_numbers(channel, name)
    if channel.ndim != 2 or channel.size == 0:
        raise ValueError(f"{name} must be a matrix [inputs, outputs], received {channel.shape}.")
    if num_inputs is not None and channel.shape[0] != num_inputs:
        raise ValueError(f"{name} must have {num_inputs} rows, received {channel.shape[0]}.")
    _check_non_negative(channel, name)
    totals = channel.sum(1)
    row = int(np.argmax(np.abs(totals - 1.0)))
    if abs(totals[row] - 1.0) > SUM_TOLERANCE:
        raise ValueError(
            f"{name}[{row}] must sum to 1 within {SUM_TOLERANCE:g}, received {totals[row]:.9g}."
        )
    return channel / totals[:, None]


def check_numbers(array, name: str) -> np.ndarray:
    """Returns `array` as float64, all entries finite."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, received dtype {array.dtype}.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        where = _first(~np.isfinite(array))
        raise ValueError(f"{_entry(name, where)} must be finite, received {array[where]}.")
    return array


def check_base(base: float) -> float:
    """Returns the natural logarithm of `base`, the divisor that turns nats into its unit."""
    if isinstance(base, bool) or not isinstance(base, (int, float, np.number)):
        raise TypeError(f"base must be a number, received {base!r}.")
    if not (1.0 < base < math.inf):
        raise ValueError(f"base must be finite and greater than 1, received {base}.")
    return math.log(base)


def unit_name(base: float) -> str:
    """What informations to a base are counted in: "bits", "nats", ..."""
    names = {2.0: "bits", 3.0: "trits", 10.0: "hartleys", math.e: "nats"}
    return names.get(float(base), f"digits of base {base:g}")


def check_axes(axes: int | Sequence[int], num_axes: int, name: str = "axes") -> tuple[int, ...]:
    """Returns `axes` as a sorted tuple of distinct non-negative axes of a table."""
    axes = (axes,) if isinstance(axes, (int, np.integer)) else tuple(axes)
    for axis in axes:
        if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
            raise TypeError(f"{name} must hold integers, received {axis!r}.")
        if not -num_axes <= axis < num_axes:
            raise ValueError(f"{name} must lie in a table of {num_axes} axes, received {axis}.")
    axes = sorted(int(axis) % num_axes for axis in axes)
    if len(set(axes)) < len(axes):
        raise ValueError(f"{name} must be distinct, received {axes}.")
    return tuple(axes)


def check_count(value, name: str, minimum: int = 1) -> int:
    """Returns `value` as an int of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, received {value!r}.")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, received {value}.")
    return int(value)


def check_positive(value, name: str) -> float:
    """Returns `value` as a finite float above zero."""
    value = float(value)
    if not (0.0 < value < math.inf):
        raise ValueError(f"{name} must be positive and finite, received {value}.")
    return value


def check_tolerance(value, unit: float) -> float:
    """Returns a certified gap in nats, refusing what rounding errors of float64 would mask."""
    value = float(value)
    if not value >= LEAST_TOLERANCE:
        raise ValueError(f"tolerance must be at least {LEAST_TOLERANCE:g}, received {value}.")
    return value * unit


def clip_negative(value: float) -> float:
    """Returns 0 for what rounding left below zero; NaN stays NaN, where `max(0, value)` is 0."""
    return 0.0 if value <= 0.0 else value


def marginal(p: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """Sums a table over every axis that is not in `axes`; the order of the rest is kept."""
    return p.sum(axis=tuple(axis for axis in range(p.ndim) if axis not in axes))


def _check_non_negative(array: np.ndarray, name: str) -> None:
    if (array < 0).any():
        where = _first(array < 0)
        raise ValueError(f"{_entry(name, where)} must not be negative, received {array[where]}.")


def _first(mask: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(mask)[0])


def _entry(name: str, where: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, where))}]" if where else name
