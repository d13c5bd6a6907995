import pytest

from tfdisent import networks


@pytest.mark.parametrize(
    ("image_shape", "layer"),
    [
        ((64, 64, 1), "Conv2D"),
        ((32, 32, 3), "Conv2D"),
        ((128, 128, 3), "Conv2D"),
        ((256, 256, 1), "Conv2D"),
        ((64, 32, 1), "Flatten"),
        ((28, 28, 1), "Flatten"),
    ],
)
def test_the_architecture_is_the_one_that_fits_the_images(image_shape, layer):
    encoder, decoder = networks.build(None, image_shape, 4, 2, image_shape[-1], hidden=4)
    assert type(encoder.layers[1]).__name__ == layer
    assert encoder.input_shape == decoder.output_shape == (None, *image_shape)


@pytest.mark.parametrize("architecture", networks.ARCHITECTURES)
def test_every_architecture_has_the_widths_it_is_asked_for(architecture):
    side = networks.ARCHITECTURES[architecture][1] or 6
    encoder, decoder = networks.build(architecture, (side, side, 3), 10, 5, 6, hidden=4)
    assert encoder.input_shape == (None, side, side, 3)
    assert encoder.output_shape == (None, 10)
    assert decoder.input_shape == (None, 5)
    size = () if architecture == "deep_vib" else (side, side)
    assert decoder.output_shape == (None, *size, 6)


def test_an_unknown_architecture_lists_the_known_ones():
    known = r"'conv128', 'conv256', 'conv32', 'conv64', 'deep_vib', 'info_gan', 'mlp'"
    message = rf"must be one of \[{known}\], received 'resnet'"
    with pytest.raises(ValueError, match=message):
        networks.build("resnet", (64, 64, 1), 4, 2, 1)


@pytest.mark.parametrize("architecture", ["conv64", "conv32"])
@pytest.mark.parametrize("image_shape", [(28, 28, 1), (64, 32, 1)])
def test_convolutions_refuse_images_of_another_size(architecture, image_shape):
    side = architecture[-2:]
    with pytest.raises(ValueError, match=f"{architecture} takes {side} x {side} images, received"):
        networks.build(architecture, image_shape, 4, 2, 1)


@pytest.mark.parametrize("image_shape", [(64, 64), (64, 64, 0), (64, 64, 1.0), (1, 64, 64, 1)])
def test_an_image_shape_is_three_positive_integers(image_shape):
    with pytest.raises(ValueError, match="three positive integers, received"):
        networks.build("mlp", image_shape, 4, 2, 1)


@pytest.mark.parametrize("architecture", ["conv64", "mlp"])
def test_an_unknown_option_lists_the_known_ones(architecture):
    with pytest.raises(ValueError, match=r"hidden.*received.*width"):
        networks.build(architecture, (64, 64, 1), 4, 2, 1, width=3)
