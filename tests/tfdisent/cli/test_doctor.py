import json

import pytest


def test_doctor_prints_the_decomposition_and_findings_as_json(run_folder, tfdisent_command):
    result = tfdisent_command("doctor", run_folder)
    assert result.exit_code in (0, 1), result.output
    assert "I(x; z)" in result.output
    result = tfdisent_command("doctor", run_folder, "--json")
    content = json.loads(result.stdout)
    assert content["step"] == 20
    assert (result.exit_code == 1) == any(f["severity"] == "error" for f in content["findings"])


# What has no rate: points and, with a discrete code, uniform codes.
RATELESS = [
    "autoencoder",
    "info_gan",
    *[pytest.param(m, marks=pytest.mark.long) for m in ("denoising_autoencoder", "aae", "bigan")],
]


@pytest.mark.parametrize("method", RATELESS)
def test_doctor_measures_what_a_model_without_a_rate_has(method, digits_run, tfdisent_command):
    result = tfdisent_command("doctor", digits_run(method))
    assert result.exit_code == 0, result.output
    units = 4 if method == "info_gan" else 3
    assert f"of {units} by the variance of their codes, residual 0." in result.output
    assert "I(x; z)" not in result.output
    result = tfdisent_command("doctor", digits_run(method), "--json")
    content = json.loads(result.stdout)
    assert (content["step"], content["rows"]) == (12, 1797)
    assert "blurry_likelihood" in [finding["name"] for finding in content["findings"]]
