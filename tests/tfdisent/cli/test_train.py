import json
import os
import pathlib
import time

import numpy as np
import pytest

TRAIN = ["train", "vae", "--data", "digits", "--steps", "12", "--batch-size", "8"]


def test_run_folder_holds_what_it_should(run_folder):
    present = {path.name for path in run_folder.iterdir()}
    assert {"run.json", "scores.jsonl", "events", "checkpoints", "figures"} <= present
    figures = {path.name for path in (run_folder / "figures").iterdir()}
    assert {"traversals.png", "traversals.gif", "reconstructions.png"} <= figures
    assert {"mean_activations.png", "association.png"} <= figures


def test_steps_scale_the_schedule_unless_it_is_set(run_folder):
    recipe = json.loads((run_folder / "run.json").read_text())["recipe"]
    assert recipe["options"]["stage_steps"] == 1  # 20,000 of 300,000 steps
    assert recipe["steps"] == 20


def test_same_train_command_finds_the_run_finished(run_folder, tfdisent_command):
    recipe = json.loads((run_folder / "run.json").read_text())["recipe"]
    result = tfdisent_command(
        *["train", "cascade_vae_c", "--data", recipe["data"], "--steps", 20, "--batch-size", 8],
        *["--set", "continuous=3", "--set", "learning_rate=1e-3", "--out", run_folder],
    )
    assert result.exit_code == 0
    assert "is trained: 20 steps" in result.output


def test_the_trainer_that_was_checked_is_the_one_that_trains(
    tmp_path, tfdisent_command, monkeypatch
):
    from tfdisent.trainers.recipes import Recipe

    built, build = [], Recipe.build

    def counting(*arguments, **options):
        built.append(build(*arguments, **options))
        return built[-1]

    monkeypatch.setattr(Recipe, "build", counting)
    result = tfdisent_command(*TRAIN, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    (trainer,) = built
    assert int(trainer.step) == 12


BAD = {
    "unknown method": (["train", "vea"], "unknown method 'vea', expected one of: vae, beta_vae"),
    "no method": (["train"], "either METHOD or --recipe, received neither"),
    "unknown recipe": (["train", "--recipe", "x"], "unknown recipe 'x', expected one of"),
    "unknown data": (["train", "vae", "--data", "dsprite"], "received 'dsprite'"),
    "unknown option": ([*TRAIN, "--set", "gama=3"], "vae has no option 'gama', expected one of"),
    "unknown data option": ([*TRAIN, "--set", "data.sise=3"], "'sise'"),
    "no key": ([*TRAIN, "--set", "beta"], "expected --set KEY=VALUE, received 'beta'"),
    "wrong type": ([*TRAIN, "--set", "beta=high"], "beta"),
    "batch of one": ([*TRAIN[:-1], "1"], "batch_size must be at least 2, received 1"),
    "no steps": (["train", "vae", "--steps", "0"], "steps must be a positive integer, received 0"),
    "bad seed": ([*TRAIN, "--seed", "-1"], "seed must be in"),
    "bad architecture": ([*TRAIN, "--set", "architecture=conv64"], "conv64 takes 64 x 64"),
    "no file": (["train", "vae", "--data", "arrays:/no/such.npz"], "/no/such.npz"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(name, tmp_path, tfdisent_command, message):
    arguments, expected = BAD[name]
    result = tfdisent_command(*arguments, "--out", tmp_path / "run")
    assert result.exit_code == 2, result.output
    assert expected in message(result)
    assert "Traceback" not in result.output
    assert not (tmp_path / "run").exists(), "something was left behind"


@pytest.mark.parametrize(
    ("images", "extra", "expected"),
    [
        (np.zeros((9, 8)), {}, "shape"),
        (np.full((9, 8, 8, 1), 200.0), {}, "[0, 1]"),
        (np.full((9, 8, 8, 1), np.nan), {}, "NaN"),
        (np.zeros((0, 8, 8, 1)), {}, "must not be empty"),
        (np.zeros((9, 8, 8, 1), complex), {}, "complex"),
        (np.zeros((9, 8, 8, 1)), {"factors": np.zeros((8, 2), int)}, "8"),
    ],
)
def test_bad_arrays_are_one_sentence_and_exit_code_2(
    images, extra, expected, tmp_path, tfdisent_command, message
):
    np.savez(tmp_path / "bad.npz", images=images, **extra)
    result = tfdisent_command(
        *["train", "vae", "--data", f"arrays:{tmp_path / 'bad.npz'}", "--steps", 4],
        *["--out", tmp_path / "run"],
    )
    assert result.exit_code == 2, result.output
    assert expected in message(result) and "received" in message(result)
    assert not (tmp_path / "run").exists()


def test_foreign_folder_is_refused_and_untouched(tmp_path, tfdisent_command, message):
    (tmp_path / "thesis.tex").write_text("mine")
    result = tfdisent_command(*TRAIN, "--out", tmp_path)
    assert result.exit_code == 2
    assert "thesis.tex" in message(result)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_folder_that_cannot_be_made_is_one_sentence(tmp_path, tfdisent_command, message):
    (tmp_path / "file").write_text("")
    result = tfdisent_command(*TRAIN, "--out", tmp_path / "file" / "run")
    assert result.exit_code == 2
    assert "cannot write" in message(result)


def test_another_recipe_in_the_same_folder_is_refused(run_folder, tfdisent_command, message):
    result = tfdisent_command(*TRAIN, "--out", run_folder)
    assert result.exit_code == 2
    assert "another recipe" in message(result)


def test_data_that_is_not_there_says_how_to_get_it_without_waiting(
    tmp_path, monkeypatch, tfdisent_command, message
):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    start = time.perf_counter()
    result = tfdisent_command("train", "vae", "--data", "tfds:cifar10", "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "download" in message(result)
    assert time.perf_counter() - start < 30  # not the minutes of a download without a network


def test_diverging_training_stops_with_exit_code_1_and_keeps_no_bad_checkpoint(
    tmp_path, tfdisent_command, message
):
    out = tmp_path / "run"
    result = tfdisent_command(*TRAIN, "--set", "learning_rate=1e30", "--out", out)
    assert result.exit_code == 1, result.output
    assert "the loss became" in message(result)
    assert not list(pathlib.Path(out / "checkpoints").glob("*"))


@pytest.mark.parametrize(
    "data",
    [("synthetic:25gaussians",), ("synthetic:gaussians", "--set", "data.values=normal")],
)
@pytest.mark.parametrize("method", ["vae", "autoencoder"])
def test_points_are_refused_before_anything_is_written(
    method, data, tmp_path, tfdisent_command, message
):
    out = tmp_path / "run"
    result = tfdisent_command("train", method, "--data", *data, "--steps", 4, "--out", out)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert f"{data[0]} holds points, not images in [0, 1]" in message(result)
    assert "GANMINETrainer" in message(result) and "Gaussian(squash=False)" in message(result)
    assert not out.exists()
