"""Several scores at once."""

import json
import warnings

import numpy as np
import pytest

from tfdisent import metrics
from tfdisent.metrics._validate import check_data
from tfdisent.metrics.evaluate import _Inputs

CHEAP = [name for name in metrics.METRICS if name not in ("dci", "dci_fast")]


@pytest.fixture(scope="module")
def grouped(sample):
    """Factors, codes with a discrete group, its columns and KL."""
    factors, codes = sample
    noisy = codes + 0.1 * np.random.default_rng(0).normal(size=codes.shape)
    return factors, np.hstack([noisy, np.eye(3)[factors[:, 0]]]), ((7, 8, 9),), np.ones(7)


@pytest.mark.filterwarnings("ignore:protocol 'locatello2019' draws:UserWarning")
@pytest.mark.parametrize("protocol", metrics.PRESETS)
def test_each_score_equals_that_of_its_own_function(grouped, protocol):
    factors, codes, groups, kl = grouped
    scores = metrics.evaluate(factors, codes, CHEAP, protocol, 5, kl, groups)
    assert list(scores) == CHEAP
    preset = protocol if protocol == "locatello2019" else None
    options = {"discrete_columns": groups, "protocol": preset, "seed": 5}
    for name, score in scores.items():
        function = getattr(metrics, name)
        if name == "factor_vae_score":
            alone = function(factors, codes, protocol, kl, groups, 5)
        elif name == "beta_vae_score":
            alone = function(factors, codes, discrete_columns=groups, seed=5)
        elif name == "active_units":
            alone = function(codes, discrete_columns=groups)
        elif name.startswith("gaussian") or name == "mutual_information_score":
            alone = function(codes, **options)
        else:
            alone = function(factors, codes, **options)
        assert score.to_dict() == alone.to_dict(), name


@pytest.mark.filterwarnings("ignore:protocol 'locatello2019' draws:UserWarning")
def test_stamps_say_what_was_done(grouped):
    factors, codes, groups, kl = grouped
    factors = factors[:, [3]]
    names = ["mig", "irs", "sap", "dci_fast", "active_units", "gaussian_wasserstein"]
    stamps = {
        protocol: [
            s.protocol
            for s in metrics.evaluate(
                factors, codes, names, protocol, kl_per_dim=kl, discrete_columns=groups
            ).values()
        ]
        for protocol in ("locatello2019", "jeong2019")
    }
    preset = "locatello2019"
    assert stamps[preset] == [
        preset,
        preset,
        preset,
        f"fast: 32 bins, {preset}",
        "variance > 0.01",
        preset,
    ]
    assert stamps["jeong2019"] == [
        "all rows, 20 bins",
        "all rows, 20 bins, quantile 0.99",
        "split 2:1",
        "fast: 32 bins, split 2:1",
        "variance > 0.01",
        "all rows",
    ]


def test_all_scores_of_a_tiny_set_are_numbers_and_json():
    rng = np.random.default_rng(0)
    factors = rng.integers(2, size=(60, 2))
    codes = factors + 0.1 * rng.normal(size=(60, 2))
    scores = metrics.evaluate(factors, codes, protocol="kim2018")
    assert set(scores) == set(metrics.METRICS) - {"dci_fast"}
    text = json.dumps({name: score.to_dict() for name, score in scores.items()}, allow_nan=False)
    assert json.loads(text)["dci"]["value"] == scores["dci"].value


def test_one_name_may_be_given_alone(sample):
    assert list(metrics.evaluate(*sample, metrics="mig")) == ["mig"]


def test_bootstrap_adds_intervals_around_the_same_values(sample):
    names = ["mig", "sap", "irs", "factor_vae_score", "gaussian_total_correlation"]
    plain = metrics.evaluate(*sample, names, "lecture")
    scores = metrics.evaluate(*sample, names, "lecture", bootstrap=12)
    for name in names:
        assert scores[name] == plain[name]
        low, high = scores[name].details["interval"]
        assert 0 <= low <= scores[name].value <= high
        assert scores[name].details["bootstrap"] == 12
        assert "interval" not in plain[name].details
    assert scores["mig"].details["interval"][0] < scores["mig"].details["interval"][1]
    again = metrics.evaluate(*sample, names, "lecture", bootstrap=12)
    assert {n: s.to_dict() for n, s in again.items()} == {n: s.to_dict() for n, s in scores.items()}


