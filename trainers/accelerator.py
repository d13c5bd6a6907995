"""How a run uses a GPU: images that lie on it, and many steps between two looks from the host."""

import math

# Of a GPU's memory, the training needs the rest.
_MOST_BYTES = 4 * 2**30
# More steps an execution save little time, and scores, checkpoints and ctrl-C wait for its end.
_MOST_STEPS = 50


def has_gpu():
    """Whether TensorFlow trains on a GPU here."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def device_source(dataset):
    """The `source` of a trainer: the images on the GPU, so that only row numbers go there.

    Args:
      dataset: `tfdisent.data.Dataset`.

    Returns:
      See `Dataset.device_source`; None without a GPU, or where the images are drawn when they are
      needed, or are too many: then the input pipeline sends the images themselves.
    """
    stored = dataset.stored_bytes
    if stored is None or stored > _MOST_BYTES or not has_gpu():
        return None
    return dataset.device_source()


def steps_per_execution(*intervals):
    """How many steps run between two returns to Python: on a GPU most of a short step is waiting.

    Training is the same step by step whatever this number is, and so are its results.

    Args:
      *intervals: numbers of steps that executions must not run across; zeros and None are ignored.

    Returns:
      The largest common divisor of all that is at most 50; 1 without a GPU, where it gains nothing.
    """
    if not has_gpu():
        return 1
    common = math.gcd(*(interval for interval in intervals if interval))
    return max(n for n in range(1, _MOST_STEPS + 1) if common % n == 0)
