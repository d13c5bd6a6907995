"""What the classes of a discrete code say about every factor: shares of the classes by value."""

import math

import numpy as np

from tfdisent.visualize import figures

# Okabe and Ito, 2008: colours that colour-blind readers tell apart; then shades of grey.
_COLOURS = ("#009e73", "#d55e00", "#0072b2", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442")

# Inches that an entry of the legend takes.
_LEGEND_COLUMN, _LEGEND_ROW = 1.05, 0.2


def class_shares(assignments, values, num_classes, num_values):
    """The share of each class among the rows that have a value: an estimate of p(class | value).

    Args:
      assignments: int [N], the class of each row, such as the argmax of its probabilities.
      values: int [N], one factor.
      num_classes: K.
      num_values: V.

    Returns:
      float64 [K, V]; each column sums to 1, or is NaN where no row has the value.

    Raises:
      ValueError: if the arrays differ in length, are empty, or hold an integer out of range.
    """
    return _shares(_count(assignments, values, num_classes, num_values))


def class_shares_figure(assignments, factors, factor_names, factor_sizes, num_classes):
    """Draws `class_shares` of every factor, a panel each, with the information shared in nats.

    A class that follows a factor fills whole columns of its panel; one that has nothing to do with
    it is a band of even height. The information is that of the rows, without correction: unrelated
    ones share (K - 1) (V - 1) / (2 N) by chance.

    Args:
      assignments: int [N], classes.
      factors: int [N, J].
      factor_names: J names.
      factor_sizes: J numbers of values.
      num_classes: K.

    Returns:
      `matplotlib.figure.Figure`.

    Raises:
      ValueError: if shapes do not fit, or an integer is out of range.
    """
    from tfdisent import information

    factors = np.asarray(factors)
    factor_names, factor_sizes = list(factor_names), [int(size) for size in factor_sizes]
    if factors.ndim != 2 or not factors.shape[1] == len(factor_names) == len(factor_sizes) > 0:
        raise ValueError(
            f"expected factors [N, J] and J names and sizes, received {factors.shape}, "
            f"{factor_names} and {factor_sizes}."
        )
    counts = [
        _count(assignments, column, num_classes, size)
        for column, size in zip(factors.T, factor_sizes, strict=True)
    ]
    with figures.styled():
        width = min(max(4.0, 1.0 + 1.6 * len(counts)), 9.0)
        columns = min(num_classes, int(width / _LEGEND_COLUMN))
        height = 1.7 + _LEGEND_ROW * math.ceil(num_classes / columns)
        figure = figures.new_figure(width, height, layout="constrained")
        panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
        for axes, table, name in zip(panels, counts, factor_names, strict=True):
            _draw(axes, _shares(table))
            nats = information.mutual_information(table / table.sum(), base=math.e)
            axes.set_title(f"{name}: {nats:.2f} nats")
        panels[0].set_ylabel("share of the class")
        figure.legend(
            *panels[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=columns,
            frameon=False,
        )
    return figure


def save_class_shares(path, *args, **options):
    """Writes `class_shares_figure` to a .png, .pdf or .svg file and returns its path."""
    return figures.save_figure(path, class_shares_figure(*args, **options))


def _count(assignments, values, num_classes, num_values):
    """Rows with each class and each value, [K, V]."""
    assignments, values = np.asarray(assignments), np.asarray(values)
    if assignments.ndim != 1 or assignments.shape != values.shape or assignments.size == 0:
        raise ValueError(
            "expected classes and values [N] with N at least 1, "
            f"received {assignments.shape} and {values.shape}."
        )
    for name, column, size in (
        ("classes", assignments, num_classes),
        ("values", values, num_values),
    ):
        if column.min() < 0 or column.max() >= size:
            raise ValueError(
                f"{name} must be 0 to {size - 1}, received {column.min()} to {column.max()}."
            )
    counts = np.zeros((num_classes, num_values))
    np.add.at(counts, (assignments, values), 1)
    return counts


def _shares(counts):
    """p(class | value) [K, V] of counts; NaN where no row has the value."""
    totals = counts.sum(axis=0)
    return np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)


def _draw(axes, shares):
    from matplotlib.ticker import MaxNLocator

    num_classes, num_values = shares.shape
    bottom = np.zeros(num_values)
    for k, share in enumerate(np.nan_to_num(shares)):
        grey = 0.25 + 0.6 * (k - len(_COLOURS)) / max(1, num_classes - len(_COLOURS))
        colour = _COLOURS[k] if k < len(_COLOURS) else str(grey)
        axes.bar(range(num_values), share, 1.0, bottom, color=colour, label=f"class {k}")
        bottom += share
    axes.set_xlim(-0.5, num_values - 0.5)
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_locator(MaxNLocator(10 if num_values <= 10 else 6, integer=True))
    axes.spines[["top", "right"]].set_visible(False)
