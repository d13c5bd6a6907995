"""A diagnosis: what is wrong with a trained model, by which numbers, and what to turn."""

from typing import NamedTuple

import numpy as np

_COLLAPSED = 0.1  # nats: a code with a smaller rate says nothing of the image
_DEAD = 0.01  # nats, or variance: the threshold below which papers drop a latent dimension
_CONSTANT = 1e-8  # variance of a code that is the same for all images, but for rounding
_CODED = 0.1  # share of a factor's entropy, from which a unit counts as following it
_TWICE = 0.5  # share of the best unit's information, from which a second one codes the same
_SHARP = 0.5  # edges twice as wide as in the images
_WIDE = 2.0  # standard deviation of the likelihood over that of the residuals
_SATURATED = 0.95  # accuracy of a discriminator
_BLIND = 0.02  # accuracy above chance
_TOLERATED = 0.5  # nats, of the error of a total correlation
_TOLERATED_SHARE = 0.25

# Options of trainers, by what they do.
_LESS_PRESSURE = (
    ("lower", "beta", "beta_low", "gamma"),
    ("raise", "capacity", "continuous_capacity", "discrete_capacity"),
)
_MORE_PRESSURE = ("raise", "gamma", "beta", "beta_high", "stage_steps")

SEVERITIES = ("error", "warning", "info")


class Finding(NamedTuple):
    """One thing found.

    Attributes:
      name: such as "posterior_collapse".
      severity: "error" (the model is of no use), "warning" (it is worse than it need be, or a
        number that its training reports is wrong) or "info".
      evidence: {what was measured: plain value}.
      advice: what to turn.
    """

    name: str
    severity: str
    evidence: dict
    advice: str

    def to_dict(self):
        """As plain types for JSON."""
        return self._asdict()


def diagnose(measurements, options=None):
    """Finds what is wrong.

    Args:
      measurements: `Measurements`; rules whose numbers are None find nothing.
      options: {name: value} of the options that the training had, such as those of a recipe. The
        advice then names only options that exist, with their values; by default all that might.

    Returns:
      List of `Finding`, the severest first; empty if nothing is wrong.
    """
    findings = [finding for rule in _RULES for finding in rule(measurements, options)]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _non_finite(m, options):
    evidence = {"weights": m.num_bad_weights, "codes": m.num_bad_codes}
    if m.elbo is not None and not np.isfinite(m.elbo["elbo"]):
        evidence["elbo"] = str(m.elbo["elbo"])
    if not any(evidence.values()):
        return
    yield Finding(
        "non_finite",
        "error",
        {f"{name} that are not finite": value for name, value in evidence.items()},
        _advice(
            options,
            "go back to a checkpoint from before",
            ("lower", "learning_rate", "gamma", "beta"),
            "give the optimiser clipnorm=1",
        ),
    )


def _posterior_collapse(m, options):
    if not _is_collapsed(m):
        return
    yield Finding(
        "posterior_collapse",
        "error",
        {"rate": float(m.rates.sum()), "largest rate of a unit": float(m.rates.max())},
        _advice(
            options,
            *_LESS_PRESSURE,
            "let beta rise from 0 (a schedule)" if _has(options, "beta") else None,
            "train for more steps",
            "if the likelihood is Gaussian, give it a smaller scale",
        ),
    )


def _constant_code(m, options):
    """The collapse of a code without a rate."""
    if not _is_constant(m):
        return
    yield Finding(
        "constant_code",
        "error",
        {"largest variance of a unit": float(m.variances.max())},
        _advice(options, "train for more steps", ("lower", "learning_rate"), "begin anew"),
    )


