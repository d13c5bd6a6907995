"""Union information of several predictors: a convex program with a certificate.

I_VK is the least I*(X; Y) among the tables P* that keep every pair marginal P(X_i, Y). H(Y) being
fixed, it asks for the minimum of f(P*) = -H*(Y | X) = sum P* log(P* / r), r the X-marginal of P*.
Lagrange multipliers lambda_i(x_i, y) of the marginals give the dual problem

    maximise sum_i <P(X_i, Y), lambda_i>  subject to  log sum_y exp(sum_i lambda_i(x_i, y)) <= 0

for every x. Any feasible pair therefore brackets the minimum, which is the certificate used.
Alternating projection needs thousands of passes where the optimum has empty cells; the barrier
method below needs tens of Newton steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.special import logsumexp, xlogy

from tfdisent.information._barrier import minimise_with_barrier
from tfdisent.information.entropy import table_entropy
from tfdisent.information.tables import (
    check_base,
    check_table,
    check_tolerance,
    clip_negative,
    marginal,
)

# Probabilities below this are lost in sums of float64 that reach one; they count as zero.
RESOLUTION = 1e-16


class UnionInformation(NamedTuple):
    """I_VK and its proof; `value` and `gap` in units of the base asked for."""

    value: float  # I*(X; Y) at `table`, an upper bound
    gap: float  # value - gap is a lower bound
    table: np.ndarray  # the minimising P*, shape of p
    multipliers: tuple[np.ndarray, ...]  # lambda_i [X_i, Y] in nats, -inf where P(x_i, y) = 0


def union_information(p, base: float = 2, tolerance: float = 1e-9) -> UnionInformation:
    """Least information about Y of any table that shares all pair marginals (X_i, Y) with `p`.

    Args:
        p: joint table of at least two axes, target on the last axis.
        base: base of the logarithm.
        tolerance: the certified gap to reach, in units of `base`, at least 1e-12.

    Returns:
        A `UnionInformation`; the time grows with the cube of the number of cells.

    Raises:
        ValueError: if `p` is not a probability table of two or more axes.
        RuntimeError: if floating-point arithmetic cannot certify the tolerance.

    Reference:
        Griffith and Koch, Quantifying Synergistic Mutual Information, 2012, arXiv:1205.4265;
        for two predictors Bertschinger et al., Quantifying Unique Information, 2014,
        arXiv:1311.2852.
    """
    unit = check_base(base)
    tolerance = check_tolerance(tolerance, unit)
    p = check_table(p, min_axes=2)
    polytope = _MarginalPolytope(p)
    cells = polytope.start
    if polytope.num_free == 0:  # the marginals leave p alone
        multipliers = polytope.stationary_multipliers(cells)
        gap = clip_negative(polytope.gap(cells, multipliers))
    else:
        cells, gap, multipliers = minimise_with_barrier(
            polytope.value, polytope.newton, polytope.gap, cells, tolerance, "union information"
        )
    value = polytope.value(cells) + table_entropy(marginal(p, (p.ndim - 1,)))
    table = np.zeros(p.shape)
    table[polytope.index] = cells
    return UnionInformation(
        clip_negative(value) / unit, gap / unit, table, tuple(polytope.feasible(multipliers))
    )


class _MarginalPolytope:
    """The tables with the pair marginals of p, as vectors over the cells that may be non-zero."""

    def __init__(self, p: np.ndarray):
        self.shape = p.shape
        self.predictors = range(p.ndim - 1)
        pairs = [marginal(p, (i, p.ndim - 1)) for i in self.predictors]
        self.pairs = [np.where(pair < RESOLUTION, 0.0, pair) for pair in pairs]  # [X_i, Y]
        log_start = self._log_conditionally_independent(marginal(p, (p.ndim - 1,)))
        self.index = np.nonzero(np.isfinite(log_start))  # one array per axis
        self.start = np.exp(log_start[self.index])
        self.x = np.ravel_multi_index(self.index[:-1], p.shape[:-1])
        self.y = self.index[-1]
        self.blocks = [_Block(self, y) for y in np.unique(self.y)]
        self.num_free = sum(block.num_free for block in self.blocks)

    def _log_conditionally_independent(self, p_y: np.ndarray) -> np.ndarray:
        """log p(y) prod_i p(x_i | y), strictly inside the polytope wherever it is finite."""
        with np.errstate(divide="ignore"):
            log_p_y = np.log(p_y)
            log_p = np.broadcast_to(log_p_y, self.shape)
            for i in self.predictors:
                log_conditional = np.log(self.pairs[i]) - np.where(p_y > 0, log_p_y, 0.0)
                log_p = log_p + self._spread(i, log_conditional)
        return log_p

    def value(self, cells: np.ndarray) -> float:
        """f(P*) = -H*(Y | X) in nats."""
        return float((xlogy(cells, cells) - xlogy(cells, self._sum_over_y(cells))).sum())

    def newton(self, cells: np.ndarray, mu: float):
        """Newton step of f - mu sum log P* that keeps the marginals.

        Vectors are scaled by sqrt(P*), which preserves the relative precision of tiny cells. The
        Hessian enters by its square root, as it is nearly singular along P*(x, .).
        """
        root = np.sqrt(cells)
        share = np.sqrt(cells / self._sum_over_y(cells))  # sqrt(P*(y | x))
        factors = [block.factor(root) for block in self.blocks]
        free = self._free_directions(factors)  # [cells, free], orthonormal
        gradient = root * (2.0 * np.log(share) - mu / cells)
        reduced_gradient = free.T @ gradient

        along = np.stack([self._sum_over_y(share * column) for column in free.T], axis=1)
        hessian_root = np.concatenate(
            [free - share[:, None] * along, np.sqrt(mu / cells)[:, None] * free]
        )
        scale = 1.0 / np.linalg.norm(hessian_root, axis=0)
        triangle = np.linalg.qr(hessian_root * scale, mode="r")
        half = solve_triangular(triangle, scale * reduced_gradient, trans=1)
        direction = -scale * solve_triangular(triangle, half)

        scaled_step = free @ direction
        curvature = (1.0 + mu / cells) * scaled_step - share * self._sum_over_y(share * scaled_step)
        multipliers = self._multipliers(factors, gradient + curvature)
        return root * scaled_step, float(reduced_gradient @ direction), multipliers

    def stationary_multipliers(self, cells: np.ndarray) -> list[np.ndarray]:
        """Multipliers whose sum is the gradient of f, for a polytope of a single point."""
        root = np.sqrt(cells)
        factors = [block.factor(root) for block in self.blocks]
        return self._multipliers(factors, root * np.log(cells / self._sum_over_y(cells)))

    def gap(self, cells: np.ndarray, multipliers: list[np.ndarray]) -> float:
        """f(P*) minus the dual value of the multipliers made feasible."""
        multipliers = self.feasible(multipliers)
        dual = 0.0
        for pair, potential in zip(self.pairs, multipliers, strict=True):
            dual += float((pair * np.where(pair > 0, potential, 0.0)).sum())
        return self.value(cells) - dual

    def feasible(self, multipliers: list[np.ndarray]) -> list[np.ndarray]:
        """Lowers multipliers until log sum_y exp(sum_i lambda_i(x_i, y)) <= 0 for every x.

        The excess of an input is charged to its least probable predictor value, where it costs
        the dual least.
        """
        excess = logsumexp(sum(map(self._spread, self.predictors, multipliers)), axis=-1)
        excess = np.maximum(excess, 0.0)  # [X_1, ..., X_n]
        weights = [self._spread(i, pair.sum(1)) for i, pair in enumerate(self.pairs)]
        payer = np.argmin(np.stack(np.broadcast_arrays(*weights)), axis=0)
        lowered = []
        for i, potential in enumerate(multipliers):
            others = tuple(j for j in self.predictors if j != i)
            charge = np.where(payer == i, excess, 0.0).max(axis=others)  # [X_i]
            lowered.append(potential - charge[:, None])
        return lowered

    def _spread(self, i: int, array: np.ndarray) -> np.ndarray:
        """Puts the first axis of an array on axis i of the table, ready to broadcast."""
        return np.expand_dims(array, [j for j in self.predictors if j != i])

    def _free_directions(self, factors: list[tuple]) -> np.ndarray:
        free = np.zeros((len(self.x), self.num_free))
        column = 0
        for block, (q, _, _) in zip(self.blocks, factors, strict=True):
            free[block.cells, column : column + block.num_free] = q[:, block.num_rows :]
            column += block.num_free
        return free

    def _multipliers(self, factors: list[tuple], scaled: np.ndarray) -> list[np.ndarray]:
        """lambda_i with sqrt(P*) sum_i lambda_i(x_i, y) = scaled, which lies in their span."""
        multipliers = [np.where(pair > 0, 0.0, -np.inf) for pair in self.pairs]
        for block, (q, r, norms) in zip(self.blocks, factors, strict=True):
            rows = slice(block.num_rows)
            solution = solve_triangular(r[rows], q[:, rows].T @ scaled[block.cells]) / norms
            for (i, value), potential in zip(block.names, solution, strict=True):
                multipliers[i][value, block.y] = potential
        return multipliers

    def _sum_over_y(self, cells: np.ndarray) -> np.ndarray:
        """P*(x) of a vector over the cells, repeated for every cell."""
        return np.bincount(self.x, cells)[self.x]


class _Block:
    """The cells of one outcome y and the linearly independent marginal constraints on them."""

    def __init__(self, polytope: _MarginalPolytope, y: int):
        self.y = y
        self.cells = np.flatnonzero(polytope.y == y)
        self.names = []  # (predictor, value) of each constraint
        for i, pair in enumerate(polytope.pairs):
            values = np.flatnonzero(pair[:, y])
            if i > 0:  # all predictors share the sum p(y): drop the row of the largest value
                values = values[values != pair[:, y].argmax()]
            self.names += [(i, value) for value in values]
        columns = [polytope.index[i][self.cells] == value for i, value in self.names]
        self.rows = np.stack(columns, axis=1).astype(np.float64)  # [cells, constraints]
        self.num_rows = len(self.names)
        self.num_free = len(self.cells) - self.num_rows

    def factor(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Full QR of the scaled constraints with columns of norm one."""
        scaled = root[self.cells, None] * self.rows
        norms = np.linalg.norm(scaled, axis=0)
        q, r = qr(scaled / norms)
        return q, r, norms
