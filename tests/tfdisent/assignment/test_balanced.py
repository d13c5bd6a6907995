"""`balanced_assignment` against SciPy's linear assignment, brute force and closed forms."""

import itertools
import re
import time

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from tfdisent.assignment import balanced, balanced_assignment

WEIGHTS = [0.0, 1e-6, 1e-3, 0.3, 1.0, 17.0, 1e3, 1e6, 1e9]


def objective(costs, weight, one_hot):
    """The objective in float64, of an assignment checked to be one-hot."""
    one_hot = np.asarray(one_hot, np.float64)
    assert one_hot.shape == costs.shape
    assert set(np.unique(one_hot)) <= {0.0, 1.0}
    np.testing.assert_array_equal(one_hot.sum(axis=1), 1.0)
    counts = one_hot.sum(axis=0)
    used = np.take_along_axis(
        np.asarray(costs, np.float64), one_hot.argmax(axis=1)[:, None], axis=1
    )
    return used.sum() + weight * (counts * (counts - 1) / 2).sum()


def oracle(costs, weight):
    """The optimum: column (k, w) of the expanded matrix is the w-th place in class k."""
    costs = np.asarray(costs, np.float64)
    batch_size, num_classes = costs.shape
    places = costs[:, :, None] + weight * np.arange(batch_size)
    _, columns = linear_sum_assignment(places.reshape(batch_size, -1))
    return objective(costs, weight, np.eye(num_classes)[columns // batch_size])


def brute_force(costs, weight):
    batch_size, num_classes = costs.shape
    return min(
        objective(costs, weight, np.eye(num_classes)[list(classes)])
        for classes in itertools.product(range(num_classes), repeat=batch_size)
    )


def least_gain_of_a_single_move(costs, weight, one_hot):
    """min over rows i and classes b of u_ib - u_ia + weight (n_b - n_a + 1)."""
    classes = np.asarray(one_hot).argmax(axis=1)
    counts = np.bincount(classes, minlength=costs.shape[1])
    own = np.take_along_axis(costs, classes[:, None], axis=1)
    gain = costs - own + weight * (counts[None, :] - counts[classes][:, None] + 1)
    gain[np.arange(len(costs)), classes] = np.inf
    return gain.min()


def random_costs(rng, batch_size, num_classes):
    """One matrix of each kind: names are in the test ids of a failure."""
    shape = (batch_size, num_classes)
    uniform = rng.uniform(size=shape)
    preferred = 1.0 + uniform
    preferred[:, rng.integers(num_classes)] = 0.0
    return {
        "uniform": uniform * 10.0 ** rng.uniform(-6, 6),
        "nats": rng.uniform(20, 400, (batch_size, 1)) + 10.0 ** rng.uniform(-2, 1.7, shape),
        "mixed magnitudes": 10.0 ** rng.uniform(-6, 6, shape),
        "mixed rows": uniform * 10.0 ** rng.uniform(-6, 6, (batch_size, 1)),
        "one class preferred": preferred * 10.0 ** rng.uniform(-6, 6),
        "ranked classes": uniform + np.arange(num_classes),
        "low rank": np.outer(rng.uniform(size=batch_size), rng.uniform(size=num_classes)),
        "ties": rng.integers(0, 3, shape) * 10.0 ** rng.integers(-6, 6),
        "equal rows": np.tile(uniform[:1], (batch_size, 1)),
        "equal columns": np.tile(uniform[:, :1], (1, num_classes)),
        "zero": np.zeros(shape),
    }


@pytest.mark.parametrize(
    ("weight", "expected"), [(0.0, 0.0), (0.3, 1.8), (0.5, 2.5), (1.0, 4.0), (2.0, 6.0)]
)
def test_worked_instances(weight, expected):
    costs = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 3.0], [0.0, 3.0]])
    assert objective(costs, weight, balanced_assignment(costs, weight)) == pytest.approx(expected)


def test_worked_instance_has_the_balanced_classes():
    costs = [[0.0, 1.0], [0.0, 1.0], [0.0, 3.0], [0.0, 3.0]]
    np.testing.assert_array_equal(tf.argmax(balanced_assignment(costs, 2.0), axis=1), [1, 1, 0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "repeats"), [((1, 4), 2), ((4, 7), 5), ((8, 3), 5), ((16, 5), 3), ((64, 3), 1)]
)
def test_objective_is_that_of_the_oracle(shape, repeats, dtype):
    rng = np.random.default_rng(0)
    for _ in range(repeats):
        for kind, costs in random_costs(rng, *shape).items():
            costs = costs.astype(dtype)
            for weight in [*WEIGHTS, 10.0 ** rng.uniform(-6, 6)]:
                found = objective(costs, weight, balanced_assignment(costs, weight))
                # One-sided: no assignment lies below the optimum, but the oracle rounds as well.
                assert found <= oracle(costs, weight) * (1 + 1e-9), (kind, weight)


