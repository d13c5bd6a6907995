import keras
import numpy as np
import pytest
from scipy.stats import norm

from tfdisent import VAE, Categorical, Gaussian, Latents, priors, visualize

IMAGE_SHAPE = (8, 8, 1)


def _vae(*groups):
    keras.utils.set_random_seed(0)
    return VAE.build_for(IMAGE_SHAPE, Latents(*groups), architecture="mlp")


@pytest.fixture(scope="module")
def gaussian_vae():
    return _vae(Gaussian(3))


@pytest.fixture(scope="module")
def joint_vae():
    # The discrete groups stand first and last in z, so that columns of z and of the code differ.
    return _vae(Categorical(3, name="shape"), Gaussian(2), Categorical(4, name="colour"))


def _images(count, seed=0):
    return np.random.default_rng(seed).random((count, *IMAGE_SHAPE), dtype=np.float32)


def test_linear_values_are_equally_distant():
    np.testing.assert_allclose(visualize.traversal_values(5), [-2, -1, 0, 1, 2])
    np.testing.assert_allclose(visualize.traversal_values(3, span=(-3, 1)), [-3, -1, 1])


def test_quantile_values_are_quantiles_of_the_prior():
    values = visualize.traversal_values(7, "quantile")
    np.testing.assert_allclose(norm.cdf(values), np.linspace(0.05, 0.95, 7), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "cubic"}, "mode must be"),
        ({"steps": 1}, "at least 2, received 1"),
        ({"span": (1, -1)}, "must increase"),
        ({"mode": "quantile", "span": (0.0, 1.0)}, "inside"),
        ({"mode": "quantile", "span": (-2.0, 2.0)}, "inside"),
    ],
)
def test_bad_values_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        visualize.traversal_values(**options)


def test_each_row_moves_one_dimension_away_from_zero(gaussian_vae):
    images = visualize.traverse(gaussian_vae, steps=5)
    assert images.shape == (3, 5, *IMAGE_SHAPE)
    for dimension in range(3):
        for step, value in enumerate((-2, -1, 0, 1, 2)):
            z = np.zeros((1, 3), np.float32)
            z[0, dimension] = value
            expected = gaussian_vae.decode(z)[0]
            np.testing.assert_allclose(images[dimension, step], expected, atol=1e-6)


def test_dimensions_rest_at_the_code_of_a_given_image(gaussian_vae):
    (image,) = _images(1)
    mean = np.array(gaussian_vae.encode(image[None]))
    images = visualize.traverse(gaussian_vae, image, steps=3)
    z = mean.copy()
    z[0, 1] = 2.0
    np.testing.assert_allclose(images[1, 2], gaussian_vae.decode(z)[0], atol=1e-6)


def test_several_images_give_one_traversal_each(gaussian_vae):
    batch = _images(4)
    images = visualize.traverse(gaussian_vae, batch, steps=3)
    assert images.shape == (4, 3, 3, *IMAGE_SHAPE)
    for image, expected in zip(batch, images, strict=True):
        alone = visualize.traverse(gaussian_vae, image, steps=3)
        np.testing.assert_allclose(alone, expected, atol=1e-6)


def test_everything_is_decoded_in_one_pass(gaussian_vae, monkeypatch):
    sizes = []
    decode = gaussian_vae.decode
    monkeypatch.setattr(gaussian_vae, "decode", lambda z: sizes.append(len(z)) or decode(z))
    visualize.traverse(gaussian_vae, _images(4), steps=5)
    assert sizes == [4 * 3 * 5]


def _code(shape, continuous, colour):
    return np.concatenate([np.eye(3)[shape], continuous, np.eye(4)[colour]])[None].astype("float32")


def test_columns_of_other_groups_rest(joint_vae):
    images = visualize.traverse(joint_vae, steps=3, classes={"colour": 2})
    assert images.shape == (2, 3, *IMAGE_SHAPE)
    expected = joint_vae.decode(_code(0, [0, 2], 2))[0]
    np.testing.assert_allclose(images[1, 2], expected, atol=1e-6)


def test_no_class_is_the_zero_vector(joint_vae):
    images = visualize.traverse(joint_vae, steps=3, classes={"colour": None, "shape": None})
    z = np.zeros((1, 9), np.float32)
    z[0, 3] = -2
    np.testing.assert_allclose(images[0, 0], joint_vae.decode(z)[0], atol=1e-6)


