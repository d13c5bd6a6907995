"""The user's own images, from arrays or from a file."""

import contextlib
import pathlib
import zipfile
import zlib

import numpy as np

from tfdisent.data.dataset import Dataset, check_option
from tfdisent.data.images import ByteImages, FloatImages, PackedImages
from tfdisent.data.transforms import transform_images

_DSPRITES_FACTORS = ("color", "shape", "scale", "orientation", "posX", "posY")
_LAYOUTS = (
    "images [+ factors, labels, factor_names]; imgs + latents_classes (dSprites); "
    "x_train + x_test [+ y_train, y_test] (Keras)"
)
_ROUNDING = 1e-6  # how far float images may leave [0, 1]; they are clipped


def from_arrays(
    images,
    factors=None,
    labels=None,
    factor_names=None,
    *,
    factor_values=None,
    name="arrays",
    value_range=(0.0, 1.0),
    crop=None,
    resize=None,
    pad=None,
    channels=None,
):
    """Data set from arrays in memory.

    Images of type uint8 are kept as they are and divided by 255 when they are used. If none is
    above 1 they are taken for binary images of 0 and 1, as the published dSprites file has them:
    they are used undivided and kept as bits. Images of a float type must lie in [0, 1] already.

    Factors that take one value only are dropped. The classes of each other factor are numbered
    0, 1, ... in the order of the values found.

    Args:
        images: uint8, bool or float [N, H, W, C] or [N, H, W].
        factors: integers [N, K], or None.
        labels: integers [N] or [N, 1], or None.
        factor_names: K names; default "factor_0", "factor_1", ...
        factor_values: [N, K], the values that the factors stand for; default the factors
            themselves.
        name: name of the data set.
        value_range: (0, 1), or None for floats of any value, which are used as they are.
        crop: see `tfdisent.data.transforms.transform_images`, as for the three below.
        resize: applied after `crop`.
        pad: applied after `resize`.
        channels: applied last.

    Returns:
        `Dataset`.

    Raises:
        ValueError: for images, factors or labels of another rank, type, range or length, or NaN.
    """
    images = _checked_images(images, value_range)
    transforms = {"crop": crop, "resize": resize, "pad": pad, "channels": channels}
    source = _image_source(images, transforms, value_range)
    columns, values = _checked_factors(factors, factor_names, factor_values, len(images))
    return Dataset(
        name,
        source,
        factors=columns,
        factor_values=values,
        labels=_checked_labels(labels, len(images)),
        value_range=value_range,
    )


