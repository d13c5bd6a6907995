"""Gaussian Wasserstein score: closed forms and degenerate covariances."""

import math

import numpy as np
import pytest

from tfdisent.metrics import gaussian_wasserstein


def pair(r, scale=1.0, num=40):
    """Codes with sample covariance scale^2 [[1, r], [r, 1]]."""
    white = np.random.default_rng(0).normal(size=(num, 2))
    white = np.linalg.qr(white - white.mean(axis=0))[0] * np.sqrt(num - 1)
    return scale * white @ np.linalg.cholesky([[1, r], [r, 1]]).T


@pytest.mark.parametrize("r", [0.0, 0.4, -0.95])
def test_correlated_pair(r):
    expected = 4 - 2 * (math.sqrt(1 + r) + math.sqrt(1 - r))
    assert gaussian_wasserstein(pair(r)).value == pytest.approx(expected, abs=1e-10)
    assert gaussian_wasserstein(pair(r, 3.0)).value == pytest.approx(9 * expected, abs=1e-9)
    normalized = gaussian_wasserstein(pair(r, 3.0), normalized=True)
    assert normalized.value == pytest.approx(expected / 2, abs=1e-10)
    assert normalized.protocol == "all rows, normalized"


def test_equals_the_published_definition(sample, reference):
    codes = sample[1]
    value = gaussian_wasserstein(codes).value
    assert value == pytest.approx(reference.gaussian_wasserstein(codes), abs=1e-9)


def test_a_duplicated_column_is_finite():
    codes = pair(0.0)[:, [0, 0]]
    assert gaussian_wasserstein(codes).value == pytest.approx(4 - 2 * math.sqrt(2), abs=1e-10)
    assert math.isfinite(gaussian_wasserstein(np.random.default_rng(0).normal(size=(4, 9))).value)


def test_codes_that_do_not_vary_score_zero():
    for normalized in (False, True):
        assert gaussian_wasserstein(np.full((9, 3), 0.1), normalized).value == 0.0


def test_group_and_code_that_knows_its_label_depend():
    rng = np.random.default_rng(0)
    label = rng.integers(3, size=5000)
    one_hot, noise = np.eye(3)[label], rng.normal(size=(5000, 1))
    groups = ((0, 1, 2),)
    independent = gaussian_wasserstein(np.hstack([one_hot, noise]), discrete_columns=groups).value
    told = gaussian_wasserstein(
        np.hstack([one_hot, noise + label[:, None]]), discrete_columns=groups
    ).value
    assert independent < 1e-3 < 0.05 < told


def test_ignores_order_sign_and_offset_and_normalized_also_scale(sample):
    codes = sample[1]
    base = gaussian_wasserstein(codes).value
    assert gaussian_wasserstein(5 - codes[:, ::-1]).value == pytest.approx(base, rel=1e-9)
    base = gaussian_wasserstein(codes, normalized=True).value
    assert gaussian_wasserstein(40 * codes, normalized=True).value == pytest.approx(base, rel=1e-9)


def test_one_row_raises():
    with pytest.raises(ValueError, match="at least two rows, received 1"):
        gaussian_wasserstein([[1.0, 2.0]])


@pytest.mark.parametrize("scale", [1e-170, 1e-90, 1e-70, 1e80, 1e149])
def test_no_scale_is_too_small_or_large(scale):
    expected = 4 - 2 * (math.sqrt(1.4) + math.sqrt(0.6))
    normalized = gaussian_wasserstein(pair(0.4, scale), normalized=True).value
    assert normalized == pytest.approx(expected / 2, abs=1e-10)
    value = gaussian_wasserstein(pair(0.4, scale)).value
    assert value == pytest.approx(scale * scale * expected, rel=1e-9, abs=0)


def test_a_group_keeps_its_scale_beside_faint_and_vast_codes():
    rng = np.random.default_rng(0)
    label = rng.integers(3, size=500)
    codes = np.column_stack([np.eye(3)[label], label + rng.normal(size=500)])
    groups = ((0, 1, 2),)
    base = gaussian_wasserstein(codes, discrete_columns=groups).value
    faint = np.column_stack([codes, 1e-120 * codes[:, 3]])
    value = gaussian_wasserstein(faint, discrete_columns=groups).value
    assert value == pytest.approx(base, rel=1e-9)
    vast = np.column_stack([codes, 1e80 * pair(0.4, num=500)])
    value = gaussian_wasserstein(vast, discrete_columns=groups).value
    assert value == pytest.approx(1e160 * gaussian_wasserstein(pair(0.4)).value, rel=1e-9)
