"""Images side by side: tiles, reconstructions, animated GIFs. Arrays in, pixels out."""

import io

import numpy as np

from tfdisent import atomic
from tfdisent.visualize import figures
from tfdisent.visualize._write import check_suffix

# Between images: lighter than most objects, darker than a white background.
_SEPARATOR = 205
# A mean image may leave [0, 1] by rounding, not by more.
_TOLERANCE = 1e-3


def to_uint8(images):
    """Images as bytes: floats in [0, 1] and booleans become 0..255, uint8 stays as it is.

    Args:
      images: array of any shape.

    Returns:
      uint8 array of the same shape.

    Raises:
      TypeError: if the numbers are integers other than uint8.
      ValueError: if floats are not finite, or are outside [0, 1].
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    if images.dtype == bool:
        return images.astype(np.uint8) * 255
    if not np.issubdtype(images.dtype, np.floating):
        raise TypeError(f"expected images of float, uint8 or bool, received {images.dtype}.")
    if images.size == 0:
        return images.astype(np.uint8)
    low, high = float(images.min()), float(images.max())
    if not (low >= -_TOLERANCE and high <= 1 + _TOLERANCE):
        raise ValueError(f"expected images in [0, 1], received values from {low:g} to {high:g}.")
    return np.round(np.clip(images.astype(np.float32), 0, 1) * 255).astype(np.uint8)


def visible_channels(images):
    """The channels of images [..., C] that a picture can show.

    Grey (C = 1) and RGB (C = 3) images stay as they are; of two channels the first is shown, of
    more than three, such as RGBA, the first three.
    """
    return images[..., : 3 if images.shape[-1] > 2 else 1]


def enlargement(image_shape, cell):
    """The whole factor by which images [H, W, C] come closest to `cell` pixels, at least 1."""
    return max(1, round(cell / max(image_shape[:2])))


def font_size(cell):
    """Height in pixels of the letters beside images of `cell` pixels."""
    return max(11, cell // 5)


def tile_images(images, gap=1, scale=1):
    """Lays images out in a table, with thin grey lines around them.

    Args:
      images: [R, S, H, W, C], a table of grey (C = 1) or RGB (C = 3) images, see `to_uint8`.
      gap: thickness of the lines, pixels.
      scale: whole factor by which the images are enlarged.

    Returns:
      uint8 [R (scale H + gap) + gap, S (scale W + gap) + gap, 3].

    Raises:
      ValueError: if `images` has another rank or number of channels, or holds no image.
    """
    images = np.asarray(images)
    if images.ndim != 5 or images.shape[-1] not in (1, 3) or images.size == 0:
        raise ValueError(
            f"expected images [rows, columns, H, W, 1 or 3], received shape {images.shape}."
        )
    pixels = to_uint8(images).repeat(scale, axis=2).repeat(scale, axis=3)
    rows, columns, height, width, _ = pixels.shape
    cells = np.full((rows, columns, height + gap, width + gap, 3), _SEPARATOR, np.uint8)
    cells[:, :, gap:, gap:] = pixels
    table = cells.transpose(0, 2, 1, 3, 4)  # [R, H + gap, S, W + gap, 3]
    table = table.reshape(rows * (height + gap), columns * (width + gap), 3)
    return np.pad(table, ((0, gap), (0, gap), (0, 0)), constant_values=_SEPARATOR)


def reconstruction_grid(originals, reconstructions, columns=10, cell=64):
    """Originals above their reconstructions, in as many pairs of rows as it takes.

    Args:
      originals: [N, H, W, C]; see `visible_channels`.
      reconstructions: [N, H, W, C], the mean images.
      columns: images in a row; a last row that is not full is filled with white.
      cell: side of an enlarged image in pixels, about.

    Returns:
      uint8 [height, width, 3].

    Raises:
      ValueError: if the shapes differ, there is no image, or `columns` is not positive.
    """
    originals, reconstructions = np.asarray(originals), np.asarray(reconstructions)
    if originals.shape != reconstructions.shape:
        raise ValueError(
            f"expected reconstructions of shape {originals.shape}, "
            f"received {reconstructions.shape}."
        )
    if originals.ndim != 4 or originals.size == 0:
        raise ValueError(f"expected images [N, H, W, C], received shape {originals.shape}.")
    if columns < 1:
        raise ValueError(f"columns must be at least 1, received {columns}.")
    originals, reconstructions = map(visible_channels, (originals, reconstructions))
    columns = min(columns, len(originals))
    scale = enlargement(originals.shape[1:], cell)
    pairs = [
        np.stack([to_uint8(originals[start:stop]), to_uint8(reconstructions[start:stop])])
        for start, stop in ((s, s + columns) for s in range(0, len(originals), columns))
    ]
    tables = [tile_images(pair, scale=scale) for pair in pairs]
    height, width, _ = tables[0].shape
    stride = height + max(cell // 8, 2)

    size = font_size(cell)
    words = ("original", "reconstruction")
    left = figures.text_width(words, size) + 2 * size
    style = {"ha": "right", "va": "center_baseline"}
    texts = [
        (left - size // 2, index * stride + height * share, word, size, style)
        for index in range(len(tables))
        for word, share in zip(words, (0.25, 0.75), strict=True)
    ]
    page = figures.draw_text(left + width, (len(tables) - 1) * stride + height, texts)
    for index, table in enumerate(tables):
        page[index * stride : index * stride + height, left : left + table.shape[1]] = table
    return page


def save_image(path, image):
    """Writes pixels to a .png file, whole or not at all.

    Args:
      path: of the file.
      image: [H, W, 1], [H, W, 3] or [H, W]; see `to_uint8`.

    Returns:
      `path` as a `pathlib.Path`.

    Raises:
      ValueError: if the suffix is not .png or the shape is no image's.
    """
    path = check_suffix(path, (".png",))
    buffer = io.BytesIO()
    _pil_image(image).save(buffer, format="PNG", optimize=True)
    atomic.write(path, buffer.getvalue())
    return path


def save_reconstruction_grid(path, originals, reconstructions, columns=10, cell=64):
    """Writes `reconstruction_grid` to a .png file and returns its path."""
    return save_image(path, reconstruction_grid(originals, reconstructions, columns, cell))


def save_gif(path, frames, milliseconds=100, there_and_back=True):
    """Writes an animation that loops for ever to a .gif file, whole or not at all.

    Args:
      path: of the file.
      frames: [T, H, W, 1 or 3]; see `to_uint8`.
      milliseconds: how long a frame stays, in steps of 10.
      there_and_back: whether the frames also run backwards, so that the loop has no jump.

    Returns:
      `path` as a `pathlib.Path`.

    Raises:
      ValueError: if the suffix is not .gif, or `frames` has another shape or is empty.
    """
    path = check_suffix(path, (".gif",))
    frames = to_uint8(frames)
    if frames.ndim != 4 or frames.shape[-1] not in (1, 3) or frames.size == 0:
        raise ValueError(f"expected frames [T, H, W, 1 or 3], received shape {frames.shape}.")
    if there_and_back:
        frames = np.concatenate([frames, frames[-2:0:-1]])
    first, *others = _with_one_palette(frames)
    buffer = io.BytesIO()
    first.save(
        buffer,
        "GIF",
        save_all=True,
        append_images=others,
        duration=milliseconds,
        loop=0,
        disposal=1,
    )
    atomic.write(path, buffer.getvalue())
    return path


def _pil_image(image):
    from PIL import Image

    image = to_uint8(image)
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or image.shape[-1] not in (1, 3) or image.size == 0:
        raise ValueError(f"expected an image [H, W, 1 or 3], received shape {image.shape}.")
    if (image == image[:, :, :1]).all():
        return Image.fromarray(image[:, :, 0])
    return Image.fromarray(image)


def _with_one_palette(frames):
    """Pillow images: grey where all is grey, else on one palette; one per frame would flicker."""
    if (frames == frames[..., :1]).all():
        return [_pil_image(frame) for frame in frames]
    palette = _pil_image(frames.reshape(-1, *frames.shape[2:])).quantize(256)
    return [
        _pil_image(frame).convert("RGB").quantize(palette=palette, dither=0) for frame in frames
    ]
