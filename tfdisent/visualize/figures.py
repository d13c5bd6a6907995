"""What all figures share: one style, no global state of matplotlib, atomic files."""

import io

import numpy as np

from tfdisent import atomic
from tfdisent.visualize._write import check_suffix

# DejaVu Sans comes with matplotlib, so that a figure looks the same on every machine.
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "axes.titlesize": 8.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 8.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "0.4",
    "axes.axisbelow": True,
    "xtick.color": "0.3",
    "ytick.color": "0.3",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.4,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
}

# Figures 9 inches wide are 1800 pixels wide: two per pixel of a page of 900.
DOTS_PER_INCH = 200


def styled():
    """Context in which figures of this package are built and drawn."""
    import matplotlib

    return matplotlib.rc_context(_STYLE)


def new_figure(width, height, **options):
    """An empty `matplotlib.figure.Figure`, unknown to pyplot, of width and height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), **options)
    FigureCanvasAgg(figure)
    return figure


def figure_to_image(figure, dpi=100):
    """Draws a figure to pixels, for example for `tf.summary.image`.

    Args:
      figure: `matplotlib.figure.Figure`.
      dpi: pixels per inch.

    Returns:
      uint8 [height, width, 3].
    """
    with styled():
        figure.set_dpi(dpi)
        figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())[:, :, :3]


def save_figure(path, figure, dpi=DOTS_PER_INCH):
    """Writes a figure to a .png, .pdf or .svg file, whole or not at all.

    Args:
      path: of the file; its suffix is the format.
      figure: `matplotlib.figure.Figure`.
      dpi: pixels per inch of a .png.

    Returns:
      `path` as a `pathlib.Path`.

    Raises:
      ValueError: if the suffix is another.
    """
    path = check_suffix(path, (".png", ".pdf", ".svg"))
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format=path.suffix[1:].lower(), dpi=dpi)
    atomic.write(path, buffer.getvalue())
    return path


def draw_text(width, height, texts):
    """A white page with text.

    Args:
      width: of the page, pixels.
      height: of the page, pixels.
      texts: list of (x, y, string, size, options): the pixel from the upper left corner, the size
        in pixels, and keyword arguments of `Figure.text` such as alignment and colour.

    Returns:
      uint8 [height, width, 3].
    """
    with styled():
        # At 72 dots per inch a point is a pixel.
        figure = new_figure(width / 72, height / 72, dpi=72)
        for x, y, string, size, options in texts:
            figure.text(x / width, 1 - y / height, string, fontsize=size, **options)
    return figure_to_image(figure, dpi=72)


def text_width(strings, size):
    """Width in pixels of the widest of some strings at a size in pixels, 0 without strings."""
    with styled():
        figure = new_figure(1, 1, dpi=72)
        renderer = figure.canvas.get_renderer()
        extents = [
            figure.text(0, 0, string, fontsize=size).get_window_extent(renderer).width
            for string in strings
        ]
    return int(np.ceil(max(extents, default=0)))
