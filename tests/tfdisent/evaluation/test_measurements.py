import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import data, evaluation, metrics
from tfdisent.evaluation import aggregate_decomposition, encode_dataset, measure
from tfdisent.evaluation.measurements import unit_names
from tfdisent.latents import Categorical, Gaussian, Latents


@pytest.fixture(scope="module")
def identity():
    """Two factors of four values, one pixel each; 16 images."""
    return data.load("synthetic:identity", sizes=(4, 4))


@pytest.fixture
def exact(linear_vae):
    """Reads both pixels into a unit each."""
    return linear_vae((1, 2, 1), 5 * np.eye(2), [0.1, 0.1])


class Lookup(keras.layers.Layer):
    """A discriminator that computes its logit with a given function."""

    def __init__(self, logit):
        super().__init__()
        self.logit = logit

    def call(self, z):
        return self.logit(z)


def discriminator(width, logit):
    inputs = keras.Input((width,))
    return keras.Model(inputs, Lookup(logit)(inputs))


def test_units_are_named_by_their_groups():
    latents = Latents(Categorical(3, "shape"), Gaussian(2, "pose"), Gaussian(1, "size"))
    assert unit_names(latents.coded) == ("pose_0", "pose_1", "size", "shape")
    assert unit_names(latents.groups) == ("shape", "pose_0", "pose_1", "size")


def test_rates_and_parts_are_those_of_the_encoding(make_vae, images):
    vae, dataset = make_vae("mixed"), data.from_arrays(images)
    measured = measure(vae, dataset, rows=[0, 1, 2, 3], num_samples=30, seed=1)
    encoding = encode_dataset(vae, dataset, [0, 1, 2, 3])
    np.testing.assert_allclose(measured.rates[:2], encoding.kl_per_dim, rtol=1e-4)
    p = encoding.codes[:, 2:].astype(float)
    np.testing.assert_allclose(
        measured.rates[2], np.log(3) + (p * np.log(p)).sum(axis=1).mean(), rtol=1e-5
    )
    expected = aggregate_decomposition(
        encoding.codes[:, :2], encoding.std, (encoding.codes[:, 2:],), 30, seed=1
    )
    assert measured.decomposition.index_code_mi == expected.index_code_mi
    assert measured.elbo == evaluation.elbo_terms(vae, dataset, [0, 1, 2, 3], seed=1).summary()
    assert (measured.num_rows, measured.num_available) == (4, 6)
    assert measured.unit_names == ("continuous_0", "continuous_1", "discrete")
    assert measured.num_bad_weights == measured.num_bad_codes == 0


def test_without_factors_discriminator_and_batch_size_these_are_not_measured(vae, images):
    measured = measure(vae, data.from_arrays(images), num_samples=10)
    assert measured.mutual_information is measured.factor_entropy is None
    assert measured.factor_names == ()
    assert measured.discriminator_accuracy is measured.discriminator_total_correlation is None
    assert measured.batch_total_correlation is measured.batch_size is None


def test_information_about_factors_is_freed_of_chance(exact, identity):
    measured = measure(exact, identity, num_samples=10)
    # 20 bins, 4 values, 16 rows: by chance 19 * 3 / 32 > log 4, so nothing is left.
    np.testing.assert_array_equal(measured.mutual_information, 0)
    rows = np.tile(np.arange(16), 40)
    measured = measure(exact, identity, rows, num_samples=10)
    chance = 19 * 3 / (2 * 640)
    expected = (np.log(4) - chance) * np.eye(2)
    np.testing.assert_allclose(measured.mutual_information, expected, atol=1e-12)
    np.testing.assert_allclose(measured.factor_entropy, np.log(4))
    assert measured.factor_names == ("factor_0", "factor_1")


def test_information_about_factors_is_at_most_the_rate(linear_vae, identity):
    vae = linear_vae((1, 2, 1), 1e-2 * np.eye(2), [1.0, 1.0])
    rows = np.tile(np.arange(16), 40)
    measured = measure(vae, identity, rows, num_samples=10)
    assert measured.rates.max() < 1e-4
    np.testing.assert_allclose(measured.mutual_information, measured.rates * np.eye(2), atol=1e-9)


def test_factors_without_variation_are_not_measured(exact, identity):
    assert measure(exact, identity, rows=[3, 3], num_samples=10).factor_names == ()
    assert measure(exact, identity, rows=[0, 1], num_samples=10).factor_names == ("factor_1",)


