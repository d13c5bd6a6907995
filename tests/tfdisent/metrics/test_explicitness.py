"""Explicitness: known answers and the published definition."""

import numpy as np
import pytest

from tfdisent.metrics import explicitness
from tfdisent.metrics.explicitness import _mean_auc


def test_one_hot_factors_are_explicit(grid):
    codes = np.hstack([np.eye(size)[grid[:, k]] for k, size in enumerate((3, 4, 5, 2, 6))])
    score = explicitness(grid, codes)
    assert score.value == pytest.approx(1.0, abs=1e-12)
    assert score.protocol == "split 2:1"


def test_independent_and_constant_codes_are_at_one_half():
    rng = np.random.default_rng(0)
    factors = rng.integers(3, size=(6000, 2))
    assert explicitness(factors, rng.normal(size=(6000, 2))).value == pytest.approx(0.5, abs=0.03)
    assert explicitness(factors, np.full((6000, 2), 0.1)).value == pytest.approx(0.5, abs=1e-12)


def test_equals_the_published_definition(sample, reference):
    factors, codes = sample
    order = np.random.default_rng(1).permutation(600)
    score = explicitness(factors, codes, order[:400], order[400:])
    train, test = reference.explicitness(factors, codes, order[:400], order[400:])
    # The published solver stops after 100 iterations, ours at the optimum.
    assert score.value == pytest.approx(test, abs=1e-4)
    assert score.details["explicitness_test"] == score.value
    assert score.details["explicitness_train"] == pytest.approx(train, abs=1e-4)


def test_area_counts_ordered_pairs_and_half_the_ties():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(3, size=40), rng.integers(5, size=(40, 3))
    areas = []
    for k in range(3):
        positive, negative = scores[labels == k, k], scores[labels != k, k]
        areas.append(np.mean([(p > n) + 0.5 * (p == n) for p in positive for n in negative]))
    assert _mean_auc(labels, np.arange(3), scores) == pytest.approx(np.mean(areas), abs=1e-12)


def test_ignores_order_sign_scale_and_offset(sample):
    factors, codes = sample
    base = explicitness(factors, codes).value
    changed = (codes * [1, -2, 3, -4, 5, -6, 7] + 20)[:, ::-1]
    assert explicitness(factors, changed).value == pytest.approx(base, abs=1e-4)


def test_a_group_is_read_by_its_label():
    label = np.random.default_rng(0).integers(4, size=300)[:, None]
    parity = label % 2  # no linear function of the number, but one of its indicators
    as_group = explicitness(parity, label.astype(float), discrete_columns=((0,),)).value
    assert as_group == pytest.approx(1.0, abs=1e-12)
    assert explicitness(parity, label.astype(float)).value < 0.9


def test_a_factor_with_one_value_among_the_rows_raises(sample):
    factors, codes = sample
    rows = np.flatnonzero(factors[:, 3] == 0)
    with pytest.raises(ValueError, match="training rows, factor 3 has one"):
        explicitness(factors, codes, rows, np.arange(600))
    with pytest.raises(ValueError, match="test rows, factor 3 has one"):
        explicitness(factors, codes, np.arange(600), rows)


def test_test_rows_without_any_trained_value_of_a_factor_raise():
    factors = np.array([[0, 0], [1, 1], [0, 2], [1, 3]] * 5)
    codes = np.random.default_rng(0).normal(size=(20, 2))
    train, test = np.flatnonzero(factors[:, 1] < 2), np.flatnonzero(factors[:, 1] >= 2)
    with pytest.raises(ValueError, match=r"factor 1 has none of its 2 training value\(s\) among"):
        explicitness(factors, codes, train, test)
    some = np.append(test, train[:1])  # one value in common is enough
    assert 0 <= explicitness(factors, codes, train, some).value <= 1
