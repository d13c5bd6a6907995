"""Image sets of tensorflow-datasets, with factors where the set has them."""

import numpy as np

from tfdisent.data.arrays import from_arrays
from tfdisent.data.images import aligned_empty
from tfdisent.data.transforms import transform_images

# Feature of tensorflow-datasets for each factor, in the order of the published files.
_DSPRITES_FEATURES = {
    "shape": "label_shape",
    "scale": "label_scale",
    "orientation": "label_orientation",
    "posX": "label_x_position",
    "posY": "label_y_position",
}
_FACTOR_FEATURES = {
    "dsprites": _DSPRITES_FEATURES,
    "dsprites_replica": _DSPRITES_FEATURES,
    "shapes3d": {
        name: f"label_{name}"
        for name in ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    },
    "smallnorb": {
        "category": "label_category",
        "instance": "instance",
        "elevation": "label_elevation",
        "azimuth": "label_azimuth",
        "lighting": "label_lighting",
    },
}
# Usual in the literature where the stored size is not 64 x 64. CelebA: the crop of Larsen et al.,
# Autoencoding beyond pixels using a learned similarity metric, 2016, arXiv:1512.09300, section 4.
_DEFAULT_SIZES = {
    "celeb_a": {"crop": 148, "resize": 64},
    "smallnorb": {"resize": 64},
}
_BATCH = 256


def load(
    name,
    split="all",
    data_dir=None,
    download=False,
    crop=None,
    resize=None,
    pad=None,
    channels=None,
):
    """An image set of tensorflow-datasets, held in memory as stored there (uint8).

    Sets with factors: dsprites, dsprites_replica, shapes3d, smallnorb. Of the others the feature
    `label` becomes the labels, where there is one. Rows come in the order of the prepared files,
    which tensorflow-datasets shuffles: sets with factors are no grid here. celeb_a is cropped to
    its middle 148 x 148 and resized to 64 x 64, smallnorb resized to 64 x 64, unless `crop` or
    `resize` say otherwise.

    Args:
        name: name in the catalogue of tensorflow-datasets, a configuration after a slash.
        split: as in tensorflow-datasets, "train[:10%]" for example, or "all" for all splits
            together.
        data_dir: folder of prepared sets; default that of tensorflow-datasets
            (~/tensorflow_datasets, or $TFDS_DATA_DIR).
        download: whether to download and prepare the set if it is not there. Without a network
            tensorflow-datasets tries for minutes before it gives up.
        crop: see `tfdisent.data.transforms.transform_images`, as for the three below.
        resize: applied after `crop`.
        pad: applied after `resize`.
        channels: applied last.

    Returns:
        `Dataset` named "tfds:<name>".

    Raises:
        ValueError: for an unknown name, a set that is not prepared (the message says how to get
            it) or has no images, and for options that do not fit.
    """
    import tensorflow_datasets as tfds

    builder = _find_builder(tfds, name, data_dir)
    image_key = _image_feature(tfds, builder.info.features, name)
    if download:
        builder.download_and_prepare()
    stream = _open(tfds, builder, name, split)
    transforms = {"crop": crop, "resize": resize}
    if crop is None and resize is None:
        transforms = _DEFAULT_SIZES.get(builder.name, {})
    transforms = {**transforms, "pad": pad, "channels": channels}
    columns = {
        factor: feature
        for factor, feature in _FACTOR_FEATURES.get(builder.name, {}).items()
        if feature in builder.info.features
    }
    label = "label" if not columns and "label" in builder.info.features else None
    size = int(stream.cardinality())
    images, factors, labels = _read(
        stream, size, image_key, tuple(columns.values()), label, transforms
    )
    return from_arrays(
        images,
        factors if columns else None,
        labels,
        tuple(columns) or None,
        name=f"tfds:{name}",
    )


def _find_builder(tfds, name, data_dir):
    if name.startswith("dsprites_replica"):
        import tfdisent.data.dsprites_builder  # noqa: F401  (registers the set)
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.registered.DatasetNotFoundError as error:
        raise ValueError(
            f"tfds:NAME must be a set that tensorflow-datasets {tfds.__version__} knows, received "
            f"{name!r}; https://www.tensorflow.org/datasets/catalog lists them."
        ) from error


def _open(tfds, builder, name, split):
    """The examples of a prepared set, in the order of its files."""
    try:
        return builder.as_dataset(split=split, shuffle_files=False)
    except AssertionError as error:  # how tensorflow-datasets says that nothing is there
        hint = ""
        if builder.name == "dsprites":
            hint = " Or use the data set 'dsprites', a replica that needs no download."
        if builder.name == "dsprites_replica":
            hint = " This set is generated, in some ten minutes, and needs no network."
        raise ValueError(
            f"tfds:{name} is not prepared in {builder.data_dir}. With a network, prepare it once: "
            f"pass download=True (--set data.download=true), or call tfds.load({name!r}) of "
            "tensorflow_datasets. If it is prepared in another folder, pass that as "
            f"data_dir.{hint}"
        ) from error


def _image_feature(tfds, features, name):
    """Key of the images: `image` where there is one, else the first image feature."""
    keys = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    if not keys:
        raise ValueError(
            f"tfds:{name} must be a set of images, received the features {', '.join(features)}."
        )
    return "image" if "image" in keys else keys[0]


def _read(stream, size, image_key, columns, label, transforms):
    """Reads a stream of `size` examples to its end.

    Returns:
        images [N, H, W, C]; factors int64 [N, K]; labels int64 [N] or None.
    """
    keys = (*columns, *((label,) if label else ()))
    stream = stream.map(lambda example: {key: example[key] for key in (image_key, *keys)})
    fixed_shape = stream.element_spec[image_key].shape.is_fully_defined()
    stream = stream.batch(_BATCH if fixed_shape else 1)

    images, row = None, 0
    table = np.empty((size, len(keys)), np.int64)
    for batch in stream.as_numpy_iterator():
        batch_images = batch[image_key]
        if images is None:
            # Images of 0 and 1 become 0 and 255 before anything that makes grey levels of them.
            resampled = transforms.get("resize") or transforms.get("channels")
            levels = 255 if resampled and batch_images.max() <= 1 else 1
        batch_images = transform_images(batch_images * np.uint8(levels), **transforms)
        if images is None:
            images = aligned_empty((size, *batch_images.shape[1:]), batch_images.dtype)
        rows = slice(row, row + len(batch_images))
        images[rows] = batch_images
        for column, key in enumerate(keys):
            table[rows, column] = batch[key]
        row += len(batch_images)
    factors = table[:, : len(columns)]
    return images, factors, table[:, -1] if label else None
