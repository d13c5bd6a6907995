"""Fixtures that several folders share. TensorFlow is imported by the fixtures that need it."""

import os
import random

import numpy as np
import pytest
from hypothesis import settings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The terminal that happens to run the tests does not decide how wide tables are printed in them.
os.environ.pop("COLUMNS", None)
# Elsewhere every run draws new examples; a landing must not hang on the draw.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

IMAGE_SHAPE = (8, 8, 1)


@pytest.fixture(autouse=True)
def same_initial_weights():
    """Weights that a test does not seed are the same in every run and whatever ran before it."""
    random.seed(0)
    np.random.seed(0)


def latents_of(kind):
    """The latents of a small model; in "mixed" the columns of z and of the codes differ."""
    from tfdisent.latents import Categorical, Gaussian, Latents

    groups = {
        "gaussian": lambda: [Gaussian(3)],
        "mixed": lambda: [Categorical(3), Gaussian(2)],
        "searched": lambda: [Gaussian(2), Categorical(4, inference="search")],
        "noise": lambda: [Gaussian(2, name="noise", inference=None), Gaussian(3)],
    }
    return Latents(*groups[kind]())


@pytest.fixture
def make_vae():
    """`make_vae(kind, **options)`: a tiny VAE with random weights, of `latents_of(kind)` or of the
    `Latents` that are given.

    The weights, biases included, are large enough for two models to give visibly different answers.
    """

    def make(kind="gaussian", **options):
        from tfdisent.vae import VAE

        latents = latents_of(kind) if isinstance(kind, str) else kind
        vae = VAE.build_for(IMAGE_SHAPE, latents, architecture="mlp", hidden=16, **options)
        rng = np.random.default_rng(0)
        for weight in vae.weights:
            weight.assign(rng.normal(scale=0.3, size=weight.shape))
        return vae

    return make


@pytest.fixture
def vae(make_vae):
    """The tiny VAE with three Gaussian dimensions."""
    return make_vae()


@pytest.fixture
def images():
    """Six random grey images."""
    return np.random.default_rng(1).uniform(size=(6, *IMAGE_SHAPE)).astype(np.float32)


@pytest.fixture
def seeds():
    """`seeds(n)`: n stateless seeds, int32 [2] each, that nothing else depends on."""
    import tensorflow as tf

    return lambda count: [tf.constant([20260, i], tf.int32) for i in range(count)]


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def mixed_precision(request):
    """Runs the test under each policy of mixed precision."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)
