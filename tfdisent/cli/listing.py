"""`tfdisent list`: what there is to train, on what, and with which options."""

import dataclasses
import inspect
import re
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from tfdisent.cli.common import Debug, console, one_sentence

# Data sets of values beyond [0, 1], which no command trains on as they are.
POINTS = ("synthetic:25gaussians",)
# Fields of a recipe that have options of their own, or say what the recipe is.
_NO_SETTINGS = ("method", "data", "data_options", "options", "optimizer", "note")


def list_everything(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A method or a recipe, to see its settings."),
    ] = None,
    debug: Debug = False,
):
    """List methods, recipes and data sets, or the settings of one method or recipe."""
    if name is None:
        _list_all()
        return
    with one_sentence(debug):
        _list_settings(name, debug)


def _list_all():
    from tfdisent import data
    from tfdisent.trainers import methods, recipes

    terminal = console()
    table = Table(
        Column("method", no_wrap=True),
        Column("name", overflow="fold"),
        Column("paper", min_width=len("arXiv:1312.6114,")),
        title="Methods: tfdisent train METHOD",
    )
    for method in methods.METHODS.values():
        table.add_row(method.name, method.title, method.paper)
    terminal.print(table)

    table = Table(
        Column("recipe", no_wrap=True),
        Column("steps", justify="right"),
        Column("note", overflow="fold"),
        title="Recipes: tfdisent train --recipe NAME",
    )
    for name, recipe in recipes.RECIPES.items():
        table.add_row(name, f"{recipe.steps:,}", recipe.note)
    terminal.print(table)

    terminal.print("[bold]Data sets[/bold]: tfdisent train ... --data NAME")
    for name in data.names():
        what = "  (points, for training in Python: tfdisent.trainers.GANMINETrainer)"
        terminal.print(f"  {name}{what if name in POINTS else ''}", soft_wrap=True)
    terminal.print("\nSettings of a method or recipe: tfdisent list NAME")


def _list_settings(name, debug):
    from tfdisent.trainers import methods, recipes

    if name not in methods.METHODS and name not in recipes.RECIPES:
        known = ", ".join([*methods.METHODS, *recipes.RECIPES])
        raise ValueError(f"expected a method or a recipe, one of: {known}; received {name!r}.")
    is_recipe = name in recipes.RECIPES
    recipe = recipes.get(name) if is_recipe else recipes.Recipe(name)
    method = methods.get(recipe.method)

    from tfdisent.quiet import import_tensorflow

    import_tensorflow(debug)
    from tfdisent import trainers

    trainer_class = getattr(trainers, method.trainer)
    terminal = console()
    terminal.print(f"[bold]{name}[/bold]: {method.title}, {method.paper}")
    if recipe.note:
        terminal.print(escape(recipe.note))
    command = f"--recipe {name}" if is_recipe else name
    terminal.print(f"tfdisent train {command} --data {recipe.data} --set SETTING=VALUE")
    fields = {
        field.name: getattr(recipe, field.name)
        for field in dataclasses.fields(recipe)
        if field.name not in _NO_SETTINGS
    }
    for title, values, described in (
        (f"Arguments of {method.trainer}", recipe.all_options(), _arguments(trainer_class)),
        ("Model and training", fields, _arguments(type(recipe))),
    ):
        table = Table(
            Column("setting", overflow="fold"),
            Column("value", overflow="fold"),
            Column("meaning", overflow="fold"),
            title=title,
        )
        for setting, value in values.items():
            meaning = described.get(setting, "")
            table.add_row(setting, escape(_shown(value)), escape(meaning))
        terminal.print(table)


def _shown(value):
    return "" if value is None else str(list(value) if isinstance(value, tuple) else value)


def _arguments(documented):
    """{argument: what the docstring of a class, or of the next base that says it, says of it}."""
    found = {}
    heading = r"\n *(?:Args|Attributes):\n(.*?)(?=\n\n|\Z)"
    sections = [
        section
        for base in inspect.getmro(documented)
        for section in re.findall(heading, base.__doc__ or "", re.DOTALL)
    ]
    for section in sections:
        for entry in re.split(r"\n(?! )", inspect.cleandoc("\n" + section)):
            names, _, meaning = entry.partition(":")
            meaning = " ".join(meaning.split())
            for name in names.replace(" ", "").split(","):
                if not meaning.startswith("see "):
                    found.setdefault(name, meaning)
    return found
