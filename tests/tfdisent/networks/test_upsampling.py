import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tfdisent.networks.upsampling import SingleChannelUpsampling


def _pair(shape):
    """Our layer and the library's with the same random weights."""
    plain = layers.Conv2DTranspose(1, 4, 2, "same")
    ours = SingleChannelUpsampling()
    rng = np.random.default_rng(0)
    for layer in (plain, ours):
        layer.build((None, *shape))
    weights = [rng.normal(size=w.shape).astype(np.float32) for w in plain.weights]
    plain.set_weights(weights)
    ours.set_weights(weights)
    return ours, plain


def _gradients(layer, x, upstream, **options):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, **options)
    return [y, *tape.gradient(y, [x, *layer.trainable_variables], upstream)]


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 3, 1), (5, 4, 7), (32, 32, 32)])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("mode", ["eager", "graph", pytest.param("xla", marks=pytest.mark.xla)])
def test_values_and_gradients_are_those_of_the_library(shape, training, mode):
    ours, plain = _pair(shape)
    rng = np.random.default_rng(1)
    x = tf.constant(rng.normal(size=(3, *shape)), tf.float32)
    upstream = tf.constant(rng.normal(size=(3, 2 * shape[0], 2 * shape[1], 1)), tf.float32)

    def ours_of(x, upstream):
        return _gradients(ours, x, upstream, training=training)

    if mode != "eager":
        ours_of = tf.function(ours_of, jit_compile=mode == "xla")
    received = ours_of(x, upstream)
    for value, expected in zip(received, _gradients(plain, x, upstream), strict=True):
        scale = float(tf.reduce_max(tf.abs(expected)))
        np.testing.assert_allclose(value, expected, rtol=0, atol=1e-5 * max(scale, 1))


def test_one_pixel_becomes_the_middle_of_the_kernel():
    layer = SingleChannelUpsampling(use_bias=False)
    layer.build((None, 1, 1, 1))
    kernel = np.arange(16, dtype=np.float32).reshape(4, 4, 1, 1)
    layer.set_weights([kernel])
    np.testing.assert_array_equal(layer(np.ones((1, 1, 1, 1)))[0, :, :, 0], [[5, 6], [9, 10]])


def test_gpu_has_the_kernel_of_the_library(monkeypatch):
    ours, plain = _pair((4, 4, 2))
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    x = tf.random.stateless_normal((2, 4, 4, 2), [0, 1])
    np.testing.assert_array_equal(ours(x, training=True), plain(x))


def test_batch_size_may_vary_and_mixed_precision_is_kept():
    layer = SingleChannelUpsampling(dtype="mixed_bfloat16", activation="relu")
    model = keras.Sequential([keras.Input((4, 4, 3)), layer])
    assert model.output_shape == (None, 8, 8, 1)
    for size in (1, 5):
        outputs = model(np.ones((size, 4, 4, 3), np.float32), training=True)
        assert outputs.shape == (size, 8, 8, 1)
        assert outputs.dtype == tf.bfloat16
        assert float(tf.reduce_min(outputs)) >= 0


def test_layer_is_restored_from_its_configuration():
    layer = SingleChannelUpsampling(name="outputs", kernel_initializer="he_normal")
    copy = SingleChannelUpsampling.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.filters == 1 and copy.kernel_size == (4, 4) and copy.strides == (2, 2)
