"""Exact balanced assignment of a batch to classes, inside the graph: CascadeVAE's discrete step.

The problem is a minimum-cost flow whose costs at the classes are convex. Only the K x K cheapest
moves between classes matter to a round, so one round is a few dense operations, O(B K + K^3). No
value leaves the device. Of large problems the host learns whether a loop goes on; up to 64 rows and
8 classes, CascadeVAE's, the loops are counted and it learns nothing.

Why the result is a global minimum. Call an assignment *tight* if there are potentials v [K] such
that each row i has class argmin_k u_ik - v_k. Then no assignment with the same class counts n is
cheaper, for sum_i u_i,k(i) = sum_i (u_i,k(i) - v_k(i)) + sum_k n_k v_k and the first sum is least;
so no cycle of moves between classes is negative, and shortest paths between them exist.

1. Start. The row-wise argmin is tight for v = 0.
2. Round. Begin paths at each class a that has rows, with length -weight (n_a - 1): what the balance
   gains when a row leaves. Let v_b be the length of the shortest path that ends in b. Then
   v_b <= v_a + u_ib - u_ia for each row i of class a, so the assignment is tight for this v, with
   equality for the moves on shortest paths; carried out, they leave it tight for the same v. Moving
   one unit along the path to b changes the objective by v_b + weight n_b. Take the least change.
3. End, when no change is negative. Then neither cycles nor paths between classes lower the
   objective: the flow has no negative residual cycle.

Sums are exact (`_to_grid`), so each round lowers the objective and the rounds come to an end. They
are a steepest descent on an M-convex function of the counts: from counts n to the nearest minimiser
n* it takes just sum_k |n_k - n*_k| / 2 of them (Minamikawa and Shioura, Time Bounds of Basic
Steepest Descent Algorithms for M-convex Function Minimization and Related Problems, J. Oper. Res.
Soc. Japan 64, 2021). `_solve` starts large batches close to n*.
"""

import math

import tensorflow as tf

from tfdisent.assignment.costs import check_finite, check_floating

# Whole numbers are exact in float64 up to 2**53; one bit is left for the rounding of a logarithm.
_EXACT_BITS = 52
# Stands for zero where a logarithm is taken: far below any cost, far above underflow.
_TINY = 1e-280
# A batch is solved in stages of growing size, the first of them of about this many rows or fewer.
_FIRST_STAGE = 64
_GROWTH = 4
# Up to so many rows and classes, steps are counted: see `_until_settled`.
_COUNTED = (64, 8)
# The class of a row that has not joined yet; segment reductions leave negative segments out.
_ABSENT = -1


def balanced_assignment(costs, weight, jit_compile=True):
    """Assigns each row of a batch to one class, exactly, at least cost plus a price on imbalance.

    Minimises over one-hot rows, n_k being the number of rows given class k,

        sum_i costs[i, k(i)] + weight * sum_k n_k (n_k - 1) / 2 .

    Weight 0 is the row-wise argmin; a large weight makes the counts differ by at most one. Of
    equally good assignments one is taken, the same in eager, graph and XLA mode. Costs are rounded
    once, to about 2**-40 of the largest that can matter, and all else is exact: whole costs and
    weights up to a million in float64 are solved without any error. The result is a constant with
    respect to `costs`; no gradient flows.

    In a graph the values cannot be inspected. There +inf keeps a row out of a class as long as
    `weight` is positive and another of its classes finite; a row with NaN, -inf or nothing finite
    receives some class, and the other rows the best assignment beside it; a negative weight is 0.

    Example:
      >>> balanced_assignment([[0.0, 1.0], [0.0, 1.0], [0.0, 3.0], [0.0, 3.0]], 2.0).numpy()
      array([[0., 1.],
             [0., 1.],
             [1., 0.],
             [1., 0.]], dtype=float32)

    Args:
      costs: [B, K] tensor or array of floats, nats; K must be known statically.
      weight: price in nats of two rows sharing a class; a number or scalar tensor, at least 0.
      jit_compile: whether to compile the solver with XLA when the caller is not compiled itself.
        Its loops then run tens of times faster on a CPU; the first call for a shape takes a second.

    Returns:
      [B, K] one-hot tensor of the dtype of `costs`.

    Raises:
      TypeError: if `costs` is not of a floating type.
      ValueError: if `costs` is not a matrix with a known, positive number of columns; or, where
        the values are known, if a cost is not finite or `weight` is negative or not finite.

    Reference:
      Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating
      Disentanglement, 2019, arXiv:1905.09432: the minimum-cost flow of its alternating step,
      which the authors solve outside the graph.
    """
    # Stopped here, outside the compiled function, so that no tape differentiates its loops.
    costs = tf.stop_gradient(tf.convert_to_tensor(costs))
    if tf.is_tensor(weight):
        weight = tf.stop_gradient(tf.cast(weight, tf.float64))
    else:
        weight = tf.convert_to_tensor(weight, tf.float64)  # not by way of float32
    _validate(costs, weight)
    return _compiled_assign(costs, weight) if jit_compile else _assign(costs, weight)


