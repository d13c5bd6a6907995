"""`tfdisent train`: a method or a recipe, to the end, in a run folder."""

import json
import pathlib
import sys
from typing import Annotated

import typer
from rich.table import Column, Table

from tfdisent.cli.common import Debug, console, one_sentence


def train(
    method: Annotated[
        str | None, typer.Argument(metavar="METHOD", help="A method of `tfdisent list`.")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe of `tfdisent list`, in place of METHOD.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Data set: dsprites, digits, arrays:PATH, tfds:NAME, ...")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Training steps. Schedules keep their share of them.")
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="The paper's m; FactorVAE, which takes two batches, is given 2 m."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, data order and noise.")] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any option of the method or recipe, such as gamma=35, continuous=6, "
            "learning_rate=1e-3, data.storage=packed. Repeatable.",
        ),
    ] = None,
    checkpoint_every: Annotated[
        int | None, typer.Option(min=1, help="Steps between checkpoints; default: once a minute.")
    ] = None,
    out: Annotated[
        pathlib.Path | None, typer.Option(help="Run folder; default runs/NAME-seedSEED.")
    ] = None,
    debug: Debug = False,
):
    """Train a method, or go on where the same command left off.

    Everything goes to the run folder: recipe, checkpoints, scores, TensorBoard events, figures.
    """
    with one_sentence(debug):
        if (method is None) == (recipe is None):
            raise ValueError(
                f"expected either METHOD or --recipe, received "
                f"{'both' if method else 'neither'}; see tfdisent list."
            )
        from tfdisent.quiet import import_tensorflow
        from tfdisent.trainers import methods, recipes

        name = recipe if method is None else method
        plan = recipes.get(recipe) if method is None else recipes.Recipe(methods.get(method).name)
        changes = parse_assignments(assignments or [])
        import_tensorflow(debug)
        if steps is not None:
            plan = plan.scaled_to(steps)
        fields = {"data": data, "batch_size": batch_size, "seed": seed}
        plan = plan.replace(**{key: value for key, value in fields.items() if value is not None})
        plan = plan.set(**changes)
        out = out or pathlib.Path("runs") / f"{name.replace('/', '-')}-seed{plan.seed}"
        train_recipe(plan, out, checkpoint_every)


def parse_assignments(assignments):
    """["gamma=35"] -> {"gamma": 35}; values are JSON where they parse, else text."""
    parsed = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals or not key:
            raise ValueError(f"expected --set KEY=VALUE, received {assignment!r}.")
        try:
            parsed[key] = json.loads(value)
        except json.JSONDecodeError:
            parsed[key] = value
    return parsed


def train_recipe(plan, out, checkpoint_every=None):
    """Trains, scores, draws, and says where everything is.

    Args:
      plan: `Recipe`.
      out: path of the run folder.
      checkpoint_every: steps between checkpoints; None saves every minute.

    Returns:
      (run, vae, dataset, encoding).
    """
    from tfdisent import evaluation
    from tfdisent.trainers import run as runs

    terminal = console()
    dataset = plan.load_dataset()
    # Finds bad options before anything is written.
    trainer = runs.build(plan, dataset)
    run = runs.Run.create(out, plan, dataset.image_shape)

    def announce(step):
        if step >= plan.steps:
            terminal.print(f"[bold]{out}[/bold] is trained: {plan.steps:,} steps.")
        elif step:
            terminal.print(f"[bold]{out}[/bold]: going on at step {step:,} of {plan.steps:,}.")
        else:
            terminal.print(
                f"[bold]{out}[/bold]: {plan.method} on {plan.data} ({len(dataset):,} images), "
                f"{plan.steps:,} steps, seed {plan.seed}."
            )

    try:
        runs.train(
            run,
            dataset,
            checkpoint_every,
            on_start=announce,
            # The bar redraws itself on a terminal; in a log there is a line for each interval.
            verbose=1 if sys.stdout.isatty() else 2,
            trainer=trainer,
        )
    except KeyboardInterrupt:
        terminal.print(f"\nStopped. The same command goes on from the last checkpoint in {out}.")
        raise typer.Exit(130) from None
    rows = evaluation.subset(dataset, plan.score_rows)
    encoding = evaluation.encode_dataset(trainer.vae, dataset, rows)
    with terminal.status("drawing figures"):
        evaluation.save_figures(run.figure_dir, trainer.vae, dataset, encoding)
    _print_scores(run)
    _print_next(run)
    return run, trainer.vae, dataset, encoding


def _print_scores(run):
    """The scores of a run: last, and best by label, which is selected with the labels."""
    from tfdisent.trainers import run as runs

    terminal = console()
    entries = run.scores()
    if not entries:
        terminal.print("No scores: the data set has no factors, nor labels for a discrete code.")
        return
    last = entries[-1]
    table = Table(
        Column("score", no_wrap=True),
        Column("protocol", overflow="fold"),
        Column("last", no_wrap=True),
        "best by label",
        title=f"Scores of {run.path}",
    )
    for name, score in last["scores"].items():
        summary = runs.summary(entries, name)
        table.add_row(
            name,
            score["protocol"],
            f"{summary['last']:.4f}",
            f"{summary['best_by_label']:.4f} (step {summary['best_by_label_step']:,})",
        )
    terminal.print(table)
    terminal.print(
        f"last: step {last['step']:,} on {last['rows']:,} rows; best by label: the best of "
        f"{len(entries)} scorings, selected with the labels, so optimistic."
    )


def _print_next(run):
    console().print(
        f"\nFigures  {run.figure_dir}\n"
        f"Curves   tensorboard --logdir {run.event_dir}\n"
        f"Score    tfdisent evaluate {run.path}\n"
        f"Look     tfdisent traverse {run.path}\n"
        f"Serve    tfdisent export {run.path} {run.export_dir}",
        soft_wrap=True,
    )
