"""The covariance that the Gaussian scores share."""

import numpy as np
import pytest

from tfdisent.metrics import _validate
from tfdisent.metrics._covariance import covariance_blocks

MIXING = np.array([[1.0, 0.3, 0.0], [0.0, 1.0, -0.8], [0.2, 0.0, 1.0]])


def unscaled(codes, groups=()):
    """Covariance in the units of the codes, and the blocks."""
    covariance, scales, blocks = covariance_blocks(_validate.check_codes(codes, groups))
    return covariance * np.outer(scales, scales), blocks


@pytest.mark.parametrize("offset", [0.0, 1.0, 20.0, 40.0, 1e3, 1e7])
def test_offset_does_not_cost_digits(offset):
    codes = np.random.default_rng(0).normal(size=(500, 3)) @ MIXING
    moved = codes + offset * np.array([1.0, -1.0, 0.0])
    covariance, blocks = unscaled(moved)
    # What rounding of the given numbers themselves allows, and no more.
    allowed = 1e-12 + 10 * np.finfo(float).eps * offset
    np.testing.assert_allclose(covariance, np.cov(codes.T), atol=allowed)
    assert [block.tolist() for block in blocks] == [[0], [1], [2]]


def test_blocks_are_the_units_that_vary():
    rng = np.random.default_rng(1)
    labels = np.eye(3)[rng.integers(3, size=200)]
    codes = np.column_stack([rng.normal(size=200), np.full(200, 7.0), labels])
    covariance, blocks = unscaled(codes, ((2, 3, 4),))
    # The constant column and the last indicator, which follows from the others, are left out.
    assert [block.tolist() for block in blocks] == [[0], [1, 2]]
    np.testing.assert_allclose(covariance, np.cov(codes[:, [0, 2, 3]].T), atol=1e-13)


def test_nothing_that_varies_has_no_blocks():
    covariance, blocks = unscaled(np.ones((5, 2)))
    assert covariance.shape == (0, 0)
    assert blocks == []


@pytest.mark.parametrize("exponent", [-1000, -500, 490])
def test_scales_are_powers_of_two_that_no_square_leaves(exponent):
    codes = np.random.default_rng(0).normal(size=(500, 3)) @ MIXING
    base = covariance_blocks(_validate.check_codes(codes))
    scaled = covariance_blocks(_validate.check_codes(np.ldexp(codes, exponent)))
    np.testing.assert_allclose(scaled[0], base[0], rtol=1e-12)
    np.testing.assert_array_equal(scaled[1], np.ldexp(base[1], exponent))


def test_rows_beyond_one_chunk_count_alike():
    codes = np.random.default_rng(0).normal(size=(5001, 3)) @ MIXING + 3.0
    covariance, _ = unscaled(codes)
    np.testing.assert_allclose(covariance, np.cov(codes.T), rtol=1e-12)
