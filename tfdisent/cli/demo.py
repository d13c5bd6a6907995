"""`tfdisent demo`: from a data set to a served code."""

import os
import pathlib
import sys
from typing import Annotated

import typer
from rich.table import Table

from tfdisent.cli.common import Debug, console, one_sentence
from tfdisent.cli.export import export_run
from tfdisent.cli.train import train_recipe


class _ServingError(Exception):
    """The export did not work in a process of its own."""


# What a user of the export would write: TensorFlow alone, no tfdisent.
_FRESH_PROCESS = """
import sys, numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
mean = model.signatures["encode"](image=tf.constant(np.load(sys.argv[2])))["mean"]
np.save(sys.argv[3], mean.numpy())
"""


def demo(
    out: Annotated[pathlib.Path, typer.Option(help="Run folder.")] = pathlib.Path("runs/demo"),
    steps: Annotated[
        int | None, typer.Option(help="Another length than the recipe's, for a quick look.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of weights, data order and noise.")] = 0,
    debug: Debug = False,
):
    """Train on dSprites, score, draw, export, serve one image: ten to fifteen minutes."""
    with one_sentence(debug, (FloatingPointError, _ServingError)):
        from tfdisent.quiet import import_tensorflow
        from tfdisent.trainers import recipes

        import_tensorflow(debug)
        plan = recipes.get("cascade_vae_c/dsprites-demo").replace(seed=seed)
        plan = plan if steps is None else plan.scaled_to(steps)
        run, vae, dataset, encoding = train_recipe(plan, out)
        _print_association(dataset, encoding)
        _check_export(run, vae, dataset, plan.steps)


def _print_association(dataset, encoding):
    """Which latent follows which factor."""
    import numpy as np

    from tfdisent import visualize

    terminal = console()
    factors = dataset.factors[encoding.rows]
    correlation = np.abs(visualize.spearman_matrix(encoding.codes, factors))  # [D, K]
    table = Table("latent", "KL (nats)", *dataset.factor_names, title="|Spearman|")
    best = np.nanargmax(correlation, axis=0)
    for j in np.argsort(-encoding.kl_per_dim):
        cells = [
            f"[bold]{value:.2f}[/bold]" if best[k] == j else f"{value:.2f}"
            for k, value in enumerate(correlation[j])
        ]
        table.add_row(f"z{j}", f"{encoding.kl_per_dim[j]:.2f}", *cells)
    terminal.print(table)
    for k, name in enumerate(dataset.factor_names):
        if name.startswith("pos"):
            terminal.print(f"{name} is followed by z{best[k]}: {correlation[best[k], k]:.2f}")


def _check_export(run, vae, dataset, step):
    """Exports, loads the export in a process of its own, and compares one code."""
    import subprocess
    import tempfile

    import numpy as np

    path = export_run(run, vae, step, run.export_dir)
    image = dataset.images([len(dataset) // 2])
    with tempfile.TemporaryDirectory() as folder:
        image_path, code_path = (os.path.join(folder, name) for name in ("image.npy", "code.npy"))
        np.save(image_path, image)
        child = subprocess.run(
            [sys.executable, "-c", _FRESH_PROCESS, str(path), image_path, code_path],
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        if child.returncode:
            lines = child.stderr.split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
            failure = _ServingError(
                f"a fresh process could not encode an image with the export {path} (exit code "
                f"{child.returncode}): {last}"
            )
            failure.add_note(child.stderr)  # all of it, for --debug
            raise failure
        served = np.load(code_path)
    here = vae.encode(image).numpy()
    console().print(
        f"\nExport   {path}\n"
        f"A fresh process without tfdisent encoded one image with it: "
        f"{np.array2string(served[0], precision=2)}, at most "
        f"{np.abs(served - here).max():.1e} from the code computed here.",
        soft_wrap=True,
    )
