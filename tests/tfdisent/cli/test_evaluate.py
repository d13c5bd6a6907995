import json

import pytest

from tfdisent.metrics import METRICS, protocols
from tfdisent.trainers import recipes, run


def test_evaluate_prints_json_with_protocols(run_folder, tfdisent_command):
    result = tfdisent_command("evaluate", run_folder, "--protocol", "lecture", "--json")
    assert result.exit_code == 0, result.output
    scores = json.loads(result.stdout)["scores"]["lecture"]
    assert scores["factor_vae_score"]["protocol"] == "lecture"
    assert 0 <= scores["mig"]["value"] <= 1


# Wide, narrow and very narrow: no protocol is cut short.
@pytest.mark.parametrize("columns", [200, 80, 60])
def test_evaluate_prints_a_table_of_all_protocols(columns, run_folder, tfdisent_command):
    result = tfdisent_command("evaluate", run_folder, "--protocol", "all", columns=columns)
    assert result.exit_code == 0, result.output
    for name in protocols.PRESETS:
        assert name in result.output
    # The preset jeong2019 does not define MIG: its value says what was done instead.
    assert "all rows, 20 bins" in result.output
    assert "…" not in result.output


def test_evaluate_without_factors_shows_the_panel_that_needs_none(tmp_path, tfdisent_command):
    path = tmp_path / "run"
    result = tfdisent_command(
        "train", "vae", "--data", "digits", "--steps", 12, "--batch-size", 8, "--out", path
    )
    assert result.exit_code == 0, result.output
    result = tfdisent_command("evaluate", path, "--rows", 300)
    assert result.exit_code == 0, result.output
    for name in ("active_units", "elbo", "total_correlation", "I(x; z) between"):
        assert name in result.output
    panel = json.loads(tfdisent_command("evaluate", path, "--rows", 300, "--json").stdout)["panel"]
    assert panel["num_rows"] == 300
    parts = panel["decomposition"]
    assert parts["rate"] >= panel["mutual_information_bounds"]["lower"] - 0.1


def test_evaluate_compares_a_discrete_code_with_labels(tmp_path, tfdisent_command):
    path = tmp_path / "run"
    options = ("--data", "digits", "--steps", 12, "--batch-size", 8, "--set", "discrete=[10]")
    result = tfdisent_command("train", "joint_vae", *options, "--out", path)
    assert result.exit_code == 0, result.output
    assert "class_accuracy" in result.output
    result = tfdisent_command("evaluate", path)
    assert result.exit_code == 0, result.output
    scores = json.loads(tfdisent_command("evaluate", path, "--json").stdout)["scores"]
    accuracy = scores["class_accuracy"]
    assert accuracy["protocol"] == "matching"
    assert 0.1 <= accuracy["value"] <= 1  # one class for all rows is right for a tenth
    assert f"{accuracy['value']:.4f}" in result.output


@pytest.mark.parametrize(
    "method",
    [
        "autoencoder",
        "info_gan",
        *[pytest.param(m, marks=pytest.mark.long) for m in ("denoising_autoencoder", "bigan")],
        pytest.param("aae", marks=pytest.mark.long),
    ],
)
def test_panel_of_a_model_without_a_rate_has_no_elbo(method, digits_run, tfdisent_command):
    result = tfdisent_command("evaluate", digits_run(method), "--rows", 300)
    assert result.exit_code == 0, result.output
    for name in ("active_units", "residual", "sharpness", "have no rate"):
        assert name in result.output
    for name in ("distortion", "elbo", "total_correlation (nats)", "I(x; z) between"):
        assert name not in result.output
    assert ("class_accuracy" in result.output) == (method == "info_gan")
    content = json.loads(
        tfdisent_command("evaluate", digits_run(method), "--rows", 300, "--json").stdout
    )
    assert set(content["panel"]) == {"num_rows", "seed", "scores", "reconstruction"}
    assert content["panel"]["num_rows"] == 300
    assert list(content["scores"]) == (["class_accuracy"] if method == "info_gan" else [])


# Scores that are asked for by name.


