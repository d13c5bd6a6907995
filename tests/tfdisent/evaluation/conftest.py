"""Models whose codes are known: their encoder is linear."""

import numpy as np
import pytest


@pytest.fixture
def linear_vae():
    """`linear_vae(image_shape, weights, std, logits)`: a VAE with linear posterior means.

    Means are pixels [P] @ weights [P, D]; standard deviations are `std` [D] for every image. With
    `logits` [P, K] a categorical group with logits pixels @ logits follows.
    """
    import keras

    from tfdisent.latents import Categorical, Gaussian, Latents
    from tfdisent.vae import VAE

    def make(image_shape, weights, std, logits=None, offset=0.0, **options):
        weights, std = np.asarray(weights, np.float32), np.asarray(std, np.float64)
        groups = [Gaussian(weights.shape[1])]
        columns = [weights, np.zeros_like(weights)]
        bias = [np.full(len(std), offset), np.log(np.expm1(std))]
        if logits is not None:
            groups.append(Categorical(logits.shape[1]))
            columns.append(np.asarray(logits, np.float32))
            bias.append(np.zeros(logits.shape[1]))
        latents = Latents(*groups)
        pixels = int(np.prod(image_shape))
        keras.utils.set_random_seed(0)
        encoder = keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(latents.parameter_size),
            ]
        )
        encoder.layers[-1].set_weights([np.concatenate(columns, axis=1), np.concatenate(bias)])
        decoder = keras.Sequential(
            [
                keras.Input((latents.size,)),
                keras.layers.Dense(pixels),
                keras.layers.Reshape(image_shape),
            ]
        )
        return VAE(encoder, decoder, latents, **options)

    return make


@pytest.fixture
def make_rateless(make_vae):
    """`make_rateless(kind)`: a tiny VAE whose groups have no rate, with random weights.

    "point" is an autoencoder's, "mixed" that with a categorical group, "uniform" an InfoGAN's.
    """
    from tfdisent.latents import Categorical, Latents, Point, Uniform

    groups = {
        "point": lambda: [Point(3)],
        "mixed": lambda: [Categorical(3), Point(2)],
        "uniform": lambda: [Uniform(2), Categorical(3), Uniform(2, "noise", inference=None)],
    }

    return lambda kind, **options: make_vae(Latents(*groups[kind]()), **options)


@pytest.fixture
def linear_autoencoder():
    """`linear_autoencoder(image_shape, weights)`: codes are pixels [P] @ weights [P, D]."""
    import keras

    from tfdisent.latents import Latents, Point
    from tfdisent.vae import VAE

    def make(image_shape, weights):
        weights = np.asarray(weights, np.float32)
        pixels, size = weights.shape
        keras.utils.set_random_seed(0)
        inputs = [keras.Input(image_shape), keras.layers.Flatten()]
        encoder = keras.Sequential([*inputs, keras.layers.Dense(size, use_bias=False)])
        encoder.layers[-1].set_weights([weights])
        outputs = [keras.layers.Dense(pixels), keras.layers.Reshape(image_shape)]
        decoder = keras.Sequential([keras.Input((size,)), *outputs])
        return VAE(encoder, decoder, Latents(Point(size)))

    return make
