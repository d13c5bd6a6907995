"""dSprites without a download: a replica, rendered from its published factors.

The images are not the published file but drawn again, by constants measured from real dSprites
images. Of 64,834 distinct real images 64,825 are reproduced bit for bit and nine differ in one
pixel; about 100 of all 737,280 images are expected to differ so.

Reference:
    Loic Matthey, Irina Higgins, Demis Hassabis, Alexander Lerchner, dSprites: Disentanglement
    testing Sprites dataset, 2017, https://github.com/google-deepmind/dsprites-dataset.
"""

import hashlib
import logging
import os
import pathlib
import tempfile

import numpy as np

from tfdisent.data.dataset import Dataset, check_option
from tfdisent.data.dsprites_render import (
    FACTOR_SIZES,
    IMAGE_SIZE,
    NUM_IMAGES,
    ORIENTATIONS,
    POSITIONS,
    SCALES,
    render,
    render_in_graph,
    render_packed,
)
from tfdisent.data.images import PackedImages, unpack_bits

__all__ = ["FACTOR_SIZES", "FACTOR_VALUES", "NUM_IMAGES", "load", "packed_file", "render"]

FACTOR_VALUES = {
    "shape": np.array([1, 2, 3]),
    "scale": SCALES,
    "orientation": ORIENTATIONS,
    "posX": POSITIONS,
    "posY": POSITIONS,
}
PACKED_SHA256 = "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"

_IMAGE_SHAPE = (IMAGE_SIZE, IMAGE_SIZE, 1)
_PACKED_SHAPE = (NUM_IMAGES, IMAGE_SIZE * IMAGE_SIZE // 8)
_CHUNK = 16_384  # images rendered, written and hashed at a time


def load(split="all", storage="render", cache=None):
    """The dSprites replica: 737,280 binary images 64x64x1 of one shape each.

    Factors, in column order: shape (3: square, ellipse, heart), scale (6), orientation (40; class
    39 repeats class 0), posX (32) and posY (32, growing downwards). The published factor "color"
    has one value and is left out.

    Args:
        split: "all", the only one.
        storage: "render" draws every batch from its factors and holds nothing in memory. "packed"
            holds all images as bits, 377 MB, which costs less per batch and can lie on a GPU
            (`Dataset.device_source`); it is rendered once into a cache file.
        cache: folder of that file; default $TFDISENT_CACHE, else ~/.cache/tfdisent.

    Returns:
        `Dataset`, a full grid.

    Raises:
        ValueError: for an unknown option value, or a cache folder that cannot be written.
    """
    check_option("split of dsprites", split, ("all",))
    check_option("storage", storage, ("render", "packed"))
    if storage == "render":
        if cache is not None:
            raise ValueError(f"cache is used by storage='packed' only, received {cache!r}.")
        source = RenderedSprites()
    else:
        source = PackedImages(np.load(packed_file(cache), mmap_mode="r"), _IMAGE_SHAPE)
    return Dataset("dsprites", source, factor_values=FACTOR_VALUES)


class RenderedSprites:
    """Image source that draws what it is asked for. See `tfdisent.data.images`."""

    image_shape = _IMAGE_SHAPE
    stored_bytes = None

    def __len__(self):
        return NUM_IMAGES

    def numpy(self, rows):
        """Images of the given rows, float32 [n, 64, 64, 1]."""
        classes = np.stack(np.unravel_index(rows, FACTOR_SIZES), axis=-1)
        return render(classes)[..., None].astype(np.float32)

    def on_device(self, device="CPU:0"):
        """A callable that draws rows int64 [B] in graph operations; holds nothing on any device."""
        return lambda rows: unpack_bits(render_in_graph(rows), _IMAGE_SHAPE)


def packed_file(cache=None):
    """Path of the file of all images as bits, rendering it first where it is not there yet.

    The file is `.npy`, uint8 [737280, 512], and is compared with its known SHA-256 every time. It
    is written under another name and renamed when complete, so that a killed process leaves no
    half-written file behind under the final name.

    Args:
        cache: folder; default $TFDISENT_CACHE, else ~/.cache/tfdisent.

    Returns:
        `pathlib.Path`.

    Raises:
        ValueError: if the folder cannot be written.
    """
    folder = pathlib.Path(
        cache or os.environ.get("TFDISENT_CACHE") or pathlib.Path.home() / ".cache" / "tfdisent"
    )
    path = folder / "dsprites_packed.npy"
    if path.exists() and _is_intact(path):
        return path
    logging.getLogger(__name__).info("rendering dSprites into %s (377 MB, once)", path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_packed(path)
    except OSError as error:
        raise ValueError(
            f"cache must be a folder that can be written, received {folder}: {error}"
        ) from error
    return path


def _is_intact(path):
    try:
        packed = np.load(path, mmap_mode="r")
    except (OSError, ValueError):
        return False
    if packed.shape != _PACKED_SHAPE or packed.dtype != np.uint8:
        return False
    return hashlib.sha256(packed).hexdigest() == PACKED_SHA256


def _write_packed(path):
    digest = hashlib.sha256()
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            header = np.lib.format.header_data_from_array_1_0(np.empty((0, 512), np.uint8))
            np.lib.format.write_array_header_1_0(file, {**header, "shape": _PACKED_SHAPE})
            for start in range(0, NUM_IMAGES, _CHUNK):
                index = np.arange(start, min(start + _CHUNK, NUM_IMAGES))
                packed = render_packed(np.stack(np.unravel_index(index, FACTOR_SIZES), axis=-1))
                digest.update(packed)
                file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != PACKED_SHA256:
            raise RuntimeError(
                f"rendered dSprites should have SHA-256 {PACKED_SHA256}, has {digest.hexdigest()}."
            )
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise
