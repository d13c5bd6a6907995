import types

import numpy as np
import pytest

from tfdisent import visualize


def _points(*pairs):
    return [
        types.SimpleNamespace(beta=10.0**-i, complexity=c, relevance=r)
        for i, (c, r) in enumerate(pairs)
    ]


def _lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def test_models_the_exact_curve_and_the_two_limits_are_drawn_where_they_are():
    exact = ([1.5, 0.0, 0.5], [0.9, 0.0, 0.4])
    figure = visualize.information_plane_figure(
        _points((0.2, 0.1), (1.8, 0.8)), exact, label_entropy=1.0
    )
    lines = _lines(figure)
    np.testing.assert_array_equal(lines["models, by beta"].get_xydata(), [(0.2, 0.1), (1.8, 0.8)])
    curve = lines["exact bottleneck"].get_xydata()
    np.testing.assert_array_equal(curve, [(0, 0), (0.5, 0.4), (1.5, 0.9)])
    np.testing.assert_array_equal(lines["H(Y)"].get_ydata(), [1.0, 1.0])
    x, y = lines["I(Z; Y) = I(X; Z)"].get_data()
    np.testing.assert_array_equal(x, y)
    assert {text.get_text() for text in figure.axes[0].texts} == {"1", "0.1"}


def test_what_is_not_known_is_not_drawn():
    assert set(_lines(visualize.information_plane_figure(_points((1.0, 0.5))))) == {
        "models, by beta",
        "I(Z; Y) = I(X; Z)",
    }


@pytest.mark.parametrize(
    ("smallest", "scale"), [(1.0, "log"), (10.0, "linear"), (0.0, "linear"), (-0.1, "linear")]
)
def test_an_axis_that_would_crowd_the_points_is_logarithmic(smallest, scale):
    points = _points((smallest, 0.1), (200.0, 0.8))
    (axes,) = visualize.information_plane_figure(points).axes
    assert axes.get_xscale() == scale
    left, right = axes.get_xlim()
    assert left <= smallest and right > 200


@pytest.mark.parametrize("pairs", [[], [(np.nan, 1.0)], [(1.0, 1.0), (np.inf, 1.0)]])
def test_points_that_are_nowhere_are_refused(pairs):
    with pytest.raises(ValueError, match="expected finite points"):
        visualize.information_plane_figure(_points(*pairs))


def test_a_curve_of_two_lengths_is_refused():
    with pytest.raises(ValueError, match="as many rates as relevances"):
        visualize.information_plane_figure(_points((1, 1)), ([1.0, 2.0], [1.0]))


def test_files_are_written(tmp_path):
    path = visualize.save_information_plane(tmp_path / "plane.svg", _points((1.0, 0.5)))
    assert b"<svg" in path.read_bytes()
