import json
import re

import numpy as np
import pytest

from tfdisent import schedules
from tfdisent.data import from_arrays
from tfdisent.priors import GaussianMixture, VampPrior
from tfdisent.trainers import Recipe, methods, recipes


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_builds_its_trainer_and_survives_json(name):
    recipe = recipes.get(name)
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    side = 64 if "mnist" not in name else 28 if name.startswith("info_gan") else 32
    trainer = recipe.build((side, side, 1))
    assert type(trainer).__name__ == methods.get(recipe.method).trainer
    for option, value in recipe.options.items():
        kept = getattr(trainer, option)
        assert float(getattr(kept, "value", kept)) == value


@pytest.mark.parametrize(
    "name", [name for name in recipes.RECIPES if re.fullmatch(r".*/dsprites-m\d+", name)]
)
def test_lecture_recipes_have_the_lectures_length_and_batch(name):
    recipe = recipes.get(name)
    assert (recipe.steps, recipe.batch_size) == (300_000, 64)
    assert (recipe.score_every, recipe.score_rows, recipe.final_rows) == (10_000, 20_000, None)


def test_shorter_length_scales_schedules_and_scoring_but_not_weights():
    recipe = recipes.get("cascade_vae/dsprites-m6").scaled_to(15_000)
    assert recipe.options["stage_steps"] == 1000
    assert recipe.score_every == 500
    assert recipe.options["beta_low"] == 1.0 and recipe.options["switch_on"] == 4
    joint = recipes.get("joint_vae/mnist").scaled_to(9370)
    assert joint.options["capacity_steps"] == 2500


def test_learning_rate_falls_in_steps_that_a_shorter_training_scales():
    recipe = recipes.get("deep_vib/mnist")
    assert (recipe.steps, recipe.batch_size, recipe.decay_every) == (200 * 600, 100, 2 * 600)
    trainer = recipe.build((28, 28, 1))
    assert float(trainer.optimizer.beta_1) == 0.5
    rates = []
    for step in (0, 1199, 1200, 119_999):
        trainer.step.assign(step)
        rates.append(float(trainer.optimizer.learning_rate))
    assert rates == pytest.approx([1e-4, 1e-4, 0.97e-4, 0.97**99 * 1e-4], rel=1e-5)
    assert recipe.scaled_to(12_000).decay_every == 120
    assert Recipe("vae").scaled_to(10).decay_every is None


@pytest.mark.parametrize(
    ("method", "options"),
    [("cascade_vae_c", {"stage_steps": 2}), ("non_synergistic_vae", {"alpha": 1.0, "omega": 0.9})],
)
def test_learning_rate_falls_with_the_training_whatever_the_optimiser_counts(method, options):
    # CascadeVAE-C starts its Adam anew each stage, the Non-Synergistic VAE takes two steps of one.
    recipe = Recipe(method, options=options, learning_rate=0.1, decay_rate=0.5, decay_every=3)
    trainer = recipe.replace(architecture="mlp", hidden=8).build((8, 8, 1), dataset_size=16)
    dataset = from_arrays(np.zeros((16, 8, 8, 1), np.float32))
    batches = dataset.train(4 * trainer.batches_per_step)
    rates = []
    for _ in range(3):
        trainer.fit(batches, steps_per_epoch=2, verbose=0)
        rates.append(float(trainer.optimizer.learning_rate))
    assert rates == pytest.approx([0.1, 0.05, 0.025])


@pytest.mark.parametrize("final_rows", [0, "x", True, 2.5])
def test_rows_that_are_scored_at_the_end_are_checked_at_the_beginning(final_rows):
    with pytest.raises(ValueError, match="final_rows"):
        Recipe("vae").set(final_rows=final_rows)
    assert Recipe("vae").set(final_rows=2e4).final_rows == 20_000
    assert Recipe("vae").set(final_rows=None).final_rows is None


def test_what_a_run_cannot_keep_is_refused_and_tuples_are_lists():
    with pytest.raises(ValueError, match="options of a recipe must be numbers"):
        Recipe("vae", options={"beta": schedules.Linear(0.0, 4.0, 5)})
    recipe = Recipe("vae", data="synthetic:identity", data_options={"sizes": (3, 3)})
    assert recipe.data_options == {"sizes": [3, 3]}
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_methods_of_labels_have_a_decoder_of_labels():
    recipe = Recipe("deep_vib", num_classes=7)
    assert recipe.takes_labels and not Recipe("vae").takes_labels
    assert recipe.build((8, 8, 1)).vae.num_classes == 7


def test_set_reaches_fields_trainer_arguments_and_data_options():
    recipe = Recipe("factor_vae").set(gamma=10, continuous=6, **{"data.storage": "packed"})
    assert recipe.options == {"gamma": 10.0}
    assert recipe.continuous == 6
    assert recipe.data_options == {"storage": "packed"}
    recipe = Recipe("vae").set(decay_rate=0.5, decay_every=10, **{"optimizer.beta_1": 0.5})
    assert (recipe.decay_rate, recipe.decay_every, recipe.optimizer) == (0.5, 10, {"beta_1": 0.5})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gama": 3}, "factor_vae has no option 'gama', expected one of: .*gamma"),
        ({"gamma": "much"}, "gamma takes a number, received 'much'"),
        ({"steps": 1.5}, "steps takes a whole number, received 1.5"),
        ({"steps": 0}, "steps must be a positive integer, received 0"),
        ({"batch_size": 1}, "batch_size must be at least 2, received 1"),
        ({"learning_rate": -1}, "learning_rate must be positive"),
        ({"decay_rate": 0}, "decay_rate must be positive, received 0"),
        ({"decay_every": 0}, "decay_every must be a positive integer or None, received 0"),
        ({"optimizer.beta_3": 1}, "Adam has no argument 'beta_3'"),
        ({"optimizer.learning_rate": 1}, "Adam has no argument 'learning_rate' that a recipe"),
    ],
)
def test_bad_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Recipe("factor_vae").set(**changes).build((8, 8, 1))


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="unknown method 'x', expected one of: vae, beta_vae"):
        Recipe("x")
    with pytest.raises(ValueError, match="unknown recipe 'x', expected one of: cascade_vae_c/"):
        recipes.get("x")


def test_equal_recipes_build_equal_weights():
    import numpy as np

    recipe = Recipe("factor_vae", data="digits", continuous=2)
    first, second = (recipe.build((8, 8, 1)) for _ in range(2))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("prior", "found"), [("normal", {}), ("mixture", GaussianMixture), ("vamp", VampPrior)]
)
def test_a_recipe_names_the_prior(prior, found):
    options = {"architecture": "mlp", "hidden": 8, "prior": prior, "prior_components": 7}
    trainer = Recipe("vae", continuous=3, discrete=(2,)).set(**options).build((4, 4, 1))
    assert trainer.num_rates == (4 if prior == "normal" else 2)
    if prior == "normal":
        assert trainer.vae.priors == found
    else:
        assert isinstance(trainer.vae.priors["continuous"], found)
        assert trainer.vae.priors["continuous"].components == 7
    assert trainer.vae.encoder.layers[2].units == 8


def test_a_prior_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="prior must be one of normal, mixture, vamp"):
        Recipe("vae", prior="flow").build((4, 4, 1))
