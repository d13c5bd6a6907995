import math

import numpy as np
import pytest

from tfdisent.information import (
    differential_entropy,
    gaussian_kl,
    gaussian_mutual_information,
    gaussian_total_correlation,
)


def random_covariance(rng, size):
    factor = rng.normal(size=(size, size + 2))
    return factor @ factor.T


@pytest.mark.parametrize(
    ("mean", "deviation", "expected"),
    [(0, 1, 0.0), (1, 1, 0.5), (0, 2, 0.806853), (0, 0.5, 0.318147)],
)
def test_divergence_from_the_standard_normal(mean, deviation, expected):
    assert gaussian_kl(mean, deviation**2, 0.0, 1.0) == pytest.approx(expected, abs=5e-7)


def test_divergence_of_a_shift_is_half_its_squared_length():
    shift = np.array([1.0, -2.0, 0.5])
    identity = np.eye(3)
    value = gaussian_kl(shift, identity, np.zeros(3), identity)
    assert value == pytest.approx(shift @ shift / 2)


def test_divergence_by_sampling():
    rng = np.random.default_rng(0)
    mean_p, mean_q = rng.normal(size=(2, 2))
    cov_p, cov_q = random_covariance(rng, 2), random_covariance(rng, 2)
    x = rng.multivariate_normal(mean_p, cov_p, size=400_000)

    def log_density(x, mean, cov):
        centred = x - mean
        quadratic = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(cov), centred)
        return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * cov)[1])

    samples = log_density(x, mean_p, cov_p) - log_density(x, mean_q, cov_q)
    error = samples.std() / math.sqrt(len(x))
    exact = gaussian_kl(mean_p, cov_p, mean_q, cov_q)
    assert exact == pytest.approx(samples.mean(), abs=5 * error)


@pytest.mark.parametrize(("rho", "expected"), [(0.0, 0.0), (0.9, 0.8303656)])
def test_information_of_a_correlated_pair(rho, expected):
    value = gaussian_mutual_information([[1, rho], [rho, 1]])
    assert value == pytest.approx(expected, abs=5e-8)


def test_information_of_twenty_pairs_adds_up():
    covariance = np.kron([[1, 0.5], [0.5, 1]], np.eye(20))
    value = gaussian_mutual_information(covariance, target=range(20, 40))
    assert value == pytest.approx(2.8768207, abs=5e-8)


def test_total_correlation_of_the_example():
    assert gaussian_total_correlation([[1, 0.5], [0.5, 2]]) == pytest.approx(0.0667657, abs=5e-8)


def test_total_correlation_of_blockwise_pairs():
    covariance = np.kron(np.eye(5), [[1, 0.8], [0.8, 1]])  # ten variables in five pairs
    expected = -(10 / 4) * math.log(1 - 0.8**2)
    assert gaussian_total_correlation(covariance) == pytest.approx(expected)


def test_total_correlation_is_a_divergence_from_the_product():
    covariance = random_covariance(np.random.default_rng(1), 4)
    product = np.diag(np.diag(covariance))
    expected = gaussian_kl(np.zeros(4), covariance, np.zeros(4), product)
    assert gaussian_total_correlation(covariance) == pytest.approx(expected)


def test_information_is_entropy_minus_conditional_entropy():
    covariance = random_covariance(np.random.default_rng(2), 3)
    parts = differential_entropy(covariance=covariance[:2, :2])
    parts += differential_entropy(covariance=covariance[2, 2])
    parts -= differential_entropy(covariance=covariance)
    assert gaussian_mutual_information(covariance) == pytest.approx(parts)
    in_bits = gaussian_mutual_information(covariance, base=2)
    assert in_bits == pytest.approx(parts / math.log(2))


def test_chain_rule_of_conditional_information():
    covariance = random_covariance(np.random.default_rng(3), 4)
    whole = gaussian_mutual_information(covariance, target=3)
    first = gaussian_mutual_information(covariance[np.ix_([0, 3], [0, 3])])
    rest = gaussian_mutual_information(covariance, target=3, given=0)
    assert whole == pytest.approx(first + rest)


