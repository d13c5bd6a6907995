"""Encoders, decoders, discriminators and critics: Keras models that map tensors to tensors."""

import inspect

from tfdisent.networks import conv, dense
from tfdisent.networks.critics import ConditionalGaussian, JointCritic, SeparableCritic
from tfdisent.networks.deep_info_max import (
    deep_info_max,
    map_embedding,
    pair_embedding,
    prior_discriminator,
    with_local_map,
)
from tfdisent.networks.deep_vib import deep_vib
from tfdisent.networks.discriminators import (
    feature_discriminator,
    image_discriminator,
    latent_discriminator,
    pair_discriminator,
    with_features,
)
from tfdisent.networks.gan_mine import dense_generator
from tfdisent.networks.info_gan import info_gan
from tfdisent.networks.mine_ib import image_code_critic

__all__ = [
    "ARCHITECTURES",
    "ConditionalGaussian",
    "JointCritic",
    "SeparableCritic",
    "build",
    "conv",
    "deep_info_max",
    "deep_vib",
    "dense",
    "dense_generator",
    "feature_discriminator",
    "image_code_critic",
    "image_discriminator",
    "info_gan",
    "latent_discriminator",
    "map_embedding",
    "pair_discriminator",
    "pair_embedding",
    "prior_discriminator",
    "with_features",
    "with_local_map",
]

# Name -> (function that builds (encoder, decoder), the image sides it takes or None for any).
ARCHITECTURES = {
    "conv32": (conv.conv, 32),
    "conv64": (conv.conv, 64),
    "conv128": (conv.conv, 128),
    "conv256": (conv.conv, 256),
    "mlp": (dense.mlp, None),
    "deep_vib": (deep_vib, None),
    "info_gan": (info_gan, 28),
}


def build(architecture, image_shape, parameter_size, latent_size, output_channels, **options):
    """Builds (encoder, decoder) of a named architecture.

    Args:
      architecture: "conv32", "conv64", "conv128", "conv256", "mlp", or None for the one that fits:
        the convolutional networks for square images with these sides, else "mlp". "deep_vib" has a
        decoder of labels, "info_gan" takes images with sides 28.
      image_shape: (H, W, C).
      parameter_size: width P of the encoder's output.
      latent_size: width D of the decoder's input.
      output_channels: channels of the decoder's output; the number of classes in "deep_vib".
      **options: passed to the architecture, such as `hidden=128`.

    Raises:
      ValueError: if the architecture is unknown, an option is, or the images have another size.
    """
    image_shape = tuple(image_shape)
    if len(image_shape) != 3 or any(not isinstance(n, int) or n < 1 for n in image_shape):
        raise ValueError(
            f"image_shape must be (H, W, C), three positive integers, received {image_shape}."
        )
    if architecture is None:
        is_square = image_shape[0] == image_shape[1]
        convolutional = f"conv{image_shape[0]}"
        fits = is_square and convolutional in ARCHITECTURES
        architecture = convolutional if fits else "mlp"
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"architecture must be one of {sorted(ARCHITECTURES)}, received {architecture!r}."
        )
    function, side = ARCHITECTURES[architecture]
    if side is not None and image_shape[:2] != (side, side):
        raise ValueError(
            f"{architecture} takes {side} x {side} images, received image_shape {image_shape}."
        )
    known = list(inspect.signature(function).parameters)[4:]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"options of {architecture} must be among {known}, received {unknown}.")
    return function(image_shape, parameter_size, latent_size, output_channels, **options)