def _dead_dimensions(m, options):
    """Units with a small rate, or whose code hardly varies where there is no rate."""
    name, sizes = ("variance", m.variances) if m.rates is None else ("rate", m.rates)
    if sizes is None or _is_collapsed(m) or _is_constant(m):
        return
    dead = np.flatnonzero(sizes < _DEAD)
    if not dead.size:
        return
    num_active = len(sizes) - dead.size
    # A code without a rate may be small in all units, which is no collapse found before.
    needed = max(len(m.factor_names), 1 if m.rates is None else 0)
    too_few = num_active < needed
    evidence = {
        f"units with a {name} below 0.01": [m.unit_names[j] for j in dead],
        f"largest {name} among them": float(sizes[dead].max()),
        "active units": num_active,
    }
    if m.factor_names:
        evidence["factors"] = len(m.factor_names)
    if too_few:
        advice = _advice(options, *_less_pressure(m), "train for more steps")
    else:
        advice = _advice(
            options, "nothing need be done, units to spare stay unused", ("lower", "continuous")
        )
    yield Finding("dead_dimensions", "warning" if too_few else "info", evidence, advice)


def _factor_coded_twice(m, options):
    if m.mutual_information is None or len(m.mutual_information) < 2:
        return
    for k, (name, entropy) in enumerate(zip(m.factor_names, m.factor_entropy, strict=True)):
        second, first = np.argsort(m.mutual_information[:, k], kind="stable")[-2:]
        most, next_most = m.mutual_information[[first, second], k]
        if most < _CODED * entropy or next_most < _TWICE * most:
            continue
        yield Finding(
            "factor_coded_twice",
            "warning",
            {
                "factor": name,
                f"information of {m.unit_names[first]}": float(most),
                f"information of {m.unit_names[second]}": float(next_most),
                "entropy of the factor": float(entropy),
            },
            _advice(
                options,
                _MORE_PRESSURE if m.rates is not None else None,
                ("lower", "continuous"),
                "a factor that is an angle needs two units, so leave it",
            ),
        )


def _blurry_likelihood(m, options):
    is_blurry = m.sharpness is not None and m.sharpness < _SHARP
    is_wide = m.likelihood_scale is not None and m.likelihood_scale > _WIDE * m.residual
    if not (is_blurry or is_wide):
        return
    evidence = {"sharpness of the reconstructions": m.sharpness, "residual": m.residual}
    if m.likelihood_scale is not None:
        evidence["standard deviation of the likelihood"] = m.likelihood_scale
    calibrate = f"build the model with likelihoods.Gaussian(scale={m.residual:.2g}) or scale=None"
    yield Finding(
        "blurry_likelihood",
        "warning",
        evidence,
        _advice(
            options,
            calibrate if is_wide else None,
            *_less_pressure(m),
            ("raise", "continuous"),
            "train for more steps",
        ),
    )


def _saturated_discriminator(m, options):
    accuracy = m.discriminator_accuracy
    if accuracy is None or accuracy < _SATURATED:
        return
    yield Finding(
        "saturated_discriminator",
        "warning",
        {"accuracy": accuracy, **_total_correlations(m)},
        _advice(
            options,
            ("raise", "gamma"),
            "give compile a discriminator_optimizer with a lower learning rate",
            "make the discriminator smaller",
        ),
    )


def _blind_discriminator(m, options):
    accuracy, d = m.discriminator_accuracy, m.decomposition
    if accuracy is None or accuracy > 0.5 + _BLIND or d is None or d.is_saturated:
        return
    if d.total_correlation < _TOLERATED:
        return
    yield Finding(
        "blind_discriminator",
        "warning",
        {"accuracy": accuracy, **_total_correlations(m)},
        _advice(
            options,
            "give compile a discriminator_optimizer with a higher learning rate",
            "train for more steps",
            "make the discriminator larger",
        ),
    )


def _negative_total_correlation(m, options):
    if m.discriminator_total_correlation is None:
        return
    value, error = m.discriminator_total_correlation
    if value + 3 * error >= 0:
        return
    yield Finding(
        "negative_total_correlation",
        "warning",
        _total_correlations(m),
        _advice(
            options,
            "the discriminator lags behind the codes: give compile a discriminator_optimizer with "
            "a higher learning rate",
            ("raise", "batch_size"),
            None
            if m.decomposition is None
            else "read the total correlation from elbo_decomposition",
        ),
    )


