"""`tfdisent doctor`: what is wrong with the model of a run."""

from typing import Annotated

import typer

from tfdisent.cli.common import (
    AsJson,
    Debug,
    Rows,
    RunFolder,
    console,
    errors,
    one_sentence,
    print_json,
)


def doctor(
    run_folder: RunFolder,
    rows: Rows = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the samples.")] = 0,
    as_json: AsJson = False,
    debug: Debug = False,
):
    """Say what is wrong with the model of a run, by which numbers, and what to turn.

    The exit code is 1 if something is an error, such as a collapsed posterior.
    """
    with one_sentence(debug):
        from tfdisent.trainers.run import Run

        run = Run.open(run_folder)
        from tfdisent.quiet import import_tensorflow

        import_tensorflow(debug)
        from tfdisent import evaluation

        trainer, step = run.restore()
        dataset = run.recipe.load_dataset()
        with errors().status("measuring"):
            measurements = evaluation.measure(
                trainer.vae,
                dataset,
                evaluation.subset(dataset, rows),
                seed=seed,
                **_total_correlation_of(trainer, run.recipe),
            )
        findings = evaluation.diagnose(measurements, _options_of(run.recipe))
        if as_json:
            print_json(
                {
                    "run": str(run.path),
                    "step": step,
                    "rows": measurements.num_rows,
                    "findings": [finding.to_dict() for finding in findings],
                }
            )
        else:
            _print_findings(run, step, measurements, findings)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(1)


def _total_correlation_of(trainer, recipe):
    """How the method finds its total correlation: by a discriminator, from each batch, not."""
    if "total_correlation" not in trainer.metric_names:
        return {}
    if hasattr(trainer, "discriminator"):
        return {"discriminator": trainer.discriminator}
    return {"batch_size": recipe.batch_size}


def _options_of(recipe):
    """The options that `tfdisent train --set` takes and a diagnosis may advise to turn."""
    fields = ("learning_rate", "batch_size", "continuous")
    return {**recipe.all_options(), **{name: getattr(recipe, name) for name in fields}}


def _print_findings(run, step, measurements, findings):
    terminal = console()
    colours = {"error": "red", "warning": "yellow", "info": "blue"}
    for finding in findings:
        colour = colours[finding.severity]
        terminal.print(f"[{colour}]{finding.severity}[/{colour}] [bold]{finding.name}[/bold]")
        for name, value in finding.evidence.items():
            terminal.print(f"    {name}: {_in_words(value)}", markup=False, soft_wrap=True)
        terminal.print(f"    {finding.advice}", markup=False, soft_wrap=True)
    what = f"findings: {len(findings)}" if findings else "nothing found"
    terminal.print(f"{run.path}, step {step:,}, {measurements.num_rows:,} rows: {what}.")
    parts = measurements.decomposition
    if parts is not None:
        # A learned prior may itself hold dimensions to be dependent.
        correlation = parts.prior_correlation
        known = f" - the prior's own dependence {correlation:.2f}" if correlation else ""
        terminal.print(
            f"rate {parts.rate:.2f} nats = I(x; z) {parts.index_code_mi:.2f} (of at most "
            f"{parts.largest_mi:.2f}) + total correlation {parts.total_correlation:.2f} + "
            f"dimension-wise KL {parts.dimensionwise_kl:.2f}{known} (sampling error "
            f"{parts.standard_errors['gap']:.2f})",
            soft_wrap=True,
        )
    elif measurements.num_active is not None:
        sharpness = measurements.sharpness
        edges = "" if sharpness is None else f", sharpness {sharpness:.2f}"
        terminal.print(
            f"active units {measurements.num_active} of {len(measurements.unit_names)} by the "
            f"variance of their codes, residual {measurements.residual:.4f}{edges}; these latents "
            "have no rate to decompose",
            soft_wrap=True,
        )


def _in_words(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    return ", ".join(value) if isinstance(value, list) else str(value)