def _validate(costs, weight):
    check_floating(costs)
    if costs.shape.rank != 2 or not costs.shape[1]:
        raise ValueError(
            "costs must be a matrix [B, K] with a known, positive number of classes K, "
            f"received shape {costs.shape}."
        )
    if weight.shape.rank != 0:
        raise ValueError(f"weight must be a scalar, received shape {weight.shape}.")
    known_weight = tf.get_static_value(weight)
    if known_weight is not None and not 0 <= known_weight < math.inf:
        raise ValueError(f"weight must be finite and not negative, received {known_weight}.")
    check_finite(costs)


def _assign(costs, weight):
    num_rows, num_classes = tf.shape(costs)[0], costs.shape[1]
    weight = tf.maximum(weight, 0.0)
    # Taking the row minima off changes no minimiser and keeps all the digits that matter.
    excess = tf.cast(costs, tf.float64)
    excess -= tf.reduce_min(excess, axis=1, keepdims=True)
    excess = tf.where(tf.math.is_nan(excess), tf.zeros_like(excess), excess)

    # In the class of its minimum a row pays weight (B - 1) at most: no optimum has more than that.
    reach = tf.minimum(tf.reduce_max(excess), weight * tf.cast(num_rows, tf.float64))
    classes = _solve(*_to_grid(excess, weight, reach))

    def refine():
        # With a class for each row the optimum can lie far below `reach`, and within its rounding.
        # But no row of an optimum pays more than all rows pay in the assignment just found; twice
        # that, so that a cost cut to `reach` never looks as good as an optimum.
        paid = tf.reduce_sum(tf.gather(excess, classes, batch_dims=1))
        counts = tf.reduce_sum(tf.one_hot(classes, num_classes, dtype=tf.float64), axis=0)
        total = paid + weight * tf.reduce_sum(counts * (counts - 1) / 2)
        return _solve(*_to_grid(excess, weight, tf.minimum(reach, 2 * total)))

    if costs.shape[0] is None:
        classes = tf.cond(num_rows <= num_classes, refine, lambda: classes)
    elif costs.shape[0] <= num_classes:
        classes = refine()
    return tf.one_hot(classes, num_classes, dtype=costs.dtype)


_compiled_assign = tf.function(_assign, jit_compile=True, autograph=False)


def _to_grid(excess, weight, reach):
    """Returns costs [B, K] and weight as whole numbers in float64, so that all sums are exact.

    Then nothing needs a tolerance, rounding cannot fake a negative cycle, and every device and mode
    takes the same decisions.

    Args:
      excess: [B, K] costs above the row minima.
      weight: scalar.
      reach: scalar, above any excess in an optimal assignment unless it is the largest of all.
    """
    reach = tf.maximum(reach, _TINY)
    # A pair at twice the reach is already dearer than any move that would part it.
    weight = tf.minimum(weight, 2 * reach)
    # No path, and no path with its change in balance, is longer than (4 B + K) reach.
    longest = (4 * tf.cast(tf.shape(excess)[0], tf.float64) + excess.shape[1]) * reach
    exponent = tf.floor(_EXACT_BITS - tf.math.log(longest) / math.log(2))
    # A power of two, so that whole costs stay whole.
    scale = tf.constant(2.0, tf.float64) ** exponent
    return tf.round(tf.minimum(excess, reach) * scale), tf.round(weight * scale)


