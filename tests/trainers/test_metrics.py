import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Gaussian, Latents, VAETrainer, metrics
from tfdisent.evaluation import aggregate_decomposition
from tfdisent.trainers.metrics import ActiveUnits, AggregateMoments


def posteriors(num_rows=60, seed=0):
    """Means and standard deviations [60, 3]; the third mean hardly varies."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(num_rows, 3)) @ [[1, 0.7, 0], [0, 0.5, 0], [0, 0, 0.05]]
    return means.astype(np.float32) + [2, 0, 1], rng.uniform(0.1, 0.9, size=means.shape)


def fed(metric, batches=(60,), seed=0):
    """The metric after some batches of `posteriors`."""
    means, stds = posteriors(sum(batches), seed)
    borders = np.cumsum(batches)[:-1]
    for batch in zip(np.split(means, borders), np.split(stds, borders), strict=True):
        metric.update_state(*batch[: 1 if isinstance(metric, ActiveUnits) else 2])
    return metric


METRICS = [lambda: ActiveUnits(3, threshold=0.02), lambda: AggregateMoments(3)]


def values(metric):
    result = metric.result()
    return np.array([*result.values()] if isinstance(result, dict) else result)


def test_active_units_are_those_of_the_score():
    metric, score = fed(ActiveUnits(3)), metrics.active_units(posteriors()[0])
    assert metric.result() == score == 2.0
    np.testing.assert_allclose(metric.variances(), score.details["variances"], rtol=1e-6)
    assert fed(ActiveUnits(3, threshold=1e-4)).result() == 3.0


def test_moments_are_those_of_the_aggregated_posterior():
    means, stds = posteriors()
    metric = fed(AggregateMoments(3))
    # Sampled directly: 200,000 draws from random rows.
    rng = np.random.default_rng(1)
    rows = rng.integers(60, size=200_000)
    z = rng.normal(means[rows], stds[rows])
    np.testing.assert_allclose(metric.mean(), z.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(metric.covariance(), np.cov(z.T), atol=0.03)
    expected = np.cov(means.T, bias=True) + np.diag((stds**2).mean(axis=0))
    np.testing.assert_allclose(metric.covariance(), expected, rtol=1e-6, atol=1e-9)


def test_result_is_the_divergence_of_the_gaussian_with_these_moments():
    metric = fed(AggregateMoments(3))
    mean, covariance = np.asarray(metric.mean()), np.asarray(metric.covariance())
    log_determinant = np.linalg.slogdet(covariance)[1]
    kl = 0.5 * (np.trace(covariance) + mean @ mean - 3 - log_determinant)
    total_correlation = 0.5 * (np.log(np.diag(covariance)).sum() - log_determinant)
    result = metric.result()
    assert list(result) == ["aggregate_kl", "aggregate_total_correlation"]
    np.testing.assert_allclose(result["aggregate_kl"], kl, rtol=1e-5)
    np.testing.assert_allclose(result["aggregate_total_correlation"], total_correlation, rtol=1e-5)


def test_divergence_is_a_lower_bound():
    means = np.random.default_rng(0).choice([-2.0, 2.0], size=(300, 2))
    stds = np.full(means.shape, 0.2)
    metric = AggregateMoments(2)
    metric.update_state(means, stds)
    parts = aggregate_decomposition(means, stds, num_samples=1000)
    exact = parts.total_correlation + parts.dimensionwise_kl
    assert metric.result()["aggregate_kl"] < exact - 0.5  # two modes are far from a Gaussian


def test_divergence_of_the_prior_is_zero():
    metric = AggregateMoments(4)
    metric.update_state(np.zeros((5, 4)), np.ones((5, 4)))
    np.testing.assert_allclose(values(metric), 0, atol=1e-6)


def test_a_code_without_variance_has_an_infinite_divergence_and_no_correlations():
    means = np.random.default_rng(0).normal(size=(400, 3)) @ np.array(
        [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    )
    stds = np.array([0.5, 0.5, 0.0]) * np.ones_like(means)
    result = {}
    for width in (2, 3):
        metric = AggregateMoments(width)
        metric.update_state(means[:, :width], stds[:, :width])
        result[width] = metric.result()
    assert result[3]["aggregate_kl"] == np.inf
    assert result[2]["aggregate_total_correlation"] > 0.1
    np.testing.assert_allclose(
        result[3]["aggregate_total_correlation"],
        result[2]["aggregate_total_correlation"],
        rtol=1e-6,
    )


@pytest.mark.parametrize("build", METRICS)
def test_batches_change_nothing(build):
    expected = values(fed(build()))
    for batches in ((1,) * 60, (7, 50, 3)):
        np.testing.assert_allclose(values(fed(build(), batches)), expected, rtol=1e-5)


@pytest.mark.parametrize("build", METRICS)
def test_merged_metrics_have_seen_all(build):
    whole, parts = fed(build(), (40, 20)), [build(), build(), build()]
    means, stds = posteriors()
    for part, rows in zip(parts, (slice(0, 10), slice(10, 45), slice(45, 60)), strict=True):
        part.update_state(*(means[rows], stds[rows])[: 1 + isinstance(part, AggregateMoments)])
    parts[0].merge_state(parts[1:])
    np.testing.assert_allclose(values(parts[0]), values(whole), rtol=1e-5)


@pytest.mark.parametrize("build", METRICS)
def test_metric_is_empty_at_first_and_after_a_reset(build):
    metric = build()
    np.testing.assert_array_equal(values(metric), 0)
    fed(metric).reset_state()
    np.testing.assert_array_equal(values(metric), 0)
    fed(metric, seed=4)
    np.testing.assert_allclose(values(metric), values(fed(build(), seed=4)))


@pytest.mark.parametrize("build", METRICS)
def test_restored_metric_has_the_same_settings(build):
    metric = build()
    metric.update_state(*posteriors()[: 1 + isinstance(metric, AggregateMoments)])
    config = keras.saving.serialize_keras_object(metric)
    restored = keras.saving.deserialize_keras_object(config)
    assert restored.get_config() == metric.get_config()
    np.testing.assert_array_equal(values(restored), 0)


@pytest.mark.xla
@pytest.mark.parametrize("build", METRICS)
def test_graph_and_xla_give_the_same(build):
    expected = values(fed(build()))
    means, stds = posteriors()
    for jit_compile in (False, True):
        metric = build()
        arguments = (means, stds)[: 1 + isinstance(metric, AggregateMoments)]

        @tf.function(jit_compile=jit_compile)
        def step(metric, *arguments):
            metric.update_state(*arguments)
            return metric.result()

        result = step(metric, *map(tf.constant, arguments))
        result = np.array([*result.values()] if isinstance(result, dict) else result)
        np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_large_means_leave_the_variances_exact():
    # The float32 sum of squares of these means has errors larger than the variance.
    means = 3000 + np.random.default_rng(0).normal(scale=0.2, size=(5000, 1))
    metric = ActiveUnits(1)
    metric.update_state(means)
    np.testing.assert_allclose(metric.variances()[0], means.var(), rtol=1e-5)


def test_total_correlation_of_copies_is_huge():
    metric = AggregateMoments(2)
    metric.update_state(np.array([[0.0, 0.0], [1.0, 1.0]]), np.zeros((2, 2)))
    assert metric.result()["aggregate_total_correlation"] > 10


class Watched(VAETrainer):
    """A trainer that watches its aggregated posterior, as a user would write it."""

    def __init__(self, vae, **options):
        super().__init__(vae, **options)
        self.watches = [ActiveUnits(3), AggregateMoments(3)]

    def elbo_terms(self, x, seed, training):
        terms = super().elbo_terms(x, seed, training)
        q = terms[2]["continuous"]
        self.watches[0].update_state(q.mean())
        self.watches[1].update_state(q.mean(), q.stddev())
        return terms

    @property
    def metrics(self):
        return [*super().metrics, *self.watches]

    def update_metrics(self, **terms):
        logs = super().update_metrics(**terms)
        return {**logs, "active_units": self.watches[0].result(), **self.watches[1].result()}


def test_trainer_reports_them_and_resets_them_every_epoch():
    keras.utils.set_random_seed(0)
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(3)), architecture="mlp", hidden=8)
    trainer = Watched(vae)
    trainer.compile(keras.optimizers.SGD(0.0))
    x = np.random.default_rng(0).uniform(size=(24, 8, 8, 1)).astype(np.float32)
    batches = tf.data.Dataset.from_tensor_slices(x).batch(8).repeat()
    history = trainer.fit(batches, steps_per_epoch=3, epochs=2, verbose=0).history
    q = vae.posterior(x)["continuous"]
    expected = AggregateMoments(3)
    expected.update_state(q.mean(), q.stddev())
    for name, value in expected.result().items():
        np.testing.assert_allclose(history[name], float(value), rtol=1e-4)
    assert history["active_units"] == [metrics.active_units(q.mean().numpy())] * 2
    assert trainer.watches[0].count == 24


@pytest.mark.parametrize("metric_class", [ActiveUnits, AggregateMoments])
def test_size_is_checked(metric_class):
    for size in (0, 2.0, True):
        with pytest.raises(ValueError, match="size must be a positive integer, received"):
            metric_class(size)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="threshold must be at least 0, received -1"):
        ActiveUnits(3, threshold=-1)
    with pytest.raises(ValueError, match=r"means must have shape \[B, 3\], received \[5, 2\]"):
        ActiveUnits(3).update_state(np.zeros((5, 2)))
    with pytest.raises(ValueError, match=r"stds must have shape \[B, 3\], received \[3\]"):
        AggregateMoments(3).update_state(np.zeros((5, 3)), np.zeros(3))
    for other in (ActiveUnits(2), AggregateMoments(3)):
        with pytest.raises(ValueError, match="expected ActiveUnits of size 3 to merge, received"):
            ActiveUnits(3).merge_state([other])
