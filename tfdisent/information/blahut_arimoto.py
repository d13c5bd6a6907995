"""Channel capacity and the rate-distortion function, with proven gaps.

Both are convex programs over one probability vector. Blahut-Arimoto iterations solve most of
them at once; where their O(1/t) convergence is too slow, Newton steps on the same program finish.
Either way the stop is the gap between an upper and a lower bound.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from tfdisent.information._barrier import minimise_on_simplex
from tfdisent.information.mutual_information import table_mutual_information
from tfdisent.information.tables import (
    check_base,
    check_channel,
    check_count,
    check_numbers,
    check_table,
    check_tolerance,
    clip_negative,
)

NUM_ITERATIONS = 300  # of Blahut-Arimoto before Newton's method takes over
_ROUNDING = 1e-9  # of a distortion: the least one is a sum, so its last digits depend on the order


class ChannelCapacity(NamedTuple):
    """Capacity of a channel, in units of the base asked for."""

    capacity: float  # I(X; Y) at `inputs`, a lower bound
    gap: float  # capacity + gap is an upper bound
    inputs: np.ndarray  # [X] the input distribution that reaches it


class RateDistortionPoint(NamedTuple):
    """One point of R(D); `rate` and `gap` in units of the base asked for."""

    slope: float  # -dR/dD in nats per unit of distortion, whatever the base
    distortion: float  # E d(X, Xhat) of `conditional`
    rate: float  # I(X; Xhat) of `conditional`, an upper bound on R(distortion)
    gap: float  # rate - gap is a lower bound on R(distortion)
    conditional: np.ndarray  # [X, Xhat] the test channel Q(xhat | x)


class RateDistortionCurve(NamedTuple):
    """Points of R(D) in the order of rising slope, so of falling distortion."""

    slopes: np.ndarray  # [N] nats per unit of distortion
    distortions: np.ndarray  # [N]
    rates: np.ndarray  # [N] upper bounds, in units of the base asked for
    gaps: np.ndarray  # [N] rates - gaps are lower bounds


def channel_capacity(channel, base: float = 2, tolerance: float = 1e-9) -> ChannelCapacity:
    """Capacity C = max_p I(X; Y) of a discrete memoryless channel.

    Iterates p <- p exp(D) / Z with D(x) = KL(W(. | x) || q), q the output distribution. At every
    step sum_x p D <= C <= max_x D.

    Args:
        channel: W [X, Y], rows P(y | x).
        base: base of the logarithm.
        tolerance: the certified gap to reach, in units of `base`.

    Returns:
        A `ChannelCapacity`.

    Raises:
        ValueError: if `channel` is not a channel or the tolerance not positive.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.

    Reference:
        Blahut, Computation of Channel Capacity and Rate-Distortion Functions, 1972; Arimoto, An
        Algorithm for Computing the Capacity of Arbitrary Discrete Memoryless Channels, 1972.
    """
    unit = check_base(base)
    tolerance = check_tolerance(tolerance, unit)
    channel = check_channel(channel)
    channel = channel[:, channel.any(0)]
    negative_row_entropy = xlogy(channel, channel).sum(1)

    def divergence(p):  # [X] nats
        return negative_row_entropy - channel @ np.log(p @ channel)

    def derivatives(p):  # of -I
        return -divergence(p), (channel / (p @ channel)) @ channel.T

    def bounds(p):
        d = divergence(p)
        return float(p @ d), float(d.max())

    p = np.full(len(channel), 1.0 / len(channel))
    for _ in range(NUM_ITERATIONS):
        lower, upper = bounds(p)
        if upper - lower <= tolerance:
            break
        p = p * np.exp(divergence(p) - upper)
        p /= p.sum()
    else:
        p = minimise_on_simplex(
            lambda p: -float(p @ divergence(p)), derivatives, _inner(p), tolerance, "capacity"
        )
        lower, upper = bounds(p)
    return ChannelCapacity(clip_negative(lower) / unit, clip_negative(upper - lower) / unit, p)


def rate_distortion(
    p, distortion, slope: float, base: float = 2, tolerance: float = 1e-9
) -> RateDistortionPoint:
    """The point of the rate-distortion function where its slope is -`slope`.

    Minimises I(X; Xhat) + slope E d(X, Xhat). Iterates q <- q c with A = exp(-slope d),
    c(xhat) = sum_x p(x) A(x, xhat) / sum_xhat q A; log max c bounds the error of the minimum.
    Slope 0 is the point of zero rate and least distortion, `math.inf` the point of least
    distortion and least rate.

    Args:
        p: [X] source probabilities.
        distortion: [X, Xhat] distortion d(x, xhat), finite and not negative.
        slope: s >= 0 in nats per unit of distortion, whatever the base.
        base: base of the logarithm of the rate.
        tolerance: the certified gap to reach, in units of `base`.

    Returns:
        A `RateDistortionPoint`.

    Raises:
        ValueError: if `p`, `distortion` or `slope` is not valid.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.

    Reference:
        Blahut, Computation of Channel Capacity and Rate-Distortion Functions, 1972.
    """
    unit = check_base(base)
    tolerance = check_tolerance(tolerance, unit)
    p, distortion = _check_source(p, distortion)
    point = _point(p, distortion, _check_slope(slope), tolerance)
    return point._replace(rate=point.rate / unit, gap=point.gap / unit)


def rate_distortion_curve(
    p,
    distortion,
    slopes=None,
    num_points: int = 33,
    base: float = 2,
    tolerance: float = 1e-9,
) -> RateDistortionCurve:
    """Points of the rate-distortion function from zero rate to least distortion.

    Args:
        p: [X] source probabilities.
        distortion: [X, Xhat] distortion d(x, xhat), finite and not negative.
        slopes: slopes s >= 0 in nats per unit of distortion, `math.inf` allowed; None takes 0,
            infinity and a logarithmic grid over (0.1 to 1000) / (D_max - D_min).
        num_points: how many slopes, where `slopes` is None.
        base: base of the logarithm of the rates.
        tolerance: the certified gap to reach at every point, in units of `base`.

    Returns:
        A `RateDistortionCurve`.

    Raises:
        ValueError: if an argument is not valid.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.
    """
    unit = check_base(base)
    tolerance = check_tolerance(tolerance, unit)
    p, distortion = _check_source(p, distortion)
    if slopes is None:
        num_points = check_count(num_points, "num_points", minimum=3)
        width = (p @ distortion).min() - p @ distortion.min(1)
        grid = np.geomspace(0.1, 1000.0, num_points - 2) / (width if width > 0 else 1.0)
        slopes = [0.0, *grid, math.inf]
    slopes = sorted(_check_slope(slope) for slope in slopes)
    points = [_point(p, distortion, slope, tolerance) for slope in slopes]
    return RateDistortionCurve(
        np.array(slopes),
        np.array([point.distortion for point in points]),
        np.array([point.rate for point in points]) / unit,
        np.array([point.gap for point in points]) / unit,
    )


def rate_at_distortion(
    p, distortion, target: float, base: float = 2, tolerance: float = 1e-9
) -> RateDistortionPoint:
    """R(D) at a wanted distortion D.

    Two points of the curve enclose D. Mixing their test channels gives an upper bound at D, their
    tangents give lower bounds, and a new point at the slope of their chord closes the bracket;
    this also settles the straight parts of R(D), where one slope has many distortions.

    Args:
        p: [X] source probabilities.
        distortion: [X, Xhat] distortion d(x, xhat), finite and not negative.
        target: the distortion D >= D_min = sum_x p min_xhat d, up to a relative 1e-9 below it.
        base: base of the logarithm of the rate.
        tolerance: the certified gap to reach, in units of `base`.

    Returns:
        A `RateDistortionPoint` with `distortion` <= D, up to rounding.

    Raises:
        ValueError: if an argument is not valid or no code reaches the target.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.
    """
    unit = check_base(base)
    tolerance = check_tolerance(tolerance, unit)
    p, distortion = _check_source(p, distortion)
    target = float(target)
    least = float(p @ distortion.min(1))
    if not target >= least * (1 - _ROUNDING):  # below by rounding it is the least distortion
        raise ValueError(f"target must be at least the least distortion {least:g}, got {target}.")
    point = _bracket(p, distortion, target, tolerance)
    return point._replace(rate=point.rate / unit, gap=point.gap / unit)


def _bracket(p, distortion, target: float, tolerance: float) -> RateDistortionPoint:
    coarse = _point(p, distortion, 0.0, tolerance)
    if target >= coarse.distortion:
        return coarse
    fine = _point(p, distortion, math.inf, tolerance)
    if target <= fine.distortion:
        return fine
    lower = 0.0
    for _ in range(100):
        width = coarse.distortion - fine.distortion
        weight = (target - fine.distortion) / width
        conditional = weight * coarse.conditional + (1.0 - weight) * fine.conditional
        slope = (fine.rate - coarse.rate) / width
        mixed = _evaluate(p, distortion, slope, conditional)
        if mixed.rate - lower <= tolerance:
            return mixed._replace(gap=clip_negative(mixed.rate - lower))
        point = _point(p, distortion, slope, 0.1 * tolerance)
        tangent = point.rate - point.gap - slope * (target - point.distortion)
        lower = max(lower, tangent)
        if point.distortion >= target:
            coarse = point
        else:
            fine = point
    raise RuntimeError(
        f"R({target:g}) could not be certified to {tolerance:g} nats, "
        f"the best proven gap is {mixed.rate - lower:g}."
    )


def _point(p, distortion, slope: float, tolerance: float) -> RateDistortionPoint:
    """One point of the curve, in nats."""
    if slope == 0.0:
        conditional = np.zeros_like(distortion)
        conditional[:, np.argmin(p @ distortion)] = 1.0
        return _evaluate(p, distortion, slope, conditional)._replace(rate=0.0)
    excess = distortion - distortion.min(1, keepdims=True)
    kernel = (excess == 0).astype(np.float64) if slope == math.inf else np.exp(-slope * excess)
    occurs = p > 0
    q, gap = _output_distribution(p[occurs], kernel[occurs], tolerance)
    conditional = np.eye(len(q))[distortion.argmin(1)]  # for symbols that never occur
    conditional[occurs] = kernel[occurs] * q
    conditional /= conditional.sum(1, keepdims=True)
    return _evaluate(p, distortion, slope, conditional)._replace(gap=gap)


def _output_distribution(p, kernel, tolerance: float) -> tuple[np.ndarray, float]:
    """The q that minimises -sum_x p log sum_xhat q A, and its proven gap in nats."""

    def value(q):
        return -float(p @ np.log(kernel @ q))

    def correction(q):  # c(xhat)
        return (p / (kernel @ q)) @ kernel

    def derivatives(q):
        weighted = kernel / (kernel @ q)[:, None]
        return -p @ weighted, (p[:, None] * weighted).T @ weighted

    def gap(q, c):
        return float(np.log(c.max()) - xlogy(q * c, c).sum())

    q = np.full(kernel.shape[1], 1.0 / kernel.shape[1])
    for _ in range(NUM_ITERATIONS):
        c = correction(q)
        if gap(q, c) <= tolerance:
            break
        q = q * c
        q /= q.sum()
    else:
        q = minimise_on_simplex(value, derivatives, _inner(q), tolerance, "rate-distortion")
        c = correction(q)
    return q, clip_negative(gap(q, c))


def _evaluate(p, distortion, slope: float, conditional: np.ndarray) -> RateDistortionPoint:
    joint = p[:, None] * conditional
    mean = float((joint * distortion).sum())
    return RateDistortionPoint(slope, mean, table_mutual_information(joint), 0.0, conditional)


def _inner(p: np.ndarray) -> np.ndarray:
    """Moves probabilities off the boundary, where a barrier method can start."""
    return 0.9 * p + 0.1 / len(p)


def _check_source(p, distortion) -> tuple[np.ndarray, np.ndarray]:
    p = check_table(p)
    distortion = check_numbers(distortion, "distortion")
    if p.ndim != 1:
        raise ValueError(f"p must have one axis, received shape {p.shape}.")
    if distortion.ndim != 2 or len(distortion) != len(p) or distortion.shape[1] == 0:
        raise ValueError(
            f"distortion must have shape ({len(p)}, reproductions), received {distortion.shape}."
        )
    if (distortion < 0).any():
        x, x_hat = (int(i) for i in np.argwhere(distortion < 0)[0])
        raise ValueError(
            f"distortion[{x}, {x_hat}] must not be negative, received {distortion[x, x_hat]}."
        )
    return p, distortion


def _check_slope(slope) -> float:
    slope = float(slope)
    if not slope >= 0.0:
        raise ValueError(f"slope must not be negative, received {slope}.")
    return slope
