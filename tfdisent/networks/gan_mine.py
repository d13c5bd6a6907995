"""The generator of GAN+MINE on points and small images: fully connected."""

import math

import keras
from keras import layers


def dense_generator(latent_size, image_shape, hidden=400, depth=3, activation=None):
    """Latents [B, D] -> images [B, H, W, C], by ReLU layers.

    Args:
      latent_size: D.
      image_shape: (H, W, C); points are images of one row, such as (1, 2, 1).
      hidden: units of each hidden layer.
      depth: number of hidden layers.
      activation: of the output: "sigmoid" for images in [0, 1], None for any values.
    """
    x = inputs = keras.Input((latent_size,), name="z")
    for _ in range(depth):
        x = layers.Dense(hidden, activation="relu")(x)
    x = layers.Dense(math.prod(image_shape), activation=activation, dtype="float32")(x)
    return keras.Model(inputs, layers.Reshape(image_shape, dtype="float32")(x), name="generator")