def edges(width):
    """An image 16 pixels wide whose brightness rises from 0 to 1 over `width` pixels."""
    ramp = np.clip((np.arange(16) - 5) / width, 0, 1)
    return np.broadcast_to(ramp, (16, 16))[None, :, :, None].astype(np.float32)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_sharpness_is_one_over_the_width_of_an_edge(linear_vae, width):
    vae = linear_vae((16, 16, 1), np.zeros((256, 1)), [1.0], likelihood="gaussian")
    vae.likelihood_family.squash = False
    vae.decoder.layers[0].set_weights([np.zeros((1, 256)), edges(width).ravel()])
    measured = measure(vae, data.from_arrays(np.repeat(edges(1), 3, axis=0)), num_samples=10)
    np.testing.assert_allclose(measured.sharpness, 1 / width, rtol=1e-5)
    residual = np.sqrt(np.mean((edges(1) - edges(width)) ** 2))
    np.testing.assert_allclose(measured.residual, residual, rtol=1e-5, atol=1e-7)
    assert measured.likelihood_scale == 1.0


def test_pictures_without_edges_have_no_sharpness(linear_vae):
    vae = linear_vae((8, 8, 1), np.zeros((64, 1)), [1.0])
    measured = measure(vae, data.from_arrays(np.zeros((4, 8, 8, 1), np.float32)), num_samples=10)
    assert measured.sharpness is None and measured.likelihood_scale is None


def test_blind_discriminator_is_right_by_chance(exact, identity):
    measured = measure(
        exact, identity, discriminator=discriminator(2, lambda z: z[:, 0]), num_samples=10
    )
    # What one column says of a code, its permuted copy says as well.
    assert measured.discriminator_accuracy == 0.5


def test_discriminator_sees_codes_and_permuted_codes(linear_vae):
    # Two equal units: codes lie on the diagonal, permuted ones hardly ever.
    pixels = np.random.default_rng(0).uniform(size=(300, 1, 1, 1)).astype(np.float32)
    vae = linear_vae((1, 1, 1), [[5.0, 5.0]], [1e-3, 1e-3])
    logit = discriminator(2, lambda z: tf.where(abs(z[:, 0] - z[:, 1]) < 0.02, 3.0, -1.0))
    measured = measure(vae, data.from_arrays(pixels), discriminator=logit, num_samples=10)
    assert 0.97 < measured.discriminator_accuracy <= 1
    value, error = measured.discriminator_total_correlation
    assert value == 3.0 and error == 0.0


def test_error_of_the_discriminator_is_that_of_a_mean(exact, identity):
    logit = discriminator(2, lambda z: tf.sign(z[:, 0] - 2.5))
    rows = np.tile(np.arange(16), 25)
    measured = measure(exact, identity, rows, discriminator=logit, num_samples=10)
    value, error = measured.discriminator_total_correlation
    assert abs(value) < 0.05  # two of the four values lie on each side
    np.testing.assert_allclose(error, 1 / np.sqrt(400), rtol=0.01)


def test_batches_are_biased_where_they_are_small(linear_vae):
    # Independent narrow units: the total correlation is 0, that of 8 rows is far from it.
    pixels = np.random.default_rng(0).uniform(size=(512, 1, 2, 1)).astype(np.float32)
    vae = linear_vae((1, 2, 1), 3 * np.eye(2), [0.2, 0.2])
    small = measure(vae, data.from_arrays(pixels), batch_size=8, num_samples=500)
    large = measure(vae, data.from_arrays(pixels), batch_size=256, num_samples=500)
    assert abs(small.decomposition.total_correlation) < 0.2
    (value, error), (better, _) = small.batch_total_correlation, large.batch_total_correlation
    assert value - small.decomposition.total_correlation > 0.4
    assert value > better + 4 * error
    # Where all of z is told apart, I(x; z) = log 8 and the bias is what is missing of it.
    assert small.batch_size == 8


def test_nothing_is_measured_of_a_model_that_is_not_finite(vae, images):
    weights = vae.encoder.get_weights()
    weights[-1][:2] = np.nan, np.inf  # biases of the means of two units
    vae.encoder.set_weights(weights)
    measured = measure(vae, data.from_arrays(images), batch_size=4)
    assert measured.num_bad_weights == 2
    assert measured.num_bad_codes == 2 * 6
    assert measured.rates is measured.decomposition is measured.elbo is None