def _solve(costs, weight):
    """Returns optimal classes [B] for costs [B, K] and a weight that are whole numbers.

    Each fourth row, at four times the weight, is nearly the same problem. Once it is solved its
    rows stay where they are and more rows join at its potentials. That is tight again and nearly
    balanced, so that few rounds remain; from the row-wise argmin they would be up to B.
    """
    num_classes = costs.shape[1]
    row = tf.range(tf.shape(costs)[0])
    stages = tf.math.log(tf.cast(tf.size(row), tf.float64) / _FIRST_STAGE) / math.log(_GROWTH)
    stride = tf.constant(_GROWTH, tf.float64) ** tf.maximum(tf.floor(stages), 0.0)
    stride = tf.cast(tf.round(stride), tf.int32)

    def grow(stride, classes, potentials):
        # Of several best classes, a row takes the first from that of an earlier row onwards.
        # Otherwise ties (equal rows, small integers) would all go to one class.
        prices = costs - potentials
        is_best = prices == tf.reduce_min(prices, axis=1, keepdims=True)
        earlier = tf.maximum(tf.gather(classes, row - row % (_GROWTH * stride)), 0)
        turn = (tf.range(num_classes) - earlier[:, None]) % num_classes  # [B, K]
        best = tf.argmin(tf.where(is_best, turn, num_classes), axis=1, output_type=tf.int32)
        joins = (classes == _ABSENT) & (row % stride == 0)
        stage_weight = weight * tf.cast(stride, tf.float64)
        classes, potentials = _descend(costs, stage_weight, tf.where(joins, best, classes))
        return stride // _GROWTH, classes, potentials

    start = (tf.fill(tf.shape(row), _ABSENT), tf.zeros([num_classes], tf.float64))
    if _is_counted(costs):  # a single stage
        _, classes, _ = grow(1, *start)
    else:
        _, classes, _ = tf.while_loop(lambda stride, *_: stride > 0, grow, (stride, *start))
    return classes


def _descend(costs, weight, classes):
    """Moves one unit along a cheapest path in each round until none lowers the objective.

    Args:
      costs: [B, K] whole numbers.
      weight: scalar, a whole number.
      classes: [B] int32, tight; rows with a negative class take no part.

    Returns:
      Optimal classes [B], and potentials [K] for which they are tight.
    """
    num_classes, is_counted = costs.shape[1], _is_counted(costs)

    def one_round(classes, potentials):
        own = tf.gather(costs, tf.maximum(classes, 0), batch_dims=1)  # [B]
        # [K, K]: the cheapest move of a row from class to class; huge where a class has no rows.
        moves = tf.math.unsorted_segment_min(costs - own[:, None], classes, num_classes)
        counts = tf.math.unsorted_segment_sum(tf.ones_like(own), classes, num_classes)
        gains = tf.where(counts > 0, -weight * (counts - 1), math.inf)
        potentials, previous = _shortest_paths(gains, moves, is_counted)
        changes = potentials + weight * counts
        end = tf.argmin(changes, output_type=tf.int32)
        # Not changes[end]: XLA would compile the slice anew for each batch of costs.
        improves = tf.reduce_min(changes) < 0
        moved = _move_along(_path_to(end, previous, is_counted), costs, own, classes)
        return improves, tf.where(improves, moved, classes), potentials

    # The rounds are sum_k |n_k - n*_k| / 2: no more than there are rows.
    start = (classes, tf.zeros_like(costs[0]))
    return _until_settled(one_round, start, costs.shape[0], is_counted)


