"""Entropies and divergences of finite tables, and differential entropies in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import xlogy

from tfdisent.information.gaussian import check_covariance
from tfdisent.information.tables import (
    check_axes,
    check_base,
    check_positive,
    check_table,
    clip_negative,
    marginal,
)


def entropy(p, base: float = 2) -> float:
    """Entropy of all variables of a table together, H = -sum p log p with 0 log 0 = 0.

    >>> entropy([0.5, 0.25, 0.125, 0.125])
    1.75

    Args:
        p: joint table, one axis per variable.
        base: base of the logarithm; 2 gives bits, `math.e` nats.

    Returns:
        H >= 0, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table.

    Reference:
        Shannon, A Mathematical Theory of Communication, 1948, section 6.
    """
    unit = check_base(base)
    return table_entropy(check_table(p)) / unit


def joint_entropy(p, axes: int | Sequence[int] | None = None, base: float = 2) -> float:
    """Entropy of the variables on `axes`, the others summed out.

    Args:
        p: joint table, one axis per variable.
        axes: the variables; None stands for all of them.
        base: base of the logarithm.

    Returns:
        H of the chosen variables, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table or `axes` are not its axes.
    """
    unit = check_base(base)
    p = check_table(p)
    axes = range(p.ndim) if axes is None else check_axes(axes, p.ndim)
    return table_entropy(marginal(p, axes)) / unit


def conditional_entropy(p, given: int | Sequence[int] | None = None, base: float = 2) -> float:
    """Entropy that remains when the variables on `given` are known, H(rest | given).

    Args:
        p: joint table, one axis per variable, target on the last axis.
        given: the known variables; None stands for all but the last, which gives H(Y | X).
        base: base of the logarithm.

    Returns:
        H(all) - H(given) >= 0, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table or `given` are not its axes.
    """
    unit = check_base(base)
    p = check_table(p)
    given = range(p.ndim - 1) if given is None else check_axes(given, p.ndim, "given")
    return clip_negative(table_entropy(p) - table_entropy(marginal(p, given))) / unit


def cross_entropy(p, q, base: float = 2) -> float:
    """Expected code length under `p` of a code made for `q`, -sum p log q.

    Args:
        p: table of the true probabilities.
        q: table of the same shape.
        base: base of the logarithm.

    Returns:
        H(p) + KL(p || q), in units of `base`; infinite where q = 0 < p.

    Raises:
        ValueError: if either is not a probability table or the shapes differ.
    """
    unit = check_base(base)
    p, q = _same_shape(p, q)
    return float(-xlogy(p, q).sum()) / unit


def kl_divergence(p, q, base: float = 2) -> float:
    """Relative entropy KL(p || q) = sum p log(p / q).

    Args:
        p: table.
        q: table of the same shape.
        base: base of the logarithm.

    Returns:
        KL >= 0, in units of `base`; infinite where q = 0 < p.

    Raises:
        ValueError: if either is not a probability table or the shapes differ.

    Reference:
        Kullback and Leibler, On Information and Sufficiency, 1951.
    """
    unit = check_base(base)
    p, q = _same_shape(p, q)
    return clip_negative(float((xlogy(p, p) - xlogy(p, q)).sum())) / unit


def differential_entropy(
    *, covariance=None, width: float | None = None, base: float = math.e
) -> float:
    """Differential entropy of a Gaussian or of a uniform density, in closed form.

    The Gaussian has 0.5 log((2 pi e)^n |covariance|), the uniform on an interval log(width).
    Unlike H it may be negative: U(0, 1/2) has -log 2.

    Args:
        covariance: variance or [n, n] covariance of a Gaussian.
        width: length of the interval of a uniform density.
        base: base of the logarithm; nats by default.

    Returns:
        h, in units of `base`.

    Raises:
        ValueError: unless exactly one density is described, by valid numbers.

    Reference:
        Cover and Thomas, Elements of Information Theory, 2006, chapter 8.
    """
    unit = check_base(base)
    if (covariance is None) == (width is None):
        raise ValueError("differential_entropy takes either covariance or width.")
    if width is not None:
        return math.log(check_positive(width, "width")) / unit
    covariance = check_covariance(covariance)
    log_determinant = float(np.linalg.slogdet(covariance)[1])
    return 0.5 * (len(covariance) * math.log(2 * math.pi * math.e) + log_determinant) / unit


def table_entropy(p: np.ndarray) -> float:
    """-sum p log p in nats of an array that is known to be a table."""
    return clip_negative(-float(xlogy(p, p).sum()))


def _same_shape(p, q) -> tuple[np.ndarray, np.ndarray]:
    p, q = check_table(p), check_table(q, "q")
    if p.shape != q.shape:
        raise ValueError(f"p and q must have the same shape, received {p.shape} and {q.shape}.")
    return p, q
