"""MIG: known answers, the published definition, invariances."""

import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent.metrics import mig
from tfdisent.metrics.mig import from_classes


def test_factors_themselves_score_one(grid):
    score = mig(grid, grid.astype(float))
    assert score.value == pytest.approx(1.0, abs=1e-12)
    assert (score.name, score.protocol, score.seed) == ("mig", "all rows, 20 bins", None)


def test_entropy_and_information_of_a_grid_are_logarithms(grid):
    details = mig(grid, grid.astype(float)).details
    np.testing.assert_allclose(details["factor_entropy"], np.log([3, 4, 5, 2, 6]), atol=1e-12)
    np.testing.assert_allclose(
        details["mutual_information"], np.diag(np.log([3, 4, 5, 2, 6])), atol=1e-12
    )


def test_a_duplicated_unit_closes_the_gap_of_its_factor(grid):
    score = mig(grid, grid[:, [0, 1, 2, 3, 4, 2]].astype(float))
    np.testing.assert_allclose(score.details["gaps"], [1, 1, 0, 1, 1], atol=1e-12)


def test_a_rotation_by_45_degrees_closes_both_gaps():
    factors = np.array([[a, b] for a in range(8) for b in range(8)])
    codes = np.stack([factors[:, 0] + factors[:, 1], factors[:, 0] - factors[:, 1]], axis=1)
    np.testing.assert_allclose(mig(factors, codes).details["gaps"], 0, atol=1e-12)


def test_constant_codes_score_zero(grid):
    assert mig(grid, np.full((len(grid), 3), 2.5)).value == 0.0


def test_one_unit_has_no_second(grid):
    gaps = mig(grid, grid[:, 2:3].astype(float)).details["gaps"]
    np.testing.assert_allclose(gaps, [0, 0, 1, 0, 0], atol=1e-12)


def test_one_hot_group_is_one_unit(grid):
    codes = np.hstack([grid[:, 1:].astype(float), np.eye(3)[grid[:, 0]]])
    assert mig(grid, codes, discrete_columns=((4, 5, 6),)).value == pytest.approx(1.0)
    # As separate columns each indicator knows the factor partly, and no gap is whole.
    assert mig(grid, codes).details["gaps"][0] == pytest.approx(0, abs=1e-12)


def test_a_group_is_not_binned():
    factors = np.arange(60)[:, None]
    label = factors.astype(float)
    assert mig(factors, label, discrete_columns=((0,),)).value == pytest.approx(1.0)
    assert mig(factors, label).value == pytest.approx(np.log(20) / np.log(60))


@pytest.mark.parametrize("bins", [2, 7, 20, 100])
def test_equals_the_published_definition(sample, reference, bins):
    factors, codes = sample
    assert mig(factors, codes, bins).value == pytest.approx(
        reference.mig(factors, codes, bins), abs=1e-12
    )


def test_bins_are_those_of_numpy_where_codes_lie_on_the_edges(reference):
    factors = np.arange(210)[:, None] % 3
    codes = np.stack([np.arange(210) % 21, np.arange(210) * 0.1, np.arange(210) % 2], axis=1)
    assert mig(factors, codes).value == pytest.approx(reference.mig(factors, codes), abs=1e-12)


def test_locatello2019_draws_ten_thousand_rows(sample):
    factors, codes = sample
    score = mig(factors, codes, protocol="locatello2019", seed=4)
    assert (score.protocol, score.seed, score.details["num_rows"]) == ("locatello2019", 4, 10_000)
    rows = np.random.default_rng(4).integers(600, size=10_000)
    assert score.value == mig(factors[rows], codes[rows]).value


def test_a_preset_with_other_bins_or_without_sampling_raises(sample):
    with pytest.raises(ValueError, match="'locatello2019' has 20 bins, received 10"):
        mig(*sample, bins=10, protocol="locatello2019")
    with pytest.raises(ValueError, match="received 'jeong2019'"):
        mig(*sample, protocol="jeong2019")
    with pytest.raises(ValueError, match="bins must be an integer >= 1"):
        mig(*sample, bins=0)


@settings(max_examples=20, deadline=None)
@given(
    order=st.permutations(range(7)),
    scales=st.lists(st.floats(1e-3, 1e3), min_size=7, max_size=7),
    shift=st.floats(-100, 100),
)
def test_ignores_order_scale_and_offset(sample, order, scales, shift):
    factors, codes = sample
    noisy = codes + np.random.default_rng(0).normal(size=codes.shape)
    changed = (noisy * scales + shift)[:, order]
    assert mig(factors, changed).value == pytest.approx(mig(factors, noisy).value, abs=1e-12)


def test_ignores_sign_and_the_names_of_factor_values(sample):
    factors, codes = sample
    noisy = codes + np.random.default_rng(0).normal(size=codes.shape)
    base = mig(factors, noisy).value
    assert mig(factors, -noisy).value == pytest.approx(base, abs=1e-12)
    assert mig(-10 * factors, noisy).value == pytest.approx(base, abs=1e-12)


def test_narrow_and_wide_columns_give_a_number():
    factors = np.array([[0], [1], [1], [0]])
    tiny = np.array([[1.0], [np.nextafter(1.0, 2)], [1.0], [1.0]])
    for codes in (tiny, 1e150 * np.sign(tiny - 1.0), np.random.default_rng(0).normal(size=(4, 30))):
        assert 0 <= mig(factors, codes).value <= 1


@pytest.mark.parametrize("seed", range(8))
def test_a_factor_that_no_drawn_row_varies_does_not_count(seed):
    """One row in 20,000 has the other value, and three draws in five are without it."""
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(20_000) == 5, rng.integers(3, size=20_000)], axis=1).astype(int)
    codes = rng.normal(size=(20_000, 3))
    score = mig(factors, codes, protocol="locatello2019", seed=seed)
    assert score.value < 0.3
    rows = np.random.default_rng(seed).integers(20_000, size=10_000)
    assert score.details["kept_factors"] == ([0, 1] if 5 in rows else [1])
    assert np.isfinite(score.details["gaps"]).all()


def test_drawn_rows_of_one_value_of_every_factor_are_named():
    factors = (np.arange(20_000) == 5).astype(int)[:, None]
    rows = (np.random.default_rng(s).integers(20_000, size=10_000) for s in range(8))
    seed = next(s for s, drawn in enumerate(rows) if 5 not in drawn)
    with pytest.raises(ValueError, match=r"one value over 10000 drawn row\(s\)"):
        mig(factors, np.zeros((20_000, 2)), protocol="locatello2019", seed=seed)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_an_undefined_gap_is_no_score():
    classes = types.SimpleNamespace(
        mutual_information=np.zeros((2, 1)),
        factors=[np.zeros(4, dtype=int)],
        num_rows=4,
        kept_factors=(0,),
    )
    with pytest.raises(ValueError, match="received NaN for 'mig'"):
        from_classes(classes, "all rows", None)
