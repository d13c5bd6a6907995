"""Mutual information of finite tables: joint, conditional and specific."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tfdisent.information.entropy import table_entropy
from tfdisent.information.tables import (
    check_axes,
    check_base,
    check_table,
    clip_negative,
    marginal,
)


def mutual_information(p, base: float = 2) -> float:
    """Mutual information between all variables but the last, jointly, and the last.

    I(X; Y) = H(X) + H(Y) - H(X, Y) = KL(p(x, y) || p(x) p(y)). (Slides that print
    -sum p log(p / (p p)) have the sign wrong.)

    Args:
        p: joint table of at least two axes, target on the last axis.
        base: base of the logarithm.

    Returns:
        0 <= I <= min(H(X), H(Y)), in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes.

    Reference:
        Shannon, A Mathematical Theory of Communication, 1948, section 12.
    """
    unit = check_base(base)
    p = check_table(p, min_axes=2)
    return table_mutual_information(p.reshape(-1, p.shape[-1])) / unit


def conditional_mutual_information(p, given: int | Sequence[int], base: float = 2) -> float:
    """I(X; Y | Z): Z on the axes `given`, Y on the last axis, X on the others, jointly.

    Args:
        p: joint table of at least three axes, target on the last axis.
        given: the known variables, not the last axis and not all of the others.
        base: base of the logarithm.

    Returns:
        H(X, Z) + H(Y, Z) - H(Z) - H(X, Y, Z) >= 0, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table of three or more axes, or if `given`
            leaves no variable to measure.
    """
    unit = check_base(base)
    p = check_table(p, min_axes=3)
    given = check_axes(given, p.ndim, "given")
    target = p.ndim - 1
    if target in given:
        raise ValueError(f"given must not hold the target axis {target}, received {given}.")
    rest = tuple(axis for axis in range(target) if axis not in given)
    if not rest:
        raise ValueError(f"given must leave a variable next to the target, received {given}.")
    value = (
        table_entropy(marginal(p, rest + given))
        + table_entropy(marginal(p, (*given, target)))
        - table_entropy(marginal(p, given))
        - table_entropy(p)
    )
    return clip_negative(value) / unit


def specific_information(
    p, predictors: int | Sequence[int] | None = None, base: float = 2
) -> np.ndarray:
    """What a set of predictors says about each outcome, I(A; Y=y) = KL(P(A | y) || P(A)).

    Weighted by p(y) the values add up to I(A; Y).

    Args:
        p: joint table of at least two axes, target on the last axis.
        predictors: the axes of A; None stands for all but the last.
        base: base of the logarithm.

    Returns:
        Array [Y] of non-negative values in units of `base`; 0 for an outcome of probability 0.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes, or if `predictors`
            are not axes before the last.

    Reference:
        Williams and Beer, Nonnegative Decomposition of Multivariate Information, 2010,
        arXiv:1004.2515, the specific information inside I_min.
    """
    unit = check_base(base)
    p = check_table(p, min_axes=2)
    target = p.ndim - 1
    if predictors is None:
        predictors = tuple(range(target))
    else:
        predictors = check_axes(predictors, p.ndim, "predictors")
        if target in predictors or not predictors:
            raise ValueError(
                f"predictors must be axes before the target axis {target}, received {predictors}."
            )
    return table_specific_information(p, predictors) / unit


def table_specific_information(p: np.ndarray, predictors: Sequence[int]) -> np.ndarray:
    """Specific information in nats [Y] of an array that is known to be a table."""
    p_ay = marginal(p, (*predictors, p.ndim - 1)).reshape(-1, p.shape[-1])  # [A, Y]
    p_y = p_ay.sum(0)
    p_a = p_ay.sum(1, keepdims=True)
    support = p_ay > 0  # elsewhere the logarithms are replaced by log 1
    log_ratio = np.log(np.where(support, p_ay, 1.0))
    log_ratio -= np.log(np.where(p_a > 0, p_a, 1.0)) + np.log(np.where(p_y > 0, p_y, 1.0))
    weights = np.divide(p_ay, p_y, out=np.zeros_like(p_ay), where=p_y > 0)  # P(a | y)
    terms = np.multiply(weights, log_ratio, out=np.zeros_like(p_ay), where=support)
    return np.maximum(terms.sum(0), 0.0)


def table_mutual_information(p_xy: np.ndarray) -> float:
    """I(X; Y) in nats of a matrix that is known to be a table."""
    value = table_entropy(p_xy.sum(1)) + table_entropy(p_xy.sum(0)) - table_entropy(p_xy)
    return clip_negative(value)
