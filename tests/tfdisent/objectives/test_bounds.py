import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tfdisent import objectives

RHO = 0.8
INFORMATION = -0.5 * math.log(1 - RHO**2)  # 0.5108 nats
LOWER_BOUNDS = (
    objectives.donsker_varadhan,
    objectives.nwj,
    objectives.jensen_shannon_information,
)


def gaussians(count, seed=0):
    """(x [N], y [N]) of correlation `RHO`, and y drawn apart from x."""
    x, noise, apart = np.random.default_rng(seed).normal(size=(3, count))
    return x, RHO * x + math.sqrt(1 - RHO**2) * noise, apart


def log_ratio(x, y):
    """log p(x, y) / p(x) p(y)."""
    quadratic = RHO**2 * (x**2 + y**2) - 2 * RHO * x * y
    return INFORMATION - quadratic / (2 * (1 - RHO**2))


def scores_of(count=200_000):
    x, y, apart = gaussians(count)
    return tf.constant(log_ratio(x, y)), tf.constant(log_ratio(x, apart))


def random_scores(seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return scale * rng.normal(size=7), scale * rng.normal(size=11)


# Values at the critic that is known.


@pytest.mark.parametrize(
    ("bound", "offset"),
    [
        (objectives.donsker_varadhan, 0.0),
        (objectives.donsker_varadhan, -3.0),
        (objectives.nwj, 1.0),
        (objectives.jensen_shannon_information, 0.0),
        (lambda joint, marginal: objectives.smile(joint, marginal, clip=20.0), 0.0),
    ],
)
def test_the_optimal_critic_gives_the_information(bound, offset):
    joint, marginal = scores_of()
    assert abs(bound(joint + offset, marginal + offset) - INFORMATION) < 0.01


@pytest.mark.parametrize("bound", LOWER_BOUNDS)
@pytest.mark.parametrize("error", [0.5, 0.8, 1.2])
def test_another_critic_gives_less(bound, error):
    joint, marginal = scores_of()
    offset = 1.0 if bound is objectives.nwj else 0.0
    best = bound(joint + offset, marginal + offset)
    assert bound(error * joint + offset, error * marginal + offset) < best - 0.005


def test_jensen_shannon_at_the_optimal_critic_is_twice_the_divergence():
    # The divergence on a grid, to which sampling has no part.
    side, width = np.linspace(-7, 7, 1401, retstep=True)
    x, y = np.meshgrid(side, side)
    apart = np.exp(-0.5 * (x**2 + y**2)) / (2 * math.pi)
    together = apart * np.exp(log_ratio(x, y))
    middle = 0.5 * (together + apart)
    cells = special.rel_entr(together, middle) + special.rel_entr(apart, middle)
    divergence = 0.5 * cells.sum() * width**2
    np.testing.assert_allclose(together.sum() * width**2, 1, rtol=1e-6)
    assert abs(objectives.jensen_shannon(*scores_of()) - 2 * divergence) < 0.005


def test_info_nce_approaches_the_information_from_below_as_the_batch_grows():
    x, y, _ = gaussians(64_000)
    values = []
    for batch in (2, 8, 64):
        rows, columns = x.reshape(-1, batch, 1), y.reshape(-1, 1, batch)
        scores = tf.constant(log_ratio(rows, columns))
        values.append(np.mean([objectives.info_nce(block) for block in scores[:500]]))
    assert values[0] < values[1] < values[2] < INFORMATION + 0.01
    assert values[2] > INFORMATION - 0.03


def test_barber_agakov_at_the_true_conditional_gives_the_information():
    x, y, _ = gaussians(200_000)
    variance = 1 - RHO**2
    log_q = -0.5 * ((y - RHO * x) ** 2 / variance + math.log(2 * math.pi * variance))
    entropy = 0.5 * math.log(2 * math.pi * math.e)
    assert abs(np.mean(objectives.barber_agakov(log_q, entropy)) - INFORMATION) < 0.01


# Identities.


@pytest.mark.parametrize(
    "bound",
    [
        objectives.donsker_varadhan,
        objectives.jensen_shannon,
        objectives.jensen_shannon_information,
        objectives.smile,
    ],
)
def test_scores_of_zero_find_nothing(bound):
    assert abs(float(bound(tf.zeros(5), tf.zeros([4, 3])))) < 1e-6
    np.testing.assert_allclose(objectives.info_nce(tf.zeros([6, 6])), 0, atol=1e-6)
    assert abs(float(objectives.nwj(tf.ones(5), tf.ones(3)))) < 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(-50, 50))
