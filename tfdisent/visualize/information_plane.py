"""The information plane: what a code tells of the label against what it keeps of the image."""

import numpy as np

from tfdisent.visualize import figures

_EXACT = "black"
_POINTS = "#0072b2"
# Ratio of the largest to the smallest I(X; Z) from which on its axis is logarithmic.
_WIDE = 30


def information_plane_figure(points, exact=None, label_entropy=None, title=None):
    """Draws models in the information plane, with what no model can pass.

    Where I(X; Z) varies by more than a factor of 30 its axis is logarithmic.

    Args:
      points: list of objects with `beta`, `complexity` (an upper bound of I(X; Z)) and `relevance`
        (a lower bound of I(Z; Y)), bits, such as `trainers.trace_information_plane` returns.
      exact: (rates [N], relevances [N]) of the exact bottleneck, bits, such as the last two fields
        of `information.information_bottleneck_curve`; or None.
      label_entropy: H(Y), bits, or None.
      title: of the figure.

    Returns:
      `matplotlib.figure.Figure`.

    Raises:
      ValueError: if there is no point, a coordinate is not finite, or the two parts of `exact` have
        different lengths.
    """
    found = np.array([(p.complexity, p.relevance) for p in points], float).reshape(-1, 2)
    if not len(found) or not np.isfinite(found).all():
        raise ValueError(f"expected finite points, at least one, received {found.tolist()}.")
    with figures.styled():
        figure = figures.new_figure(4.8, 3.4, layout="constrained")
        axes = figure.subplots()
        high = 1.08 * max(found[:, 1].max(), label_entropy or 0.0, 1e-3)
        diagonal = np.linspace(0, high, 200)  # a line, or a curve on a logarithmic axis
        axes.plot(diagonal, diagonal, color="0.75", linewidth=0.8, label="I(Z; Y) = I(X; Z)")
        if label_entropy is not None:
            axes.axhline(label_entropy, color="0.75", linewidth=0.8, linestyle=":", label="H(Y)")
        if exact is not None:
            rates, relevances = _checked_curve(exact)
            order = np.argsort(rates)
            axes.plot(rates[order], relevances[order], color=_EXACT, label="exact bottleneck")
        axes.plot(*found.T, "o", color=_POINTS, markersize=4, label="models, by beta")
        for point in points:
            axes.annotate(
                f"{point.beta:g}",
                (point.complexity, point.relevance),
                xytext=(4, -9),
                textcoords="offset points",
                fontsize=6,
                color=_POINTS,
            )
        _set_horizontal_axis(axes, found[:, 0])
        axes.set_ylim(min(0.0, found[:, 1].min()), high)
        axes.set_xlabel("I(X; Z), upper bound (bits)")
        axes.set_ylabel("I(Z; Y), lower bound (bits)")
        axes.set_title(title or "")
        axes.legend(frameon=False, loc="lower right")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _set_horizontal_axis(axes, complexities):
    """From zero, or logarithmic where most points would lie on the left edge."""
    low, high = complexities.min(), complexities.max()
    if low > 0 and high / low > _WIDE:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.6, high * 1.6)
    else:
        axes.set_xlim(min(0.0, low), None)


def save_information_plane(path, points, exact=None, label_entropy=None, title=None):
    """Writes `information_plane_figure` to a .png, .pdf or .svg file and returns its path."""
    figure = information_plane_figure(points, exact, label_entropy, title)
    return figures.save_figure(path, figure)


def _checked_curve(exact):
    rates, relevances = (np.asarray(values, float) for values in exact)
    if rates.ndim != 1 or rates.shape != relevances.shape:
        raise ValueError(
            "expected as many rates as relevances of the exact bottleneck, received shapes "
            f"{rates.shape} and {relevances.shape}."
        )
    return rates, relevances
