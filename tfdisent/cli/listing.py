"""`tfdisent list`: what there is to train, and on what."""

from rich.table import Column, Table

from tfdisent.cli.common import console

# Data sets of values beyond [0, 1], which no command trains on as they are.
POINTS = ("synthetic:25gaussians",)


def list_everything():
    """List methods, recipes and data sets."""
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
