"""What the commands share: consoles, options, errors, and the codes of a run."""

import contextlib
import json
import pathlib
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tfdisent.cli.sentences import sentence, tensorflow_errors

RunFolder = Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run folder.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show TensorFlow's messages and tracebacks.")]
Rows = Annotated[
    int | None, typer.Option("--rows", min=2, help="How many rows to encode, drawn at random.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def console():
    """The terminal that results go to, as wide as it is now."""
    return Console(highlight=False)


def errors():
    """The terminal that errors and progress go to, as wide as it is now."""
    return Console(stderr=True, highlight=False)


def print_json(content):
    """Writes plain types to the standard output, and nothing that a terminal would add."""
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


@contextlib.contextmanager
def one_sentence(debug, failures=(FloatingPointError,)):
    """Turns bad input into one sentence and exit code 2, `failures` of a computation into 1.

    Files that cannot be read or written are bad input, and so is whatever TensorFlow refuses.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # whoever read the output has left, which typer ends without a word
    except (ValueError, TypeError, OSError, *failures, *tensorflow_errors()) as error:
        if debug:
            raise
        errors().print(f"[red]Error:[/red] {escape(sentence(error))}", soft_wrap=True)
        raise typer.Exit(1 if isinstance(error, failures) else 2) from error


def encode_run(run, rows, check=None):
    """Codes of the rows of a run, with a progress bar on a terminal.

    Args:
      run: `Run`.
      rows: how many rows of its data set to draw, or None for all.
      check: optional function of (vae, dataset), which raises if encoding would be in vain.

    Returns:
      (vae, dataset, encoding).
    """
    from rich.progress import Progress

    from tfdisent import evaluation

    trainer, _ = run.restore()
    dataset = run.recipe.load_dataset()
    if check is not None:
        check(trainer.vae, dataset)
    chosen = evaluation.subset(dataset, rows)
    terminal = errors()
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("encoding", total=len(chosen))
        encoding = evaluation.encode_dataset(
            trainer.vae,
            dataset,
            chosen,
            progress=lambda done: progress.update(task, completed=done),
        )
    return trainer.vae, dataset, encoding
