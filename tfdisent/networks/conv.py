"""The convolutional networks of Burgess et al. and FactorVAE, and their like for other sides."""

import math

import keras
from keras import layers

from tfdisent.networks.upsampling import SingleChannelUpsampling


def conv(image_shape, parameter_size, latent_size, output_channels, hidden=256):
    """Encoder and decoder with 4 x 4 kernels and stride 2 down to a 4 x 4 map.

    At 64 x 64 the encoder has 32, 32, 64, 64 filters, then a dense layer of `hidden` units and a
    linear head; the decoder mirrors it. At 32 x 32 one stage of 32 filters is left out, one and two
    are added at 128 x 128 and 256 x 256. ReLU throughout.

    Args:
      image_shape: (H, W, C) with H = W = 4 * 2**n, n >= 2.
      parameter_size: width of the encoder's output.
      latent_size: width of the decoder's input.
      output_channels: channels of the decoder's output, which is linear (logits or means).
      hidden: units of the dense layer; 256 in CascadeVAE and JointVAE, 128 in FactorVAE on
        dSprites.

    References:
      Burgess et al., Understanding disentangling in beta-VAE, 2018, arXiv:1804.03599, section A.
      Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, Table 1.
    """
    stages = int(math.log2(image_shape[0] // 4))
    filters = [32] * (stages - 2) + [64, 64]
    # He-type truncated normal for convolutions, Glorot uniform for dense layers.
    options = dict(kernel_size=4, strides=2, padding="same", kernel_initializer="he_normal")

    x = inputs = keras.Input(image_shape, name="image")
    for count in filters:
        x = layers.Conv2D(count, activation="relu", **options)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(hidden, activation="relu")(x)
    # float32 under any mixed precision policy: these numbers become distributions.
    x = layers.Dense(parameter_size, dtype="float32", name="parameters")(x)
    encoder = keras.Model(inputs, x, name="encoder")

    x = inputs = keras.Input((latent_size,), name="z")
    x = layers.Dense(hidden, activation="relu")(x)
    x = layers.Dense(4 * 4 * filters[-1], activation="relu")(x)
    x = layers.Reshape((4, 4, filters[-1]))(x)
    for count in filters[-2::-1]:
        x = layers.Conv2DTranspose(count, activation="relu", **options)(x)
    outputs = {"dtype": "float32", "name": "outputs"}
    if output_channels == 1:
        x = SingleChannelUpsampling(kernel_initializer="he_normal", **outputs)(x)
    else:
        x = layers.Conv2DTranspose(output_channels, **options, **outputs)(x)
    decoder = keras.Model(inputs, x, name="decoder")
    return encoder, decoder
