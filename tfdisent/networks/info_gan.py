"""InfoGAN's networks for MNIST."""

import keras
from keras import layers


def info_gan(image_shape, parameter_size, latent_size, output_channels, hidden=1024):
    """Recognition network and generator of 28 x 28 images, normalised over the batch.

    The recognition network begins with the layers that it shares with the discriminator: 4 x 4
    convolutions of stride 2 with 64 and 128 filters and `hidden` units, the layer "features"; 128
    units and a linear head follow. The generator mirrors the shared part. The code's slope of the
    leaky ReLU is taken, 0.01, as are its initial weights, N(0, 0.02).

    Args:
      image_shape: (28, 28, C).
      parameter_size: width of the recognition network's output.
      latent_size: width of the generator's input.
      output_channels: channels of the generator's output, which is linear (logits or means).
      hidden: units of the layer "features" and of the generator's first layer.

    Reference:
      Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing
      Generative Adversarial Nets, 2016, arXiv:1606.03657, appendix C.1.
    """
    initial = {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
    strided = {"kernel_size": 4, "strides": 2, "padding": "same", **initial}

    def leaky(x, name=None):
        return layers.LeakyReLU(negative_slope=0.01, name=name)(x)

    def normalised(x):
        return layers.BatchNormalization()(x)

    x = inputs = keras.Input(image_shape, name="image")
    x = leaky(layers.Conv2D(64, **strided)(x))
    x = leaky(normalised(layers.Conv2D(128, **strided)(x)))
    x = layers.Flatten()(x)
    x = leaky(normalised(layers.Dense(hidden, **initial)(x)), name="features")
    x = leaky(normalised(layers.Dense(128, **initial)(x)))
    # float32 under any mixed precision policy: these numbers become distributions.
    x = layers.Dense(parameter_size, dtype="float32", name="parameters", **initial)(x)
    encoder = keras.Model(inputs, x, name="encoder")

    x = inputs = keras.Input((latent_size,), name="z")
    x = layers.ReLU()(normalised(layers.Dense(hidden, **initial)(x)))
    x = layers.ReLU()(normalised(layers.Dense(7 * 7 * 128, **initial)(x)))
    x = layers.Reshape((7, 7, 128))(x)
    x = layers.ReLU()(normalised(layers.Conv2DTranspose(64, **strided)(x)))
    x = layers.Conv2DTranspose(output_channels, dtype="float32", name="outputs", **strided)(x)
    decoder = keras.Model(inputs, x, name="decoder")
    return encoder, decoder
