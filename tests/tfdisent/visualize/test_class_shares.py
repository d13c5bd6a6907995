import numpy as np
import pytest

from tfdisent import visualize

NAMES, SIZES = ("kind", "size"), (2, 4)


def _lattice():
    return np.stack(np.meshgrid(range(2), range(4), indexing="ij"), -1).reshape(-1, 2)


def test_shares_are_conditional_frequencies():
    shares = visualize.class_shares([0, 0, 1, 2], [0, 0, 0, 2], num_classes=3, num_values=3)
    expected = [[2 / 3, np.nan, 0], [1 / 3, np.nan, 0], [0, np.nan, 1]]
    np.testing.assert_allclose(shares, expected)


def _titles(assignments, num_classes):
    figure = visualize.class_shares_figure(assignments, _lattice(), NAMES, SIZES, num_classes)
    return [axes.get_title() for axes in figure.axes]


@pytest.mark.parametrize(
    ("assignments", "num_classes", "titles"),
    [
        # The classes are a factor: they hold its entropy, log 2, and nothing of the other one.
        (_lattice()[:, 0], 2, ["kind: 0.69 nats", "size: 0.00 nats"]),
        (_lattice()[:, 1], 4, ["kind: 0.00 nats", "size: 1.39 nats"]),
        # Parity of the sum: nothing of either factor by itself.
        (_lattice().sum(axis=1) % 2, 2, ["kind: 0.00 nats", "size: 0.00 nats"]),
        (np.zeros(8, int), 3, ["kind: 0.00 nats", "size: 0.00 nats"]),
    ],
)
def test_titles_state_the_information(assignments, num_classes, titles):
    assert _titles(assignments, num_classes) == titles


def test_bars_of_a_value_are_its_shares_and_fill_the_panel():
    factors = _lattice()
    assignments = np.array([0, 1, 2, 0, 1, 1, 2, 0])
    figure = visualize.class_shares_figure(assignments, factors, NAMES, SIZES, 3)
    for column, axes in enumerate(figure.axes):
        shares = visualize.class_shares(assignments, factors[:, column], 3, SIZES[column])
        heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
        np.testing.assert_allclose(heights, shares)
        np.testing.assert_allclose(np.sum(heights, axis=0), 1)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["class 0", "class 1", "class 2"]


def test_many_classes_have_distinct_colours(tmp_path):
    values = np.arange(12)
    figure = visualize.class_shares_figure(values, values[:, None], ("label",), (12,), 12)
    colours = {bars[0].get_facecolor() for bars in figure.axes[0].containers}
    assert len(colours) == 12
    path = visualize.save_class_shares(
        tmp_path / "a.svg", values, values[:, None], ("label",), (12,), 12
    )
    assert b"<svg" in path.read_bytes()


@pytest.mark.parametrize("num_classes", [2, 3, 10, 25])
@pytest.mark.parametrize("num_factors", [1, 5])
def test_the_legend_lies_inside_the_figure_and_leaves_room_for_the_panels(num_classes, num_factors):
    factors = np.zeros((num_classes, num_factors), int)
    names, sizes = [f"factor{j}" for j in range(num_factors)], [2] * num_factors
    classes = np.arange(num_classes)
    figure = visualize.class_shares_figure(classes, factors, names, sizes, num_classes)
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    assert legend.x0 >= 0 and legend.x1 <= figure.bbox.x1
    assert legend.y0 >= 0
    inches = [axes.get_window_extent().height / figure.dpi for axes in figure.axes]
    assert min(inches) > 0.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [0], 2, 2), r"received \(2,\) and \(1,\)"),
        (([], [], 2, 2), "at least 1"),
        (([0, 2], [0, 0], 2, 2), "classes must be 0 to 1, received 0 to 2"),
        (([0, 1], [0, -1], 2, 2), "values must be 0 to 1, received -1 to 0"),
    ],
)
def test_unusable_classes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        visualize.class_shares(*arguments)


def test_names_must_fit_the_factors():
    with pytest.raises(ValueError, match=r"received \(8, 2\), \['kind'\]"):
        visualize.class_shares_figure(np.zeros(8, int), _lattice(), ("kind",), (2,), 2)
