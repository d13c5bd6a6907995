import pytest

from tfdisent.cli import demo


@pytest.mark.long
def test_demo_runs_from_data_to_a_served_code(tmp_path, tfdisent_command):
    result = tfdisent_command("demo", "--steps", 30, "--out", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    assert "posX is followed by" in result.output
    assert "A fresh process without tfdisent" in result.output
    assert (tmp_path / "demo" / "exports" / "1" / "saved_model.pb").exists()


@pytest.fixture
def failing_export(run_folder, tmp_path, monkeypatch):
    """`failing_export(code)`: the demo after its training, with this code as the fresh process."""
    from tfdisent.cli import common
    from tfdisent.trainers.run import Run

    def make(code):
        run = Run.open(run_folder)
        vae, dataset, encoding = common.encode_run(run, 50)
        trained = (run, vae, dataset, encoding)
        monkeypatch.setattr(demo, "train_recipe", lambda plan, out: trained)
        monkeypatch.setattr(demo, "export_run", lambda *arguments: tmp_path / "1")
        monkeypatch.setattr(demo, "_FRESH_PROCESS", code)

    return make


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named 'nothing_of_this_n"),
        ("import sys; sys.stderr.write('first\\nlast\\n\\n'); sys.exit(3)", "(exit code 3): last"),
        ("import os; os._exit(4)", "(exit code 4): nothing"),
    ],
)
def test_why_the_fresh_process_failed_is_one_sentence(
    code, expected, failing_export, tmp_path, tfdisent_command, message
):
    failing_export(code)
    result = tfdisent_command("demo")
    assert result.exit_code == 1, result.output
    assert f"could not encode an image with the export {tmp_path / '1'}" in message(result)
    assert expected in message(result)
    assert "first" not in message(result) and "Traceback" not in result.output


def test_debug_shows_all_that_the_fresh_process_said(failing_export, tfdisent_command):
    failing_export("import sys; sys.stderr.write('first\\nlast'); sys.exit(1)")
    result = tfdisent_command("demo", "--debug")
    assert result.exit_code == 1
    assert result.exception.__notes__ == ["first\nlast"]