def test_the_class_of_a_base_image_is_kept(joint_vae):
    (image,) = _images(1)
    images = visualize.traverse(joint_vae, image, steps=3)
    z = np.array(joint_vae.point(joint_vae.infer(image[None])))
    z[0, 4] = 0.0
    np.testing.assert_allclose(images[1, 1], joint_vae.decode(z)[0], atol=1e-6)


@pytest.mark.parametrize(("group", "size"), [(None, 3), ("shape", 3), ("colour", 4)])
def test_a_block_of_classes_is_the_traversal_with_that_class(joint_vae, group, size):
    blocks = visualize.traverse_classes(joint_vae, group, steps=3)
    assert blocks.shape == (size, 2, 3, *IMAGE_SHAPE)
    for index, block in enumerate(blocks):
        alone = visualize.traverse(joint_vae, steps=3, classes={group or "shape": index})
        np.testing.assert_allclose(block, alone, atol=1e-6)


def test_a_searched_class_is_found_for_a_base_image():
    vae = _vae(Gaussian(2), Categorical(3, inference="search"))
    (image,) = _images(1)
    images = visualize.traverse(vae, image, steps=3)
    best = int(np.argmax(vae.encode(image[None])[0, 2:]))
    alone = visualize.traverse(vae, image, steps=3, classes={"discrete": best})
    np.testing.assert_allclose(images, alone, atol=1e-6)


def test_noise_rests_at_one_draw_and_has_no_row():
    vae = _vae(Gaussian(2), Gaussian(5, name="noise", inference=None), Categorical(3))
    blocks = visualize.traverse_classes(vae, steps=3)
    assert blocks.shape == (3, 2, 3, *IMAGE_SHAPE)
    np.testing.assert_array_equal(blocks, visualize.traverse_classes(vae, steps=3))
    # Both rows pass through the base in the middle: the same noise, the same image.
    np.testing.assert_allclose(blocks[:, 0, 1], blocks[:, 1, 1], atol=1e-6)
    quiet = np.array(vae.decode(np.eye(10, dtype=np.float32)[[7]]))
    assert np.abs(blocks[0, 0, 1] - quiet[0]).max() > 1e-3  # not at zero


def test_bad_requests_are_refused(gaussian_vae, joint_vae):
    with pytest.raises(ValueError, match=r"received \(4, 4, 1\)"):
        visualize.traverse(gaussian_vae, np.zeros((4, 4, 1)))
    with pytest.raises(ValueError, match=r"in \[0, 1\], received values from 0 to 255"):
        visualize.traverse(gaussian_vae, 255 * np.eye(8)[:, :, None])
    with pytest.raises(ValueError, match="categorical group"):
        visualize.traverse(joint_vae, classes={"continuous": 0})
    with pytest.raises(ValueError, match="0 to 2, received 3"):
        visualize.traverse(joint_vae, classes={"shape": 3})
    with pytest.raises(ValueError, match="categorical group"):
        visualize.traverse_classes(gaussian_vae)
    with pytest.raises(ValueError, match="one base image"):
        visualize.traverse_classes(joint_vae, base=_images(2))
    with pytest.raises(ValueError, match="continuous group"):
        visualize.traverse(_vae(Categorical(3)))


def test_learned_prior_is_traversed_around_its_mean():
    keras.utils.set_random_seed(0)
    mixture = priors.GaussianMixture(2, components=2)
    # Means 3 and -1; the variance between the components is 1, that within them 0 but for a floor.
    mixture.locs.assign([[4.0, -1.0], [2.0, -1.0]])
    mixture.raw_scales.assign(np.full((2, 2), -20.0))
    vae = VAE.build_for(
        IMAGE_SHAPE, Latents(Gaussian(2)), architecture="mlp", priors={"continuous": mixture}
    )
    std = vae.prior()["continuous"].stddev().numpy()
    assert std[0] == pytest.approx(1, abs=1e-2) and std[1] < 0.1

    images = visualize.traverse(vae, steps=3)
    codes = [
        [(3 - 2 * std[0], -1), (3, -1), (3 + 2 * std[0], -1)],
        [(3, -1 - 2 * std[1]), (3, -1), (3, -1 + 2 * std[1])],
    ]
    expected = vae.decode(np.reshape(codes, (6, 2)).astype(np.float32))
    np.testing.assert_allclose(images.reshape(6, *IMAGE_SHAPE), expected, atol=1e-6)
