"""Samples of generators in the plane, a panel each, beside the modes that they should reach."""

import numpy as np

from tfdisent.visualize import figures


def mode_samples_figure(samples, centres, reached=None):
    """Draws points of several generators over rings at the centres of the modes.

    Args:
      samples: {title of the panel: float [N, 2]}.
      centres: float [M, 2].
      reached: optional {title: bool [M]}, the modes that count as reached; rings of the others are
        orange.

    Returns:
      `matplotlib.figure.Figure`.

    Raises:
      ValueError: if there is no panel, or arrays have other shapes.
    """
    centres = np.asarray(centres, np.float64)
    if not samples:
        raise ValueError("expected samples of at least one generator, received none.")
    for title, points in samples.items():
        for what, array in ((f"samples of {title!r}", points), ("centres", centres)):
            if np.ndim(array) != 2 or np.shape(array)[1] != 2:
                raise ValueError(f"expected {what} [N, 2], received {list(np.shape(array))}.")
    margin = 0.15 * np.ptp(centres, axis=0).max() + 0.1
    low, high = centres.min(axis=0) - margin, centres.max(axis=0) + margin
    with figures.styled():
        figure = figures.new_figure(2.2 * len(samples), 2.45, layout="constrained")
        panels = figure.subplots(1, len(samples), sharey=True, squeeze=False)[0]
        for axes, (title, points) in zip(panels, samples.items(), strict=True):
            is_reached = np.ones(len(centres), bool) if reached is None else reached[title]
            colours = np.where(is_reached, "0.6", "#d55e00")
            axes.scatter(*centres.T, s=60, facecolors="none", edgecolors=colours, linewidths=0.8)
            axes.scatter(*np.asarray(points).T, s=1.5, color="#0072b2", alpha=0.5, linewidths=0)
            axes.set(title=title, xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
            axes.set(xticks=[], yticks=[])
    return figure


def save_mode_samples(path, *args, **options):
    """Writes `mode_samples_figure` to a .png, .pdf or .svg file and returns its path."""
    return figures.save_figure(path, mode_samples_figure(*args, **options))
