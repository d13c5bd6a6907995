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


def image_discriminator(image_shape, hidden=400, depth=3, slope=0.2):
    """Discriminator of images or points, fully connected: x [B, H, W, C] -> logit [B].

    Args:
      image_shape: (H, W, C).
      hidden: units of each hidden layer.
      depth: number of hidden layers.
      slope: negative slope of the leaky ReLU.
    """
    inputs = keras.Input(image_shape, name="image")
    logit = _logit(layers.Flatten()(inputs), hidden, depth, slope)
    return keras.Model(inputs, logit, name="discriminator")


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


def with_features(encoder):
    """An encoder that also gives the features that its last layers read.

    Args:
      encoder: functional Keras model, images [B, H, W, C] -> parameters [B, P]. Its features are
        the output of the layer called "features", or what the last layer reads.

    Returns:
      Keras model of the same layers, images -> (features [B, F], parameters [B, P]).
    """
    names = [layer.name for layer in encoder.layers]
    if "features" in names:
        features = encoder.get_layer("features").output
    else:
        features = encoder.layers[-1].input
    return keras.Model(encoder.input, [features, encoder.output], name="with_features")


def feature_discriminator(feature_size):
    """InfoGAN's discriminator, given the features of the recognition network: one linear layer.

    Args:
      feature_size: F, width of the features [B, F]; the logits are [B].

    Reference:
      Chen et al., InfoGAN, 2016, arXiv:1606.03657, section 6 and appendix C: "the parameterization
      of D and Q share most of the layers".
    """
    inputs = keras.Input((feature_size,), name="features")
    return keras.Model(inputs, _logit(inputs, hidden=0, depth=0, slope=0.0), name="discriminator")


def _logit(x, hidden, depth, slope):
    """The logit [B] of features [B, n], by `depth` layers of `hidden` leaky units."""
    for _ in range(depth):
        x = layers.Dense(hidden)(x)
        x = layers.LeakyReLU(negative_slope=slope)(x)
    x = layers.Dense(1, dtype="float32", name="logit")(x)
    return layers.Reshape((), dtype="float32")(x)
