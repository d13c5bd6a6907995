"""IRS: known answers, the published definition, groups."""

import numpy as np
import pytest

from tfdisent.metrics import evaluate, irs


def test_factors_themselves_score_one(grid):
    score = irs(grid, grid.astype(float))
    assert score.value == pytest.approx(1.0, abs=1e-12)
    assert score.protocol == "all rows, 20 bins, quantile 0.99"
    assert score.details["parents"].tolist() == [0, 1, 2, 3, 4]


def test_independent_codes_score_near_zero():
    rng = np.random.default_rng(0)
    factors, codes = rng.integers(3, size=(30_000, 2)), rng.uniform(size=(30_000, 2))
    assert irs(factors, codes, quantile=1.0).value < 0.01
    assert irs(factors, codes).value == pytest.approx(0.01, abs=0.005)  # 1 - 0.99


def test_constant_units_are_dropped_and_none_left_scores_zero(grid):
    codes = np.stack([grid[:, 0], np.full(len(grid), 7.1)], axis=1).astype(float)
    score = irs(grid, codes)
    assert score.value == pytest.approx(1.0, abs=1e-12)
    assert score.details["num_active"] == 1
    assert score.details["per_unit"].tolist() == [1.0, None]
    assert irs(grid, np.full((len(grid), 2), 7.1)).value == 0.0


@pytest.mark.parametrize("quantile", [0.0, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("bins", [2, 3, 20])
def test_equals_the_published_definition(sample, reference, quantile, bins):
    value = irs(*sample, quantile=quantile, bins=bins).value
    assert value == pytest.approx(reference.irs(*sample, quantile, bins), abs=1e-12)


def test_bins_merge_neighbouring_factor_values():
    factors = np.arange(40)[:, None].repeat(3, axis=0)
    codes = (factors // 2).astype(float)
    assert irs(factors, codes, bins=20).value == pytest.approx(1.0, abs=1e-12)
    assert irs(factors, codes, bins=4).value < 0.9


def test_bins_follow_the_numbers_of_the_factor_values(reference):
    rng = np.random.default_rng(0)
    factors = rng.choice([0, 1, 2, 50, 1000], size=(300, 2))
    codes = rng.normal(size=(300, 3)) + factors[:, :1] / 100
    assert irs(factors, codes, bins=4).value == pytest.approx(
        reference.irs(factors, codes, 0.99, 4), abs=1e-12
    )


def test_groups_that_are_a_factor_score_one_and_independent_ones_near_zero():
    rng = np.random.default_rng(0)
    factors = rng.integers(3, size=(20_000, 2))
    same = irs(factors, np.eye(3)[factors[:, 0]], discrete_columns=((0, 1, 2),))
    assert same.value == pytest.approx(1.0, abs=1e-12)
    other = irs(factors, np.eye(3)[rng.integers(3, size=20_000)], discrete_columns=((0, 1, 2),))
    assert other.value == pytest.approx(0.0, abs=0.03)


def test_ignores_order_sign_offset_and_common_scale(sample):
    factors, codes = sample
    base = irs(factors, codes).value
    assert irs(factors, -3.5 * codes[:, ::-1] + 11).value == pytest.approx(base, abs=1e-12)
    assert irs(factors[:, ::-1], codes).value == pytest.approx(base, abs=1e-12)


def test_wrong_options_raise(sample):
    with pytest.raises(ValueError, match=r"quantile must be in \[0, 1\], received 99"):
        irs(*sample, quantile=99)
    with pytest.raises(ValueError, match="quantile 0.99, received 1.0"):
        irs(*sample, quantile=1.0, protocol="locatello2019")
    with pytest.raises(ValueError, match="bins must be an integer >= 1"):
        irs(*sample, bins=0)


def test_a_factor_that_no_drawn_row_varies_rules_no_unit():
    rng = np.random.default_rng(0)
    factors = np.column_stack([np.arange(20_000) == 5, rng.integers(3, size=20_000)]).astype(int)
    codes = rng.normal(size=(20_000, 3))
    draws = (np.random.default_rng(s).integers(20_000, size=10_000) for s in range(8))
    seed, rows = next((s, drawn) for s, drawn in enumerate(draws) if 5 not in drawn)
    score = irs(factors, codes, protocol="locatello2019", seed=seed)
    assert score.value == irs(factors[rows, 1:], codes[rows]).value
    assert score.details["kept_factors"] == [1]
    assert set(score.details["parents"].tolist()) == {1}


@pytest.fixture
def outliers():
    """Factor [2000, 1] and codes [2000, 1] in which a tenth of each value's rows lie apart."""
    factors = np.repeat([0, 1], 1000)[:, None]
    codes = np.repeat([0.0, 1.0, 1.0, 0.0], [900, 100, 900, 100])[:, None]
    return factors, codes


def test_outliers_of_every_factor_value_make_the_score_negative(outliers, reference):
    # Rows lie up to 0.9 from the mean of their value, and 0.5 from that of all rows.
    assert irs(*outliers).value == pytest.approx(1 - 0.9 / 0.5, abs=1e-12)
    assert irs(*outliers).value == pytest.approx(reference.irs(*outliers), abs=1e-12)
    grouped = irs(*outliers, discrete_columns=((0,),))
    assert grouped.value == pytest.approx(1 - 0.9 / 0.5, abs=1e-12)


def test_interval_of_a_negative_score_holds_it(outliers):
    score = evaluate(*outliers, "irs", "lecture", bootstrap=20)["irs"]
    low, high = score.details["interval"]
    assert -1 <= low <= score.value <= high < 0


def test_numbers_of_few_factor_values_do_not_matter():
    rng = np.random.default_rng(0)
    classes = rng.integers(3, size=(900, 1))
    codes = classes + 0.1 * rng.normal(size=(900, 1))
    base = irs(classes, codes).value
    assert base > 0.6
    for names in ([0, 1, 1000], [-(10**9), 0, 7], [5, 6, 7]):
        assert irs(np.array(names)[classes], codes).value == base
