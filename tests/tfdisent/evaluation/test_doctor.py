import dataclasses
import json

import numpy as np
import pytest

from tfdisent import data
from tfdisent.evaluation import Decomposition, Measurements, diagnose, measure


def decomposition(index_code_mi=6.0, total_correlation=0.3, num_rows=10_000):
    return Decomposition(
        index_code_mi=index_code_mi,
        total_correlation=total_correlation,
        dimensionwise_kl=0.2,
        prior_correlation=0.0,
        rate=index_code_mi + total_correlation + 0.2,
        gap=0.0,
        standard_errors={
            "index_code_mi": 0.01,
            "total_correlation": 0.01,
            "dimensionwise_kl": 0.01,
            "prior_correlation": 0.0,
            "prior_kl": 0.01,
            "gap": 0.01,
        },
        marginal_mi=np.array([3.0, 3.3]),
        marginal_kl=np.array([0.1, 0.1]),
        num_rows=num_rows,
        num_samples=1000,
    )


NO_FACTORS = {"factor_names": (), "factor_entropy": None, "mutual_information": None}

# Two units, each with a factor of its own; good reconstructions; a discriminator that is right.
HEALTHY = Measurements(
    num_rows=10_000,
    num_available=50_000,
    unit_names=("continuous_0", "continuous_1"),
    rates=np.array([3.0, 3.5]),
    elbo={"distortion": 20.0, "rate": 6.5, "elbo": -26.5},
    decomposition=decomposition(),
    factor_names=("scale", "posX"),
    factor_entropy=np.array([1.8, 3.4]),
    mutual_information=np.array([[1.5, 0.1], [0.1, 2.5]]),
    residual=0.1,
    sharpness=0.9,
    likelihood_scale=0.1,
    discriminator_accuracy=0.6,
    discriminator_total_correlation=(0.25, 0.02),
    batch_size=64,
    batch_total_correlation=(0.5, 0.02),
)


def findings(options=None, **changes):
    """{name: finding} of the healthy model with some numbers changed."""
    found = diagnose(dataclasses.replace(HEALTHY, **changes), options)
    assert len({finding.name for finding in found}) == len(found)
    return {finding.name: finding for finding in found}


def only(name, options=None, **changes):
    """The one thing found, which is called `name`."""
    found = findings(options, **changes)
    assert list(found) == [name]
    return found[name]


def test_nothing_is_found_in_a_healthy_model():
    assert diagnose(HEALTHY) == []


def test_nothing_is_found_where_nothing_was_measured():
    assert diagnose(Measurements(num_rows=10, num_available=10)) == []


@pytest.mark.parametrize(
    "changes", [{"num_bad_weights": 3}, {"num_bad_codes": 2}, {"elbo": {"elbo": float("nan")}}]
)
def test_non_finite_numbers_are_an_error(changes):
    finding = only("non_finite", {"learning_rate": 1e-3, "batch_size": 64}, **changes)
    assert finding.severity == "error"
    assert "ower learning_rate (now 0.001);" in finding.advice
    assert "gamma" not in finding.advice


def test_evidence_of_non_finite_numbers_counts_them():
    evidence = only("non_finite", num_bad_weights=3).evidence
    assert evidence == {"weights that are not finite": 3, "codes that are not finite": 0}
    evidence = only("non_finite", elbo={"elbo": float("inf")}).evidence
    assert evidence["elbo that are not finite"] == "inf"


@pytest.mark.parametrize(("rate", "is_collapsed"), [(0.049, True), (0.051, False)])
def test_code_with_a_rate_under_a_tenth_of_a_nat_has_collapsed(rate, is_collapsed):
    found = findings(rates=np.array([rate, 0.05]), **NO_FACTORS)
    assert ("posterior_collapse" in found) == is_collapsed


def test_collapse_is_an_error_and_says_by_how_much():
    finding = only("posterior_collapse", {"beta": 16.0}, rates=np.array([0.001, 0.002]))
    assert finding.severity == "error"
    np.testing.assert_allclose(finding.evidence["rate"], 0.003)
    np.testing.assert_allclose(finding.evidence["largest rate of a unit"], 0.002)
    assert finding.advice.startswith("Lower beta (now 16.0); let beta rise from 0")


def test_dead_units_beside_enough_live_ones_are_no_fault():
    changes = {
        "rates": np.array([3.0, 3.5, 0.009]),
        "unit_names": ("a", "b", "c"),
        "mutual_information": np.array([[1.5, 0.1], [0.1, 2.5], [0.0, 0.0]]),
    }
    finding = only("dead_dimensions", {"continuous": 3}, **changes)
    assert finding.severity == "info"
    assert finding.evidence["units with a rate below 0.01"] == ["c"]
    assert finding.evidence["active units"] == 2
    assert "lower continuous (now 3)" in finding.advice
    changes["rates"] = np.array([3.0, 3.5, 0.011])
    assert findings(**changes) == {}