def load(path, split="all", crop=None, resize=None, pad=None, channels=None):
    """Data set from a `.npz`, `.npy`, `.hdf5` or `.h5` file.

    Three layouts are understood: our own (`images`, and where they exist `factors`, `labels`,
    `factor_names`), the published dSprites file (`imgs`, `latents_classes`, `latents_values`, or
    the same under `latents/` in HDF5), and that of Keras (`x_train`, `y_train`, `x_test`,
    `y_test`). A `.npy` file holds images only.

    Args:
        path: the file.
        split: "all"; with the Keras layout also "train" or "test".
        crop: see `tfdisent.data.transforms.transform_images`, as for the three below.
        resize: applied after `crop`.
        pad: applied after `resize`.
        channels: applied last.

    Returns:
        `Dataset`.

    Raises:
        ValueError: for a file that is missing, unreadable or of an unknown layout, an unknown
            split, and as `from_arrays`.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"arrays:PATH must name an existing file, received {str(path)!r}.")
    transforms = {"crop": crop, "resize": resize, "pad": pad, "channels": channels}
    check_option(f"file type of {str(path)!r}", path.suffix, (".npz", ".npy", ".hdf5", ".h5"))
    try:
        with _open(path) as file:
            arrays = _from_layout(file, path, split)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(_unreadable(path, error)) from error
    return from_arrays(**arrays, name=f"arrays:{path}", **transforms)


def _open(path):
    """The file as a context manager that gives a mapping from keys to arrays."""
    if path.suffix in (".hdf5", ".h5"):
        import h5py

        return h5py.File(path, "r")
    try:
        loaded = np.load(path, allow_pickle=False)
    except ValueError as error:  # how NumPy refuses what is no NumPy file
        raise ValueError(_unreadable(path, error)) from error
    return contextlib.nullcontext({"images": loaded}) if isinstance(loaded, np.ndarray) else loaded


def _unreadable(path, error):
    return f"{str(path)!r} must be a readable {path.suffix} file: {error}"


def _from_layout(file, path, split):
    """Arguments of `from_arrays` out of a mapping from keys to arrays."""
    if "images" in file:
        splits = ("all",)
        read = _read_own
    elif "imgs" in file:
        splits = ("all",)
        read = _read_dsprites
    elif "x_train" in file and "x_test" in file:
        splits = ("all", "train", "test")
        read = _read_keras
    else:
        raise ValueError(
            f"{str(path)!r} must hold one of the layouts {_LAYOUTS}, received the keys "
            f"{', '.join(sorted(file)) or '(none)'}."
        )
    check_option(f"split of {str(path)!r}", split, splits)
    return read(file, split)


def _read_own(file, split):
    arrays = {key: file[key][...] for key in ("images", "factors", "labels") if key in file}
    if "factor_names" in file:
        names = file["factor_names"][...].tolist()
        arrays["factor_names"] = [n.decode() if isinstance(n, bytes) else str(n) for n in names]
    return arrays


def _read_dsprites(file, split):
    arrays = {"images": file["imgs"][...]}
    for argument, field in (("factors", "classes"), ("factor_values", "values")):
        for key in (f"latents_{field}", f"latents/{field}"):
            if key in file:
                arrays[argument] = file[key][...]
    if "factors" in arrays and arrays["factors"].shape[-1] == len(_DSPRITES_FACTORS):
        arrays["factor_names"] = _DSPRITES_FACTORS
    return arrays


def _read_keras(file, split):
    parts = ("train", "test") if split == "all" else (split,)
    arrays = {"images": np.concatenate([file[f"x_{part}"][...] for part in parts])}
    if all(f"y_{part}" in file for part in parts):
        arrays["labels"] = np.concatenate([file[f"y_{part}"][...] for part in parts])
    return arrays


def _checked_images(images, value_range):
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4:
        raise ValueError(
            f"images must have shape [N, H, W, C] or [N, H, W], received {list(images.shape)}."
        )
    if images.size == 0:
        raise ValueError(f"images must not be empty, received shape {list(images.shape)}.")
    if images.dtype in (np.bool_, np.uint8) and value_range is None:
        raise ValueError(f"images of any value must be floats, received {images.dtype}.")
    if images.dtype == np.bool_:
        return images.view(np.uint8)
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"images must be uint8, bool or float, received {images.dtype}; "
            "convert levels 0 .. 255 with .astype('uint8')."
        )
    if not np.isfinite(images).all():
        raise ValueError("images must be finite, received NaN or infinity.")
    low, high = images.min(), images.max()
    if value_range is not None and (low < -_ROUNDING or high > 1 + _ROUNDING):
        hint = "; divide by 255, or pass them as uint8" if low >= 0 and high <= 255 else ""
        raise ValueError(f"float images must lie in [0, 1], received {low:g} .. {high:g}{hint}.")
    return images.astype(np.float32)


def _image_source(images, transforms, value_range):
    if images.dtype != np.uint8:
        images = transform_images(images, **transforms)
        return FloatImages(images if value_range is None else np.clip(images, *value_range))
    binary = images.max() <= 1
    if binary and (transforms["resize"] is not None or transforms["channels"] is not None):
        # Resampling makes grey levels, which 0 and 1 alone cannot hold.
        images, binary = images * np.uint8(255), False
    images = transform_images(images, **transforms)
    if binary:
        return PackedImages(np.packbits(images.reshape(len(images), -1), axis=1), images.shape[1:])
    return ByteImages(images, scale=255)


def _checked_factors(factors, names, values, length):
    """Classes [N, K] and the dict from factor name to values, constant factors dropped."""
    if factors is None:
        if names is not None:
            raise ValueError(f"factor_names needs factors, received names {list(names)} only.")
        return None, None
    factors = np.asarray(factors)
    if factors.ndim != 2 or len(factors) != length:
        raise ValueError(
            f"factors must have shape [N, K] with N = {length}, one row for each image, "
            f"received {list(factors.shape)}."
        )
    if not np.issubdtype(factors.dtype, np.integer):
        raise ValueError(
            f"factors must be integer classes, received {factors.dtype}; "
            "numpy.unique(values, return_inverse=True) turns one column of values into classes."
        )
    names = [f"factor_{k}" for k in range(factors.shape[1])] if names is None else list(names)
    if len(names) != factors.shape[1] or len(set(names)) != len(names):
        raise ValueError(
            f"factor_names must be {factors.shape[1]} different names, received {names}."
        )
    values = factors if values is None else np.asarray(values)
    if values.shape != factors.shape:
        raise ValueError(
            f"factor_values must have the shape {list(factors.shape)} of the factors, "
            f"received {list(values.shape)}."
        )
    columns, table = [], {}
    for name, column, column_values in zip(names, factors.T, values.T, strict=True):
        found, first, classes = np.unique(column, return_index=True, return_inverse=True)
        if len(found) > 1:
            columns.append(classes)
            table[name] = column_values[first]
    return (np.stack(columns, axis=-1), table) if columns else (None, None)


def _checked_labels(labels, length):
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (length,):
        raise ValueError(
            f"labels must have shape [N] with N = {length}, one for each image, "
            f"received {list(labels.shape)}."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be integers, received {labels.dtype}.")
    return labels