@pytest.fixture
def untrained(tmp_path):
    """`untrained(method)`: a run on digits whose training has not begun."""

    def make(method):
        recipe = recipes.Recipe(method, data="digits")
        return run.Run.create(tmp_path / method, recipe, (8, 8, 1)).path

    return make


@pytest.mark.parametrize("method", ["vae", "deep_vib", "cascade_vae_c"])
@pytest.mark.parametrize("names", ["nonsense", "mig,nonsense", "", "mig,"])
def test_unknown_scores_are_refused_before_anything_else(
    method, names, untrained, tfdisent_command, message
):
    result = tfdisent_command("evaluate", untrained(method), "--metrics", names)
    assert result.exit_code == 2, result.output
    received = "nonsense" if "nonsense" in names else ""
    assert f"received {received!r}" in message(result)
    for known in (*METRICS, "class_accuracy"):
        assert known in message(result)


def test_scores_cannot_be_chosen_where_labels_are_learned(untrained, tfdisent_command, message):
    result = tfdisent_command("evaluate", untrained("deep_vib"), "--metrics", "mig")
    assert result.exit_code == 2, result.output
    assert "deep_vib is scored by its error alone" in message(result)
    # What is wrong is another thing where all there is was asked for.
    result = tfdisent_command("evaluate", untrained("deep_vib"), "--metrics", "all")
    assert "no checkpoint" in message(result)


@pytest.mark.parametrize("names", ["mig", "mig, dci", "class_accuracy", "sap,class_accuracy"])
def test_scores_that_need_factors_or_a_discrete_code_are_not_replaced_by_others(
    names, digits_run, tfdisent_command, message
):
    result = tfdisent_command("evaluate", digits_run("vae"), "--metrics", names)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "nothing can be scored (" in message(result)
    assert ("needs known factors, which digits has not" in message(result)) == (
        names != "class_accuracy"
    )
    assert ("needs labels and a discrete code" in message(result)) == ("accuracy" in names)


def test_no_table_without_a_score_is_printed(run_folder, tfdisent_command, message):
    result = tfdisent_command("evaluate", run_folder, "--metrics", "class_accuracy")
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "class_accuracy: needs labels and a discrete code" in message(result)


def test_of_the_scores_asked_for_those_that_cannot_be_are_named(
    run_folder, tfdisent_command, message
):
    result = tfdisent_command("evaluate", run_folder, "--metrics", "mig,class_accuracy", "--json")
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)["scores"]["jeong2019"]) == ["mig"]
    assert message(result) == "Left out: class_accuracy: needs labels and a discrete code."


def test_scores_that_need_no_factors_are_shown_alone(digits_run, tfdisent_command, message):
    arguments = ("evaluate", digits_run("vae"), "--metrics", "active_units,mig")
    result = tfdisent_command(*arguments)
    assert result.exit_code == 0, result.output
    assert "active_units" in result.stdout
    assert "wasserstein" not in result.stdout and "elbo" not in result.stdout
    assert message(result) == "Left out: mig: needs known factors, which digits has not."
    content = json.loads(tfdisent_command(*arguments, "--json").stdout)
    assert list(content["panel"]["scores"]) == ["active_units"]
    assert content["scores"] == {}


def test_class_accuracy_alone_can_be_asked_for(digits_run, tfdisent_command):
    arguments = ("evaluate", digits_run("info_gan"), "--metrics", "class_accuracy")
    result = tfdisent_command(*arguments)
    assert result.exit_code == 0, result.output
    assert "class_accuracy" in result.stdout and "active_units" not in result.stdout
    content = json.loads(tfdisent_command(*arguments, "--json").stdout)
    assert list(content["scores"]) == ["class_accuracy"] and content["panel"]["scores"] == {}


def test_all_without_factors_is_the_whole_panel(digits_run, tfdisent_command, message):
    arguments = ("evaluate", digits_run("vae"), "--rows", 100)
    result = tfdisent_command(*arguments, "--metrics", "all")
    assert result.exit_code == 0, result.output
    assert result.stdout == tfdisent_command(*arguments).stdout
    assert message(result) == ""
