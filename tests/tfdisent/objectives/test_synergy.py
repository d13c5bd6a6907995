import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent import objectives

EXAMPLES = [
    ((3, 2, 1, 0.2, 0.01), {3, 4}),
    ((1, 1.05, 0.2), {2}),
    ((2, 0.2), {1}),
    ((1, 1), set()),
    ((2, 0.5, 0.6, 0.55), set()),
    ((0, 0, 0), {0, 1, 2}),
    ((0.5,), set()),
]


# Compiled once for each number of latents.
compiled = tf.function(objectives.greedy_best_set)
# Multiples of 1/64, whose sums are exact in any order.
rate_lists = st.sampled_from([3, 7]).flatmap(
    lambda size: st.lists(st.integers(0, 400).map(lambda i: i / 64), min_size=size, max_size=size)
)


def worst(rates, omega=0.9):
    """The worst set as a set of indices."""
    best = compiled(tf.constant(rates, tf.float32), tf.constant(omega))
    return set(np.flatnonzero(~best.numpy()).tolist())


def greedy(rates, omega):
    """The described algorithm in plain Python, in single precision."""
    rates, omega = np.float32(rates), np.float32(omega)
    best, score = [], np.float32(0)
    for _ in rates:
        base, current = list(best), None
        for j in range(len(rates)):
            if j in base:
                continue
            value = sum((rates[i] for i in base), np.float32(0)) + rates[j]
            if (value if not base else omega * value) > score:
                current, score = j, value
        if current is not None:
            best = [*base, current]
    return set(range(len(rates))) - set(best)


@pytest.mark.parametrize(("rates", "expected"), EXAMPLES)
def test_worked_examples(rates, expected):
    assert worst(rates) == expected
    assert greedy(rates, 0.9) == expected


@settings(max_examples=60, deadline=None)
@given(rate_lists, st.sampled_from([0.5, 0.8, 0.9, 0.99, 1.0]))
def test_any_rates_give_the_set_of_the_plain_algorithm(rates, omega):
    assert worst(rates, omega) == greedy(rates, omega)


@settings(max_examples=30, deadline=None)
@given(rate_lists)
def test_no_member_of_the_worst_set_passes_the_threshold(rates):
    left_out = worst(rates)
    total = sum(rate for j, rate in enumerate(rates) if j not in left_out)
    assert all(rates[j] <= total * (1 - 0.9) / 0.9 + 1e-4 for j in left_out)


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.xla)])
def test_compiled_set_is_the_eager_one(jit_compile):
    function = tf.function(objectives.greedy_best_set, jit_compile=jit_compile)
    rates = np.random.default_rng(0).exponential(size=(5, 6)).astype(np.float32)
    for row in map(tf.constant, rates):
        eager = objectives.greedy_best_set(row, 0.9)
        np.testing.assert_array_equal(function(row, 0.9), eager)


def test_penalty_is_the_rate_of_the_worst_set_of_the_batch():
    # The sets of the two images alone would be others: the batch decides by its means.
    rates = tf.constant([[6.0, 0.1, 2.0], [0.0, 0.3, 2.0]])
    penalty, is_worst = objectives.synergy_penalty(rates, 0.9)
    np.testing.assert_array_equal(is_worst, [False, True, False])
    np.testing.assert_allclose(penalty, [0.1, 0.3])
    assert float(tf.reduce_mean(objectives.synergy_penalty(rates[:1], 0.9)[0])) != 0.1


def test_gradient_reaches_the_rates_of_the_worst_set_alone():
    rates = tf.constant([[3.0, 2.0, 1.0, 0.2, 0.01]] * 4)
    with tf.GradientTape() as tape:
        tape.watch(rates)
        penalty = tf.reduce_mean(objectives.synergy_penalty(rates, 0.9)[0])
    np.testing.assert_allclose(penalty, 0.21, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(penalty, rates), [[0, 0, 0, 0.25, 0.25]] * 4)


def test_empty_worst_set_costs_nothing():
    rates = tf.constant([[1.0, 1.0]])
    with tf.GradientTape() as tape:
        tape.watch(rates)
        penalty, is_worst = objectives.synergy_penalty(rates, 0.9)
    assert not is_worst.numpy().any()
    np.testing.assert_array_equal(penalty, [0])
    np.testing.assert_array_equal(tape.gradient(penalty, rates), [[0, 0]])


def test_rates_of_double_precision_are_taken():
    rates = np.abs(np.random.default_rng(0).normal(size=(6, 5)))
    penalty, members = objectives.synergy_penalty(tf.constant(rates), 0.9)
    single, same = objectives.synergy_penalty(tf.constant(rates, tf.float32), 0.9)
    assert penalty.dtype == tf.float64 and (members.numpy() == same.numpy()).all()
    np.testing.assert_allclose(penalty, single, rtol=1e-6)
