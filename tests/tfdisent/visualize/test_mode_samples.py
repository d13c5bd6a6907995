import numpy as np
import pytest

from tfdisent import visualize

CENTRES = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])


def test_each_generator_has_a_panel_with_its_points_and_all_modes(tmp_path):
    samples = {"one": CENTRES[:1] + [[0.1, 0.0]], "two": CENTRES}
    reached = {"one": [True, False, False], "two": [True, True, True]}
    figure = visualize.mode_samples_figure(samples, CENTRES, reached)
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    for axes, points in zip(figure.axes, samples.values(), strict=True):
        rings, dots = axes.collections
        np.testing.assert_array_equal(rings.get_offsets(), CENTRES)
        np.testing.assert_array_equal(dots.get_offsets(), points)
    colours = [len(np.unique(axes.collections[0].get_edgecolors(), axis=0)) for axes in figure.axes]
    assert colours == [2, 1]  # missed modes stand out
    path = visualize.save_mode_samples(tmp_path / "modes.png", samples, CENTRES)
    assert path.stat().st_size > 1000


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="at least one generator"):
        visualize.mode_samples_figure({}, CENTRES)
    with pytest.raises(ValueError, match=r"samples of 'a' \[N, 2\], received \[3\]"):
        visualize.mode_samples_figure({"a": np.zeros(3)}, CENTRES)
