"""Which rows a score is computed from."""

import warnings

import numpy as np
import pytest

from tfdisent import metrics
from tfdisent.metrics import _sampling

PRESET = "locatello2019"


@pytest.mark.parametrize(("num_rows", "share"), [(400, 100), (10_000, 63), (17_568, 43)])
def test_few_rows_under_a_preset_warn_of_common_rows(num_rows, share):
    message = f"{PRESET}.* with {num_rows:,} rows, {share}% of the test rows .*'lecture'"
    with pytest.warns(UserWarning, match=message):
        train, test, _ = _sampling.split(num_rows, None, None, PRESET, 0)
    assert np.isin(test, train).mean() == pytest.approx(share / 100, abs=0.03)


@pytest.mark.filterwarnings("error")
def test_many_rows_and_splits_without_common_rows_do_not_warn():
    for num_rows in (95_000, 737_280):
        train, test, _ = _sampling.split(num_rows, None, None, PRESET, 0)
        assert np.isin(test, train).mean() < 0.12
    train, test, _ = _sampling.split(400, None, None, None, 0)
    assert not np.isin(test, train).any()


@pytest.mark.filterwarnings("ignore:protocol:UserWarning")
def test_the_warning_changes_no_row():
    train, test, stamp = _sampling.split(400, None, None, PRESET, 3)
    rng = np.random.default_rng(3)
    assert (train == rng.integers(400, size=10_000)).all()
    assert (test == rng.integers(400, size=5_000)).all()
    assert stamp == PRESET


@pytest.mark.parametrize(
    ("name", "options"), [("dci", {"fast": True}), ("sap", {}), ("explicitness", {})]
)
def test_scores_that_test_a_predictor_warn_at_their_caller(name, options):
    rng = np.random.default_rng(0)
    factors, codes = rng.integers(2, size=(400, 1)), rng.normal(size=(400, 2))
    with pytest.warns(UserWarning, match="with 400 rows") as caught:
        getattr(metrics, name)(factors, codes, protocol=PRESET, **options)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_score_without_test_rows_does_not_warn():
    rng = np.random.default_rng(0)
    factors, codes = rng.integers(2, size=(400, 1)), rng.normal(size=(400, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.sap(factors, codes, continuous=True, protocol=PRESET)
