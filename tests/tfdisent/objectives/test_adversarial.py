import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats

from tfdisent import objectives


def test_an_undecided_discriminator_costs_log_two():
    np.testing.assert_allclose(objectives.non_saturating_loss(tf.zeros([5])), np.log(2), rtol=1e-6)


def test_loss_is_minus_log_of_the_discriminators_probability():
    logits = np.array([-80.0, -1.0, 0.3, 5.0, 90.0])
    expected = np.mean(np.logaddexp(0.0, -logits))
    np.testing.assert_allclose(objectives.non_saturating_loss(tf.constant(logits)), expected)


def test_gradient_stays_where_the_minimax_loss_has_none():
    logit = tf.constant([-30.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logit)
        loss = objectives.non_saturating_loss(logit)
        minimax = tf.reduce_mean(-tf.nn.softplus(logit))  # log (1 - D)
    np.testing.assert_allclose(tape.gradient(loss, logit), [-1.0], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(minimax, logit), [0.0], atol=1e-12)


def test_against_the_best_discriminator_of_two_normals():
    """At t = log p/q the loss is an integral: samples of q = N(1, 1) against p = N(0, 1)."""
    rng = np.random.default_rng(0)
    x = rng.normal(1.0, size=200_000)
    log_ratio = stats.norm.logpdf(x) - stats.norm.logpdf(x, 1.0)
    expected, _ = integrate.quad(
        lambda u: stats.norm.pdf(u, 1.0) * np.logaddexp(0.0, -(0.5 - u)), -12, 14
    )
    found = objectives.non_saturating_loss(tf.constant(log_ratio))
    np.testing.assert_allclose(found, expected, rtol=0.01)


@pytest.mark.parametrize("length", [0.0, 0.5, 2.0, 1e6])
def test_adaptive_clipping_keeps_the_direction_and_bounds_the_length(length):
    rng = np.random.default_rng(0)
    direction = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    norm = np.sqrt(sum(np.sum(d**2) for d in direction))
    reference = [tf.constant([0.6]), tf.constant([[0.8]])]  # of length 1 together
    gradients = [tf.constant(length * d / norm, tf.float32) for d in direction]
    clipped = objectives.clip_to_norm_of(gradients, reference)
    for ours, d in zip(clipped, direction, strict=True):
        np.testing.assert_allclose(ours, min(length, 1.0) * d / norm, rtol=1e-5, atol=1e-7)
