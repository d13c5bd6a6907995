"""What both problems ask of their costs."""

import numpy as np
import tensorflow as tf


def check_floating(costs):
    """Raises TypeError if `costs` is not of a floating type."""
    if not costs.dtype.is_floating:
        raise TypeError(f"costs must be of a floating type, received {costs.dtype.name}.")


def check_finite(costs):
    """Raises ValueError if the values of `costs` are known and one of them is not finite."""
    known_costs = tf.get_static_value(costs)
    if known_costs is not None and not np.isfinite(known_costs).all():
        num_bad = np.count_nonzero(~np.isfinite(known_costs))
        raise ValueError(f"costs must be finite, received {num_bad} values that are not.")