def test_donsker_varadhan_ignores_a_constant_and_is_never_below_nwj(seed, constant):
    joint, marginal = random_scores(seed, scale=3.0)
    value = objectives.donsker_varadhan(joint, marginal)
    shifted = objectives.donsker_varadhan(joint + constant, marginal + constant)
    np.testing.assert_allclose(shifted, value, atol=1e-9)
    # nwj is the tangent of the logarithm in Donsker-Varadhan.
    assert objectives.nwj(joint + constant, marginal + constant) <= value + 1e-9
    best = 1 - special.logsumexp(marginal) + math.log(len(marginal))
    np.testing.assert_allclose(objectives.nwj(joint + best, marginal + best), value, atol=1e-9)


def test_donsker_varadhan_is_its_formula():
    joint, marginal = random_scores()
    expected = joint.mean() - np.log(np.exp(marginal).mean())
    np.testing.assert_allclose(objectives.donsker_varadhan(joint, marginal), expected)


def test_jensen_shannon_is_the_loss_of_a_classifier():
    joint, marginal = (tf.constant(scores) for scores in random_scores())
    loss = objectives.density_ratio_loss(joint, marginal)
    expected = 2 * math.log(2) - 2 * loss
    np.testing.assert_allclose(objectives.jensen_shannon(joint, marginal), expected)
    far = objectives.jensen_shannon(tf.fill([3], 1e4), tf.fill([3], -1e4))
    np.testing.assert_allclose(far, 2 * math.log(2), rtol=1e-6)


def test_smile_without_clipping_is_donsker_varadhan():
    joint, marginal = random_scores(scale=4.0)
    smile, exact = objectives.smile(joint, marginal, np.inf), objectives.donsker_varadhan
    np.testing.assert_allclose(smile, exact(joint, marginal))
    clipped = np.log(np.exp(np.clip(marginal, -0.7, 0.7)).mean())
    np.testing.assert_allclose(objectives.smile(joint, marginal, 0.7), joint.mean() - clipped)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 9), st.floats(0.1, 100.0))
def test_info_nce_never_exceeds_the_logarithm_of_the_batch(seed, batch, scale):
    rng = np.random.default_rng(seed)
    scores = scale * rng.normal(size=(batch, batch))
    rows = objectives.info_nce(tf.constant(scores))
    assert np.max(rows) <= math.log(batch) + 1e-9
    # A term of x alone changes nothing.
    shifted = objectives.info_nce(tf.constant(scores + rng.normal(size=(batch, 1))))
    np.testing.assert_allclose(shifted, rows, atol=1e-9)
    expected = np.diag(scores) - special.logsumexp(scores, axis=1) + math.log(batch)
    np.testing.assert_allclose(rows, expected, atol=1e-9)


def test_info_nce_refuses_scores_that_are_not_square():
    with pytest.raises(ValueError, match=r"expected scores \[B, B\], received \[3, 4\]"):
        objectives.info_nce(tf.zeros([3, 4]))


@pytest.mark.parametrize("batch", [2, 3, 6])
def test_pairs_are_split_at_the_diagonal(batch):
    scores = np.arange(float(batch**2)).reshape(batch, batch)
    joint, marginal = objectives.split_pairs(tf.constant(scores))
    np.testing.assert_array_equal(joint, np.diag(scores))
    expected = scores[~np.eye(batch, dtype=bool)].reshape(batch, batch - 1)
    np.testing.assert_array_equal(marginal, expected)


def test_pairs_of_parts_are_split_at_the_diagonal():
    scores = np.random.default_rng(0).normal(size=(5, 5, 3))
    joint, marginal = objectives.split_pairs(tf.constant(scores))
    for part in range(3):
        expected = objectives.split_pairs(tf.constant(scores[..., part]))
        np.testing.assert_array_equal(joint[:, part], expected[0])
        np.testing.assert_array_equal(marginal[..., part], expected[1])


def test_local_info_nce_picks_each_part_among_all_parts_of_the_others():
    batch, parts = 4, 3
    scores = np.random.default_rng(0).normal(size=(batch, batch, parts))
    losses = []
    for i in range(batch):
        others = [scores[i, k, part] for k in range(batch) if k != i for part in range(parts)]
        for part in range(parts):
            losses.append(special.logsumexp([scores[i, i, part], *others]) - scores[i, i, part])
    loss = objectives.local_info_nce_loss(*objectives.split_pairs(tf.constant(scores)))
    np.testing.assert_allclose(loss, np.mean(losses), rtol=1e-12)


@pytest.mark.parametrize(("batch", "parts"), [(2, 1), (4, 9)])
def test_local_info_nce_of_equal_scores_is_the_logarithm_of_their_number(batch, parts):
    scores = tf.fill([batch, batch, parts], tf.constant(7.0, tf.float64))
    loss = objectives.local_info_nce_loss(*objectives.split_pairs(scores))
    np.testing.assert_allclose(loss, math.log(1 + (batch - 1) * parts), rtol=1e-12)


