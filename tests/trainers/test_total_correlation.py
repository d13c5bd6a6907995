import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import networks
from tfdisent.trainers import TotalCorrelationTrainer, estimate_total_correlation


def _gaussian(covariance):
    """(closed form of the total correlation, function that draws fresh samples)."""
    covariance = np.asarray(covariance, float)
    factor = tf.constant(np.linalg.cholesky(covariance), tf.float32)
    total_correlation = 0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])

    def draw(count, seed):
        return tf.random.stateless_normal([count, len(covariance)], seed) @ tf.transpose(factor)

    return total_correlation, draw


def _decaying(size, rho):
    return rho ** np.abs(np.subtract.outer(np.arange(size), np.arange(size)))


@pytest.mark.long
@pytest.mark.parametrize(
    ("covariance", "about"),
    [(_decaying(2, 0.67), 0.3), (_decaying(4, 0.7), 1.0), (_decaying(10, 0.6), 2.0)],
)
def test_discriminator_finds_the_total_correlation_of_gaussians(covariance, about):
    expected, draw = _gaussian(covariance)
    assert abs(expected - about) < 0.02
    estimate = estimate_total_correlation(draw)
    assert estimate.num_samples == 1_000_000
    assert abs(estimate.value - expected) <= max(0.1 * expected, 0.02)


@pytest.mark.long
def test_discriminator_finds_five_correlated_pairs():
    covariance = np.kron(np.eye(5), [[1, 0.8], [0.8, 1]])
    expected, draw = _gaussian(covariance)
    np.testing.assert_allclose(expected, -10 / 4 * np.log(1 - 0.8**2))  # 2.554 nats
    estimate = estimate_total_correlation(draw)
    assert abs(estimate.value - expected) <= 0.1 * expected


def test_independent_columns_have_none():
    _, draw = _gaussian(np.eye(3))
    estimate = estimate_total_correlation(draw, steps=300, evaluation_size=100_000)
    assert abs(estimate.value) < 0.02


def test_blocks_move_together_so_their_inner_dependence_does_not_count():
    # Columns 0 and 1 are equal; column 2 is independent of both.
    def draw(count, seed):
        x = tf.random.stateless_normal([count, 2], seed)
        return tf.stack([x[:, 0], x[:, 0], x[:, 1]], axis=1)

    options = {"steps": 300, "evaluation_size": 100_000}
    assert abs(estimate_total_correlation(draw, blocks=(2, 1), **options).value) < 0.02
    assert estimate_total_correlation(draw, **options).value > 1


@pytest.mark.parametrize(("method", "tolerance"), [("gaussian", 0.02), ("knn", 0.05)])
def test_methods_without_training_agree_with_the_closed_form(method, tolerance):
    expected, draw = _gaussian(_decaying(3, 0.6))
    z = draw(5000, tf.constant([1, 2])).numpy()
    assert abs(estimate_total_correlation(z, method).value - expected) < tolerance


def test_a_fifth_of_an_array_is_held_out():
    z = np.random.default_rng(0).normal(size=(600, 2))
    assert estimate_total_correlation(z, steps=5).num_samples == 120


def test_a_discriminator_that_has_learned_its_rows_by_heart_is_not_what_is_reported():
    z = np.random.default_rng(0).normal(size=(150, 6))
    estimate = estimate_total_correlation(z, steps=1000, hidden=64, batch_size=64)
    assert estimate.steps < 500
    assert abs(estimate.value) < 0.5


def test_a_saved_trainer_takes_the_same_next_step(tmp_path):
    z = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    trainer = TotalCorrelationTrainer(networks.latent_discriminator(3, 8, 2), blocks=(2, 1), seed=4)
    trainer.compile("adam")
    trainer.fit(z, batch_size=16, verbose=0, shuffle=False)
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    for each in (trainer, loaded):
        each.fit(z, batch_size=16, verbose=0, shuffle=False)
    for ours, theirs in zip(trainer.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("z", "method", "message"),
    [
        (np.zeros((20, 2)), "guess", "method must be"),
        (np.zeros(20), "discriminator", r"expected z to be samples \[N, D\]"),
        (np.zeros((20, 1)), "discriminator", r"expected z to be samples \[N, D\]"),
        (lambda count, seed: None, "knn", "'knn' takes samples z"),
        (np.full((20, 2), np.nan), "discriminator", "finite"),
    ],
)
def test_bad_input_is_refused(z, method, message):
    with pytest.raises(ValueError, match=message):
        estimate_total_correlation(z, method)


def test_batches_that_cannot_be_split_in_two_are_refused():
    with pytest.raises(ValueError, match="batch_size must be even.*received 15"):
        estimate_total_correlation(np.zeros((60, 2), np.float32), steps=1, batch_size=15)
