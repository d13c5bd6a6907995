"""Likelihoods p(x | z) and p(y | z): the decoder's output becomes a distribution over what it is to
explain, images or labels.
"""

import math

import keras
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions


class _LogitBernoulli(tfd.Bernoulli):
    """`tfd.Bernoulli` whose log-density is the cross-entropy, in one fused and stable operation.

    For x in [0, 1] the value is `x log p + (1 - x) log(1 - p)`, as in `tfd.Bernoulli`.
    """

    def _log_prob(self, event):
        logits = self.logits_parameter()
        event = tf.cast(event, logits.dtype)
        return -tf.nn.sigmoid_cross_entropy_with_logits(labels=event, logits=logits)


@keras.saving.register_keras_serializable("tfdisent.likelihoods")
class Bernoulli:
    """Independent Bernoulli pixels from logits. Images in [0, 1], grey values allowed."""

    name = "bernoulli"
    num_classes = None
    value_range = (0.0, 1.0)

    def output_channels(self, channels):
        """Channels the decoder must have for images with `channels`."""
        return channels

    def __call__(self, outputs):
        """Decoder output [B, H, W, C] -> distribution with event shape [H, W, C]."""
        outputs = tf.cast(outputs, tf.float32)
        event_rank = outputs.shape.rank - 1
        # float32: a distribution of integers would truncate the grey values of a NumPy image to 0.
        pixels = _LogitBernoulli(logits=outputs, dtype=tf.float32)
        return tfd.Independent(pixels, reinterpreted_batch_ndims=event_rank)

    def mean(self, outputs):
        """Decoder output -> mean image in [0, 1]."""
        return tf.sigmoid(tf.cast(outputs, tf.float32))

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


# `tfdisent.latents` has a Gaussian of its own: each needs a package name of its own.
@keras.saving.register_keras_serializable("tfdisent.likelihoods")
class Gaussian:
    """Independent Gaussian pixels around the decoder's output squashed to [0, 1].

    Args:
      scale: the fixed standard deviation of every pixel, or None to let the decoder give a second
        set of channels, of which the softplus is the standard deviation. The constant
        `0.5 log(2 pi scale^2)` per pixel is part of the density, so distortions are in nats.
      min_scale: floor of a learned standard deviation; without one the density is unbounded.
      squash: whether a sigmoid maps the mean to [0, 1]. Switch it off for data that are no images.

    Raises:
      ValueError: if `scale` or `min_scale` is not positive.
    """

    name = "gaussian"
    num_classes = None

    def __init__(self, scale=1.0, min_scale=1e-2, squash=True):
        if scale is not None and not scale > 0:
            raise ValueError(f"scale must be positive or None, received {scale}.")
        if not min_scale > 0:
            raise ValueError(f"min_scale must be positive, received {min_scale}.")
        self.scale = scale
        self.min_scale = min_scale
        self.squash = squash

    @property
    def value_range(self):
        """(0, 1), in which images must lie, or None for any values."""
        return (0.0, 1.0) if self.squash else None

    def output_channels(self, channels):
        """Channels the decoder must have for images with `channels`."""
        return channels if self.scale is not None else 2 * channels

    def __call__(self, outputs):
        """Decoder output [B, H, W, C or 2C] -> distribution with event shape [H, W, C]."""
        outputs = tf.cast(outputs, tf.float32)
        event_rank = outputs.shape.rank - 1
        loc = self.mean(outputs)
        if self.scale is not None:
            scale = tf.constant(self.scale, tf.float32)
        else:
            # log(e - 1) makes the initial standard deviation about 1.
            raw = tf.split(outputs, 2, axis=-1)[1] + math.log(math.e - 1)
            scale = tf.nn.softplus(raw) + self.min_scale
        return tfd.Independent(tfd.Normal(loc, scale), reinterpreted_batch_ndims=event_rank)

    def mean(self, outputs):
        """Decoder output -> mean image."""
        outputs = tf.cast(outputs, tf.float32)
        loc = outputs if self.scale is not None else tf.split(outputs, 2, axis=-1)[0]
        return tf.sigmoid(loc) if self.squash else loc

    def get_config(self):
        return {"scale": self.scale, "min_scale": self.min_scale, "squash": self.squash}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


