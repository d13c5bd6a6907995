import keras
import numpy as np
import pytest
from keras import layers

from tfdisent import networks


def build(architecture, image_shape, **options):
    """Encoder to 20 parameters and decoder from 10 latents to the channels of the images."""
    return networks.build(architecture, image_shape, 20, 10, image_shape[-1], **options)


def summary(model):
    """[(kind of layer, shape of its output without the batch)], but for the input."""
    return [(type(layer).__name__, tuple(layer.output.shape[1:])) for layer in model.layers[1:]]


def dense(inputs, outputs):
    return inputs * outputs + outputs


def conv(inputs, outputs):
    """Parameters of a 4 x 4 convolution, transposed or not."""
    return 4 * 4 * inputs * outputs + outputs


def test_conv64_has_the_layers_of_the_paper():
    encoder, decoder = build("conv64", (64, 64, 1))
    assert summary(encoder) == [
        ("Conv2D", (32, 32, 32)),
        ("Conv2D", (16, 16, 32)),
        ("Conv2D", (8, 8, 64)),
        ("Conv2D", (4, 4, 64)),
        ("Flatten", (1024,)),
        ("Dense", (256,)),
        ("Dense", (20,)),
    ]
    assert summary(decoder) == [
        ("Dense", (256,)),
        ("Dense", (1024,)),
        ("Reshape", (4, 4, 64)),
        ("Conv2DTranspose", (8, 8, 64)),
        ("Conv2DTranspose", (16, 16, 32)),
        ("Conv2DTranspose", (32, 32, 32)),
        ("SingleChannelUpsampling", (64, 64, 1)),
    ]


def test_conv64_has_as_many_parameters_as_counted_by_hand():
    encoder, decoder = build("conv64", (64, 64, 1))
    # 544 + 16,416 + 32,832 + 65,600 + 262,400 + 5,140
    assert encoder.count_params() == 382_932
    # 2,816 + 263,168 + 65,600 + 32,800 + 16,416 + 513
    assert decoder.count_params() == 381_313


@pytest.mark.parametrize(("channels", "hidden"), [(1, 256), (3, 128)])
def test_the_parameters_of_conv64_follow_from_channels_and_hidden(channels, hidden):
    encoder, decoder = build("conv64", (64, 64, channels), hidden=hidden)
    convolutions = conv(channels, 32) + conv(32, 32) + conv(32, 64) + conv(64, 64)
    assert encoder.count_params() == convolutions + dense(1024, hidden) + dense(hidden, 20)
    convolutions = conv(64, 64) + conv(64, 32) + conv(32, 32) + conv(32, channels)
    assert decoder.count_params() == dense(10, hidden) + dense(hidden, 1024) + convolutions


def test_conv32_leaves_out_one_stage_of_32_filters():
    encoder, decoder = build("conv32", (32, 32, 3))
    assert [shape for _, shape in summary(encoder)] == [
        (16, 16, 32),
        (8, 8, 64),
        (4, 4, 64),
        (1024,),
        (256,),
        (20,),
    ]
    assert [shape for _, shape in summary(decoder)] == [
        (256,),
        (1024,),
        (4, 4, 64),
        (8, 8, 64),
        (16, 16, 32),
        (32, 32, 3),
    ]
    convolutions = conv(3, 32) + conv(32, 64) + conv(64, 64)
    assert encoder.count_params() == convolutions + dense(1024, 256) + dense(256, 20)
    convolutions = conv(64, 64) + conv(64, 32) + conv(32, 3)
    assert decoder.count_params() == dense(10, 256) + dense(256, 1024) + convolutions


def test_conv256_adds_two_stages_of_32_filters():
    encoder, decoder = build("conv256", (256, 256, 3))
    sides = [128, 64, 32, 16, 8, 4]
    filters = [32, 32, 32, 32, 64, 64]
    maps = [(side, side, count) for side, count in zip(sides, filters, strict=True)]
    assert [shape for _, shape in summary(encoder)][:6] == maps
    assert [shape for _, shape in summary(decoder)][2:] == [*maps[::-1], (256, 256, 3)]


@pytest.mark.parametrize(("architecture", "side"), [("conv64", 64), ("conv32", 32)])
def test_every_layer_but_the_last_is_a_relu(architecture, side):
    for model in build(architecture, (side, side, 1)):
        activations = [layer.activation for layer in model.layers if hasattr(layer, "activation")]
        assert set(activations[:-1]) == {keras.activations.relu}
        assert activations[-1] is keras.activations.linear


def test_weights_start_as_the_source_starts_them():
    for model in build("conv64", (64, 64, 1)):
        for layer in model.layers:
            if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
                assert isinstance(layer.kernel_initializer, keras.initializers.HeNormal)
            elif isinstance(layer, layers.Dense):
                assert isinstance(layer.kernel_initializer, keras.initializers.GlorotUniform)
            if layer.weights:
                assert not np.any(layer.bias)


def test_a_convolution_pads_one_pixel_on_each_side():
    encoder, _ = build("conv32", (32, 32, 1))
    first = encoder.layers[1]
    first.kernel.assign(np.ones(first.kernel.shape))
    # A kernel of ones with stride 2 counts the pixels of the image under it, 3 x 3 in a corner.
    counts = np.asarray(first(np.ones([1, 32, 32, 1], np.float32)))[0, :, :, 0]
    expected = np.outer(*[[3, *[4] * 14, 3]] * 2)
    np.testing.assert_array_equal(counts, expected)


@pytest.mark.parametrize(("architecture", "side"), [("conv64", 64), ("conv32", 32)])
def test_outputs_are_float32_under_mixed_precision(mixed_precision, architecture, side):
    encoder, decoder = build(architecture, (side, side, 1), hidden=8)
    parameters = encoder(np.zeros([2, side, side, 1], np.float32))
    outputs = decoder(np.zeros([2, 10], np.float32))
    assert parameters.dtype == outputs.dtype == "float32"
    assert encoder.layers[1].compute_dtype == mixed_precision.removeprefix("mixed_")
