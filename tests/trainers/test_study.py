import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from tfdisent import data
from tfdisent.evaluation import RateDistortion
from tfdisent.trainers import RateDistortionStudy, Recipe
from tfdisent.trainers.rate_distortion import equal_elbo

RECIPE = Recipe(
    "vae",
    data="synthetic:alphabet",
    data_options={"shape": [2, 2], "size": 25},
    continuous=1,
    architecture="mlp",
    hidden=16,
    likelihood="one_hot",
    prior="mixture",
    prior_components=4,
    batch_size=25,
    learning_rate=1e-2,
    steps=10,
    report_every=5,
)
SETTINGS = {"samples_per_row": 2, "num_samples": 100}


def study_in(path, recipe=RECIPE, **settings):
    return RateDistortionStudy(path, recipe, **{**SETTINGS, **settings})


def test_a_study_trains_every_point_and_draws_them(tmp_path):
    study = study_in(tmp_path / "study")
    seen = []
    found = study.run([2.0, 0.5], [0.7], on_point=lambda p, r: seen.append((p.name, r is None)))
    assert list(found) == ["beta-0.5", "beta-2", "target-0.7"]
    assert seen == [(name, is_new) for name in found for is_new in (True, False)]
    assert found["beta-2"]["beta"] == 2.0 and found["target-0.7"]["target_rate"] == 0.7
    entropy = data.load("synthetic:alphabet", shape=(2, 2), size=25).entropy
    for entry in found.values():
        assert entry["result"].entropy == entropy and entry["result"].respects_bound()
    names = [path.name for path in study.draw(images=3)]
    assert names[0] == "rd.png"
    assert all((study.path / "figures" / name).exists() for name in names)


_KILLED = """
import json, os, signal, sys
from tfdisent.trainers import RateDistortionStudy, Recipe

path, recipe, settings = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
study = RateDistortionStudy(path, Recipe.from_dict(recipe), **settings)

def kill(point, result):
    if point.name == "beta-2" and result is None:
        os.kill(os.getpid(), signal.SIGKILL)

study.run([0.5, 2.0], on_point=kill)
"""


@pytest.mark.long
def test_a_killed_study_goes_on_and_adds_points(tmp_path):
    arguments = [str(tmp_path / "study"), json.dumps(RECIPE.to_dict()), json.dumps(SETTINGS)]
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, *arguments],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert killed.returncode == -signal.SIGKILL
    study = study_in(tmp_path / "study")
    before = study.results()
    assert list(before) == ["beta-0.5"]
    with open(study.path / "study.jsonl", "a") as file:
        file.write('{"name": "beta-2", "bet')  # cut off

    trained = []
    after = study.run(
        [0.5, 2.0], [0.7], on_point=lambda p, r: trained.append(p.name) if r is None else None
    )
    assert trained == ["beta-2", "target-0.7"]
    assert list(after) == ["beta-0.5", "beta-2", "target-0.7"]
    assert after["beta-0.5"] == before["beta-0.5"]


def test_points_are_runs_of_the_recipe(tmp_path):
    low, high, target = study_in(tmp_path / "a", target_weight=3.0).points([4, 0.25], [1.5])
    assert (low.name, high.name, target.name) == ("beta-0.25", "beta-4", "target-1.5")
    assert high.recipe.options == {"beta": 4.0} and high.recipe.method == "vae"
    assert target.recipe.options == {"target_rate": 1.5, "weight": 3.0}
    assert target.recipe.method == "target_rate_vae"
    for point in (low, high, target):
        shared = point.recipe.to_dict()
        for name, value in RECIPE.to_dict().items():
            if name not in ("method", "options", "score_every", "final_rows"):
                assert shared[name] == value


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (((), ()), "at least one beta or target rate"),
        (((0.0,), ()), "every beta must be positive, received 0"),
        (((), (-1,)), "every target rate must be positive"),
    ],
)
def test_grids_without_meaning_are_refused(grid, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        study_in(tmp_path / "a").points(*grid)


def test_points_of_other_images_are_refused(tmp_path):
    study = study_in(tmp_path / "a")
    study.run([2.0])
    file = tmp_path / "a" / "study.json"
    content = json.loads(file.read_text())
    content["images"]["number"] += 1
    file.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="began on other images: their number was 26, received 25"):
        study.run([0.5])


def test_points_have_names_of_their_own(tmp_path):
    names = [point.name for point in study_in(tmp_path / "a").points([0.1234567, 0.1234568, 2])]
    assert names == ["beta-0.1234567", "beta-0.1234568", "beta-2"]


def test_another_study_in_the_folder_is_refused(tmp_path):
    study_in(tmp_path / "a").create()
    study_in(tmp_path / "a").create()
    with pytest.raises(ValueError, match="steps is 10 there, received 30"):
        study_in(tmp_path / "a", RECIPE.replace(steps=30))
    with pytest.raises(ValueError, match="num_samples is 100 there, received 200"):
        study_in(tmp_path / "a", num_samples=200)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="new or empty folder or a study"):
        study_in(tmp_path / "b")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("recipe", [Recipe("factor_vae"), Recipe("vae", options={"beta": 2.0})])
def test_a_recipe_that_sets_the_method_itself_is_refused(recipe, tmp_path):
    with pytest.raises(ValueError, match="expected a recipe of 'vae' without options"):
        RateDistortionStudy(tmp_path / "a", recipe)
    assert not (tmp_path / "a").exists()


def test_a_study_without_points_has_nothing_to_draw(tmp_path):
    with pytest.raises(ValueError, match="no finished point yet"):
        study_in(tmp_path / "a").draw()


def results(**points):
    return {
        name: RateDistortion(rate, distortion, rate, 0.0, {}, 1, None)
        for name, (rate, distortion) in points.items()
    }


def test_models_of_equal_elbo_are_as_far_apart_in_rate_as_possible():
    found = results(a=(0, 100), b=(30, 70.5), c=(60, 39.5), d=(70, 60), e=(5, 80))
    assert equal_elbo(found, tolerance=1.0) == ["a", "b", "c"]
    assert equal_elbo(found, tolerance=1.0, most=2) == ["a", "c"]
    assert len(equal_elbo(found, tolerance=0.01)) == 1
    elbos = [found[name].elbo for name in equal_elbo(found)]
    assert np.ptp(elbos) <= 0.02 * 85
