import numpy as np
import pytest
from PIL import Image

from tfdisent import visualize


def test_floats_round_to_the_nearest_byte():
    images = np.array([0.0, 0.5, 0.2 / 255, 0.8 / 255, 1.0])
    np.testing.assert_array_equal(visualize.to_uint8(images), [0, 128, 0, 1, 255])


def test_bytes_pass_and_booleans_become_black_and_white():
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(visualize.to_uint8(pixels), pixels)
    np.testing.assert_array_equal(visualize.to_uint8(np.array([False, True])), [0, 255])


def test_every_byte_survives_the_way_through_floats():
    pixels = np.arange(256, dtype=np.uint8)
    for dtype in (np.float16, np.float32, np.float64):
        scaled = (pixels / 255).astype(dtype)
        np.testing.assert_array_equal(visualize.to_uint8(scaled), pixels)


@pytest.mark.parametrize("bad", [255.0, -0.5, np.nan, np.inf])
def test_images_outside_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"expected images in \[0, 1\]"):
        visualize.to_uint8(np.array([0.0, bad]))


def test_other_integers_are_refused():
    with pytest.raises(TypeError, match="int64"):
        visualize.to_uint8(np.array([0, 1], np.int64))


@pytest.mark.parametrize(("channels", "shown"), [(2, [0, 0, 0]), (4, [0, 1, 2]), (7, [0, 1, 2])])
def test_of_other_channels_the_first_are_shown(channels, shown):
    images = np.random.default_rng(0).random((2, 3, 8, 8, channels))
    grid = visualize.reconstruction_grid(*images)
    np.testing.assert_array_equal(grid, visualize.reconstruction_grid(*images[..., shown]))
    grid = visualize.traversal_grid(images)
    np.testing.assert_array_equal(grid, visualize.traversal_grid(images[..., shown]))


def test_tiles_stand_in_rows_and_columns_between_lines():
    images = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * np.ones(
        (1, 1, 4, 5, 1), np.uint8
    )
    table = visualize.tile_images(images, gap=2)
    assert table.shape == (2 * 6 + 2, 3 * 7 + 2, 3)
    for row in range(2):
        for column in range(3):
            top, left = 2 + row * 6, 2 + column * 7
            assert (table[top : top + 4, left : left + 5] == 3 * row + column).all()
    assert (table <= 5).all(axis=-1).sum() == 6 * 4 * 5  # the rest is lines


def test_enlarged_pixels_stay_squares_of_one_colour():
    image = np.random.default_rng(0).integers(0, 256, (1, 1, 3, 4, 3), dtype=np.uint8)
    table = visualize.tile_images(image, gap=0, scale=5)
    assert table.shape == (15, 20, 3)
    np.testing.assert_array_equal(table[2::5, 2::5], image[0, 0])
    np.testing.assert_array_equal(table, np.kron(image[0, 0], np.ones((5, 5, 1), np.uint8)))


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 4, 5, 2), (0, 3, 4, 5, 1)])
def test_tiles_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="expected images"):
        visualize.tile_images(np.zeros(shape))


def _find(page, pattern):
    """Upper left corners where `pattern` [h, w, 3] stands in `page`."""
    windows = np.lib.stride_tricks.sliding_window_view(page, pattern.shape)[:, :, 0]
    return np.argwhere((windows == pattern).all(axis=(2, 3, 4)))


def test_reconstructions_stand_under_their_originals():
    rng = np.random.default_rng(0)
    originals, reconstructions = rng.integers(0, 256, (2, 5, 8, 8, 3), dtype=np.uint8)
    page = visualize.reconstruction_grid(originals, reconstructions, columns=3, cell=8)
    for original, reconstruction in zip(originals, reconstructions, strict=True):
        ((top, left),) = _find(page, original)
        np.testing.assert_array_equal(_find(page, reconstruction), [(top + 9, left)])
    tops = [_find(page, original)[0, 0] for original in originals]
    assert tops[0] == tops[1] == tops[2] < tops[3] == tops[4]


def test_the_upper_row_of_a_pair_is_called_original(monkeypatch):
    written = []
    draw_text = visualize.figures.draw_text

    def spy(width, height, texts):
        written.extend((y, word) for _, y, word, *_ in texts)
        return draw_text(width, height, texts)

    monkeypatch.setattr(visualize.figures, "draw_text", spy)
    visualize.reconstruction_grid(np.zeros((3, 8, 8, 1)), np.zeros((3, 8, 8, 1)), columns=2)
    words = [word for _, word in sorted(written)]
    assert words == ["original", "reconstruction"] * 2


def test_reconstructions_of_another_number_are_refused():
    with pytest.raises(ValueError, match=r"received \(3, 8, 8, 1\)"):
        visualize.reconstruction_grid(np.zeros((4, 8, 8, 1)), np.zeros((3, 8, 8, 1)))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_same_pixels(tmp_path, channels):
    image = np.random.default_rng(0).integers(0, 256, (7, 9, channels), dtype=np.uint8)
    path = visualize.save_image(tmp_path / "new" / "a.png", image)
    with Image.open(path) as read:
        read = np.asarray(read)
    np.testing.assert_array_equal(read.reshape(7, 9, channels), image)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]


def test_a_gif_runs_there_and_back_for_ever(tmp_path):
    grey = np.arange(5, dtype=np.uint8) * 50
    frames = grey[:, None, None, None] * np.ones((1, 6, 7, 1), np.uint8)
    path = visualize.save_gif(tmp_path / "a.gif", frames, milliseconds=70)
    with Image.open(path) as gif:
        assert gif.size == (7, 6)
        assert gif.info["loop"] == 0
        seen = []
        for index in range(gif.n_frames):
            gif.seek(index)
            assert gif.info["duration"] == 70
            seen.append(np.asarray(gif.convert("L"))[0, 0])
    assert seen == [0, 50, 100, 150, 200, 150, 100, 50]


def test_a_gif_in_colour_keeps_few_colours_exactly(tmp_path):
    frames = np.random.default_rng(0).integers(0, 2, (4, 6, 7, 3), dtype=np.uint8) * 255
    path = visualize.save_gif(tmp_path / "a.gif", frames, there_and_back=False)
    with Image.open(path) as gif:
        assert gif.n_frames == 4
        for index, frame in enumerate(frames):
            gif.seek(index)
            np.testing.assert_array_equal(np.asarray(gif.convert("RGB")), frame)


@pytest.mark.parametrize(
    ("save", "name"), [(visualize.save_image, "a.jpg"), (visualize.save_gif, "a.png")]
)
def test_another_suffix_is_refused_before_anything_is_written(tmp_path, save, name):
    with pytest.raises(ValueError, match="expected a path that ends in"):
        save(tmp_path / name, np.zeros((2, 4, 4, 1)))
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    visualize.save_image(path, np.zeros((4, 4, 1)))
    before = path.read_bytes()

    def fail(source, target):
        raise OSError("no space")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="no space"):
        visualize.save_image(path, np.ones((4, 4, 1)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
