"""Synergy: what predictors X_1, ..., X_n say about a target Y only together.

For every table max(0, WMS) <= S_VK <= S_max <= I(X; Y).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from tfdisent.information.mutual_information import (
    table_mutual_information,
    table_specific_information,
)
from tfdisent.information.tables import (
    check_axes,
    check_base,
    check_table,
    clip_negative,
    marginal,
)
from tfdisent.information.union_information import union_information

SOURCES = ("single", "proper")


def whole_minus_sum(p, base: float = 2) -> float:
    """Whole-minus-sum synergy, I(X; Y) - sum_i I(X_i; Y).

    Negative where redundancy prevails; for two predictors it is synergy minus redundancy.

    Args:
        p: joint table of at least two axes, target on the last axis.
        base: base of the logarithm.

    Returns:
        WMS, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes.

    Reference:
        Griffith and Koch, Quantifying Synergistic Mutual Information, 2012, arXiv:1205.4265.
    """
    unit = check_base(base)
    p = check_table(p, min_axes=2)
    target = p.ndim - 1
    parts = sum(table_mutual_information(marginal(p, (i, target))) for i in range(target))
    return (_whole(p) - parts) / unit


def s_max(p, sources: str = "single", base: float = 2) -> float:
    """Synergy by the largest specific information, I(X; Y) - sum_y p(y) max_i I(X_i; Y=y).

    An over-estimate: unique information counts as synergy (Y = (X_1, X_2) has one bit of it).

    Args:
        p: joint table of at least two axes, target on the last axis.
        sources: "single" takes the maximum over single predictors, "proper" over all their
            proper subsets. Over all subsets it would be zero for every table.
        base: base of the logarithm.

    Returns:
        0 <= S_max <= I(X; Y), in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes, or `sources` unknown.

    Reference:
        Griffith and Koch, Quantifying Synergistic Mutual Information, 2012, arXiv:1205.4265.
    """
    unit = check_base(base)
    p = check_table(p, min_axes=2)
    if sources not in SOURCES:
        raise ValueError(f"sources must be one of {SOURCES}, received {sources!r}.")
    num_predictors = p.ndim - 1
    largest = num_predictors - 1 if sources == "proper" else 1
    subsets = [
        subset
        for size in range(1, max(1, largest) + 1)
        for subset in combinations(range(num_predictors), size)
    ]
    strongest = np.max([table_specific_information(p, subset) for subset in subsets], axis=0)
    return clip_negative(_whole(p) - float(_outcomes(p) @ strongest)) / unit


def i_min(p, sources: Sequence[int | Sequence[int]] | None = None, base: float = 2) -> float:
    """Redundancy of Williams and Beer, sum_y p(y) min_A I(A; Y=y).

    Args:
        p: joint table of at least two axes, target on the last axis.
        sources: the sets A of predictor axes; None stands for every single predictor.
        base: base of the logarithm.

    Returns:
        I_min >= 0, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes, or a source is empty
            or not among the axes before the last.

    Reference:
        Williams and Beer, Nonnegative Decomposition of Multivariate Information, 2010,
        arXiv:1004.2515, the definition of I_min.
    """
    unit = check_base(base)
    p = check_table(p, min_axes=2)
    num_predictors = p.ndim - 1
    if sources is None:
        sources = range(num_predictors)
    sources = [check_axes(source, num_predictors, "sources") for source in sources]
    if not sources or not all(sources):
        raise ValueError(f"sources must be non-empty sets of axes, received {sources}.")
    return table_i_min(p, sources) / unit


def i_vk(p, base: float = 2, tolerance: float = 1e-9) -> float:
    """Union information, the least I*(X; Y) with every pair marginal P(X_i, Y) kept.

    `union_information` also returns the certified gap and the minimising table.

    Args:
        p: joint table of at least two axes, target on the last axis.
        base: base of the logarithm.
        tolerance: the certified accuracy, in units of `base`.

    Returns:
        max_i I(X_i; Y) <= I_VK <= I(X; Y), in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.
    """
    return union_information(p, base, tolerance).value


def s_vk(p, base: float = 2, tolerance: float = 1e-9) -> float:
    """Synergy beyond the union information, I(X; Y) - I_VK.

    For two predictors it is the complementary information of Bertschinger et al. AND has half a
    bit; 0.270, met in print, is the value at the conditionally independent table, which
    satisfies the constraints without being their minimum.

    Args:
        p: joint table of at least two axes, target on the last axis.
        base: base of the logarithm.
        tolerance: the certified accuracy, in units of `base`.

    Returns:
        0 <= S_VK <= S_max, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.

    Reference:
        Griffith and Koch, Quantifying Synergistic Mutual Information, 2012, arXiv:1205.4265;
        Bertschinger et al., Quantifying Unique Information, 2014, arXiv:1311.2852.
    """
    union = union_information(p, base, tolerance).value
    return clip_negative(_whole(check_table(p)) / check_base(base) - union)


def table_i_min(p: np.ndarray, sources: Sequence[Sequence[int]]) -> float:
    """I_min in nats of an array that is known to be a table."""
    weakest = np.min([table_specific_information(p, source) for source in sources], axis=0)
    return float(_outcomes(p) @ weakest)


def _whole(p: np.ndarray) -> float:
    return table_mutual_information(p.reshape(-1, p.shape[-1]))


def _outcomes(p: np.ndarray) -> np.ndarray:
    return p.reshape(-1, p.shape[-1]).sum(0)