# `tfdisent.latents` has a Categorical of its own: each needs a package name of its own.
@keras.saving.register_keras_serializable("tfdisent.likelihoods")
class Categorical:
    """One label from logits: the decoder is a classifier of codes, z [B, D] -> logits [B, classes].

    The likelihood of the information bottleneck, where z is to tell y and not x (Alemi et al., Deep
    Variational Information Bottleneck, 2017, arXiv:1612.00410).

    Args:
      num_classes: number of classes; labels are integers in [0, num_classes).

    Raises:
      ValueError: if `num_classes` is not an integer of at least 2.
    """

    name = "categorical"
    value_range = (0.0, 1.0)

    def __init__(self, num_classes=10):
        is_integer = isinstance(num_classes, int) and not isinstance(num_classes, bool)
        if not is_integer or num_classes < 2:
            raise ValueError(
                f"num_classes must be an integer of at least 2, received {num_classes!r}."
            )
        self.num_classes = num_classes

    def output_channels(self, channels):
        """Width of the decoder's output: one logit for each class, whatever the images are."""
        return self.num_classes

    def __call__(self, outputs):
        """Decoder output [B, classes] -> distribution over integer labels, event shape []."""
        return tfd.Categorical(logits=tf.cast(outputs, tf.float32), dtype=tf.int32)

    def mean(self, outputs):
        """Decoder output -> class probabilities, the mean of the one-hot label."""
        return tf.nn.softmax(tf.cast(outputs, tf.float32))

    def get_config(self):
        return {"num_classes": self.num_classes}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("tfdisent.likelihoods")
class OneHot:
    """Images in which exactly one pixel is 1 and all others 0: one softmax over all pixels.

    For sources with a finite alphabet of H * W * C symbols. Nothing restricts p(x | z) to a form:
    every distribution over the alphabet is some decoder output.
    """

    name = "one_hot"
    num_classes = None
    value_range = (0.0, 1.0)

    def output_channels(self, channels):
        """Channels the decoder must have for images with `channels`."""
        return channels

    def __call__(self, outputs):
        """Decoder output [B, H, W, C], logits -> distribution with event shape [H, W, C]."""
        outputs = tf.cast(outputs, tf.float32)
        shape = outputs.shape[1:]
        symbols = tfd.OneHotCategorical(
            logits=tf.reshape(outputs, [-1, shape.num_elements()]), dtype=tf.float32
        )
        return tfd.TransformedDistribution(symbols, tfp.bijectors.Reshape(shape))

    def mean(self, outputs):
        """Decoder output -> mean image, the probability of every symbol."""
        outputs = tf.cast(outputs, tf.float32)
        flat = tf.nn.softmax(tf.reshape(outputs, [-1, outputs.shape[1:].num_elements()]))
        return tf.reshape(flat, tf.shape(outputs))

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


_BY_NAME = {
    "bernoulli": Bernoulli,
    "categorical": Categorical,
    "gaussian": Gaussian,
    "one_hot": OneHot,
}


def get(likelihood):
    """Returns a likelihood object from an object or from "bernoulli", "gaussian",
    "one_hot" or "categorical" (ten classes).

    Raises:
      ValueError: if the name is unknown.
      TypeError: if it is neither a name nor a likelihood.
    """
    if hasattr(likelihood, "output_channels"):
        return likelihood
    if not isinstance(likelihood, str):
        raise TypeError(
            f"likelihood must be a name or an object from tfdisent.likelihoods, "
            f"received {likelihood!r}."
        )
    if likelihood not in _BY_NAME:
        raise ValueError(f"likelihood must be one of {sorted(_BY_NAME)}, received {likelihood!r}.")
    return _BY_NAME[likelihood]()