def _biased_discriminator(m, options):
    d = m.decomposition
    if m.discriminator_total_correlation is None or d is None:
        return
    value, error = m.discriminator_total_correlation
    # With too few rows the reference is too large, so that a smaller value may be right.
    if value + 3 * error < 0 or (d.is_saturated and value < d.total_correlation):
        return
    if abs(value - d.total_correlation) <= _tolerance(d, error):
        return
    yield Finding(
        "biased_total_correlation",
        "warning",
        _total_correlations(m),
        _advice(
            options,
            "read the total correlation from elbo_decomposition, not from the discriminator",
            "train for more steps",
            ("lower", "learning_rate"),
            "make the discriminator larger",
        ),
    )


def _biased_batch(m, options):
    d = m.decomposition
    if m.batch_total_correlation is None or d is None:
        return
    value, error = m.batch_total_correlation
    if value - d.total_correlation <= _tolerance(d, error):
        return
    yield Finding(
        "batch_too_small",
        "warning",
        {
            "total correlation of batches": value,
            "standard error": error,
            "total correlation of all rows": d.total_correlation,
            "I(x; z) of all rows": d.index_code_mi,
            "log of the batch size, its largest value in a batch": float(np.log(m.batch_size)),
        },
        _advice(
            options,
            ("raise", "batch_size"),
            "read the total correlation from elbo_decomposition, not from batches",
        ),
    )


def _too_few_rows(m, options):
    d = m.decomposition
    if d is None or not d.is_saturated or m.num_rows >= m.num_available:
        return
    yield Finding(
        "too_few_rows",
        "info",
        {"I(x; z)": d.index_code_mi, "log of the rows, the most it can be": d.largest_mi},
        f"Measure on more than {m.num_rows:,} of the {m.num_available:,} rows: I(x; z) is too "
        "small and the total correlation too large.",
    )


_RULES = (
    _non_finite,
    _posterior_collapse,
    _constant_code,
    _dead_dimensions,
    _factor_coded_twice,
    _blurry_likelihood,
    _saturated_discriminator,
    _blind_discriminator,
    _negative_total_correlation,
    _biased_discriminator,
    _biased_batch,
    _too_few_rows,
)


def _is_collapsed(m):
    return m.rates is not None and m.rates.sum() < _COLLAPSED


def _is_constant(m):
    return m.rates is None and m.variances is not None and m.variances.max() < _CONSTANT


def _less_pressure(m):
    """What takes pressure from the code, if there is a rate that is pressed."""
    return () if m.rates is None else _LESS_PRESSURE


def _tolerance(decomposition, error):
    """The largest difference to a total correlation that is let pass."""
    own_error = decomposition.standard_errors["total_correlation"]
    return max(
        _TOLERATED,
        _TOLERATED_SHARE * decomposition.total_correlation,
        4 * float(np.hypot(error, own_error)),
    )


def _total_correlations(m):
    evidence = {}
    if m.discriminator_total_correlation is not None:
        value, error = m.discriminator_total_correlation
        evidence |= {"total correlation by the discriminator": value, "standard error": error}
    if m.decomposition is not None:
        evidence["total correlation by elbo_decomposition"] = m.decomposition.total_correlation
    return evidence


def _has(options, name):
    """Whether an option is there to be turned."""
    if options is None:
        return True
    if name == "gamma" and any("capacity" in option for option in options):
        return False  # beside a capacity, gamma weighs the distance from it: no pressure
    return name in options


def _advice(options, *steps):
    """One sentence: words as they are, (verb, *names) with those names that are options."""
    parts = []
    for step in steps:
        if isinstance(step, str):
            parts.append(step)
        elif step is not None:
            verb, *names = step
            known = [
                name if options is None else f"{name} (now {options[name]})"
                for name in names
                if _has(options, name)
            ]
            if known:
                parts.append(f"{verb} {' or '.join(known)}")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."
