import json

import pytest

OPTIONS = (
    *("--data", "synthetic:alphabet", "--set", "data.shape=[2,2]", "--set", "data.size=25"),
    *("--set", "likelihood=one_hot", "--set", "architecture=mlp", "--set", "hidden=8"),
    *("--set", "continuous=1", "--set", "prior=mixture", "--set", "batch_size=25"),
    *("--steps", "4", "--num-samples", "50"),
)


def test_a_study_prints_its_points_and_goes_on(tfdisent_command, tmp_path):
    out = tmp_path / "study"
    first = tfdisent_command("study", "rate-distortion", "--betas", "2", *OPTIONS, "--out", out)
    assert first.exit_code == 0, first.output
    assert "1 points, 0 finished before" in first.output
    assert "beta-2: R" in first.output and "H = 1.2" in first.output
    again = tfdisent_command(
        "study", "rate-distortion", "--betas", "2", "--target-rates", "0.5", *OPTIONS, "--out", out
    )
    assert again.exit_code == 0, again.output
    assert "2 points, 1 finished before" in again.output
    assert "beta-2: training" not in again.output and "target-0.5: training" in again.output
    assert (out / "figures" / "rd.png").exists()
    names = [json.loads(line)["name"] for line in (out / "study.jsonl").read_text().splitlines()]
    assert names == ["beta-2", "target-0.5"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--betas", "1;2"), "betas are numbers separated by commas, received '1;2'"),
        (("--betas", ""), "at least one beta or target rate"),
        (("--set", "beta=2"), "without options"),
        (("--set", "colour=2"), "no option 'colour'"),
        (("--data", "none"), "data set must be one of"),
        (("--set", "architecture=conv7"), "architecture must be one of"),
        (("--data", "synthetic:25gaussians"), "holds points, not images"),
    ],
)
def test_bad_input_is_one_sentence(tfdisent_command, message, tmp_path, arguments, sentence):
    result = tfdisent_command("study", "rate-distortion", *arguments, "--out", tmp_path / "study")
    assert result.exit_code == 2
    assert sentence in message(result)
    assert not (tmp_path / "study").exists()


@pytest.mark.long
def test_the_information_plane_prints_its_points_and_draws_them(tfdisent_command, tmp_path):
    out = tmp_path / "study"
    options = ("--data", "digits", "--set", "hidden=8", "--set", "continuous=2", "--steps", "4")
    result = tfdisent_command(
        "study", "information-plane", "--betas", "0.1,1e-3", *options, "--out", out
    )
    assert result.exit_code == 0, result.output
    assert "beta-0.001: I(X; Z) <= " in result.output
    assert "2 points, 0 finished before" in result.output
    assert (out / "figures" / "information_plane.png").exists()


def test_the_information_plane_needs_labels(tfdisent_command, message, tmp_path):
    result = tfdisent_command(
        *("study", "information-plane", "--recipe", "beta_vae/dsprites-m5"),
        *("--out", tmp_path / "study"),
    )
    assert result.exit_code == 2
    assert "takes labels" in message(result)
