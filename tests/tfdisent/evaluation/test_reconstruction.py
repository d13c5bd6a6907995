import numpy as np
import pytest

from tfdisent import data, likelihoods
from tfdisent.evaluation import reconstruction
from tfdisent.latents import Gaussian, Latents
from tfdisent.vae import VAE


def test_all_rows_are_meant_by_default_and_at_most_256_are_taken(make_rateless):
    pixels = np.random.default_rng(0).uniform(size=(300, 8, 8, 1)).astype(np.float32)
    vae, dataset = make_rateless("point"), data.from_arrays(pixels)
    assert reconstruction(vae, dataset)["num_images"] == 256
    found = reconstruction(vae, dataset, [3, 5])
    assert found["num_images"] == 2
    difference = pixels[[3, 5]] - vae.reconstruct(pixels[[3, 5]])
    np.testing.assert_allclose(found["residual"], np.sqrt(np.mean(difference**2)), rtol=1e-5)


def test_other_images_are_refused(vae):
    with pytest.raises(ValueError, match="takes images"):
        reconstruction(vae, data.from_arrays(np.zeros((3, 4, 4, 1), np.float32)))


def test_labels_are_not_reconstructed(images):
    latents, likelihood = Latents(Gaussian(2)), likelihoods.Categorical(4)
    vae = VAE.build_for((8, 8, 1), latents, likelihood=likelihood, hidden=8)
    with pytest.raises(ValueError, match="received one of labels"):
        reconstruction(vae, data.from_arrays(images))
