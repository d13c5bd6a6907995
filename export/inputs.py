"""What the numbers in an input of a signature must be. No TensorFlow."""

import numpy as np


def check_numbers(name, array, dtype, bounds=None):
    """Checks type and range of an input.

    Args:
      name: of the input, such as "image".
      array: NumPy array of any shape.
      dtype: that the signature takes, "int32" or "float32".
      bounds: (low, high), both included, or None for any finite numbers.

    Raises:
      ValueError: if the array is of another type, holds a number that is not finite, or one that is
        out of bounds.
    """
    # 0..255 bytes are the usual mistake, so images must be floats; codes may be whole numbers.
    kinds = {"int32": "iu", "float32": "f" if name == "image" else "fiu"}[dtype]
    if array.dtype.kind not in kinds:
        raise ValueError(f"{name} must be of type {dtype}, received {array.dtype}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, received NaN or infinity.")
    if bounds is None or array.size == 0:
        return
    low, high = bounds
    if array.min() < low or array.max() > high:
        raise ValueError(
            f"{name} must lie in [{low}, {high}], "
            f"received values from {array.min()} to {array.max()}."
        )
