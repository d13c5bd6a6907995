"""`linear_assignment` against SciPy, brute force and its own dual prices."""

import itertools
import time

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from tfdisent.assignment import balanced_assignment, linear_assignment


def total(costs, columns):
    """The objective in float64, of an assignment checked to be a permutation."""
    columns = np.asarray(columns)
    assert columns.dtype == np.int32
    np.testing.assert_array_equal(np.sort(columns), np.arange(len(costs)))
    return np.asarray(costs, np.float64)[np.arange(len(costs)), columns].sum()


def least(costs):
    rows, columns = linear_sum_assignment(costs)
    return np.asarray(costs, np.float64)[rows, columns].sum()


def random_costs(rng, size):
    """One matrix of each kind: names are in the messages of a failure."""
    shape = (size, size)
    uniform = rng.uniform(size=shape)
    preferred = 1.0 + uniform
    preferred[:, rng.integers(size)] = 0.0
    features, targets = rng.normal(size=(2, size, 5))
    return {
        "uniform": uniform * 10.0 ** rng.uniform(-6, 6),
        "of both signs": rng.normal(size=shape),
        "inner products": -features @ targets.T,
        "mixed magnitudes": 10.0 ** rng.uniform(-6, 6, shape),
        "mixed rows": uniform * 10.0 ** rng.uniform(-6, 6, (size, 1)),
        "one column preferred": preferred,
        "products": np.outer(np.arange(1, size + 1), np.arange(1, size + 1)) * 1.0,
        "low rank": np.outer(rng.uniform(size=size), rng.uniform(size=size)),
        "ties": rng.integers(0, 3, shape) * 10.0 ** rng.integers(-6, 6),
        "equal rows": np.tile(uniform[:1], (size, 1)),
        "equal columns": np.tile(uniform[:, :1], (1, size)),
        "zero": np.zeros(shape),
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("size", "repeats"), [(1, 2), (2, 20), (7, 20), (33, 5), (150, 1)])
def test_total_is_that_of_scipy(size, repeats, dtype):
    rng = np.random.default_rng(0)
    for _ in range(repeats):
        for kind, costs in random_costs(rng, size).items():
            costs = costs.astype(dtype)
            excess = total(costs, linear_assignment(costs)) - least(costs)
            assert abs(excess) <= 1e-12 * size * np.abs(costs).max(), kind


@pytest.mark.parametrize("size", [3, 12, 40])
def test_whole_costs_in_float64_are_solved_exactly(size):
    rng = np.random.default_rng(1)
    for largest in [1, 2, 10, 1000, 10**6, 2**46]:
        for _ in range(10):
            costs = rng.integers(-largest, largest + 1, (size, size)).astype(np.float64)
            assert total(costs, linear_assignment(costs)) == least(costs)


@hypothesis.settings(max_examples=60, deadline=None, derandomize=True)
@hypothesis.given(
    hypothesis.extra.numpy.arrays(np.float32, (5, 5), elements=st.floats(-1e6, 1e6, width=32))
)
def test_brute_force_finds_nothing_better(costs):
    found = total(costs, linear_assignment(costs))
    best = min(total(costs, np.int32(p)) for p in itertools.permutations(range(5)))
    # Costs of both signs may cancel in the sum: relative to the largest term.
    assert found - best <= 1e-9 * np.abs(costs).max()


def test_sharing_at_a_forbidding_price_is_the_same_problem():
    costs = np.random.default_rng(2).normal(size=(20, 20))
    shared = tf.argmax(balanced_assignment(costs, 1e3), axis=1, output_type=tf.int32)
    np.testing.assert_array_equal(linear_assignment(costs), shared)


def test_permuted_problems_have_permuted_solutions():
    rng = np.random.default_rng(3)
    costs = rng.normal(size=(25, 25))
    rows, columns = rng.permutation(25), rng.permutation(25)
    permuted = linear_assignment(costs[rows][:, columns]).numpy()
    np.testing.assert_array_equal(columns[permuted], linear_assignment(costs).numpy()[rows])


