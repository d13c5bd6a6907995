"""DCI: known answers, the published trees, the fast protocol."""

import numpy as np
import pytest

from tfdisent.metrics import dci
from tfdisent.metrics.dci import concentration


@pytest.fixture(scope="module")
def small():
    """Int factors [300, 2] and codes [300, 4]: one unit per factor, a mixture, and noise."""
    rng = np.random.default_rng(0)
    factors = rng.integers((3, 4), size=(300, 2))
    codes = rng.normal(size=(300, 4))
    codes[:, :2] = factors + 0.3 * codes[:, :2]
    codes[:, 2] += factors.sum(axis=1)
    return factors, codes


@pytest.fixture(scope="module")
def split():
    order = np.random.default_rng(1).permutation(300)
    return order[:200], order[200:]


def test_concentration_of_known_matrices():
    assert concentration(np.eye(4)) == pytest.approx(1.0, abs=1e-9)
    assert concentration(np.ones((4, 3))) == pytest.approx(0.0, abs=1e-9)
    assert concentration(np.zeros((4, 3))) == pytest.approx(0.0, abs=1e-9)
    two_per_factor = np.array([[0.5, 0], [0.5, 0], [0, 1.0]])
    assert concentration(two_per_factor) == pytest.approx(1.0, abs=1e-9)
    # Column entropies log 2 and 0 in base 3, equal weights.
    expected = 1 - 0.5 * np.log(2) / np.log(3)
    assert concentration(two_per_factor.T) == pytest.approx(expected, abs=1e-9)


def test_concentration_equals_the_published_definition(reference):
    rng = np.random.default_rng(0)
    for _ in range(20):
        importance = rng.exponential(size=rng.integers(2, 6, size=2))
        importance *= rng.random(importance.shape) < 0.6
        expected = reference.dci_disentanglement(importance)
        assert concentration(importance) == pytest.approx(expected, abs=1e-9)
        expected = reference.dci_completeness(importance)
        assert concentration(importance.T) == pytest.approx(expected, abs=1e-9)


def test_rows_of_length_one_are_concentrated_if_anything_is_in_them():
    assert concentration(np.ones((3, 1))) == 1.0
    assert concentration(np.zeros((3, 1))) == 0.0


@pytest.mark.parametrize("fast", [False, True])
def test_factors_themselves_score_one(fast):
    factors = np.random.default_rng(0).integers((3, 2), size=(200, 2))
    score = dci(factors, factors.astype(float), fast=fast)
    for name in ("disentanglement", "completeness"):
        assert score.details[name] == pytest.approx(1.0, abs=1e-6)
    for name in ("informativeness_train", "informativeness_test"):
        assert score.details[name] == 1.0
    assert score.value == score.details["disentanglement"]
    np.testing.assert_allclose(score.details["importance"], np.eye(2), atol=1e-6)


@pytest.mark.parametrize("fast", [False, True])
def test_two_units_of_one_factor_are_disentangled_but_not_complete(fast):
    rng = np.random.default_rng(0)
    factors = rng.integers((3, 2), size=(400, 2))
    codes = np.hstack([factors, factors[:, :1]]) + 0.3 * rng.normal(size=(400, 3))
    details = dci(factors, codes, fast=fast).details
    assert details["disentanglement"] > 0.8
    assert details["completeness"] < 0.8


@pytest.mark.parametrize("fast", [False, True])
def test_constant_codes_have_no_importance(fast):
    factors = np.random.default_rng(0).integers(3, size=(60, 2))
    details = dci(factors, np.full((60, 2), 0.1), fast=fast).details
    assert details["importance"].tolist() == [[0, 0], [0, 0]]
    assert details["disentanglement"] == pytest.approx(0.0, abs=1e-9)
    assert details["completeness"] == pytest.approx(0.0, abs=1e-9)


def test_equals_the_published_trees(small, reference, split):
    score = dci(*small, *split, seed=3)
    importance, train, test = reference.dci_importance(*small, *split, seed=3)
    np.testing.assert_allclose(score.details["importance"], importance, atol=1e-12)
    assert score.value == pytest.approx(reference.dci_disentanglement(importance), abs=1e-9)
    assert score.details["completeness"] == pytest.approx(
        reference.dci_completeness(importance), abs=1e-9
    )
    assert score.details["informativeness_train"] == pytest.approx(train, abs=1e-12)
    assert score.details["informativeness_test"] == pytest.approx(test, abs=1e-12)
    assert (score.protocol, score.seed) == ("given split", 3)


def test_number_of_threads_does_not_change_the_score(small, split):
    one, two = (dci(*small, *split, fast=True, num_jobs=jobs).to_dict() for jobs in (1, 2))
    assert one == two


def test_fast_is_its_own_protocol_and_near_the_published_one():
    rng = np.random.default_rng(0)
    factors = rng.integers((3, 2), size=(1500, 2))
    codes = factors @ [[1.0, 0, 1], [0, 1, 1]] + 0.4 * rng.normal(size=(1500, 3))
    fast, published = (dci(factors, codes, fast=fast) for fast in (True, False))
    assert fast.protocol == "fast: 32 bins, split 2:1"
    for name in ("disentanglement", "completeness", "informativeness_test"):
        assert fast.details[name] == pytest.approx(published.details[name], abs=0.03)


def test_a_group_is_one_unit(small):
    factors, codes = small
    label = np.random.default_rng(1).permutation(3)[factors[:, 0]]
    grouped = np.hstack([codes[:, 1:2], np.eye(3)[label]])
    for fast in (False, True):
        details = dci(factors[:, :2], grouped, fast=fast, discrete_columns=((1, 2, 3),)).details
        assert details["importance"].shape == (2, 2)
        assert details["importance"][1, 0] > 0.9
        np.testing.assert_allclose(details["importance"].sum(axis=0), 1.0)


def test_a_factor_with_one_value_among_the_rows_raises(small):
    factors, codes = small
    rows = np.flatnonzero(factors[:, 0] == 0)
    with pytest.raises(ValueError, match="training rows, factor 0 has one"):
        dci(factors, codes, rows, np.arange(300))


def test_neither_an_offset_nor_a_scale_of_the_codes_changes_the_score(small, split):
    factors, codes = small
    plain = dci(factors, codes, *split, seed=3)
    for moved in (codes + 1e8, codes * 1e40, codes * 1e-40):
        other = dci(factors, moved, *split, seed=3)
        for name in ("disentanglement", "completeness", "informativeness_test"):
            assert other.details[name] == pytest.approx(plain.details[name], abs=0.02)
