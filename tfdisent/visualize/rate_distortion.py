"""The plane of rate and distortion, and reconstructions of models with the same ELBO."""

import numpy as np

from tfdisent.visualize import figures
from tfdisent.visualize.grids import (
    enlargement,
    font_size,
    save_image,
    tile_images,
    visible_channels,
)

_LINE = "0.75"
_FRONTIER = "#d55e00"
_POINT = "#0072b2"


def frontier(rates, distortions):
    """The lower convex hull of some points, from the smallest rate to the smallest distortion.

    Points between two models are reached by choosing one of them by lot, so that what a family of
    models achieves is convex; more rate than a model uses, or more distortion, always is.

    Args:
      rates: [P].
      distortions: [P].

    Returns:
      int64 [F], numbers of the points on it, in order of increasing rate and falling distortion.

    Raises:
      ValueError: if the lengths differ, there is no point, or a number is not finite.
    """
    rates, distortions = _checked(rates, distortions)
    hull = []
    for point in np.lexsort((distortions, rates)):
        if hull and distortions[point] >= distortions[hull[-1]]:
            continue  # a smaller rate already has no more distortion
        while len(hull) > 1 and _turns_up(hull[-2], hull[-1], point, rates, distortions):
            hull.pop()
        hull.append(point)
    return np.array(hull, np.int64)


def rate_distortion_plane(rates, distortions, betas=None, entropy=None, errors=None, title=None):
    """Draws models in the plane of rate and distortion, with lines of equal ELBO.

    Where the entropy H is known, a panel below shows how far each model is above the line
    D = H - R: its ELBO's distance from the best that there is.

    Args:
      rates: [P], R of each model, nats.
      distortions: [P], D, nats.
      betas: [P], weight of the rate in training, NaN for models that were trained otherwise (to a
        target rate); None colours nothing.
      entropy: H of the source if it is known, nats: no model is below the line D = H - R.
      errors: [P], standard errors of R + D, drawn in the panel below; or None.
      title: of the figure.

    Returns:
      `matplotlib.figure.Figure`.

    Raises:
      ValueError: see `frontier`, or if a beta is not positive.
    """
    rates, distortions = _checked(rates, distortions)
    betas = np.full(len(rates), np.nan) if betas is None else np.asarray(betas, float)
    if betas.shape != rates.shape or (betas <= 0).any():
        raise ValueError(f"expected {len(rates)} positive betas or NaN, received {betas.tolist()}.")
    with figures.styled():
        below = None
        if entropy is None:
            figure = figures.new_figure(6.0, 4.2, layout="constrained")
            axes = figure.subplots()
        else:
            figure = figures.new_figure(6.0, 5.4, layout="constrained")
            axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1.3))
        high_rate, high_distortion = _limits(axes, rates, distortions, entropy)
        _draw_iso_elbo(axes, high_rate, high_distortion, entropy)
        if entropy is not None:
            _draw_bound(axes, entropy)
        hull = frontier(rates, distortions)
        axes.plot(rates[hull], distortions[hull], color=_FRONTIER, label="achieved frontier")
        _draw_points(axes, rates, distortions, betas)
        axes.set_ylabel("distortion D (nats)")
        axes.set_title(title or "")
        axes.legend(frameon=True, framealpha=1, edgecolor="none", loc="upper right")
        if below is not None:
            excess = rates + distortions - entropy
            if errors is not None:
                bars = 2 * np.asarray(errors, float)
                below.errorbar(rates, excess, bars, fmt="none", ecolor="0.5", elinewidth=0.8)
            below.axhline(0, color="black", linewidth=1.0)
            _draw_points(below, rates, excess, betas)
            below.set_ylim(min(0, excess.min()) - 0.004, 1.15 * max(excess.max(), 0.05))
            below.set_ylabel("R + D \N{MINUS SIGN} H (nats)")
            below.grid(True, axis="y")
        bottom = axes if below is None else below
        bottom.set_xlabel("rate R (nats)")
        for each in (axes, bottom):
            each.spines[["top", "right"]].set_visible(False)
        if not np.isnan(betas).all():
            drawn = axes.collections[-1]
            figure.colorbar(drawn, ax=figure.axes, label="beta")
    return figure


def save_rate_distortion_plane(
    path, rates, distortions, betas=None, entropy=None, errors=None, title=None
):
    """Writes `rate_distortion_plane` to a .png, .pdf or .svg file and returns its path."""
    figure = rate_distortion_plane(rates, distortions, betas, entropy, errors, title)
    return figures.save_figure(path, figure)