def test_fewer_live_units_than_factors_are_a_warning():
    finding = only("dead_dimensions", {"beta_low": 5.0}, rates=np.array([3.0, 0.005]))
    assert finding.severity == "warning"
    assert (finding.evidence["active units"], finding.evidence["factors"]) == (1, 2)
    assert finding.advice.startswith("Lower beta_low (now 5.0)")
    without_factors = only("dead_dimensions", rates=np.array([3.0, 0.005]), **NO_FACTORS)
    assert without_factors.severity == "info"


@pytest.mark.parametrize(
    ("first", "second", "is_twice"),
    [(1.5, 0.76, True), (1.5, 0.74, False), (0.19, 0.18, True), (0.17, 0.17, False)],
)
def test_second_unit_with_half_of_the_information_codes_a_factor_twice(first, second, is_twice):
    # A tenth of the factor's entropy of 1.8 nats is 0.18.
    information = np.array([[first, 0.1], [second, 2.5]])
    assert ("factor_coded_twice" in findings(mutual_information=information)) == is_twice


def test_factor_coded_twice_is_named_with_its_units():
    information = np.array([[0.1, 2.0], [1.5, 2.5]])
    finding = only("factor_coded_twice", {"gamma": 10.0}, mutual_information=information)
    assert finding.evidence == {
        "factor": "posX",
        "information of continuous_1": 2.5,
        "information of continuous_0": 2.0,
        "entropy of the factor": 3.4,
    }
    assert finding.advice.startswith("Raise gamma (now 10.0)")


def test_every_factor_coded_twice_is_reported():
    information = np.array([[1.5, 2.0], [1.5, 2.5]])
    found = diagnose(dataclasses.replace(HEALTHY, mutual_information=information))
    assert [finding.evidence["factor"] for finding in found] == ["scale", "posX"]


def test_one_unit_codes_nothing_twice():
    assert findings(mutual_information=np.array([[1.5, 2.5]])) == {}


@pytest.mark.parametrize(("sharpness", "is_blurry"), [(0.49, True), (0.51, False), (None, False)])
def test_edges_twice_as_wide_are_blurry(sharpness, is_blurry):
    assert ("blurry_likelihood" in findings(sharpness=sharpness)) == is_blurry


@pytest.mark.parametrize(("scale", "is_wide"), [(0.21, True), (0.19, False), (None, False)])
def test_likelihood_twice_as_wide_as_the_residuals_is_blurry(scale, is_wide):
    assert ("blurry_likelihood" in findings(likelihood_scale=scale)) == is_wide


def test_advice_on_blur_calibrates_the_likelihood_where_it_is_too_wide():
    finding = only("blurry_likelihood", {"beta": 4.0}, likelihood_scale=1.0)
    assert finding.advice.startswith("Build the model with likelihoods.Gaussian(scale=0.1) or")
    assert finding.evidence["standard deviation of the likelihood"] == 1.0
    finding = only("blurry_likelihood", {"beta": 4.0}, sharpness=0.2)
    assert finding.advice.startswith("Lower beta (now 4.0)")
    assert finding.evidence["sharpness of the reconstructions"] == 0.2


def test_discriminator_that_is_nearly_always_right_is_saturated():
    finding = only("saturated_discriminator", {"gamma": 35.0}, discriminator_accuracy=0.96)
    assert finding.severity == "warning"
    assert finding.evidence["accuracy"] == 0.96
    assert finding.evidence["total correlation by elbo_decomposition"] == 0.3
    assert finding.advice.startswith("Raise gamma (now 35.0)")
    assert findings(discriminator_accuracy=0.94) == {}


def test_discriminator_that_sees_nothing_is_blind_where_there_is_something_to_see():
    entangled = {
        "decomposition": decomposition(total_correlation=0.8),
        "discriminator_total_correlation": (0.6, 0.02),
        "batch_total_correlation": (1.0, 0.02),
    }
    assert list(findings(discriminator_accuracy=0.51, **entangled)) == ["blind_discriminator"]
    assert findings(discriminator_accuracy=0.53, **entangled) == {}
    assert findings(discriminator_accuracy=0.51) == {}  # the total correlation is 0.3