@pytest.mark.parametrize("shape", [(4, 7), (16, 5)])
def test_whole_costs_in_float64_are_solved_exactly(shape):
    rng = np.random.default_rng(1)
    for largest in [1, 2, 10, 1000, 10**6]:
        for weight in [0, 1, 2, 7, 1000, 10**6]:
            for _ in range(4):
                costs = rng.integers(-largest, largest + 1, shape).astype(np.float64)
                found = objective(costs, weight, balanced_assignment(costs, weight))
                assert found == oracle(costs, weight)


@hypothesis.settings(max_examples=40, deadline=None, derandomize=True)
@hypothesis.given(
    costs=hypothesis.extra.numpy.arrays(
        np.float32, (5, 3), elements=st.floats(-1e6, 1e6, width=32).map(lambda cost: cost + 0.0)
    ),
    weight=st.floats(0, 1e7),
)
def test_brute_force_finds_nothing_better(costs, weight):
    least = brute_force(costs, weight)
    found = objective(costs, weight, balanced_assignment(costs, weight))
    # Costs of both signs may cancel in the sum: relative to the largest term.
    assert found - least <= 1e-9 * max(np.abs(costs).max(), abs(least))


@pytest.mark.parametrize("shape", [(256, 3), (1025, 4)])
def test_batches_solved_in_stages_are_optimal(shape):
    rng = np.random.default_rng(2)
    for kind, costs in random_costs(rng, *shape).items():
        for weight in [1e-3, 1.0]:
            one_hot = balanced_assignment(costs, weight).numpy()
            if shape[0] < 1000:
                found = objective(costs, weight, one_hot)
                assert found <= oracle(costs, weight) * (1 + 1e-9), (kind, weight)
            tolerance = 1e-9 * max(costs.max(), weight * shape[0])
            assert least_gain_of_a_single_move(costs, weight, one_hot) >= -tolerance, kind


def test_staged_and_direct_solutions_cost_the_same(monkeypatch):
    rng = np.random.default_rng(3)
    kinds = random_costs(rng, 256, 3)
    staged = {kind: balanced_assignment(costs, 0.5) for kind, costs in kinds.items()}
    monkeypatch.setattr("tfdisent.assignment.balanced._FIRST_STAGE", 10**9)
    direct = tf.function(lambda costs: balanced_assignment(costs, 0.5), jit_compile=True)
    for kind, costs in kinds.items():
        expected = objective(costs, 0.5, direct(costs + 0.0))
        assert objective(costs, 0.5, staged[kind]) == pytest.approx(expected, rel=1e-9), kind


@pytest.mark.parametrize("shape", [(64, 3), (64, 8), (7, 5), (2, 2)])
def test_counted_loops_go_as_far_as_those_that_settle(shape, monkeypatch):
    """Every class in turn is every row's favourite: as many rounds as there can be."""
    rng = np.random.default_rng(0)
    cases = []
    for favourite in range(shape[1]):
        costs = rng.normal(size=shape)
        costs[:, favourite] -= 1e3
        cases += [(costs, weight) for weight in (1e-3, 1.0, 1e2, 1e4)]
    cases += [(rng.integers(0, 4, size=shape).astype(float), 1.0) for _ in range(20)]
    counted = [balanced_assignment(*case) for case in cases]
    monkeypatch.setattr(balanced, "_COUNTED", (0, 0))
    settling = tf.function(lambda *case: balanced_assignment(*case), jit_compile=True)
    for case, classes in zip(cases, counted, strict=True):
        costs, weight = case
        np.testing.assert_array_equal(classes, settling(costs, tf.constant(weight, tf.float64)))
        np.testing.assert_allclose(objective(*case, classes), oracle(*case), rtol=1e-12)


def test_no_loop_of_a_small_batch_asks_the_host_whether_to_go_on():
    """XLA knows how often each runs; only then does a GPU go on without reading a flag back."""

    def loops(rows, num_classes):
        costs, weight = tf.zeros([rows, num_classes]), tf.constant(1.0, tf.float64)
        program = balanced._compiled_assign.experimental_get_compiler_ir(costs, weight)
        lines = [line for line in program("optimized_hlo").splitlines() if " while(" in line]
        return [re.findall(r"known_trip_count\W+n\W+(\d+)", line) for line in lines]

    assert sorted(loops(64, 3)) == [["2"], ["2"], ["64"]]
    assert sorted(loops(32, 8)) == [["32"], ["7"], ["7"]]
    assert all(counts == [] for counts in loops(65, 3))