def _shortest_paths(starts, moves, is_counted):
    """Bellman-Ford from all classes at once.

    Args:
      starts: [K] length with which a path begins at each class, infinite where none does.
      moves: [K, K] lengths from class to class, without a negative cycle.
      is_counted: see `_until_settled`.

    Returns:
      Lengths [K] of the shortest paths to each class, and the class [K] before it on its path, or
      -1 where that begins.
    """

    def relax(lengths, previous):
        through = lengths[:, None] + moves
        shortest = tf.reduce_min(through, axis=0)
        is_shorter = shortest < lengths
        nearest = tf.argmin(through, axis=0, output_type=tf.int32)
        return (
            tf.reduce_any(is_shorter),
            tf.where(is_shorter, shortest, lengths),
            tf.where(is_shorter, nearest, previous),
        )

    # A shortest path has K - 1 edges at most.
    start = (starts, tf.fill(starts.shape, _ABSENT))
    return _until_settled(relax, start, starts.shape[0] - 1, is_counted)


def _path_to(end, previous, is_counted):
    """The class after each one, [K], on the path to the class `end`; -1 off it and at its end.

    Args:
      end: scalar.
      previous: [K], the class before each on its own path, -1 where that begins.
      is_counted: see `_until_settled`.
    """
    num_classes = previous.shape[0]
    edges = previous[None, :] == tf.range(num_classes)[:, None]  # [a, b]: a comes before b

    def step_back(on_path):
        longer = on_path | tf.reduce_any(edges & on_path[None, :], axis=1)
        return tf.reduce_any(longer != on_path), longer

    start = (tf.range(num_classes) == end,)
    (on_path,) = _until_settled(step_back, start, num_classes - 1, is_counted)
    edges &= on_path[None, :]  # now those of the path alone
    following = tf.argmax(edges, axis=1, output_type=tf.int32)
    return tf.where(tf.reduce_any(edges, axis=1), following, _ABSENT)


def _move_along(following, costs, own, classes):
    """Moves the cheapest row of each class on a path, the first of several, to the next class.

    Args:
      following: [K], see `_path_to`.
      costs: [B, K].
      own: [B], what each row pays.
      classes: [B].
    """
    num_classes = costs.shape[1]
    row, present = tf.range(tf.shape(classes)[0]), tf.maximum(classes, 0)
    to = tf.where(classes >= 0, tf.gather(following, present), _ABSENT)  # [B]
    price = tf.gather(costs, tf.maximum(to, 0), batch_dims=1) - own
    price = tf.where(to >= 0, price, math.inf)
    cheapest = tf.math.unsorted_segment_min(price, classes, num_classes)  # [K]
    is_cheapest = (to >= 0) & (price == tf.gather(cheapest, present))
    candidates = tf.where(is_cheapest, row, row.dtype.max)
    first = tf.math.unsorted_segment_min(candidates, classes, num_classes)
    return tf.where(is_cheapest & (row == tf.gather(first, present)), to, classes)


def _is_counted(costs):
    """Whether the loops over costs [B, K] are counted; see `_until_settled`."""
    rows, classes = costs.shape
    return rows is not None and rows <= _COUNTED[0] and classes <= _COUNTED[1]


def _until_settled(body, values, at_most, is_counted):
    """`goes_on, *values = body(*values)` until a step changes nothing.

    A GPU waits for the host to read `goes_on` at each step. `is_counted` takes `at_most` steps
    whatever they change, as often as settling ever takes: idle work, but no waiting.

    Args:
      body: function of `values`.
      values: tuple of tensors.
      at_most: number of steps after which nothing changes; read only if `is_counted`.
      is_counted: whether to count the steps.
    """
    if is_counted:
        _, *values = tf.while_loop(
            lambda done, *_: done < at_most,
            lambda done, *values: (done + 1, *body(*values)[1:]),
            (0, *values),
        )
    else:
        _, *values = tf.while_loop(
            lambda goes_on, *_: goes_on, lambda _, *values: body(*values), (True, *values)
        )
    return values
