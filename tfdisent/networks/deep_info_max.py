"""The networks of Deep InfoMax: encoder, embeddings of the pair scores, discriminator of codes."""

import keras
from keras import layers

_CONV = dict(kernel_size=4, strides=2, padding="same")


def deep_info_max(image_shape, feature_size=64):
    """Deep InfoMax's encoder for CIFAR-10: images [B, H, W, C] -> features [B, feature_size].

    4 x 4 convolutions of 64, 128 and 256 filters with stride 2, a dense layer of 1024, a linear
    one; each but the last with batch normalisation and ReLU. The outputs of the inner layers have
    names, as the protocol of the paper reads them: "local", the map of the second convolution that
    features are paired with (8 x 8 x 128 for 32 x 32 images), "conv", that of the third, and "fc".

    Args:
      image_shape: (H, W, C), H and W multiples of 8.
      feature_size: D.

    Raises:
      ValueError: if the images have another size.

    Reference:
      Hjelm et al., Learning deep representations by mutual information estimation and maximization,
      2019, arXiv:1808.06670, section 4.1 and the authors' configs/convnets.py.
    """
    if image_shape[0] % 8 or image_shape[1] % 8:
        raise ValueError(f"expected H and W to be multiples of 8, received {tuple(image_shape)}.")
    x = inputs = keras.Input(image_shape, name="image")
    for filters, name in ((64, None), (128, "local"), (256, "conv")):
        x = _normalised(layers.Conv2D(filters, use_bias=False, **_CONV), name)(x)
    x = layers.Flatten()(x)
    x = _normalised(layers.Dense(1024, use_bias=False), "fc")(x)
    x = layers.Dense(feature_size, dtype="float32", name="features")(x)
    return keras.Model(inputs, x, name="encoder")


def with_local_map(encoder):
    """An encoder that also gives the map which its features are paired with.

    Args:
      encoder: functional Keras model, images [B, H, W, C] -> features [B, D], whose layer called
        "local" has an output [B, M, M, c].

    Returns:
      Keras model of the same layers, images -> (local map [B, M, M, c], features [B, D]).

    Raises:
      ValueError: if there is no such layer.
    """
    names = [layer.name for layer in encoder.layers]
    if "local" not in names or len(encoder.get_layer("local").output.shape) != 4:
        raise ValueError(
            "expected an encoder with a layer called 'local' that gives a map [B, M, M, c], "
            f"received the layers {names}."
        )
    local = encoder.get_layer("local").output
    return keras.Model(encoder.input, [local, encoder.output], name="with_local_map")


def pair_embedding(input_shape, embedding=2048, name="embedding"):
    """phi or psi of a pair score phi . psi: [B, ..., c] -> [B, ..., embedding].

    Acts on the last axis alone (a 1 x 1 convolution): two layers with batch normalisation and ReLU
    between, beside a linear shortcut that begins as the identity, then layer normalisation.

    Args:
      input_shape: of one example, such as (M, M, c) or (D,).
      embedding: u, length of the embedding.
      name: of the network.

    Reference:
      Hjelm et al., 2019, arXiv:1808.06670, section A.2 and the authors' mi_networks.py.
    """
    x = inputs = keras.Input(input_shape, name="input")
    x = _normalised(layers.Dense(embedding, use_bias=False))(x)
    x = layers.Dense(embedding)(x)
    shortcut = layers.Dense(embedding, use_bias=False, kernel_initializer="identity")(inputs)
    x = layers.LayerNormalization(dtype="float32")(layers.Add()([x, shortcut]))
    return keras.Model(inputs, x, name=name)


def map_embedding(encoder, embedding=2048, name="map_embedding"):
    """A local map as a whole, [B, M, M, c] -> [B, embedding]: what the global objective pairs.

    The layers that the encoder has between its local map and its last layer, with weights of their
    own, then a linear one.

    Args:
      encoder: see `with_local_map`.
      embedding: u, length of the embedding.
      name: of the network.

    Reference:
      Hjelm et al., 2019, arXiv:1808.06670, section A.2, and the authors' models/dim.py.
    """
    between = keras.Model(encoder.get_layer("local").output, encoder.layers[-1].input)
    between = keras.models.clone_model(between)
    x = layers.Dense(embedding, dtype="float32")(between.output)
    return keras.Model(between.input, x, name=name)


def prior_discriminator(feature_size, hidden=(1000, 200)):
    """Deep InfoMax's discriminator of features from samples of the prior: [B, D] -> logit [B].

    Args:
      feature_size: D.
      hidden: units of the ReLU layers.

    Reference:
      Hjelm et al., 2019, arXiv:1808.06670, section A.2.
    """
    x = inputs = keras.Input((feature_size,), name="features")
    for units in hidden:
        x = layers.Dense(units, activation="relu")(x)
    x = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(inputs, layers.Reshape((), dtype="float32")(x), name="discriminator")


def _normalised(layer, name=None):
    """A linear layer, batch normalisation and ReLU as a function of a Keras tensor."""

    def apply(x):
        return layers.Activation("relu", name=name)(layers.BatchNormalization()(layer(x)))

    return apply