@pytest.mark.parametrize("batch_size", [1, 6])
def test_a_single_class_takes_all_rows(batch_size):
    costs = np.linspace(-1e6, 1e6, batch_size)[:, None]
    np.testing.assert_array_equal(balanced_assignment(costs, 1e6), np.ones((batch_size, 1)))


def test_weight_zero_is_the_argmin():
    costs = 10.0 ** np.random.default_rng(4).uniform(-6, 6, (16, 5))
    np.testing.assert_array_equal(
        tf.argmax(balanced_assignment(costs, 0.0), axis=1), costs.argmin(axis=1)
    )


@pytest.mark.parametrize("weight", [1e-9, 1.0, 1e30])
def test_equal_costs_are_balanced_by_any_positive_weight(weight):
    counts = tf.reduce_sum(balanced_assignment(tf.fill([16, 5], 3.0), weight), axis=0)
    assert sorted(counts.numpy()) == [3, 3, 3, 3, 4]


@pytest.mark.parametrize("factor", [2.0**-200, 2.0**-40, 2.0**200])
def test_classes_do_not_depend_on_the_unit(factor):
    costs = random_costs(np.random.default_rng(13), 64, 3)["nats"]
    np.testing.assert_array_equal(
        balanced_assignment(factor * costs, factor * 0.1), balanced_assignment(costs, 0.1)
    )


def test_weight_is_not_rounded_to_float32():
    costs = np.zeros((16, 5))
    costs[:, 1:] = 5.0
    costs[0, 1] = 15 * 0.1 + 1e-9  # float32(0.1) is 1.5e-9 larger: sharing would cost more
    assert balanced_assignment(costs, 0.1)[0, 0] == 1
    assert balanced_assignment(costs, float(np.float32(0.1)))[0, 1] == 1


def test_tiny_costs_decide_beside_huge_ones():
    costs = np.array([[0.0, 1.01e-12, 1e6], [0.0, 1e-12, 1e6]])
    np.testing.assert_array_equal(tf.argmax(balanced_assignment(costs, 1e6), axis=1), [0, 1])


def test_counts_approach_balance_as_weight_grows():
    costs = random_costs(np.random.default_rng(5), 64, 3)["one class preferred"]
    costs /= costs.max()
    spread = [
        np.ptp(np.sum(balanced_assignment(costs, weight), axis=0))
        for weight in [0.0, 1e-3, 1e-2, 1e-1, 1.0, 1e6]
    ]
    assert spread[0] == 64
    assert spread[-1] == 1
    assert spread == sorted(spread, reverse=True)


@pytest.mark.parametrize("shape", [(4, 7), (16, 3)])
def test_eager_graph_and_xla_take_the_same_classes(shape):
    rng = np.random.default_rng(6)
    graph = tf.function(lambda costs: balanced_assignment(costs, 0.3, jit_compile=False))
    nested = tf.function(lambda costs: balanced_assignment(costs, 0.3))
    compiled = tf.function(lambda costs: balanced_assignment(costs, 0.3), jit_compile=True)
    kinds = random_costs(rng, *shape)
    for kind in ["nats", "one class preferred", "ties", "equal rows"]:
        costs = tf.constant(kinds[kind], tf.float32)
        expected = balanced_assignment(costs, 0.3, jit_compile=False)  # operation by operation
        for mode in [graph, nested, compiled]:
            np.testing.assert_array_equal(mode(costs), expected, err_msg=kind)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_batch_size_may_be_unknown_while_tracing(jit_compile):
    assign = tf.function(
        lambda costs: balanced_assignment(costs, 0.5, jit_compile=jit_compile),
        input_signature=[tf.TensorSpec([None, 4], tf.float32)],
    )
    rng = np.random.default_rng(7)
    for batch_size in [3, 300]:
        costs = rng.uniform(size=(batch_size, 4)).astype(np.float32)
        np.testing.assert_array_equal(assign(costs), balanced_assignment(costs, 0.5))


def test_traced_once_for_all_weights():
    traces = []

    @tf.function
    def assign(costs, weight):
        traces.append(weight)
        return balanced_assignment(costs, weight)

    costs = random_costs(np.random.default_rng(8), 8, 3)["nats"]
    for weight in [0.0, 0.1, 10.0]:
        result = assign(costs, tf.constant(weight))
        assert objective(costs, weight, result) == pytest.approx(oracle(costs, weight))
    assert len(traces) == 1


