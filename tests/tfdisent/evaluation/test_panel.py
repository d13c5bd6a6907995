import json

import numpy as np
import pytest

from tfdisent import data, metrics
from tfdisent.evaluation import (
    elbo_decomposition,
    elbo_terms,
    encode_dataset,
    label_free_scores,
    panel,
    reconstruction,
    udr_of_models,
)


@pytest.fixture(scope="module")
def dataset():
    """60 random grey images."""
    pixels = np.random.default_rng(3).uniform(size=(60, 8, 8, 1))
    return data.from_arrays(pixels.astype(np.float32))


@pytest.mark.parametrize("kind", ["gaussian", "mixed", "searched", "noise"])
def test_panel_is_strict_json(make_vae, dataset, kind):
    found = panel(make_vae(kind), dataset, num_samples=50)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_panel_holds_what_its_parts_say(vae, dataset):
    rows = np.arange(5, 45)
    found = panel(vae, dataset, rows, num_samples=50, seed=4)
    codes = encode_dataset(vae, dataset, rows).codes
    for name in (
        "active_units",
        "gaussian_total_correlation",
        "gaussian_wasserstein",
        "mutual_information_score",
    ):
        assert found["scores"][name] == getattr(metrics, name)(codes).to_dict()
    decomposition = elbo_decomposition(vae, dataset, rows, num_samples=50, seed=4)
    assert found["decomposition"] == decomposition.to_dict()
    expected = elbo_terms(vae, dataset, rows, seed=4).summary()
    assert found["elbo"] == {**expected, "is_held_out": False}
    assert found["num_rows"] == 40 and found["seed"] == 4


def test_bounds_of_the_information_are_in_order(vae, dataset):
    bounds = panel(vae, dataset, num_samples=50)["mutual_information_bounds"]
    assert bounds["lower"] <= min(bounds["upper"], bounds["largest_lower"]) + 1e-6
    assert bounds["largest_lower"] == np.log(60)


def test_elbo_is_that_of_the_held_out_images(vae, dataset):
    found = panel(vae, dataset, range(50), held_out=dataset, held_out_rows=range(50, 60))
    expected = elbo_terms(vae, dataset, range(50, 60)).summary()
    assert found["elbo"] == {**expected, "is_held_out": True}
    assert found["elbo"]["num_images"] == 10 and found["num_rows"] == 50


def test_discrete_group_is_one_unit(make_vae, dataset):
    found = panel(make_vae("mixed"), dataset, num_samples=50)
    assert len(found["scores"]["active_units"]["details"]["variances"]) == 3
    assert len(found["decomposition"]["marginal_mi"]) == 3


@pytest.mark.parametrize("kind", ["point", "mixed", "uniform"])
def test_panel_of_a_model_without_a_rate_holds_the_rest(make_rateless, dataset, kind):
    vae = make_rateless(kind)
    found = panel(vae, dataset, np.arange(40), seed=4)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(found) == {"num_rows", "seed", "scores", "reconstruction"}
    assert (found["num_rows"], found["seed"]) == (40, 4)
    scores = label_free_scores(encode_dataset(vae, dataset, np.arange(40)))
    assert found["scores"] == {name: score.to_dict() for name, score in scores.items()}
    expected = reconstruction(vae, dataset, np.arange(40))
    assert found["reconstruction"] == {**expected, "is_held_out": False}


def test_reconstruction_is_that_of_the_held_out_images(make_rateless, dataset):
    vae = make_rateless("point")
    found = panel(vae, dataset, range(50), held_out=dataset, held_out_rows=range(50, 60))
    expected = reconstruction(vae, dataset, range(50, 60))
    assert found["reconstruction"] == {**expected, "is_held_out": True}


def test_codes_without_a_rate_must_be_finite(make_rateless, dataset):
    vae = make_rateless("point")
    vae.encoder.set_weights([np.full_like(w, np.nan) for w in vae.encoder.get_weights()])
    with pytest.raises(ValueError, match="codes must be finite"):
        panel(vae, dataset)


def test_scores_without_labels_are_given_in_the_order_asked_for(make_vae, dataset):
    encoding = encode_dataset(make_vae("mixed"), dataset)
    found = label_free_scores(encoding, ["mutual_information_score", "active_units"])
    assert list(found) == ["mutual_information_score", "active_units"]
    assert found["active_units"] == metrics.active_units(
        encoding.codes, discrete_columns=encoding.discrete_columns
    )
    with pytest.raises(ValueError, match="without labels are active_units, .* received 'mig'"):
        label_free_scores(encoding, ["active_units", "mig"])


# UDR.


def test_models_with_the_same_units_in_another_order_agree(linear_vae, dataset):
    weights = np.random.default_rng(0).normal(size=(64, 3))
    alike = [linear_vae((8, 8, 1), w, [0.1] * 3) for w in (weights, -weights[:, [2, 0, 1]])]
    # Random pixels make the three means nearly independent; the lasso shrinks by 0.1.
    agreement = udr_of_models(alike, dataset)
    assert agreement > 0.75
    mixed = weights @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    assert udr_of_models([alike[0], linear_vae((8, 8, 1), mixed, [0.1] * 3)], dataset) < agreement


def test_udr_equals_the_metric_of_the_codes(make_vae, dataset):
    vaes = [make_vae("mixed"), make_vae("mixed")]
    vaes[1].set_weights([-w for w in vaes[1].get_weights()])
    rows = np.arange(0, 60, 2)
    encodings = [encode_dataset(vae, dataset, rows) for vae in vaes]
    expected = metrics.udr(
        [encoding.codes for encoding in encodings],
        [encoding.kl_per_dim for encoding in encodings],
        method="spearman",
        discrete_columns=((2, 3, 4),),
    )
    assert udr_of_models(vaes, dataset, rows, method="spearman").to_dict() == expected.to_dict()


def test_models_of_other_groups_and_too_few_models_are_refused(make_vae, dataset):
    with pytest.raises(ValueError, match="the same discrete groups, received"):
        udr_of_models([make_vae("mixed"), make_vae("gaussian")], dataset)
    for vaes in ([], [make_vae()]):
        with pytest.raises(ValueError, match="at least two models"):
            udr_of_models(vaes, dataset)
