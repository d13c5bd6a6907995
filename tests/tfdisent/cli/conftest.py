"""What the tests of the commands share: how to call one, and runs to call it on."""

import numpy as np
import pytest
from typer.testing import CliRunner


@pytest.fixture(scope="session")
def tfdisent_command():
    """`tfdisent_command("list", ...)`: what the command line answers."""
    from tfdisent.cli import app

    def run(*arguments, columns=200):
        # A wide terminal, so that sentences are not broken where a test looks for them.
        runner = CliRunner(env={"COLUMNS": str(columns)})
        return runner.invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture(scope="session")
def message():
    """`message(result)`: what a result says on the error stream, on one line."""
    return lambda result: " ".join(result.stderr.split())


@pytest.fixture(scope="session")
def dots(tmp_path_factory):
    """Name of a data set with known factors: where one bright pixel is."""
    rng = np.random.default_rng(0)
    factors = rng.integers(0, [3, 4], size=(200, 2))
    images = np.zeros((200, 8, 8, 1), np.float32)
    images[np.arange(200), factors[:, 0] * 2, factors[:, 1] * 2] = 1.0
    path = tmp_path_factory.mktemp("data") / "dots.npz"
    np.savez(path, images=images, factors=factors)
    return f"arrays:{path}"


@pytest.fixture(scope="session")
def run_folder(tfdisent_command, dots, tmp_path_factory):
    """A short run on data with known factors. Nothing may write into it."""
    path = tmp_path_factory.mktemp("cli") / "run"
    result = tfdisent_command(
        *["train", "cascade_vae_c", "--data", dots, "--steps", 20, "--batch-size", 8],
        *["--set", "continuous=3", "--set", "learning_rate=1e-3", "--out", path],
    )
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture(scope="session")
def digits_run(tfdisent_command, tmp_path_factory):
    """`digits_run(method)`: a short run on data without factors. Nothing may write into it."""
    made = {}

    def make(method):
        if method not in made:
            made[method] = tmp_path_factory.mktemp("cli") / method
            result = tfdisent_command(
                *["train", method, "--data", "digits", "--steps", 12, "--batch-size", 8],
                *["--set", "continuous=3", "--set", "hidden=8", "--out", made[method]],
            )
            assert result.exit_code == 0, result.output
        return made[method]

    return make


@pytest.fixture
def file_as_folder(tmp_path):
    """A path that cannot be made: its parent is a file."""
    (tmp_path / "file").write_text("mine")
    return tmp_path / "file" / "below"
