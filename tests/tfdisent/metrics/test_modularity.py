"""Modularity: known answers and the published definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent.metrics import modularity


def test_one_factor_per_unit_scores_one(grid):
    score = modularity(grid, grid.astype(float))
    assert score.value == pytest.approx(1.0, abs=1e-12)
    assert (score.name, score.protocol) == ("modularity", "all rows, 20 bins")


def test_several_units_of_one_factor_are_still_modular(grid):
    assert modularity(grid, grid[:, [0, 0, 1, 1]].astype(float)).value == pytest.approx(1.0)


def test_a_unit_that_informs_equally_about_all_factors_scores_zero():
    factors = np.array([[a, b] for a in range(4) for b in range(4)])
    unit = factors[:, :1] + 4.0 * factors[:, 1:]  # names both
    assert modularity(factors, unit).value == pytest.approx(0.0, abs=1e-12)


def test_a_unit_that_informs_about_nothing_scores_zero(grid):
    codes = np.stack([grid[:, 0], np.full(len(grid), 0.3), grid[:, 4]], axis=1)
    score = modularity(grid[:, :2], codes.astype(float))  # factor 4 is not among these
    assert score.details["per_unit"].tolist() == [1.0, 0.0, 0.0]


def test_one_factor_alone_makes_any_informative_unit_modular(grid):
    codes = np.stack([grid[:, 2], grid[:, 3]], axis=1).astype(float)
    assert modularity(grid[:, 2:3], codes).details["per_unit"].tolist() == [1.0, 0.0]


def test_a_group_is_one_unit(grid):
    codes = np.hstack([grid[:, 1:].astype(float), np.eye(3)[grid[:, 0]]])
    score = modularity(grid, codes, discrete_columns=((4, 5, 6),))
    assert score.details["mutual_information"].shape == (5, 5)
    assert score.value == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("bins", [5, 20])
def test_equals_the_published_definition(sample, reference, bins):
    value = modularity(*sample, bins=bins).value
    assert value == pytest.approx(reference.modularity(*sample, bins), abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(7)),
    scales=st.lists(st.floats(1e-3, 1e3), min_size=7, max_size=7),
    shift=st.floats(-100, 100),
)
def test_ignores_order_scale_and_offset(sample, order, scales, shift):
    factors, codes = sample
    noisy = codes + np.random.default_rng(0).normal(size=codes.shape)
    base = modularity(factors, noisy).value
    changed = (-noisy * scales + shift)[:, order]
    assert modularity(factors, changed).value == pytest.approx(base, abs=1e-12)


def test_a_factor_that_no_drawn_row_varies_is_no_other_factor():
    rng = np.random.default_rng(0)
    factors = np.column_stack([np.arange(20_000) == 5, rng.integers(3, size=(20_000, 2))])
    codes = factors[:, 1:] @ rng.normal(size=(2, 3)) + rng.normal(size=(20_000, 3))
    draws = (np.random.default_rng(s).integers(20_000, size=10_000) for s in range(8))
    seed, rows = next((s, drawn) for s, drawn in enumerate(draws) if 5 not in drawn)
    score = modularity(factors.astype(int), codes, protocol="locatello2019", seed=seed)
    assert score.value == modularity(factors[rows, 1:].astype(int), codes[rows]).value
    assert score.details["kept_factors"] == [1, 2]
