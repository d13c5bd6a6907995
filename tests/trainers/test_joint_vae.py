import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Categorical, Gaussian, JointVAETrainer, Latents, schedules


def _trainer(*groups, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or (Gaussian(2), Categorical(3))))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=12)
    return JointVAETrainer(vae, seed=2, **options)


@pytest.mark.parametrize(
    ("step", "continuous", "discrete"),
    [(0, 0.4, 0.02), (49, 20.0, 1.0), (99, 40.0, np.log(3)), (5000, 40.0, np.log(3))],
)
def test_capacities_grow_linearly_from_the_first_step_and_stop(step, continuous, discrete):
    trainer = _trainer(continuous_capacity=40.0, discrete_capacity=2.0, capacity_steps=100)
    capacities = trainer.capacities(tf.constant(step, tf.int64))
    np.testing.assert_allclose(capacities, [continuous, discrete], rtol=1e-6)


def test_discrete_capacity_never_exceeds_what_the_variables_can_hold():
    groups = Gaussian(2), Categorical(3), Categorical(4, name="more")
    trainer = _trainer(*groups, discrete_capacity=50.0, capacity_steps=10)
    for step in (0, 5, 9, 100):
        assert float(trainer.capacities(tf.constant(step))[1]) <= np.log(12) + 1e-6
    assert float(trainer.capacities(tf.constant(100))[1]) == pytest.approx(np.log(12))


def test_loss_is_eq_7_with_rates_averaged_before_the_absolute_value():
    trainer = _trainer(gamma=7.0, capacity_steps=10)
    x = tf.constant(np.random.default_rng(0).uniform(size=(8, 8, 8, 1)), tf.float32)
    terms = trainer.objective(x, training=True)
    posterior = trainer.vae.posterior(x)
    mean, std = (
        f().numpy() for f in (posterior["continuous"].mean, posterior["continuous"].stddev)
    )
    kl_z = (0.5 * (mean**2 + std**2 - 2 * np.log(std) - 1)).sum(axis=1).mean()
    alpha = posterior["discrete"].probs_parameter().numpy()
    kl_c = np.log(3) + (alpha * np.log(alpha)).sum(axis=1).mean()
    expected = np.mean(terms["distortion"]) + 7.0 * (
        abs(kl_z - 40.0 / 10) + abs(kl_c - min(1.1 / 10, np.log(3)))
    )
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(np.mean(terms["continuous_rate"]), kl_z, rtol=1e-5)
    np.testing.assert_allclose(np.mean(terms["discrete_rate"]), kl_c, rtol=1e-4)


def test_rates_of_several_discrete_groups_are_one_rate():
    groups = Categorical(3, "kind"), Gaussian(2), Categorical(4, "more")
    trainer = _trainer(*groups, gamma=7.0, capacity_steps=10)
    x = tf.constant(np.random.default_rng(0).uniform(size=(8, 8, 8, 1)), tf.float32)
    terms = trainer.objective(x, training=True)
    posterior = trainer.vae.posterior(x)
    expected = 0.0
    for name, size in (("kind", 3), ("more", 4)):
        alpha = posterior[name].probs_parameter().numpy()
        rate = np.log(size) + (alpha * np.log(alpha)).sum(axis=1)
        assert rate.mean() > 1e-3
        expected = expected + rate
    np.testing.assert_allclose(terms["discrete_rate"], expected, rtol=1e-3)
    penalties = abs(expected.mean() - 0.11) + abs(np.mean(terms["continuous_rate"]) - 4.0)
    loss = np.mean(terms["distortion"]) + 7.0 * penalties
    np.testing.assert_allclose(terms["loss"], loss, rtol=1e-5)


@pytest.mark.parametrize("temperature", [1e-3, 1e4, schedules.Linear(1e4, 1e-3, 10)])
def test_samples_have_the_temperature_of_the_step(temperature):
    trainer = _trainer(temperature=temperature)
    posterior = trainer.vae.posterior(tf.constant(np.zeros((50, 8, 8, 1), np.float32)))
    for step, now in ((0, 1e4), (10, 1e-3)):
        now = temperature if isinstance(temperature, float) else now
        trainer.step.assign(step)
        d = trainer.sample(posterior, tf.constant([1, 2])).numpy()[:, 2:]
        if now > 1:
            np.testing.assert_allclose(d, 1 / 3, atol=1e-2)
        else:
            np.testing.assert_allclose(d.max(axis=1), 1, atol=1e-2)


def test_gamma_zero_is_the_distortion():
    trainer = _trainer(gamma=0.0)
    x = tf.constant(np.random.default_rng(0).uniform(size=(8, 8, 8, 1)), tf.float32)
    terms = trainer.objective(x, training=True)
    np.testing.assert_allclose(terms["loss"], np.mean(terms["distortion"]), rtol=1e-6)


@pytest.mark.parametrize(
    "groups",
    [
        (Gaussian(2),),
        (Categorical(3),),
        (Gaussian(2), Categorical(3, inference=None)),
        (Gaussian(2, inference=None), Categorical(3)),
    ],
)
def test_both_kinds_of_groups_are_needed(groups):
    with pytest.raises(ValueError, match="at least one of each"):
        _trainer(*groups)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"continuous_capacity": -1.0}, "continuous_capacity must not be negative, received -1"),
        ({"discrete_capacity": -2.0}, "discrete_capacity must not be negative, received -2"),
        ({"gamma": -1.0}, "gamma must not be negative, received -1"),
        ({"capacity_steps": 0}, "capacity_steps must be at least 1, received 0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(**options)