def test_new_values_need_no_new_compilation():
    rng = np.random.default_rng(11)

    def seconds(batches):
        begin = time.perf_counter()
        for costs in batches:
            balanced_assignment(costs, rng.uniform())
        return time.perf_counter() - begin

    # A compilation takes about a second, a call well under a millisecond.
    first = seconds(rng.uniform(size=(1, 11, 3)))
    assert seconds(rng.uniform(size=(20, 11, 3))) < first


def test_weight_may_be_a_variable():
    costs = [[0.0, 1.0], [0.0, 1.0]]
    weight = tf.Variable(5.0)
    np.testing.assert_array_equal(np.sum(balanced_assignment(costs, weight), axis=0), [1, 1])


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
def test_result_has_the_dtype_of_the_costs(dtype):
    assert balanced_assignment(tf.zeros([2, 3], dtype), 1.0).dtype == dtype


@pytest.mark.parametrize("jit_compile", [False, True])
def test_no_gradient_flows(jit_compile):
    costs = tf.Variable([[0.0, 1.0], [0.5, 0.2]])
    weight = tf.Variable(0.3)

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            one_hot = balanced_assignment(costs, weight, jit_compile)
            loss = tf.reduce_sum(one_hot * costs)
        return tape.gradient(loss, [costs, weight]), one_hot

    (by_costs, by_weight), one_hot = gradients()
    assert by_weight is None
    np.testing.assert_array_equal(by_costs, one_hot)  # only through the factor written in the loss
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(balanced_assignment(costs, weight, jit_compile))
    assert tape.gradient(loss, costs) is None


def test_infinite_cost_forbids_a_class_in_a_graph():
    costs = np.random.default_rng(9).uniform(size=(30, 3)).astype(np.float32)
    costs[:20, 0] = np.inf
    assign = tf.function(lambda costs: balanced_assignment(costs, 100.0))
    one_hot = assign(costs).numpy()
    assert not one_hot[:20, 0].any()
    np.testing.assert_array_equal(one_hot.sum(axis=0), [10, 10, 10])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("shape", [(8, 3), (5, 6)])
def test_rows_that_are_not_numbers_leave_the_rest_optimal_in_a_graph(shape, jit_compile):
    costs = np.random.default_rng(10).uniform(size=shape).astype(np.float32)
    bad = costs.copy()
    bad[1] = np.nan
    bad[2] = -np.inf
    bad[4] = np.inf
    assign = tf.function(lambda costs: balanced_assignment(costs, 0.2, jit_compile))
    one_hot = assign(bad).numpy()
    indifferent = costs.copy()
    indifferent[[1, 2, 4]] = 0.0
    assert objective(indifferent, 0.2, one_hot) == pytest.approx(oracle(indifferent, 0.2))


def test_weights_out_of_range_end_in_a_graph():
    costs = np.random.default_rng(12).uniform(size=(8, 3)).astype(np.float32)
    assign = tf.function(balanced_assignment, jit_compile=True)
    np.testing.assert_array_equal(assign(costs, tf.constant(-2.0)), assign(costs, tf.constant(0.0)))
    np.testing.assert_array_equal(
        assign(costs, tf.constant(np.inf)), assign(costs, tf.constant(1e9))
    )
    assert objective(costs, 0.0, assign(costs, tf.constant(np.nan))) > 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_costs_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="costs must be finite, received 1 values"):
        balanced_assignment([[0.0, bad], [1.0, 2.0]], 1.0)


@pytest.mark.parametrize("weight", [-1e-3, np.nan, np.inf])
def test_weights_out_of_range_are_refused(weight):
    with pytest.raises(ValueError, match="weight must be finite and not negative, received"):
        balanced_assignment([[0.0, 1.0]], weight)
    with pytest.raises(ValueError, match="weight must be finite and not negative, received"):
        tf.function(lambda costs: balanced_assignment(costs, weight))(tf.zeros([2, 2]))


@pytest.mark.parametrize("costs", [[0.0, 1.0], [[[0.0]]], np.zeros((3, 0))])
def test_costs_must_be_a_matrix(costs):
    with pytest.raises(ValueError, match=r"matrix \[B, K\]"):
        balanced_assignment(costs, 1.0)


def test_number_of_classes_must_be_known():
    assign = tf.function(
        lambda costs: balanced_assignment(costs, 1.0),
        input_signature=[tf.TensorSpec([None, None], tf.float32)],
    )
    with pytest.raises(ValueError, match=r"known, positive number of classes"):
        assign(tf.zeros([2, 2]))


def test_costs_must_be_floating():
    with pytest.raises(TypeError, match="floating type, received int32"):
        balanced_assignment([[0, 1]], 1.0)


def test_weight_must_be_a_scalar():
    with pytest.raises(ValueError, match="weight must be a scalar"):
        balanced_assignment([[0.0, 1.0]], [1.0])
