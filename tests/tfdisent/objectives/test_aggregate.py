import itertools

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent import objectives
from tfdisent.evaluation.aggregate_posterior import Posteriors, Samples, log_ratios
from tfdisent.latents import Categorical, Gaussian, Latents

tfd = tfp.distributions

ESTIMATORS = ("mss", "mws", "released")


def gaussian(mean, std):
    return tfd.Independent(tfd.Normal(np.float32(mean), np.float32(std)), 1)


def terms(mean, std, noise, log_weights):
    """The terms of factorised posteriors N(mean, std^2) at z = mean + noise, as NumPy arrays."""
    found = objectives.aggregate_terms(
        {"continuous": gaussian(mean, std)},
        Latents(Gaussian(mean.shape[1])).prior(),
        {"continuous": tf.constant(mean + noise, tf.float32)},
        log_weights,
    )
    return objectives.AggregateTerms(*(term.numpy() for term in found))


def posteriors(seed, batch=6, size=3):
    """(mean, std, noise) of random posteriors."""
    rng = np.random.default_rng(seed)
    mean, std = rng.normal(size=(batch, size)), rng.uniform(0.2, 1.5, size=(batch, size))
    return mean, std, std * rng.normal(size=mean.shape)


def uniform(size):
    """All weights 1/N, with the whole data set as the batch."""
    return tf.fill([size, size], -np.log(np.float32(size)))


# Weights.


@pytest.mark.parametrize(("batch", "rows"), [(2, 2), (2, 9), (5, 5), (5, 40), (128, 737_280)])
def test_stratified_weights_stand_for_every_row_once(batch, rows):
    weights = np.exp(objectives.aggregate_log_weights(batch, rows, "mss"))
    others = batch - 1
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.diag(weights), 1 / rows, rtol=1e-5)
    off = np.sort(weights[~np.eye(batch, dtype=bool)].reshape(batch, others), axis=1)
    np.testing.assert_allclose(off[:, 0], (rows - others) / (rows * others), rtol=1e-4)
    np.testing.assert_allclose(off[:, 1:], 1 / others, rtol=1e-5)


def test_stratified_estimate_of_the_density_is_unbiased():
    # z comes from row 0 of five; the other two rows of the batch take all places they can.
    mean, std, noise = posteriors(0, batch=5)
    z = mean[:1] + noise[:1]
    density = np.exp(np.asarray(gaussian(mean, std).log_prob(z[0])))  # [5]
    weights = np.exp(objectives.aggregate_log_weights(3, 5, "mss"))[0]
    estimates = [
        weights @ density[[0, *others]] for others in itertools.permutations(range(1, 5), 2)
    ]
    np.testing.assert_allclose(np.mean(estimates), density.mean(), rtol=1e-5)


def test_weighted_weights_are_equal():
    weights = objectives.aggregate_log_weights(4, 100, "mws")
    np.testing.assert_allclose(weights, np.full((4, 4), -np.log(400)), rtol=1e-6)


@pytest.mark.parametrize("batch", [2, 3, 7])
def test_released_weights_fill_columns_with_the_stride_of_a_row(batch):
    rows, others = 50, batch - 1
    flat = np.full(batch * batch, 1 / others)
    flat[::batch] = 1 / rows
    flat[1::batch] = (rows - others) / (rows * others)
    flat[(batch - 2) * batch] = (rows - others) / (rows * others)
    weights = objectives.aggregate_log_weights(batch, rows, "released")
    np.testing.assert_allclose(np.exp(weights), flat.reshape(batch, batch), rtol=1e-5)


def test_weights_take_a_batch_size_that_is_known_only_at_run_time():
    @tf.function
    def weights(size):
        return objectives.aggregate_log_weights(size, 40)

    expected = objectives.aggregate_log_weights(6, 40)
    np.testing.assert_array_equal(weights(tf.constant(6)), expected)
    assert np.isfinite(weights(tf.constant(1))).all()


def test_unusable_sizes_and_estimators_are_refused():
    with pytest.raises(ValueError, match="at least the batch size 8, received 7"):
        objectives.aggregate_log_weights(8, 7)
    with pytest.raises(ValueError, match="estimator must be one of .* received 'MSS'"):
        objectives.aggregate_log_weights(8, 70, "MSS")


# Terms.


@pytest.mark.parametrize("estimator", ESTIMATORS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_terms_add_up_to_the_log_ratio_of_each_sample(estimator, seed):
    mean, std, noise = posteriors(seed)
    found = terms(mean, std, noise, objectives.aggregate_log_weights(6, 50, estimator))
    z = mean + noise
    log_ratio = (0.5 * (z**2 - (noise / std) ** 2) - np.log(std)).sum(axis=1)
    np.testing.assert_allclose(sum(found), log_ratio, atol=1e-4)


def test_terms_of_the_whole_set_are_those_of_the_evaluation():
    mean, std, noise = posteriors(1, batch=40)
    found = terms(mean, std, noise, uniform(40))
    samples = Samples(np.arange(40), noise.astype(np.float32), ())
    joint, marginal = log_ratios(Posteriors(mean, std), samples)
    np.testing.assert_allclose(found.index_code_mi, joint, atol=1e-4)
    np.testing.assert_allclose(found.total_correlation, marginal.sum(axis=1) - joint, atol=1e-4)


def test_linear_gaussian_model_has_its_closed_form():
    rng = np.random.default_rng(0)
    size, std = 1500, np.array([0.3, 0.6])
    x = rng.normal(size=(size, 2))
    # Moments exactly those of N(0, I): only the shape of the set is left to chance.
    x = (x - x.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, bias=True))).T
    mean = x @ np.array([[1.0, 0.0], [0.8, 0.6]]).T
    found = terms(mean, np.tile(std, (size, 1)), std * rng.normal(size=mean.shape), uniform(size))

    covariance = np.cov(mean.T, bias=True) + np.diag(std**2)
    variances, log_det = np.diag(covariance), np.linalg.slogdet(covariance)[1]
    expected = {
        "index_code_mi": 0.5 * (log_det - np.log(std**2).sum()),
        "total_correlation": 0.5 * (np.log(variances).sum() - log_det),
        "dimensionwise_kl": 0.5 * (variances - 1 - np.log(variances)).sum(),
    }
    for name, value in expected.items():
        term = getattr(found, name)
        # 0.02: a set of 1500 rows is no Gaussian.
        assert abs(term.mean() - value) < 4 * term.std() / np.sqrt(size) + 0.02, name