def test_draws_depend_on_the_seed_alone(vae, images):
    dataset = data.from_arrays(images)
    first, again, other = (
        measure(vae, dataset, batch_size=3, num_samples=20, seed=seed) for seed in (1, 1, 2)
    )
    assert first.batch_total_correlation == again.batch_total_correlation
    assert first.batch_total_correlation != other.batch_total_correlation
    assert first.elbo == again.elbo != other.elbo


def test_other_images_are_refused(vae):
    with pytest.raises(ValueError, match="takes images"):
        measure(vae, data.from_arrays(np.zeros((3, 4, 4, 1), np.float32)))


# Models without a rate.

RATELESS = {"point": 3, "mixed": 3, "uniform": 3}  # kind -> units


@pytest.mark.parametrize("kind", RATELESS)
def test_of_a_model_without_a_rate_the_rest_is_measured(make_rateless, images, kind):
    vae, dataset = make_rateless(kind, likelihood="gaussian"), data.from_arrays(images)
    measured = measure(vae, dataset, batch_size=3)
    assert measured.rates is measured.elbo is measured.decomposition is None
    assert measured.batch_total_correlation is measured.likelihood_scale is None
    assert measured.num_bad_weights == measured.num_bad_codes == 0
    assert len(measured.unit_names) == len(measured.variances) == RATELESS[kind]
    encoding = encode_dataset(vae, dataset)
    active = metrics.active_units(encoding.codes, discrete_columns=encoding.discrete_columns)
    np.testing.assert_array_equal(measured.variances, active.details["variances"])
    assert measured.num_active == active
    residual = np.sqrt(np.mean((images - vae.reconstruct(images)) ** 2))
    np.testing.assert_allclose(measured.residual, residual, rtol=1e-5)
    assert measured.sharpness > 0


def test_information_is_not_limited_by_a_rate_that_is_not_there(linear_autoencoder, identity):
    rows = np.tile(np.arange(16), 40)
    measured = measure(linear_autoencoder((1, 2, 1), np.eye(2)), identity, rows)
    expected = (np.log(4) - 19 * 3 / (2 * 640)) * np.eye(2)
    np.testing.assert_allclose(measured.mutual_information, expected, atol=1e-12)
    assert measured.factor_names == ("factor_0", "factor_1")


def test_classes_beside_codes_without_a_rate_are_limited_by_theirs(make_rateless):
    # An order that says all, in class probabilities that hardly differ.
    pixels = np.zeros((200, 8, 8, 1), np.float32)
    factors = np.arange(200)[:, None] % 2
    pixels[:, 0, 0, 0] = factors[:, 0]
    vae = make_rateless("mixed")
    for weight in vae.encoder.weights:
        weight.assign(0.01 * weight)
    measured = measure(vae, data.from_arrays(pixels, factors=factors))
    codes, classes = measured.mutual_information[:2, 0], measured.mutual_information[2, 0]
    assert codes.min() > 0.5
    assert classes < 1e-4


def test_points_that_are_not_finite_are_counted(make_rateless, images):
    vae = make_rateless("point")
    weights = vae.encoder.get_weights()
    weights[-1][0] = np.nan
    vae.encoder.set_weights(weights)
    measured = measure(vae, data.from_arrays(images))
    assert (measured.num_bad_weights, measured.num_bad_codes) == (1, 6)
    assert measured.variances is measured.num_active is measured.residual is None


def test_discriminator_is_asked_about_codes_without_a_rate(linear_autoencoder, identity):
    vae = linear_autoencoder((1, 2, 1), [[1.0, 1.0], [0.0, 0.0]])
    same = discriminator(2, lambda z: tf.where(abs(z[:, 0] - z[:, 1]) < 0.01, 3.0, -1.0))
    measured = measure(vae, identity, np.tile(np.arange(16), 40), discriminator=same)
    assert measured.discriminator_total_correlation == (3.0, 0.0)
    assert 0.8 < measured.discriminator_accuracy < 0.95  # a quarter of the permuted agree


def test_units_vary_in_models_with_a_rate_too(exact, identity):
    measured = measure(exact, identity, num_samples=10)
    np.testing.assert_allclose(measured.variances, 25 * np.var(np.arange(4) / 3), rtol=1e-5)
    assert measured.num_active == 2
