"""Exact linear assignment inside the graph: as many columns as rows, each used once. NAT's step.

`tfdisent.assignment.balanced` solves the problem whose columns may be shared at a price. Here none
is shared, and shortest augmenting paths need no more than B^2 rounds of a few operations on [B].
"""

import math

import tensorflow as tf

from tfdisent.assignment.costs import check_finite, check_floating

_FREE = -1
# Costs end here, so that no sum of them overflows: an infinite path would have no end.
_LARGEST = 1e290


def linear_assignment(costs, jit_compile=True):
    """Assigns each row its own column, exactly, at least total cost.

    Minimises `sum_i costs[i, j(i)]` over permutations j. Rows join one by one; each begins a
    shortest path, in costs reduced by the dual prices of rows and columns so far, that ends in a
    free column, and the rows on it move up by one column (Dijkstra). The prices prove the optimum:
    `costs[i, j] >= row_price[i] + column_price[j]`, with equality where i has j. Sums are in
    float64, so that whole costs up to 2**53 / B are solved without any error.

    Example:
      >>> linear_assignment([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]]).numpy()
      array([1, 0, 2], dtype=int32)

    In a graph the values cannot be inspected. There a cost that is not finite counts as more than
    all the finite ones together.

    Args:
      costs: [B, B] tensor or array of floats; beyond 1e290 all count alike.
      jit_compile: whether to compile the solver with XLA when the caller is not compiled itself.
        Its loops then run tens of times faster on a CPU; the first call for a shape takes a second.

    Returns:
      int32 [B], the column of each row, a permutation. No gradient flows.

    Raises:
      TypeError: if `costs` is not of a floating type.
      ValueError: if `costs` is known not to be a square matrix with rows, or, where the values are
        known, not to be finite.

    Reference:
      Jonker and Volgenant, A Shortest Augmenting Path Algorithm for Dense and Sparse Linear
      Assignment Problems, Computing 38, 1987; without the heuristic start, as in Crouse, On
      Implementing 2D Rectangular Assignment Algorithms, IEEE Trans. Aerosp. Electron. Syst. 52,
      2016.
    """
    # Stopped here, outside the compiled function, so that no tape differentiates its loops.
    costs = tf.stop_gradient(tf.convert_to_tensor(costs))
    _validate(costs)
    return _compiled_solve(costs) if jit_compile else _solve(costs)


def _validate(costs):
    check_floating(costs)
    known = set(costs.shape) - {None} if costs.shape.rank == 2 else {0}
    if len(known) > 1 or 0 in known:
        raise ValueError(f"costs must be a square matrix, received shape {costs.shape}.")
    check_finite(costs)


def _solve(costs):
    costs = _finite(tf.cast(costs, tf.float64))
    # Known where either side is: the state of a loop then keeps its shape.
    size = costs.shape[0] or costs.shape[1] or tf.shape(costs)[0]
    index = tf.range(size)
    nobody = tf.fill([size], _FREE)

    def join(row, has, had_by, row_price, column_price):
        reached, before, is_reached, end = _shortest_path(
            row, costs, index, had_by, row_price, column_price
        )
        length = tf.gather(reached, end)
        fall = tf.where(is_reached, length - reached, 0.0)  # of the columns on the way, [B]
        rise = tf.math.unsorted_segment_sum(fall, had_by, size)  # of the rows that had them
        row_price += rise + tf.where(index == row, length, 0.0)
        has, had_by = _move_along(end, before, index, has, had_by)
        return row + 1, has, had_by, row_price, column_price - fall

    prices = tf.zeros([size], tf.float64)
    _, has, *_ = tf.while_loop(
        lambda row, *_: row < size, join, (0, nobody, nobody, prices, prices)
    )
    return has


def _finite(costs):
    """Costs [B, B] with what is not finite at more than all the others together."""
    is_finite = tf.math.is_finite(costs)
    costs = tf.where(is_finite, tf.clip_by_value(costs, -_LARGEST, _LARGEST), 0.0)
    return tf.where(is_finite, costs, 2 * tf.reduce_sum(tf.abs(costs)) + 1)


def _shortest_path(row, costs, index, had_by, row_price, column_price):
    """Dijkstra from a row without a column to a free column.

    A step goes from a row to any column, and on from a column, at no cost, to the row that has it.

    Args:
      row: scalar.
      costs: [B, B].
      index: [B], 0 .. B-1.
      had_by: [B], the row that has each column, or -1.
      row_price: [B].
      column_price: [B].

    Returns:
      Shortest lengths to the columns [B], the row [B] before each on its path, whether that is
      settled [B], and the first free column settled.
    """
    infinity = tf.constant(math.inf, tf.float64)

    # Gathered, not sliced: XLA would compile a slice anew for each batch of costs.
    def step(row, _, length, reached, before, is_reached):
        through = length + tf.gather(costs, row) - tf.gather(row_price, row) - column_price
        is_shorter = ~is_reached & (through < reached)
        reached = tf.where(is_shorter, through, reached)
        before = tf.where(is_shorter, row, before)
        candidates = tf.where(is_reached, infinity, reached)
        length = tf.reduce_min(candidates)
        # Of several nearest columns a free one, which ends the path.
        rank = tf.cast(candidates == length, tf.int32) * tf.where(had_by == _FREE, 2, 1)
        column = tf.argmax(rank, output_type=tf.int32)
        is_reached |= index == column
        return tf.gather(had_by, column), column, length, reached, before, is_reached

    start = (
        row,
        _FREE,
        tf.zeros([], tf.float64),
        tf.ones_like(column_price) * infinity,
        tf.ones_like(index) * _FREE,
        tf.zeros_like(index, tf.bool),
    )
    _, end, _, reached, before, is_reached = tf.while_loop(
        lambda row, *_: row != _FREE, step, start
    )
    return reached, before, is_reached, end


def _move_along(end, before, index, has, had_by):
    """Gives each column on the path to `end` to the row before it.

    Args:
      end: scalar, a free column.
      before: [B], the row before each column.
      index: [B], 0 .. B-1.
      has: [B], the column of each row, or -1.
      had_by: [B], the row of each column, or -1.

    Returns:
      The new `has` and `had_by`.
    """

    def step(column, has, had_by):
        row = tf.gather(before, column)
        left = tf.gather(has, row)
        return left, tf.where(index == row, column, has), tf.where(index == column, row, had_by)

    _, has, had_by = tf.while_loop(lambda column, *_: column != _FREE, step, (end, has, had_by))
    return has, had_by


_compiled_solve = tf.function(_solve, jit_compile=True, autograph=False)