@pytest.mark.parametrize(("value", "is_negative"), [(-0.07, True), (-0.05, False)])
def test_total_correlation_under_zero_by_three_errors_is_impossible(value, is_negative):
    found = findings(discriminator_total_correlation=(value, 0.02))
    assert list(found) == (["negative_total_correlation"] if is_negative else [])


def test_evidence_of_a_negative_total_correlation_holds_both_values():
    finding = only("negative_total_correlation", discriminator_total_correlation=(-3.0, 0.1))
    assert finding.evidence == {
        "total correlation by the discriminator": -3.0,
        "standard error": 0.1,
        "total correlation by elbo_decomposition": 0.3,
    }


@pytest.mark.parametrize(
    ("value", "error", "is_biased"),
    [
        (0.81, 0.01, True),  # half a nat is tolerated,
        (0.79, 0.01, False),
        (1.2, 0.25, False),  # or four standard errors
        (1.4, 0.25, True),
    ],
)
def test_discriminator_far_from_the_decomposition_is_biased(value, error, is_biased):
    found = findings(discriminator_total_correlation=(value, error))
    assert list(found) == (["biased_total_correlation"] if is_biased else [])


def test_a_quarter_of_a_large_total_correlation_is_tolerated():
    large = {
        "decomposition": decomposition(total_correlation=4.0),
        "batch_total_correlation": (4.0, 0.01),
    }
    assert findings(discriminator_total_correlation=(3.1, 0.01), **large) == {}
    only("biased_total_correlation", discriminator_total_correlation=(2.9, 0.01), **large)


def test_decomposition_of_too_few_rows_does_not_refute_a_smaller_value():
    saturated = decomposition(index_code_mi=9.0, total_correlation=3.0)  # log 10,000 is 9.2
    changes = {"decomposition": saturated, "batch_total_correlation": (3.0, 0.01)}
    found = findings(discriminator_total_correlation=(0.3, 0.01), **changes)
    assert list(found) == ["too_few_rows"]
    found = findings(discriminator_total_correlation=(5.0, 0.01), **changes)
    assert list(found) == ["biased_total_correlation", "too_few_rows"]


def test_too_few_rows_are_found_only_where_there_are_more():
    saturated = decomposition(index_code_mi=9.0)
    finding = only("too_few_rows", decomposition=saturated)
    assert finding.severity == "info"
    assert "more than 10,000 of the 50,000 rows" in finding.advice
    assert findings(decomposition=saturated, num_available=10_000) == {}


@pytest.mark.parametrize(("value", "is_small"), [(0.85, True), (0.75, False), (-1.0, False)])
def test_batches_with_a_larger_total_correlation_are_too_small(value, is_small):
    found = findings(batch_total_correlation=(value, 0.01))
    assert list(found) == (["batch_too_small"] if is_small else [])


def test_evidence_of_small_batches_compares_the_information_with_the_log_of_their_size():
    finding = only("batch_too_small", {"batch_size": 64}, batch_total_correlation=(5.0, 0.1))
    assert finding.evidence["I(x; z) of all rows"] == 6.0
    assert finding.evidence["log of the batch size, its largest value in a batch"] == np.log(64)
    assert finding.advice.startswith("Raise batch_size (now 64)")


def test_severest_findings_come_first():
    found = findings(
        num_bad_weights=1,
        sharpness=0.1,
        decomposition=decomposition(index_code_mi=9.0),
        rates=np.array([0.01, 0.01]),
    )
    assert [finding.severity for finding in found.values()] == ["error", "error", "warning", "info"]


def test_advice_names_all_options_where_none_are_given():
    advice = only("posterior_collapse", rates=np.zeros(2)).advice
    assert advice.startswith("Lower beta or beta_low or gamma; raise capacity or continuous_cap")


def test_advice_names_no_option_that_the_method_lacks():
    advice = only("posterior_collapse", {"alpha": 5.0}, rates=np.zeros(2)).advice
    assert advice.startswith("Train for more steps")
    assert "beta" not in advice


def test_gamma_of_a_capacity_is_no_pressure():
    options = {"gamma": 150.0, "continuous_capacity": 40.0}
    advice = only("posterior_collapse", options, rates=np.zeros(2)).advice
    assert advice.startswith("Raise continuous_capacity (now 40.0); train")


def test_findings_survive_json():
    found = findings(num_bad_weights=1, sharpness=0.1, batch_total_correlation=(9.0, 0.1))
    for finding in found.values():
        assert json.loads(json.dumps(finding.to_dict())) == finding.to_dict()


# Of a model without a rate.

RATELESS = {
    "rates": None,
    "elbo": None,
    "decomposition": None,
    "likelihood_scale": None,
    "batch_total_correlation": None,
    "variances": np.array([1.0, 0.8]),
}