def labelled_rows(images, names, cell=64):
    """Rows of images, each with its name on the left: models one below the other.

    Args:
      images: [R, S, H, W, C].
      names: R strings, of one or several lines.
      cell: side of an enlarged image in pixels, about.

    Returns:
      uint8 [height, width, 3].

    Raises:
      ValueError: if there is not one name per row, or see `tile_images`.
    """
    images = np.asarray(images)
    if len(names) != len(images):
        raise ValueError(f"expected {len(images)} names, received {len(names)}.")
    table = tile_images(visible_channels(images), scale=enlargement(images.shape[2:], cell))
    height, width, _ = table.shape
    size = font_size(cell)
    lines = [line for name in names for line in name.splitlines()]
    left = figures.text_width(lines, size) + 2 * size
    style = {"ha": "right", "va": "center", "linespacing": 1.2}
    texts = [
        (left - size // 2, (row + 0.5) * height / len(names), name, size, style)
        for row, name in enumerate(names)
    ]
    page = figures.draw_text(left + width, height, texts)
    page[:, left:] = table
    return page


def save_labelled_rows(path, images, names, cell=64):
    """Writes `labelled_rows` to a .png file and returns its path."""
    return save_image(path, labelled_rows(images, names, cell))


def _checked(rates, distortions):
    rates, distortions = np.asarray(rates, float), np.asarray(distortions, float)
    if rates.ndim != 1 or rates.shape != distortions.shape or not len(rates):
        raise ValueError(
            f"expected as many rates as distortions, received shapes {rates.shape} and "
            f"{distortions.shape}."
        )
    if not (np.isfinite(rates).all() and np.isfinite(distortions).all()):
        raise ValueError("expected finite rates and distortions, received NaN or infinity.")
    return rates, distortions


def _turns_up(first, middle, last, rates, distortions):
    """Whether the middle one of three points lies on or above the line between the others."""
    run, rise = rates[last] - rates[first], distortions[last] - distortions[first]
    return (distortions[middle] - distortions[first]) * run >= rise * (rates[middle] - rates[first])


def _limits(axes, rates, distortions, entropy):
    known = 0.0 if entropy is None else entropy
    high_rate = 1.08 * max(rates.max(), known)
    high_distortion = 1.08 * max(distortions.max(), known)
    # Far from zero distortion the plane would be empty below the points.
    span = distortions.max() - distortions.min()
    low = 0.0 if entropy is not None else max(0.0, distortions.min() - 0.15 * span)
    axes.set_xlim(min(0.0, rates.min()), high_rate)
    axes.set_ylim(min(low, distortions.min()), high_distortion)
    return high_rate, high_distortion


def _draw_iso_elbo(axes, high_rate, high_distortion, entropy):
    """Lines D = c - R at round values of c, each with its ELBO; none that no model reaches."""
    from matplotlib.ticker import MaxNLocator

    low = axes.get_ylim()[0]
    lowest = low if entropy is None else entropy
    for total in MaxNLocator(9).tick_values(low, high_rate + high_distortion):
        left = max(total - high_distortion, 0.0)  # where the line enters the picture
        right = min(total - low, high_rate)
        if right - left < 0.15 * high_rate or total < lowest:
            continue
        ends = [left, right], [total - left, total - right]
        axes.plot(*ends, color=_LINE, linewidth=0.6, zorder=1)
        middle = left + 0.75 * (right - left)
        height = (total - middle - low) / (high_distortion - low)
        if height < 0.04 or (height > 0.8 and middle > 0.45 * high_rate):
            continue  # on the axis, or below the legend
        axes.text(
            middle,
            total - middle,
            f"ELBO \N{MINUS SIGN}{total:g}",
            color="0.5",
            fontsize=6,
            ha="center",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            zorder=1.5,  # over its own line, under all that was measured
        )


def _draw_bound(axes, entropy):
    axes.plot([0, entropy], [entropy, 0], color="black", label=f"R + D = H = {entropy:.3f}")
    axes.fill_between([0, entropy], [entropy, 0], color="0.93", linewidth=0)


def _draw_points(axes, rates, heights, betas):
    from matplotlib.colors import LogNorm

    # A model that ignores its code lies on the axis, and is to be seen whole.
    style = {"edgecolors": "white", "linewidths": 0.6, "zorder": 3, "clip_on": False}
    other = np.isnan(betas)
    if other.any():
        label = "trained to a target rate" if not other.all() else "models"
        axes.scatter(rates[other], heights[other], 34, _POINT, marker="D", label=label, **style)
    if not other.all():
        known = betas[~other]
        low, high = known.min(), known.max()
        norm = LogNorm(low, high) if low < high else LogNorm(low / 2, high * 2)
        axes.scatter(rates[~other], heights[~other], 40, known, norm=norm, cmap="viridis", **style)