def test_prices_of_rows_and_columns_do_not_change_the_solution():
    rng = np.random.default_rng(4)
    costs = rng.integers(0, 1000, (25, 25)).astype(np.float64)
    costs += rng.permutation(625).reshape(25, 25) / 1024  # no ties
    prices = rng.integers(-(10**6), 10**6, (25, 1)) + rng.integers(-(10**6), 10**6, (1, 25))
    np.testing.assert_array_equal(linear_assignment(costs + prices), linear_assignment(costs))


def test_eager_graph_and_xla_take_the_same_columns():
    kinds = random_costs(np.random.default_rng(5), 12)
    graph = tf.function(lambda costs: linear_assignment(costs, jit_compile=False))
    nested = tf.function(linear_assignment)
    compiled = tf.function(linear_assignment, jit_compile=True)
    for kind in ["inner products", "one column preferred", "ties", "equal rows"]:
        costs = tf.constant(kinds[kind], tf.float32)
        expected = linear_assignment(costs, jit_compile=False)  # operation by operation
        for mode in [graph, nested, compiled]:
            np.testing.assert_array_equal(mode(costs), expected, err_msg=kind)


@pytest.mark.parametrize("signature", [[None, None], [None, 9], [9, None]])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_size_may_be_unknown_while_tracing(signature, jit_compile):
    assign = tf.function(
        lambda costs: linear_assignment(costs, jit_compile),
        input_signature=[tf.TensorSpec(signature, tf.float32)],
    )
    rng = np.random.default_rng(6)
    for size in {9, 9 if 9 in signature else 4}:
        costs = rng.normal(size=(size, size)).astype(np.float32)
        np.testing.assert_array_equal(assign(costs), linear_assignment(costs))


def test_new_values_need_no_new_compilation():
    rng = np.random.default_rng(7)

    def seconds(batches):
        begin = time.perf_counter()
        for costs in batches:
            linear_assignment(costs)
        return time.perf_counter() - begin

    # A compilation takes about a second, a call a millisecond.
    first = seconds(rng.normal(size=(1, 13, 13)))
    assert seconds(rng.normal(size=(20, 13, 13))) < first


def test_no_gradient_flows():
    costs = tf.Variable([[0.0, 1.0], [0.5, 0.2]])
    with tf.GradientTape() as tape:
        columns = linear_assignment(costs)
        loss = tf.reduce_sum(tf.gather(costs, columns, batch_dims=1))
    np.testing.assert_array_equal(tf.convert_to_tensor(tape.gradient(loss, costs)), np.eye(2))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_what_is_not_finite_comes_last_in_a_graph(jit_compile):
    costs = np.random.default_rng(8).normal(size=(9, 9)).astype(np.float32)
    bad = costs.copy()
    bad[0, :5], bad[3, 2:], bad[7] = np.inf, np.nan, -np.inf
    columns = tf.function(lambda costs: linear_assignment(costs, jit_compile))(bad)
    dear = np.where(np.isfinite(bad), bad, np.float32(1e6))
    np.testing.assert_allclose(total(dear, columns), least(dear))
    for hopeless in [np.full((9, 9), np.nan, np.float32), 1.7e308 * costs.astype(float)]:
        columns = tf.function(lambda costs: linear_assignment(costs, jit_compile))(hopeless)
        assert total(costs, columns) < np.inf  # some permutation, and an end


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_costs_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="costs must be finite, received 1 values"):
        linear_assignment([[0.0, bad], [1.0, 2.0]])


@pytest.mark.parametrize("costs", [[0.0, 1.0], [[[0.0]]], np.zeros((3, 2)), np.zeros((0, 0))])
def test_costs_must_be_a_square_matrix(costs):
    with pytest.raises(ValueError, match=r"square matrix, received shape"):
        linear_assignment(costs)


def test_costs_must_be_floating():
    with pytest.raises(TypeError, match="floating type, received int32"):
        linear_assignment([[0, 1], [1, 0]])
