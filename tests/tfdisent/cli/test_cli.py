import resource
import subprocess
import sys

import pytest

COMMANDS = [
    *["list", "train", "evaluate", "udr", "doctor", "traverse", "export", "demo"],
    *["study", "info"],
]


def test_help_answers_without_tensorflow_in_half_a_second():
    code = (
        "import sys\n"
        "sys.argv = ['tfdisent', 'train', '--help']\n"
        "from tfdisent import cli\n"
        "try:\n    cli.main()\n"
        "except SystemExit: pass\n"
        "assert 'tensorflow' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    # Processor time, which a busy machine does not change much; the best of three.
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert result.returncode == 0, result.stderr
        assert "--checkpoint-every" in result.stdout
    assert min(times) < 0.5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, tfdisent_command):
    result = tfdisent_command(command, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_help_names_every_command(tfdisent_command):
    output = tfdisent_command("--help").output
    assert [name for name in COMMANDS if f" {name} " not in output] == []


@pytest.mark.parametrize("command", ["evaluate", "doctor", "traverse", "export"])
def test_folder_without_a_run_is_one_sentence_and_exit_code_2(command, tfdisent_command, message):
    where = ["/no/where"] if command == "export" else []
    result = tfdisent_command(command, "/no/run", *where)
    assert result.exit_code == 2, result.output
    assert "no run.json" in message(result)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["capacity", "traverse", "study", "export"])
def test_output_that_cannot_be_written_is_one_sentence_and_exit_code_2(
    command, file_as_folder, run_folder, tfdisent_command, message
):
    channel = file_as_folder.parents[1] / "channel.csv"
    channel.write_text("0.9,0.1\n0.1,0.9\n")
    arguments = {
        "capacity": ["info", "capacity", channel, "--out", file_as_folder / "figure.png"],
        "traverse": ["traverse", run_folder, "--rows", 20, "--out", file_as_folder.parent],
        "study": ["study", "rate-distortion", "--set", "data.size=50", "--out", file_as_folder],
        "export": ["export", run_folder, file_as_folder],
    }
    result = tfdisent_command(*arguments[command])
    assert result.exit_code == 2, result.output
    assert str(file_as_folder.parent) in message(result)
    assert "Traceback" not in result.output and result.stdout.count("\n") <= 1
    assert file_as_folder.parent.read_text() == "mine"
