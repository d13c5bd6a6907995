"""Gaussian total correlation: closed forms and degenerate covariances."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent.metrics import gaussian_total_correlation


def codes_with_covariance(covariance, num=50):
    """Codes whose sample covariance is exactly this."""
    rng = np.random.default_rng(0)
    white = rng.normal(size=(num, len(covariance)))
    white -= white.mean(axis=0)
    white = np.linalg.qr(white)[0] * np.sqrt(num - 1)
    return white @ np.linalg.cholesky(covariance).T


def test_uncorrelated_codes_score_zero():
    assert gaussian_total_correlation(codes_with_covariance(np.diag([1.0, 4, 9]))).value < 1e-12


@pytest.mark.parametrize("r", [0.0, 0.3, -0.9])
def test_correlated_pair(r):
    value = gaussian_total_correlation(codes_with_covariance(np.array([[1, r], [r, 1]]))).value
    assert value == pytest.approx(-0.5 * math.log(1 - r**2), abs=1e-12)


def test_worked_covariance():
    value = gaussian_total_correlation(codes_with_covariance(np.array([[1, 0.5], [0.5, 2]]))).value
    assert value == pytest.approx(0.0667657, abs=1e-7)


def test_equals_the_published_definition(sample, reference):
    noisy = sample[1] + np.random.default_rng(0).normal(size=sample[1].shape)
    value = gaussian_total_correlation(noisy).value
    assert value == pytest.approx(reference.gaussian_total_correlation(noisy), abs=1e-9)


def test_linear_dependence_is_infinite():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(100, 3))
    dependent = np.hstack([codes, codes @ [[1.0], [2.0], [-1.0]]])
    assert gaussian_total_correlation(dependent).value == math.inf
    assert gaussian_total_correlation(rng.normal(size=(5, 8))).value == math.inf


def test_constant_columns_and_single_columns_add_nothing():
    codes = codes_with_covariance(np.array([[1, 0.3], [0.3, 1]]))
    constant = np.full((50, 2), 1e8 / 3)
    score = gaussian_total_correlation(np.hstack([constant, codes]))
    assert score.value == pytest.approx(-0.5 * math.log(1 - 0.09), abs=1e-9)
    assert score.details["num_active"] == 2
    assert gaussian_total_correlation(constant).value == 0.0
    assert gaussian_total_correlation(codes[:, :1]).value == 0.0


def test_group_depends_on_codes_that_know_its_label():
    rng = np.random.default_rng(0)
    label = rng.integers(3, size=20_000)
    one_hot, noise = np.eye(3)[label], rng.normal(size=(20_000, 1))
    groups = ((0, 1, 2),)
    independent = gaussian_total_correlation(np.hstack([one_hot, noise]), groups)
    assert independent.value == pytest.approx(0, abs=1e-3)
    told = np.hstack([one_hot, noise + 3.0 * label[:, None]])
    # One number against the indicators: -0.5 log(1 - R^2), R^2 the share between labels.
    between = 9 * np.var([0, 1, 2])
    expected = 0.5 * math.log1p(between)
    assert gaussian_total_correlation(told, groups).value == pytest.approx(expected, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(range(4)),
    scales=st.lists(st.floats(1e-3, 1e3), min_size=4, max_size=4),
    shift=st.floats(-1e3, 1e3),
)
def test_ignores_order_scale_sign_and_offset(order, scales, shift):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    base = gaussian_total_correlation(codes).value
    changed = (-codes * scales + shift)[:, order]
    assert gaussian_total_correlation(changed).value == pytest.approx(base, abs=1e-6)


def test_one_row_raises():
    with pytest.raises(ValueError, match="at least two rows, received 1"):
        gaussian_total_correlation([[1.0, 2.0]])


def dependent_codes(kind, rng, num):
    """Three columns of which each is an affine function of the others."""
    if kind == "softmax":
        odds = np.exp(rng.normal(size=(num, 3)))
        return odds / odds.sum(axis=1, keepdims=True)
    first, second = rng.normal(1.5, 0.3, size=(2, num))
    return np.stack([first, second, first + second], axis=1)


@pytest.mark.parametrize("num", [20, 100, 1000, 10_000])
@pytest.mark.parametrize("kind", ["softmax", "sum"])
def test_exact_dependence_is_infinite_wherever_the_codes_lie(kind, num):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        codes = dependent_codes(kind, rng, num)
        shift = rng.uniform(5, 30, size=3) * rng.choice([-1, 1], size=3)
        moved = codes * rng.uniform(0.1, 10, size=3) + shift * codes.std(axis=0)
        for matrix in (codes, moved):
            assert gaussian_total_correlation(matrix).value == math.inf, seed


@pytest.mark.parametrize("gap", [1e-10, 1e-12])
def test_near_dependence_is_finite(gap):
    white = np.random.default_rng(0).normal(size=(1000, 2))
    first, noise = np.linalg.qr(white - white.mean(axis=0))[0].T
    codes = np.stack([first, (1 - gap) * first + math.sqrt(gap * (2 - gap)) * noise], axis=1)
    expected = -0.5 * math.log(gap * (2 - gap))
    assert gaussian_total_correlation(codes).value == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("scale", [1e-170, 1e-90, 1e80, 1e149])
def test_no_scale_is_too_small_or_large(scale):
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    base = gaussian_total_correlation(codes).value
    assert gaussian_total_correlation(scale * codes).value == pytest.approx(base, rel=1e-9)
    columns = gaussian_total_correlation(codes * [scale, 1.0, 1.0, 1e-40])
    assert columns.value == pytest.approx(base, rel=1e-9)
