import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tfdisent import evaluation, load_run, metrics
from tfdisent.trainers import Recipe, Run
from tfdisent.trainers import run as runs

STEPS = 24


def _recipe(method="vae", **changes):
    recipe = Recipe(
        method,
        data="digits",
        continuous=3,
        steps=STEPS,
        batch_size=8,
        learning_rate=1e-3,
        report_every=10,
        seed=5,
    )
    return recipe.set(**{"stage_steps": 9, **changes} if method == "cascade_vae_c" else changes)


def _weights(trainer):
    return [np.asarray(variable.value) for variable in trainer.variables]


_KILLED = """
import json, os, signal, sys
import keras
from tfdisent.trainers import Recipe, Run, run as runs

class KillAt(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.step) == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

recipe = Recipe.from_dict(json.loads(sys.argv[2]))
run = Run.create(sys.argv[1], recipe, (8, 8, 1))
runs.train(run, checkpoint_every=4, callbacks=[KillAt()], verbose=0)
"""


@pytest.mark.parametrize(
    "method",
    [
        "vae",
        pytest.param("factor_vae", marks=pytest.mark.long),
        pytest.param("cascade_vae_c", marks=pytest.mark.long),
    ],
)
def test_killed_run_ends_with_the_weights_of_an_uninterrupted_one(method, tmp_path):
    recipe = _recipe(method)
    whole = runs.train(Run.create(tmp_path / "whole", recipe, (8, 8, 1)), verbose=0)

    # Any step will do; a fixed generator makes a failure repeatable.
    step = int(np.random.default_rng(len(method)).integers(5, STEPS))
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "killed")]
    killed = subprocess.run(
        [*command, json.dumps(recipe.to_dict()), str(step)], stderr=subprocess.DEVNULL
    )
    assert killed.returncode == -9
    run = Run.create(tmp_path / "killed", recipe, (8, 8, 1))
    started = []
    resumed = runs.train(run, on_start=started.append, verbose=0)

    assert started == [step // 4 * 4 or 0]
    assert int(resumed.step) == STEPS
    for a, b in zip(_weights(whole), _weights(resumed), strict=True):
        np.testing.assert_array_equal(a, b)


def test_finished_run_is_not_trained_again(tmp_path):
    run = Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    first = runs.train(run, verbose=0)
    started = []
    again = runs.train(run, on_start=started.append, verbose=0)
    assert started == [STEPS]
    for a, b in zip(_weights(first), _weights(again), strict=True):
        np.testing.assert_array_equal(a, b)


def test_load_run_gives_the_trained_model_and_its_recipe(tmp_path):
    run = Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    trainer = runs.train(run, verbose=0)
    vae, recipe = load_run(tmp_path / "run")
    assert recipe == _recipe()
    x = np.random.default_rng(0).uniform(size=(4, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(vae.encode(x), trainer.vae.encode(x))


def test_description_holds_recipe_seed_and_versions(tmp_path):
    Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    description = json.loads((tmp_path / "run" / "run.json").read_text())
    assert description["recipe"]["seed"] == 5
    assert {"tensorflow", "keras", "tensorflow-probability", "python"} <= set(
        description["versions"]
    )


def test_a_discrete_code_is_scored_where_the_data_have_labels_and_no_factors(tmp_path):
    recipe = _recipe("joint_vae", score_every=10, score_rows=50).replace(discrete=(10,))
    run = Run.create(tmp_path / "run", recipe, (8, 8, 1))
    trainer = runs.train(run, verbose=0)
    entries = run.scores()
    assert [(entry["step"], entry["final"]) for entry in entries] == [
        (10, False),
        (20, False),
        (STEPS, True),
    ]
    assert all(list(entry["scores"]) == ["class_accuracy"] for entry in entries)
    dataset = recipe.load_dataset()
    codes = evaluation.encode_dataset(trainer.vae, dataset).codes[:, 3:]
    expected = metrics.class_accuracy(dataset.labels, codes)
    assert entries[-1]["scores"]["class_accuracy"]["value"] == expected.value
    assert runs.summary(entries, "class_accuracy")["last"] == expected.value


def test_another_recipe_is_refused(tmp_path):
    Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    with pytest.raises(ValueError, match="seed is 5 there, received 6"):
        Run.create(tmp_path / "run", _recipe(seed=6), (8, 8, 1))


def test_foreign_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="notes.txt"):
        Run.create(tmp_path, _recipe(), (8, 8, 1))
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_what_a_kill_leaves_before_the_run_began_is_no_run(tmp_path):
    (tmp_path / ".run.json").write_text('{"form')
    (tmp_path / ".DS_Store").write_bytes(b"")
    run = Run.create(tmp_path, _recipe(), (8, 8, 1))
    assert Run.open(tmp_path).recipe == run.recipe


def test_other_images_under_the_same_name_are_refused(tmp_path):
    images = np.random.default_rng(0).random((40, 8, 8, 1), np.float32)
    file = tmp_path / "faces.npz"
    recipe = dataclasses.replace(_recipe(steps=4), data=f"arrays:{file}")
    np.savez(file, images=images)
    runs.train(Run.create(tmp_path / "run", recipe, (8, 8, 1)), verbose=0)

    for others, what in ((images[:39], "number was 40, received 39"), (1 - images, "digest")):
        np.savez(file, images=others)
        with pytest.raises(ValueError, match=f"began on other images: their {what}"):
            runs.train(Run.open(tmp_path / "run"), verbose=0)
    np.savez(file, images=images)
    assert int(runs.train(Run.open(tmp_path / "run"), verbose=0).step) == 4


def test_other_versions_are_said_when_a_run_goes_on(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.step) == 3:
                raise KeyboardInterrupt

    run = Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    with pytest.raises(KeyboardInterrupt):
        runs.train(run, checkpoint_every=1, callbacks=[Stop()], verbose=0)
    file = run.path / "run.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"versions": content["versions"] | {"keras": "3.0.0"}}))
    with pytest.warns(UserWarning, match=r"other versions \(keras 3\.0\.0 -> "):
        runs.train(Run.open(run.path), verbose=0)


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        Run.create(tmp_path / "run", _recipe(), (8, 8, 1))


def test_unwritable_place_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write the run folder|is a file"):
        Run.create(tmp_path / "file" / "run", _recipe(), (8, 8, 1))


def test_run_without_checkpoint_says_so(tmp_path):
    Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    with pytest.raises(ValueError, match="no checkpoint yet"):
        load_run(tmp_path / "run")


def test_no_run_folder_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"no run\.json"):
        load_run(tmp_path)


def _try_lock(path, answers):
    try:
        with Run.open(path).lock():
            answers.put("locked")
    except ValueError as error:
        answers.put(str(error))


@pytest.mark.long
def test_two_processes_cannot_train_in_one_folder(tmp_path):
    run = Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    with run.lock():
        process = context.Process(target=_try_lock, args=(run.path, answers))
        process.start()
        process.join()
    assert "another process" in answers.get(timeout=5)


@pytest.mark.parametrize(
    ("step", "total", "interval"), [(0, 24, 10), (7, 24, 10), (20, 24, 10), (24, 24, 10), (3, 5, 9)]
)
def test_legs_cover_every_step_once_and_end_at_report_borders(step, total, interval):
    legs = runs._legs(step, total, interval)
    covered = [first + i for first, steps, epochs in legs for i in range(steps * epochs)]
    assert covered == list(range(step, total))
    ends = [first + steps * (e + 1) for first, steps, epochs in legs for e in range(epochs)]
    assert all(end % interval == 0 or end == total for end in ends)


def _entry(step, value, final=False):
    return {"step": step, "final": final, "scores": {"mig": {"value": value}}}


def test_scores_after_the_checkpoint_are_forgotten(tmp_path):
    run = Run.create(tmp_path / "run", _recipe(), (8, 8, 1))
    lines = [json.dumps(_entry(step, step / 100)) for step in (4, 8, 12)]
    run.score_path.write_text("\n".join(lines) + '\n{"step": 16, "fin')  # cut off by a crash
    run.forget_scores_after(8)
    assert [entry["step"] for entry in run.scores()] == [4, 8]


def test_summary_reports_last_and_best_by_label_apart():
    entries = [_entry(4, 0.2), _entry(8, 0.9), _entry(12, 0.5, final=True)]
    assert runs.summary(entries, "mig") == {
        "last": 0.5,
        "last_step": 12,
        "best_by_label": 0.9,
        "best_by_label_step": 8,
    }
    assert runs.summary(entries, "dci") == {}
