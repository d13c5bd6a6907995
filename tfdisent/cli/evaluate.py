"""`tfdisent evaluate`: scores of the representation of a run."""

import math
from typing import Annotated

import typer
from rich.table import Column, Table

from tfdisent.cli.common import (
    AsJson,
    Debug,
    Rows,
    RunFolder,
    console,
    encode_run,
    errors,
    one_sentence,
    print_json,
)

_DEFAULT = ("factor_vae_score", "mig", "class_accuracy")
_CLASS_ACCURACY = "class_accuracy"


def evaluate(
    run_folder: RunFolder,
    protocol: Annotated[
        str, typer.Option(help="jeong2019, locatello2019, kim2018, lecture, or all.")
    ] = "jeong2019",
    metrics: Annotated[
        str | None,
        typer.Option(help=f"Names separated by commas, or all; default: {','.join(_DEFAULT)}."),
    ] = None,
    rows: Rows = None,
    seed: Annotated[int, typer.Option(help="Of the scores' own draws.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
):
    """Score the representation of a run; every value comes with its protocol.

    For data without factors: what can be said without them, such as active units and the ELBO, and
    of a discrete code its accuracy as a classifier of the labels. For a method that learns labels:
    its error on the test images. Scores asked for with --metrics are shown alone; those that the
    run cannot have are named. All rows are encoded unless --rows says how many.
    """
    with one_sentence(debug):
        from tfdisent.metrics import protocols
        from tfdisent.trainers.run import Run

        chosen = list(protocols.PRESETS) if protocol == "all" else [protocol]
        for name in chosen:
            protocols.check_preset(name)
        asked = None if metrics in (None, "all") else _parse_names(metrics)
        run = Run.open(run_folder)
        from tfdisent.quiet import import_tensorflow

        import_tensorflow(debug)
        from tfdisent import evaluation

        if run.recipe.takes_labels:
            if asked is not None:
                raise ValueError(
                    f"a run of {run.recipe.method} is scored by its error alone: leave out "
                    f"--metrics, received {metrics!r}."
                )
            _evaluate_classifier(run, rows, seed, as_json)
            return

        def check(vae, dataset):
            if asked is not None:
                _check_possible(asked, dataset, vae.latents.discrete_columns)

        vae, dataset, encoding = encode_run(run, rows, check)
        if dataset.factors is None:
            if asked is None:
                _print_panel(run, vae, dataset, encoding, seed, as_json)
            else:
                _print_asked(run, dataset, encoding, seed, as_json, asked)
            return
        names = "all" if metrics == "all" else asked or _DEFAULT
        results = {
            name: evaluation.score_encoding(dataset, encoding, names, name, seed) for name in chosen
        }
        _check_any(*results.values())
        if as_json:
            scores = {
                name: {key: score.to_dict() for key, score in values.items()}
                for name, values in results.items()
            }
            print_json({"run": str(run.path), "rows": len(encoding.rows), "scores": scores})
        else:
            _print_scores(run, len(encoding.rows), results)


def _parse_names(text):
    """The scores that --metrics names.

    Raises:
      ValueError: if a name is unknown; lists the known ones.
    """
    from tfdisent import metrics

    known = (*metrics.METRICS, _CLASS_ACCURACY)
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in known:
            raise ValueError(
                f"--metrics must be all or some of {', '.join(known)}; received {name!r}."
            )
    return names


def _check_possible(names, dataset, discrete_columns):
    """Says which of the scores a run cannot have; raises ValueError if that is all of them."""
    from tfdisent import evaluation

    others = [name for name in names if name != _CLASS_ACCURACY]
    missing = {}
    if dataset.factors is None:
        needy = [name for name in others if name not in evaluation.LABEL_FREE]
        missing |= {name: f"known factors, which {dataset.name} has not" for name in needy}
    if _CLASS_ACCURACY in names and not evaluation.can_classify(dataset, discrete_columns):
        missing[_CLASS_ACCURACY] = "labels and a discrete code"
    if not missing:
        return
    reasons = "; ".join(
        f"{', '.join(n for n in missing if missing[n] == reason)}: needs {reason}"
        for reason in dict.fromkeys(missing.values())
    )
    if set(missing) == set(names):
        raise ValueError(
            f"nothing can be scored ({reasons}); without --metrics, what there is to say is shown."
        )
    errors().print(f"Left out: {reasons}.", markup=False, soft_wrap=True)


def _check_any(*scores):
    """Raises ValueError if all of these are empty: no row that was drawn has a label."""
    if not any(scores):
        raise ValueError("nothing can be scored: none of these rows has a label.")


def _print_scores(run, num_rows, results):
    """One row per score and per way in which it was computed.

    A preset need not define every score. What it leaves open is done alike under every such preset
    and has the same value: those presets share a row.
    """
    table = Table(
        Column("score", no_wrap=True),
        Column("value", justify="right", no_wrap=True),
        Column("protocol", overflow="fold"),
        title=f"{run.path}, {num_rows:,} rows",
    )
    for name in next(iter(results.values())):
        values = {scores[name].protocol: scores[name] for scores in results.values()}
        for i, (protocol, score) in enumerate(values.items()):
            table.add_row("" if i else name, f"{score:.4f}", protocol, end_section=False)
        table.add_section()
    console().print(table)


def _print_panel(run, vae, dataset, encoding, seed, as_json):
    """What can be said of a run whose data have no factors."""
    from tfdisent import evaluation

    panel = evaluation.panel(vae, dataset, encoding.rows, seed=seed)
    against_labels = evaluation.score_encoding(dataset, encoding, ("class_accuracy",))
    if as_json:
        scores = {name: score.to_dict() for name, score in against_labels.items()}
        print_json({"run": str(run.path), "panel": panel, "scores": scores})
        return
    _print_against_labels(run, len(encoding.rows), against_labels)
    table = _table_without_labels(run, panel)
    if "reconstruction" in panel:
        found = panel["reconstruction"]
        table.add_row("residual (root mean square)", f"{found['residual']:.4f}")
        if found["sharpness"] is not None:
            table.add_row("sharpness (share of the images')", f"{found['sharpness']:.4f}")
        console().print(table)
        console().print("These latents have no rate: no ELBO and no bounds of I(x; z).")
        return
    for name in ("distortion", "rate", "elbo"):
        table.add_row(f"{name} (nats)", f"{panel['elbo'][name]:.2f}")
    for name in ("index_code_mi", "total_correlation", "dimensionwise_kl"):
        table.add_row(f"{name} (nats)", f"{panel['decomposition'][name]:.2f}")
    bounds = panel["mutual_information_bounds"]
    table.add_row(
        "I(x; z) between (nats)",
        f"{bounds['lower']:.2f} (at most {bounds['largest_lower']:.2f}) and {bounds['upper']:.2f}",
    )
    console().print(table)


def _print_asked(run, dataset, encoding, seed, as_json, names):
    """Those scores that were asked for by name and need no factors."""
    from tfdisent import evaluation

    free = [name for name in names if name in evaluation.LABEL_FREE]
    scores = evaluation.label_free_scores(encoding, free)
    panel = {
        "num_rows": len(encoding.rows),
        "seed": seed,
        "scores": {name: score.to_dict() for name, score in scores.items()},
    }
    others = [name for name in names if name not in free]
    against_labels = evaluation.score_encoding(dataset, encoding, others)
    _check_any(scores, against_labels)
    if as_json:
        scores = {name: score.to_dict() for name, score in against_labels.items()}
        print_json({"run": str(run.path), "panel": panel, "scores": scores})
        return
    _print_against_labels(run, len(encoding.rows), against_labels)
    if free:
        console().print(_table_without_labels(run, panel))


def _print_against_labels(run, num_rows, scores):
    if not scores:
        return
    table = Table("against labels", "value", title=f"{run.path}, {num_rows:,} rows")
    for name, score in scores.items():
        table.add_row(f"{name} ({score.protocol})", f"{score:.4f}")
    console().print(table)


def _table_without_labels(run, panel):
    """A table of the panel's scores, which rows can be added to."""
    table = Table("without labels", "value", title=f"{run.path}, {panel['num_rows']:,} rows")
    for name, score in panel["scores"].items():
        table.add_row(f"{name} ({score['protocol']})", f"{float(score['value']):.4f}")
    return table


def _evaluate_classifier(run, rows, seed, as_json):
    """The error of a run whose method learns labels, and what its code holds."""
    from tfdisent import evaluation

    trainer, step = run.restore()
    dataset, where = run.recipe.load_held_out()
    found = evaluation.classify(trainer.vae, dataset, evaluation.subset(dataset, rows), seed=seed)
    if as_json:
        content = {"run": str(run.path), "step": step, "images": where, **found.to_dict()}
        print_json(content)
        return
    num_images = len(found.rate)
    table = Table(
        where, Column("value", justify="right"), title=f"{run.path}, {num_images:,} {where}"
    )
    for samples, error in found.errors.items():
        name = f"error, {samples} sample{'s' * (samples > 1)} of z"
        table.add_row(name, f"{100 * error:.2f} %")
    table.add_row("I(z; y) at least (bits)", f"{found.relevance / math.log(2):.3f}")
    table.add_row("I(x; z) at most (bits)", f"{found.complexity / math.log(2):.2f}")
    console().print(table)
