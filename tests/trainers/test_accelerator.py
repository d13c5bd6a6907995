"""What a run does on a GPU, made to do it on the CPU: the results must be the same."""

import numpy as np
import pytest

from tfdisent import data
from tfdisent.trainers import Recipe, Run, accelerator
from tfdisent.trainers import run as runs
from tfdisent.trainers.accelerator import steps_per_execution
from tfdisent.trainers.every_steps import EverySteps


@pytest.fixture
def with_gpu(monkeypatch):
    monkeypatch.setattr(accelerator, "has_gpu", lambda: True)


def _recipe(method, **changes):
    recipe = Recipe(method, data="digits", continuous=3, steps=24, batch_size=8, report_every=6)
    return recipe.set(score_every=12, score_rows=50, final_rows=50, **changes)


class InterruptAt(EverySteps):
    """Ctrl-C at a step."""

    def act(self, step):
        raise KeyboardInterrupt


def _train(path, recipe):
    trainer = runs.train(Run.create(path, recipe, (8, 8, 1)), verbose=0)
    return trainer, [np.asarray(variable.value) for variable in trainer.variables]


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("factor_vae", marks=pytest.mark.long),
        pytest.param("cascade_vae", marks=pytest.mark.long),
        "deep_vib",
    ],
)
def test_images_on_the_device_and_long_executions_change_no_weight(method, tmp_path, monkeypatch):
    recipe = _recipe(method, **({"stage_steps": 3} if method == "cascade_vae" else {}))
    plain, expected = _train(tmp_path / "plain", recipe)
    monkeypatch.setattr(accelerator, "has_gpu", lambda: True)
    trainer, weights = _train(tmp_path / "accelerated", recipe)

    assert (plain.source, plain.steps_per_execution) == (None, 1)
    assert trainer.source is not None
    assert trainer.steps_per_execution == 6
    for a, b in zip(expected, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_scores_are_taken_at_the_same_steps(tmp_path, with_gpu):
    recipe = _recipe("beta_vae")
    run = Run.create(tmp_path / "run", recipe, (8, 8, 1))
    runs.train(run, verbose=0, dataset=data.load("synthetic:identity", sizes=(8, 8)))
    assert [(entry["step"], entry["final"]) for entry in run.scores()] == [
        (12, False),
        (24, False),
        (24, True),
    ]


@pytest.mark.long
def test_a_run_that_a_cpu_left_at_an_odd_step_goes_on_there(tmp_path, monkeypatch):
    """No execution may run over the end of an interval, wherever a checkpoint lies."""
    recipe = _recipe("vae")
    _, expected = _train(tmp_path / "whole", recipe)
    run = Run.create(tmp_path / "run", recipe, (8, 8, 1))
    with pytest.raises(KeyboardInterrupt):
        runs.train(run, checkpoint_every=3, callbacks=[InterruptAt(10)], verbose=0)

    monkeypatch.setattr(accelerator, "has_gpu", lambda: True)
    started = []
    trainer = runs.train(run, on_start=started.append, verbose=0)
    assert (started, trainer.steps_per_execution) == ([9], 3)
    for a, b in zip(expected, trainer.variables, strict=True):
        np.testing.assert_array_equal(a, np.asarray(b.value))


def test_steps_per_execution_divides_every_interval(with_gpu):
    assert steps_per_execution(0, 300_000, 1000, 10_000, None) == 50
    assert steps_per_execution(12_345, 300_000, 1000) == 5
    assert steps_per_execution(7, 300_000) == 1
    assert steps_per_execution(26, 52, None, 0) == 26


def test_without_a_gpu_steps_run_one_by_one():
    assert steps_per_execution(0, 300_000, 1000) == 1
    assert accelerator.device_source(data.load("digits")) is None


def test_images_that_are_drawn_or_too_many_stay_with_the_pipeline(with_gpu, monkeypatch):
    assert accelerator.device_source(data.load("dsprites")) is None
    digits = data.load("digits")
    assert accelerator.device_source(digits) is not None
    monkeypatch.setattr(accelerator, "_MOST_BYTES", digits.stored_bytes - 1)
    assert accelerator.device_source(digits) is None
