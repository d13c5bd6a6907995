"""Discriminators: networks that end in one logit."""

import keras
from keras import layers


def latent_discriminator(latent_size, hidden=1000, depth=6, slope=0.2):
    """FactorVAE's discriminator of codes: z [B, D] -> logit [B].

    The paper's two-logit softmax is the same model with `logit = t0 - t1`.

    Args:
      latent_size: D.
      hidden: units of each hidden layer.
      depth: number of hidden layers.
      slope: negative slope of the leaky ReLU.

    Reference:
      Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, appendix C.
    """
    inputs = keras.Input((latent_size,), name="z")
    return keras.Model(inputs, _logit(inputs, hidden, depth, slope), name="discriminator")


def pair_discriminator(image_shape, latent_size, hidden=1024, depth=2, slope=0.2):
    """BiGAN's discriminator of pairs: (x [B, H, W, C], z [B, D]) -> logit [B].

    The authors' network for MNIST normalises the second layer's activations over the batch; this
    one does not, so that the logit of a pair does not depend on the other pairs.

    Args:
      image_shape: (H, W, C).
      latent_size: D.
      hidden: units of each hidden layer.
      depth: number of hidden layers.
      slope: negative slope of the leaky ReLU.

    Reference:
      Donahue, Kraehenbuehl, Darrell, Adversarial Feature Learning, 2017, arXiv:1605.09782, section
      4.1.
    """
    inputs = [keras.Input(image_shape, name="image"), keras.Input((latent_size,), name="z")]
    pair = layers.Concatenate()([layers.Flatten()(inputs[0]), inputs[1]])
    return keras.Model(inputs, _logit(pair, hidden, depth, slope), name="discriminator")


def _logit(x, hidden, depth, slope):
    """The logit [B] of features [B, n], by `depth` layers of `hidden` leaky units."""
    for _ in range(depth):
        x = layers.Dense(hidden)(x)
        x = layers.LeakyReLU(negative_slope=slope)(x)
    x = layers.Dense(1, dtype="float32", name="logit")(x)
    return layers.Reshape((), dtype="float32")(x)
