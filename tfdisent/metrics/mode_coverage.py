"""Which modes of a known mixture a generator's samples reach."""

import numpy as np

from tfdisent.metrics.score import Score


def mode_coverage(samples, centres, standard_deviation, within=3.0, at_least=1):
    """Number of modes of a mixture of round Gaussians that samples reach.

    A sample is of high quality if it lies within `within` standard deviations of its nearest
    centre, as 1 - exp(-within^2 / 2) of the true points do in the plane (98.9 % for three). A mode
    is reached by at least `at_least` samples of high quality. The usual check draws 2,500 samples
    of 25 modes.

    Args:
        samples: float [N, D].
        centres: float [M, D].
        standard_deviation: of each coordinate about its centre.
        within: radius in standard deviations.
        at_least: samples of high quality that a mode needs.

    Returns:
        `Score`, the number of modes, out of M. Details: `modes` (M), `high_quality` (share of the
        samples), `counts` int [M] (their samples of high quality), `kl_to_uniform` (of these
        counts' shares, nats; infinite where there are none), `num_rows`.

    Raises:
        ValueError: if the arrays do not fit, hold NaN, or a number is out of range.

    Reference:
        Srivastava et al., VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
        Learning, 2017, arXiv:1705.07761, section 5.1.
    """
    samples, centres = (np.asarray(values, np.float64) for values in (samples, centres))
    if centres.ndim != 2 or samples.ndim != 2 or samples.shape[1:] != centres.shape[1:]:
        raise ValueError(
            "expected samples [N, D] and centres [M, D], received "
            f"{list(samples.shape)} and {list(centres.shape)}."
        )
    if not len(samples) or not len(centres):
        raise ValueError("expected at least one sample and one centre, received none.")
    if not (np.isfinite(samples).all() and np.isfinite(centres).all()):
        raise ValueError("samples and centres must be finite, received NaN or infinity.")
    numbers = {"standard_deviation": standard_deviation, "within": within, "at_least": at_least}
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, received {value}.")
    distances = np.linalg.norm(samples[:, None] - centres, axis=-1)  # [N, M]
    nearest = distances.argmin(axis=1)
    is_near = distances.min(axis=1) <= within * standard_deviation
    counts = np.bincount(nearest[is_near], minlength=len(centres))
    details = {
        "modes": len(centres),
        "high_quality": float(is_near.mean()),
        "counts": counts,
        "kl_to_uniform": _kl_to_uniform(counts),
        "num_rows": len(samples),
    }
    protocol = f"within {within:g} standard deviations, {at_least} or more samples a mode"
    return Score(np.sum(counts >= at_least), "mode_coverage", protocol, None, details)


def _kl_to_uniform(counts):
    """KL divergence of the shares of `counts` from equal shares, nats."""
    if not counts.any():
        return np.inf
    shares = counts[counts > 0] / counts.sum()
    return float(np.sum(shares * np.log(shares * len(counts))))
