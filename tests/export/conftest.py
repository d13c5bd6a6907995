"""Small models with every kind of latent group, exported once."""

import types
from pathlib import Path

import numpy as np
import pytest

IMAGE_SHAPE = (8, 8, 1)
MODELS = ("gaussian", "mixed", "discrete", "searched", "noise", "searched_noise", "convolutional")


def latents_of(name):
    from tfdisent.latents import Categorical, Gaussian, Latents

    return {
        "gaussian": lambda: Latents(Gaussian(3)),
        # The categorical group first, so that columns of z and of the means differ.
        "mixed": lambda: Latents(Categorical(3), Gaussian(2), Gaussian(1, name="more")),
        "discrete": lambda: Latents(Categorical(4, name="kind")),
        "searched": lambda: Latents(Gaussian(2), Categorical(4, inference="search")),
        "noise": lambda: Latents(
            Gaussian(3, name="noise", inference=None),
            Gaussian(2),
            Categorical(2, name="style", inference=None),
        ),
        "searched_noise": lambda: Latents(
            Gaussian(2),
            Categorical(3, inference="search"),
            Gaussian(2, name="noise", inference=None),
        ),
        "convolutional": lambda: Latents(Gaussian(2), Categorical(3, inference="search")),
    }[name]()


def build(name):
    """A model with random weights everywhere, so that none of them can be forgotten unnoticed."""
    from tfdisent.vae import VAE

    shape, architecture, scale = IMAGE_SHAPE, "mlp", 0.5
    if name == "convolutional":
        shape, architecture, scale = (32, 32, 1), "conv32", 0.1
    vae = VAE.build_for(shape, latents_of(name), architecture=architecture, hidden=16)
    random = np.random.default_rng(MODELS.index(name))
    for weight in vae.weights:
        weight.assign(random.normal(scale=scale, size=weight.shape))
    return vae


def make_inputs(vae, batch=5):
    """{input key: array}, for all signatures."""
    random = np.random.default_rng(7)
    return {
        "image": random.uniform(size=(batch, *vae.image_shape)).astype("float32"),
        "code": random.normal(size=(4, vae.latents.size)).astype("float32"),
        "seed": np.array([3, -4], "int32"),
        "count": np.array(6, "int32"),
        "dimension": np.array(vae.latents.size - 1, "int32"),
        "values": np.array([-1.5, 0.0, 2.0], "float32"),
    }


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    """{name: the model, its export and inputs}."""
    from tfdisent import export

    found = {}
    for name in MODELS:
        vae = build(name)
        folder = tmp_path_factory.mktemp("exports") / name
        path = export.save(vae, folder, metadata={"case": name})
        found[name] = types.SimpleNamespace(
            name=name, vae=vae, path=path, model=export.load(path), inputs=make_inputs(vae)
        )
    return found


@pytest.fixture(params=MODELS)
def case(request, cases):
    return cases[request.param]


@pytest.fixture
def mixed(cases):
    return cases["mixed"]


@pytest.fixture(scope="session")
def here():
    return Path(__file__).parent
