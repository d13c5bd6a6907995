"""A transposed convolution to one channel that is fast on a CPU."""

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("tfdisent")
class SingleChannelUpsampling(layers.Conv2DTranspose):
    """`Conv2DTranspose(1, kernel_size=4, strides=2, padding="same")` by a matrix product.

    The last layer of a decoder of grey images has few multiplications and many pixels; on a CPU the
    library's kernel spends half of the decoder's time there, this one a quarter. Weights,
    configuration and values are those of the base class, whose kernel a GPU uses.

    Each input pixel adds a 4 x 4 patch, kernel times channels, to an output of twice the size, so
    that along either axis (i input, o output pixels)

        o[2 i] = tap_1[i] + tap_3[i - 1]        o[2 i + 1] = tap_2[i] + tap_0[i + 1] .

    Args:
      **kwargs: of `keras.layers.Layer`, and initialisers.
    """

    def __init__(self, **kwargs):
        fixed = {"filters": 1, "kernel_size": (4, 4), "strides": (2, 2), "padding": "same"}
        super().__init__(**{**kwargs, **fixed})

    def call(self, inputs, training=False):
        """Features [B, H, W, C] -> [B, 2 H, 2 W, 1]."""
        if tf.config.list_logical_devices("GPU"):
            return super().call(inputs)
        kernel = tf.convert_to_tensor(self.kernel)  # [4, 4, 1, C]
        # Not where a model is exported: a saved function cannot hold a gradient of ours.
        upsample = _upsample_to_train if training else _upsample
        outputs = upsample(inputs, tf.cast(kernel, inputs.dtype))
        if self.use_bias:
            outputs += tf.cast(tf.convert_to_tensor(self.bias), outputs.dtype)
        return self.activation(outputs)


def _upsample(inputs, kernel):
    _, height, width, channels = inputs.shape
    pixels = tf.reshape(inputs, [-1, height * width, channels])
    taps = tf.matmul(tf.reshape(kernel, [16, channels]), pixels, transpose_b=True)
    taps = tf.reshape(taps, [-1, 4, 4, height, width])
    rows = _interleave(taps, axis=2)  # [B, 4, H, 2, W]
    both = _interleave(rows, axis=3)  # [B, H, 2, W, 2]
    return tf.reshape(both, [-1, 2 * height, 2 * width, 1])


@tf.custom_gradient
def _upsample_to_train(inputs, kernel):
    def gradient(upstream):
        """That of a transposed convolution, which the library has fast kernels for."""
        of_inputs = tf.nn.conv2d(upstream, kernel, 2, "SAME")
        of_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=upstream,
            filter_sizes=tf.shape(kernel),
            out_backprop=inputs,
            strides=[1, 2, 2, 1],
            padding="SAME",
        )
        return of_inputs, of_kernel

    return _upsample(inputs, kernel), gradient


def _interleave(taps, axis):
    """Taps [B, 4, ...] -> [B, ...] with an axis of 2, even and odd pixels, after pixel axis `axis`.

    `axis` counts without the axis of taps.
    """
    tap_0, tap_1, tap_2, tap_3 = tf.unstack(taps, axis=1)
    even = tap_1 + _shift(tap_3, axis, forwards=True)
    odd = tap_2 + _shift(tap_0, axis, forwards=False)
    return tf.stack([even, odd], axis=axis + 1)


def _shift(values, axis, forwards):
    """Moves values by one pixel along an axis; zero enters."""
    kept = [slice(None)] * len(values.shape)
    kept[axis] = slice(None, -1) if forwards else slice(1, None)
    padding = [[0, 0]] * len(values.shape)
    padding[axis] = [1, 0] if forwards else [0, 1]
    return tf.pad(values[tuple(kept)], padding)