def test_weighted_total_correlation_is_no_value_and_the_stratified_one_is_near():
    """Two codes of correlation 0.8 with noise of 0.3: their total correlation is 0.387 nats."""
    rng = np.random.default_rng(0)
    rows, batch, repeats = 5000, 128, 40
    covariance = np.array([[1, 0.8], [0.8, 1]])
    values = {"mss": [], "mws": []}
    for _ in range(repeats):
        mean = rng.multivariate_normal([0, 0], covariance, size=batch)
        noise = 0.3 * rng.normal(size=mean.shape)
        for name, found in values.items():
            weights = objectives.aggregate_log_weights(batch, rows, name)
            std = np.full(mean.shape, 0.3)
            found.append(terms(mean, std, noise, weights).total_correlation.mean())
    correlation = 0.8 / 1.09
    true = -0.5 * np.log(1 - correlation**2)
    np.testing.assert_allclose(true, 0.387, atol=5e-4)
    # A single batch scatters by 0.08 around a mean within 0.03 of the truth.
    assert abs(np.mean(values["mss"]) - true) < 0.06
    assert abs(np.mean(values["mws"]) - 8.9) < 0.15
    assert 8.2 < np.mean(values["mws"]) - true < 8.7  # (D - 1) log N is 8.5


def test_released_weights_overestimate_the_density_of_posteriors_that_do_not_overlap():
    # Each z is explained by its own row alone, one of N: q(z) = q(z | x) / N.
    mean = 100.0 * np.arange(16)[:, None]
    noise, std = np.zeros((16, 1)), np.ones((16, 1))
    found = {
        name: terms(mean, std, noise, objectives.aggregate_log_weights(16, 1000, name))
        for name in ("mss", "released")
    }
    np.testing.assert_allclose(found["mss"].index_code_mi, np.log(1000), rtol=1e-4)
    np.testing.assert_allclose(found["released"].index_code_mi[2:], np.log(15), rtol=1e-4)


def test_weighted_constant_shifts_the_total_correlation_and_not_its_gradient():
    mean, std, noise = posteriors(2)
    found = terms(mean, std, noise, objectives.aggregate_log_weights(6, 50, "mws"))
    plain = terms(mean, std, noise, tf.zeros([6, 6]))
    shift = found.total_correlation - plain.total_correlation
    np.testing.assert_allclose(shift, 2 * np.log(6 * 50), rtol=1e-5)


def test_groups_are_decomposed_as_one_code():
    mean, std, noise = posteriors(3)
    weights = objectives.aggregate_log_weights(6, 50)
    whole = terms(mean, std, noise, weights)
    latents = Latents(Gaussian(2, "first"), Gaussian(1, "second"))
    z = latents.split(tf.constant(mean + noise, tf.float32))
    parts = objectives.aggregate_terms(
        {"first": gaussian(mean[:, :2], std[:, :2]), "second": gaussian(mean[:, 2:], std[:, 2:])},
        latents.prior(),
        z,
        weights,
    )
    for term, expected in zip(parts, whole, strict=True):
        np.testing.assert_allclose(term, expected, rtol=1e-5, atol=1e-5)


def test_distributions_that_do_not_factorise_are_refused():
    latents = Latents(Categorical(3))
    weights = objectives.aggregate_log_weights(2, 5)
    posterior = latents.posterior(tf.zeros([2, 3]))
    z = {"discrete": tf.one_hot([0, 1], 3)}
    with pytest.raises(ValueError, match="posterior of group 'discrete' must factorise"):
        objectives.aggregate_terms(posterior, latents.prior(), z, weights)
    correlated = {"a": tfd.MultivariateNormalTriL(tf.zeros(2), tf.eye(2))}
    with pytest.raises(ValueError, match="prior of group 'a' must factorise"):
        objectives.aggregate_terms(
            {"a": gaussian(np.zeros((2, 2)), np.ones((2, 2)))},
            correlated,
            {"a": tf.zeros([2, 2])},
            weights,
        )


@pytest.mark.parametrize("estimator", ["mss", "mws"])
def test_a_batch_beyond_the_data_set_counts_as_a_data_set_of_its_size(estimator):
    weights = tf.function(lambda size: objectives.aggregate_log_weights(size, 4, estimator))
    expected = objectives.aggregate_log_weights(7, 7, estimator)
    np.testing.assert_allclose(weights(tf.constant(7)), expected, rtol=1e-6)