def test_local_info_nce_of_single_parts_is_info_nce():
    scores = tf.constant(np.random.default_rng(1).normal(size=(6, 6)))
    loss = objectives.local_info_nce_loss(*objectives.split_pairs(scores[..., tf.newaxis]))
    bound = tf.reduce_mean(objectives.info_nce(scores))
    np.testing.assert_allclose(math.log(6) - loss, bound, rtol=1e-12)


# MINE's gradient.


def mine_gradient(weights, joint, marginal, log_average, rate):
    """(gradient of the loss, loss, log average after) for a critic that is linear in features."""
    weights = tf.Variable(weights)
    with tf.GradientTape() as tape:
        loss, after = objectives.mine_loss(
            tf.linalg.matvec(joint, weights), tf.linalg.matvec(marginal, weights), log_average, rate
        )
    return tape.gradient(loss, weights).numpy(), float(loss), float(after)


def test_the_gradient_of_mine_divides_by_the_moving_average():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=3)
    joint, marginal = rng.normal(size=(20, 3)), rng.normal(size=(30, 3))
    ratios = np.exp(marginal @ weights)
    rate, before = 0.1, 2.5
    average = (1 - rate) * before + rate * ratios.mean()
    expected = (ratios[:, None] * marginal).mean(0) / average - joint.mean(0)
    gradient, loss, after = mine_gradient(weights, joint, marginal, math.log(before), rate)
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)
    np.testing.assert_allclose(loss, ratios.mean() / average - (joint @ weights).mean())
    np.testing.assert_allclose(math.exp(after), average)


def test_mine_starts_at_the_first_batch_with_the_gradient_of_donsker_varadhan():
    rng = np.random.default_rng(1)
    weights = rng.normal(size=3)
    joint, marginal = rng.normal(size=(20, 3)), rng.normal(size=(30, 3))
    gradient, _, after = mine_gradient(weights, joint, marginal, -np.inf, 0.01)
    np.testing.assert_allclose(math.exp(after), np.exp(marginal @ weights).mean())
    variable = tf.Variable(weights)
    with tf.GradientTape() as tape:
        bound = objectives.donsker_varadhan(
            tf.linalg.matvec(joint, variable), tf.linalg.matvec(marginal, variable)
        )
    np.testing.assert_allclose(gradient, -tape.gradient(bound, variable).numpy(), rtol=1e-10)


def test_the_average_of_mine_follows_the_batches():
    log_average = tf.constant(-np.inf)
    expected = None
    for seed in range(5):
        joint, marginal = (scores.astype(np.float32) for scores in random_scores(seed))
        _, log_average = objectives.mine_loss(joint, marginal, log_average, rate=0.2)
        mean = np.exp(marginal).mean()
        expected = mean if expected is None else 0.8 * expected + 0.2 * mean
    np.testing.assert_allclose(np.exp(log_average), expected, rtol=1e-5)


# Large scores.


@pytest.mark.parametrize("size", [200.0, 1e4])
def test_large_scores_neither_overflow_nor_lose_their_gradients(size):
    weight = tf.Variable(1.0)
    joint, marginal = tf.constant([size, size / 2]), tf.constant([-size, size])
    averages = (tf.constant(-np.inf), tf.constant(size), tf.constant(size - 80))
    bounds = [
        objectives.donsker_varadhan,
        objectives.jensen_shannon,
        objectives.smile,
        *(lambda j, m, a=a: objectives.mine_loss(j, m, a)[0] for a in averages),
        lambda j, m: tf.reduce_mean(objectives.info_nce(tf.stack([j, m]))),
    ]
    for bound in bounds:
        with tf.GradientTape() as tape:
            value = bound(weight * joint, weight * marginal)
        assert np.isfinite(value) and np.isfinite(tape.gradient(value, weight))
    exact = 0.75 * size - (size - math.log(2))
    np.testing.assert_allclose(objectives.donsker_varadhan(joint, marginal), exact, rtol=1e-5)


@pytest.mark.xla
def test_bounds_compile_with_xla():
    @tf.function(jit_compile=True)
    def compiled(scores, log_average):
        joint, marginal = objectives.split_pairs(scores)
        loss, after = objectives.mine_loss(joint, marginal, log_average)
        return loss, after, objectives.info_nce(scores), objectives.smile(joint, marginal)

    scores = tf.constant(np.random.default_rng(0).normal(size=(5, 5)), tf.float32)
    joint, marginal = objectives.split_pairs(scores)
    loss, after = objectives.mine_loss(joint, marginal, tf.constant(0.3))
    expected = loss, after, objectives.info_nce(scores), objectives.smile(joint, marginal)
    for ours, theirs in zip(compiled(scores, tf.constant(0.3)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_many_scores_of_half_precision_do_not_overflow():
    scores = np.random.default_rng(0).normal(size=(300, 299))
    half = objectives.log_mean_exp(tf.constant(scores, tf.float16))
    assert float(half) == pytest.approx(np.log(np.mean(np.exp(scores))), abs=0.02)