def test_bootstrap_interval_covers_the_spread_of_fresh_samples():
    def draw(seed):
        rng = np.random.default_rng(seed)
        factors = rng.integers(4, size=(400, 2))
        return factors, factors + 0.8 * rng.normal(size=(400, 2))

    values = [metrics.evaluate(*draw(s), "mig", "lecture")["mig"].value for s in range(40)]
    score = metrics.evaluate(*draw(0), "mig", "lecture", bootstrap=60)["mig"]
    low, high = score.details["interval"]
    assert (high - low) == pytest.approx(3.92 * np.std(values), rel=0.5)


def test_infinite_scores_have_infinite_intervals():
    rng = np.random.default_rng(0)
    factors, codes = rng.integers(2, size=(30, 1)), rng.normal(size=(30, 2))
    doubled = np.hstack([codes, codes])
    score = metrics.evaluate(
        factors, doubled, "gaussian_total_correlation", "lecture", bootstrap=3
    )["gaussian_total_correlation"]
    assert score.details["interval"] == [np.inf, np.inf]


def test_training_rows_never_become_test_rows(sample):
    inputs = _Inputs.of(check_data(*sample), "lecture", 0, None)
    drawn = inputs.resample(np.random.default_rng(0))
    assert not set(drawn.train) & set(drawn.test)
    assert set(drawn.train) <= set(inputs.train)
    assert drawn.train.size == inputs.train.size


def test_wrong_input_raises_before_anything_is_computed(sample):
    with pytest.raises(ValueError, match="received 'migg'"):
        metrics.evaluate(*sample, metrics="migg")
    with pytest.raises(ValueError, match="metrics must be 'all' or some of"):
        metrics.evaluate(*sample, metrics=[])
    with pytest.raises(ValueError, match="protocol must be one of"):
        metrics.evaluate(*sample, protocol="all rows")
    with pytest.raises(ValueError, match="encode_dataset"):
        metrics.evaluate(*sample, protocol="jeong2019")
    with pytest.raises(ValueError, match="bootstrap must be an integer >= 0"):
        metrics.evaluate(*sample, metrics="mig", bootstrap=-1)


def test_jeong2019_without_kl_serves_the_other_scores(sample):
    assert metrics.evaluate(*sample, metrics="mig", protocol="jeong2019")["mig"] > 0


def test_too_few_rows_to_resample_raise():
    factors = np.eye(50, dtype=int)  # each factor has its second value in one row
    with pytest.raises(ValueError, match="50 rows are too few to resample"):
        metrics.evaluate(factors, factors.astype(float), "mig", "lecture", bootstrap=1)


def test_two_rows_are_enough_without_a_predictor():
    factors, codes = [[0], [1]], [[0.0], [1.0]]
    assert metrics.evaluate(factors, codes, ["mig"], "lecture")["mig"].value == 1.0
    with pytest.raises(ValueError, match="3 rows or more, received 2"):
        metrics.evaluate(factors, codes, ["mig", "sap"], "lecture")


def test_only_scores_with_a_predictor_warn_of_common_rows(sample):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.evaluate(*sample, ["mig", "irs", "active_units"])
        metrics.evaluate(*sample, ["sap"], "lecture")
    with pytest.warns(UserWarning, match="with 600 rows, 100% of the test rows"):
        metrics.evaluate(*sample, ["mig", "sap"])


def test_factors_of_one_value_among_the_drawn_rows_are_dropped():
    rng = np.random.default_rng(0)
    factors = np.column_stack([np.arange(20_000) == 5, rng.integers(3, size=20_000)]).astype(int)
    codes = rng.normal(size=(20_000, 3))
    draws = (np.random.default_rng(s).integers(20_000, size=10_000) for s in range(8))
    seed = next(s for s, drawn in enumerate(draws) if 5 not in drawn)
    names = ["mig", "modularity", "irs"]
    scores = metrics.evaluate(factors, codes, names, seed=seed, bootstrap=2)
    for name, score in scores.items():
        alone = getattr(metrics, name)(factors, codes, protocol="locatello2019", seed=seed)
        assert score.value == alone.value
        assert score.details["kept_factors"] == [1]