def test_linear_gaussian_encoder_splits_its_divergence_in_three():
    """The decomposition of E KL(q(z|x) || N(0, I)) with every term in closed form."""
    rng = np.random.default_rng(4)
    covariance_x, weights = random_covariance(rng, 3), rng.normal(size=(2, 3))
    noise = np.diag([0.3, 0.7])
    covariance_z = weights @ covariance_x @ weights.T + noise
    joint = np.block(
        [[covariance_x, covariance_x @ weights.T], [weights @ covariance_x, covariance_z]]
    )
    information = gaussian_mutual_information(joint, target=(3, 4))
    dimensionwise = sum(gaussian_kl(0, variance, 0, 1) for variance in np.diag(covariance_z))
    parts = information + gaussian_total_correlation(covariance_z) + dimensionwise
    rate = 0.5 * (np.trace(covariance_z) - 2 - np.log(np.diag(noise)).sum())
    assert rate == pytest.approx(parts)


def test_rate_exceeds_information_by_the_divergence_of_the_aggregate():
    a, s = 1.3, 0.6  # x ~ N(0, 1), e(z|x) = N(ax, s^2), m(z) = N(0, 1)
    rate = 0.5 * (a**2 + s**2 - 1) - math.log(s)
    information = gaussian_mutual_information([[1, a], [a, a**2 + s**2]])
    assert information == pytest.approx(0.5 * math.log(1 + a**2 / s**2))
    assert rate - information == pytest.approx(gaussian_kl(0, a**2 + s**2, 0, 1))


def test_invalid_covariances_are_refused():
    with pytest.raises(ValueError, match="positive definite, its least eigenvalue is -1"):
        gaussian_total_correlation([[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(ValueError, match=r"symmetric, received 0\.5 at \[0, 1\] and 0\.2"):
        gaussian_total_correlation([[1.0, 0.5], [0.2, 1.0]])
    with pytest.raises(ValueError, match="square matrix"):
        gaussian_total_correlation(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"covariance\[0, 1\] must be finite"):
        gaussian_total_correlation([[1.0, math.nan], [0.0, 1.0]])
    with pytest.raises(ValueError, match=r"mean_q must have shape \(1,\), received \(2,\)"):
        gaussian_kl(0.0, 1.0, [0.0, 0.0], 1.0)


def test_blocks_must_be_disjoint_and_not_empty():
    with pytest.raises(ValueError, match="overlap"):
        gaussian_mutual_information(np.eye(3), target=0, given=0)
    with pytest.raises(ValueError, match="two blocks"):
        gaussian_mutual_information(np.eye(2), target=(0, 1))


@pytest.mark.parametrize("seed", range(40))
def test_singular_covariances_are_refused_however_they_are_rounded(seed):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(3, 2))
    for scale in ([1.0, 1.0, 1.0], [1e-6, 1.0, 1e8]):
        singular = factor * np.array(scale)[:, None]
        with pytest.raises(ValueError, match="positive definite, its least eigenvalue is"):
            gaussian_total_correlation(singular @ singular.T)
        with pytest.raises(ValueError, match="covariance_q must be positive definite"):
            gaussian_kl(np.zeros(3), np.eye(3), np.zeros(3), singular @ singular.T)


@pytest.mark.parametrize("gap", [1e-3, 1e-10, 1e-13])
@pytest.mark.parametrize("scale", [1e-70, 1.0, 1e70])
def test_nearly_singular_covariances_are_accepted_in_any_unit(gap, scale):
    covariance = scale * np.array([[1.0, 1 - gap], [1 - gap, 1.0]]) * [[1, 1e-9], [1e-9, 1e-18]]
    expected = -0.5 * math.log(gap * (2 - gap))
    assert gaussian_total_correlation(covariance) == pytest.approx(expected, rel=1e-3)


def test_variances_must_be_positive():
    for variance in (0.0, -1.0):
        with pytest.raises(ValueError, match=f"its least eigenvalue is {variance:g}"):
            gaussian_total_correlation(np.diag([2.0, variance]))
