"""Newton's method on a logarithmic barrier, for convex problems over non-negative vectors.

minimise f(x) over x >= 0 and linear equations. For mu -> 0 it follows the minimisers of
f(x) - mu sum_i log x_i. The functions minimised here are relative entropies, whose third
derivative the barrier bounds (Nesterov and Nemirovskii, Interior-Point Polynomial Algorithms in
Convex Programming, 1994), so a full step is safe wherever the Newton decrement is
below one half. The stop is a certificate, never a small change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tfdisent.information.tables import clip_negative

CENTRED = 0.5  # Newton decrement below which the iterate counts as on the central path
SHRINK = 0.1  # factor on mu from one centre to the next
MAX_STEPS = 1000


def minimise_with_barrier(
    value: Callable[[np.ndarray], float],
    newton: Callable[[np.ndarray, float], tuple[np.ndarray, float, Any]],
    gap: Callable[[np.ndarray, Any], float],
    start: np.ndarray,
    tolerance: float,
    what: str,
) -> tuple[np.ndarray, float, Any]:
    """Minimises a convex function from a strictly positive feasible start.

    Args:
        value: x -> f(x).
        newton: (x, mu) -> (Newton step within the linear equations, directional derivative of
            the barrier problem along it, dual information for `gap`).
        gap: (x, dual information) -> a proven upper bound on f(x) - min f.
        start: [n] strictly positive and feasible.
        tolerance: the gap to reach.
        what: the name of the quantity in the error message.

    Returns:
        (x, gap, dual information), gap <= tolerance.

    Raises:
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.
    """
    x, mu, best = start, 0.1 / len(start), np.inf
    for _ in range(MAX_STEPS):
        step, slope, dual = newton(x, mu)
        decrement = np.sqrt(clip_negative(-slope) / mu)
        if decrement > CENTRED:
            x = x + _step_length(value, x, step, slope, mu) * step
            continue
        if (x + step > 0).all():
            x = x + step
        certified = gap(x, dual)
        best = min(best, certified)
        if certified <= tolerance:
            return x, clip_negative(certified), dual
        mu *= SHRINK
        if mu < 1e-20:
            break
    raise RuntimeError(
        f"{what} could not be certified to {tolerance:g} nats, the best proven gap is {best:g}."
    )


def minimise_on_simplex(
    value: Callable[[np.ndarray], float],
    derivatives: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    start: np.ndarray,
    tolerance: float,
    what: str,
) -> np.ndarray:
    """Minimises a convex function of a probability vector.

    The certificate is the gap of Frank and Wolfe, <x, gradient> - min gradient.

    Args:
        value: x -> f(x).
        derivatives: x -> (gradient [n], Hessian [n, n]).
        start: [n] strictly positive probabilities.
        tolerance: the gap to reach.
        what: the name of the quantity in the error message.

    Returns:
        The minimising probabilities [n].

    Raises:
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.
    """

    def newton(x, mu):
        gradient, hessian = derivatives(x)
        scaled_gradient = x * gradient - mu  # everything is scaled by x: relative precision
        factor = cho_factor(x[:, None] * hessian * x + mu * np.eye(len(x)))
        free, pull = cho_solve(factor, np.stack([scaled_gradient, x], axis=1)).T
        relative_step = -free + pull * (x @ free) / (x @ pull)  # keeps the sum
        relative_step -= x @ relative_step  # to rounding, where the system is nearly singular
        return x * relative_step, float(scaled_gradient @ relative_step), None

    def gap(x, _):
        gradient, _ = derivatives(x)
        return float(x @ gradient - gradient.min())

    x, _, _ = minimise_with_barrier(value, newton, gap, start, tolerance, what)
    return x


def _step_length(value, x, step, slope, mu) -> float:
    """Backtracks from the boundary until the barrier function falls by a tenth of its slope."""

    def barrier(x):
        return value(x) - mu * np.log(x).sum()

    shrinking = step < 0
    length = 1.0
    if shrinking.any():
        length = min(1.0, 0.99 * float(np.min(-x[shrinking] / step[shrinking])))
    here = barrier(x)
    while barrier(x + length * step) > here + 0.1 * length * slope and length > 1e-12:
        length *= 0.5
    return length