def test_nothing_is_found_in_a_healthy_model_without_a_rate():
    assert findings(**RATELESS) == {}


def test_code_that_is_the_same_for_all_images_is_an_error():
    changes = {**RATELESS, "variances": np.array([0.0, 1e-9])}
    finding = only("constant_code", {"learning_rate": 1e-3}, **changes)
    assert finding.severity == "error"
    assert finding.evidence == {"largest variance of a unit": 1e-9}
    assert "lower learning_rate (now 0.001)" in finding.advice
    # Of a model with a rate the rate decides.
    assert findings(variances=np.array([0.0, 0.0])) == {}


def test_units_that_hardly_vary_are_dead_where_there_is_no_rate():
    changes = {**RATELESS, "variances": np.array([1.0, 0.009])}
    finding = only("dead_dimensions", {"beta": 4.0}, **changes)
    assert finding.severity == "warning"  # there are two factors
    assert finding.evidence == {
        "units with a variance below 0.01": ["continuous_1"],
        "largest variance among them": 0.009,
        "active units": 1,
        "factors": 2,
    }
    assert finding.advice == "Train for more steps."
    finding = only("dead_dimensions", {"continuous": 2}, **changes, **NO_FACTORS)
    assert finding.severity == "info"
    assert findings(**{**changes, "variances": np.array([1.0, 0.011])}) == {}


def test_no_unit_that_varies_is_too_few_without_factors():
    changes = {**RATELESS, "variances": np.array([1e-4, 1e-3])}
    assert only("dead_dimensions", **changes, **NO_FACTORS).severity == "warning"


@pytest.mark.parametrize(
    "changes",
    [{"sharpness": 0.2}, {"mutual_information": np.array([[1.5, 0.1], [1.4, 2.5]])}],
)
def test_advice_names_no_pressure_where_there_is_no_rate(changes):
    (finding,) = findings(**RATELESS, **changes).values()
    assert "beta" not in finding.advice and "gamma" not in finding.advice


def test_advice_names_no_decomposition_where_there_is_none():
    found = findings(**RATELESS, discriminator_total_correlation=(-3.0, 0.1))
    assert list(found) == ["negative_total_correlation"]
    assert "elbo_decomposition" not in found["negative_total_correlation"].advice


# Of a model.


@pytest.fixture(scope="module")
def identity():
    """Two factors of four values, one pixel each."""
    return data.load("synthetic:identity", sizes=(4, 4))


def names_of(vae, dataset, **options):
    rows = np.tile(np.arange(len(dataset)), 40)
    return {
        finding.name: finding.severity
        for finding in diagnose(measure(vae, dataset, rows, num_samples=500, **options))
    }


def test_measured_collapse_is_diagnosed(linear_vae, identity):
    vae = linear_vae((1, 2, 1), np.zeros((2, 2)), [1.0, 1.0])
    found = names_of(vae, identity)
    assert found["posterior_collapse"] == "error"
    assert found["blurry_likelihood"] == "warning"  # the decoder is untrained


def test_measured_copies_of_a_factor_are_diagnosed(linear_vae, identity):
    vae = linear_vae((1, 2, 1), [[5, 5, 0], [0, 0, 5]], [0.1] * 3)
    assert "factor_coded_twice" in names_of(vae, identity)
    vae = linear_vae((1, 2, 1), 5 * np.eye(2), [0.1] * 2)
    assert "factor_coded_twice" not in names_of(vae, identity)


def test_measured_dead_unit_is_diagnosed(linear_vae, identity):
    vae = linear_vae((1, 2, 1), [[5, 0, 0], [0, 5, 0]], [0.1, 0.1, 1.0])
    assert names_of(vae, identity)["dead_dimensions"] == "info"


def test_measured_nan_is_diagnosed(vae, images):
    weights = vae.encoder.get_weights()
    weights[-1][0] = np.nan
    vae.encoder.set_weights(weights)
    (finding,) = diagnose(measure(vae, data.from_arrays(images)))
    assert finding.name == "non_finite"
    assert finding.evidence == {"weights that are not finite": 1, "codes that are not finite": 6}


def test_measured_constant_code_of_an_autoencoder_is_diagnosed(linear_autoencoder, identity):
    vae = linear_autoencoder((1, 2, 1), np.zeros((2, 2)))
    assert names_of(vae, identity)["constant_code"] == "error"
    vae = linear_autoencoder((1, 2, 1), [[5, 0, 0], [0, 5, 0]])
    found = names_of(vae, identity)
    assert found["dead_dimensions"] == "info" and "constant_code" not in found
