import pytest
import typer

from tfdisent.cli import common


@pytest.mark.parametrize("build", [common.console, common.errors])
def test_terminals_are_as_wide_as_they_are_when_they_are_used(build, monkeypatch):
    for columns in (60, 100):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert build().width == columns


@pytest.mark.parametrize(
    ("error", "code"), [(ValueError, 2), (TypeError, 2), (FloatingPointError, 1)]
)
def test_errors_become_one_sentence_and_an_exit_code(error, code, capsys):
    with pytest.raises(typer.Exit) as left, common.one_sentence(debug=False):
        raise error("expected this,\n  received that.")
    assert left.value.exit_code == code
    assert capsys.readouterr().err == "Error: expected this, received that.\n"


def test_brackets_of_an_error_are_not_taken_for_markup(capsys):
    with pytest.raises(typer.Exit), common.one_sentence(debug=False):
        raise ValueError("p[red] must not be negative.")
    assert "p[red] must not be negative." in capsys.readouterr().err


def test_debug_lets_the_error_through():
    with pytest.raises(ValueError, match="this"), common.one_sentence(debug=True):
        raise ValueError("this")


def test_other_errors_are_not_hidden():
    with pytest.raises(KeyError), common.one_sentence(debug=False):
        raise KeyError("a defect")


def test_files_that_cannot_be_written_are_one_sentence(file_as_folder, capsys):
    with pytest.raises(typer.Exit) as left, common.one_sentence(debug=False):
        file_as_folder.write_text("")
    assert left.value.exit_code == 2
    assert capsys.readouterr().err == (
        f"Error: cannot read or write {file_as_folder}: Not a directory.\n"
    )
    with pytest.raises(NotADirectoryError), common.one_sentence(debug=True):
        file_as_folder.write_text("")


def test_errors_of_tensorflow_are_one_sentence(tmp_path, capsys):
    import tensorflow as tf

    def write():
        tf.io.write_file(str(tmp_path), "")

    with pytest.raises(typer.Exit) as left, common.one_sentence(debug=False):
        write()
    assert left.value.exit_code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path) in line and "directory" in line
    with pytest.raises(tf.errors.OpError), common.one_sentence(debug=True):
        write()


def test_output_that_nobody_reads_is_left_to_typer():
    with pytest.raises(BrokenPipeError), common.one_sentence(debug=False):
        raise BrokenPipeError
