import keras
import numpy as np
import pytest

from tfdisent import networks


def test_the_latent_discriminator_has_as_many_parameters_as_counted_by_hand():
    discriminator = networks.latent_discriminator(10)
    # 11,000 + 5 * 1,001,000 + 1,001
    assert discriminator.count_params() == 5_017_001
    dense = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.units for layer in dense] == [1000] * 6 + [1]


def test_the_latent_discriminator_gives_one_logit_an_example():
    discriminator = networks.latent_discriminator(3, hidden=8, depth=2)
    assert discriminator.input_shape == (None, 3) and discriminator.output_shape == (None,)
    assert discriminator(np.zeros([5, 3], np.float32)).shape == (5,)
    assert discriminator.count_params() == (3 * 8 + 8) + (8 * 8 + 8) + (8 + 1)


@pytest.mark.parametrize("slope", [0.2, 0.01])
def test_hidden_units_are_leaky_and_the_logit_is_linear(slope):
    discriminator = networks.latent_discriminator(1, hidden=1, depth=1, slope=slope)
    discriminator.set_weights([np.ones([1, 1]), np.zeros(1), -np.ones([1, 1]), np.zeros(1)])
    logits = discriminator(np.array([[-2.0], [0.0], [3.0]], np.float32))
    np.testing.assert_allclose(logits, [2 * slope, 0, -3], rtol=1e-6)


def test_the_slope_is_a_fifth_by_default():
    discriminator = networks.latent_discriminator(1, hidden=1, depth=2)
    slopes = [
        layer.negative_slope
        for layer in discriminator.layers
        if isinstance(layer, keras.layers.LeakyReLU)
    ]
    assert slopes == [0.2, 0.2]


def test_the_logit_is_float32_under_mixed_precision(mixed_precision):
    discriminator = networks.latent_discriminator(3, hidden=8, depth=2)
    assert discriminator(np.zeros([5, 3], np.float32)).dtype == "float32"
    assert discriminator.layers[1].compute_dtype == mixed_precision.removeprefix("mixed_")


def test_the_pair_discriminator_scores_each_pair_by_both_its_parts_alone():
    discriminator = networks.pair_discriminator((3, 2, 1), 4, hidden=8)
    rng = np.random.default_rng(0)
    x, other_x = rng.uniform(size=(2, 5, 3, 2, 1)).astype(np.float32)
    z, other_z = rng.normal(size=(2, 5, 4)).astype(np.float32)
    logits = discriminator([x, z], training=True).numpy()
    assert logits.shape == (5,)
    assert not np.allclose(logits, discriminator([other_x, z]), atol=1e-3)
    assert not np.allclose(logits, discriminator([x, other_z]), atol=1e-3)
    np.testing.assert_allclose(discriminator([x[2:3], z[2:3]]), logits[2:3], rtol=1e-5)


def test_the_pair_discriminator_has_as_many_parameters_as_counted_by_hand():
    # (784 + 50) * 1024 + 1024, 1024 * 1024 + 1024, 1024 + 1
    assert networks.pair_discriminator((28, 28, 1), 50).count_params() == 1_905_665
