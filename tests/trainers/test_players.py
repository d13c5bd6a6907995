"""What every trainer does alike: regularisers, training mode, the random state of the caller."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Gaussian, Latents, estimate_mutual_information
from tfdisent.trainers import AAETrainer, FactorVAETrainer, Recipe, VAETrainer
from tfdisent.trainers.initial_weights import initial_weights_from

SHAPE = (4, 4, 1)


def _images(count):
    return np.random.default_rng(0).uniform(size=(count, *SHAPE)).astype(np.float32)


def _trainer(trainer_class=VAETrainer, **options):
    with initial_weights_from(0):
        vae = VAE.build_for(SHAPE, Latents(Gaussian(2)), hidden=4)
        return trainer_class(vae, **options)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_a_regulariser_pulls_at_its_variable(precision):
    """One step of SGD: the kernel is `rate * gradient of the regulariser` from one without."""
    keras.config.set_dtype_policy(precision)
    try:
        plain, regularized = _trainer(), _trainer()
        kernel = regularized.vae.encoder.layers[-1].kernel
        before = np.array(kernel)
        kernel.regularizer = keras.regularizers.L2(0.5)
        for trainer in (plain, regularized):
            optimizer = keras.optimizers.SGD(0.01)
            if precision == "mixed_float16":  # at first it would only look for a scale
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
            trainer.compile(optimizer)
            trainer.fit(_images(8), batch_size=8, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    other = plain.vae.encoder.layers[-1].kernel
    assert np.abs(before - other).max() > 1e-4  # the step was taken
    np.testing.assert_allclose(np.array(kernel), other - 0.01 * before, rtol=0, atol=1e-6)
    for mine, theirs in zip(plain.vae.weights, regularized.vae.weights, strict=True):
        if theirs is not kernel:
            np.testing.assert_array_equal(mine, theirs)


def test_a_regulariser_pulls_at_what_the_loss_does_not_reach():
    trainer = _trainer()
    unused = keras.Variable(np.ones(3, np.float32), name="unused")
    unused.regularizer = keras.regularizers.L1(2.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(trainer.vae.encoder.layers[-1].kernel)
    trainer.compile(keras.optimizers.SGD(0.01))
    (gradient,) = trainer.gradients(loss, tape, trainer.optimizer, [unused])
    np.testing.assert_array_equal(gradient, [2.0] * 3)


@pytest.mark.parametrize("trainer_class", [FactorVAETrainer, AAETrainer])
def test_a_discriminator_trains_in_training_mode(trainer_class):
    discriminator = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
            keras.layers.Reshape(()),
        ]
    )
    trainer = _trainer(trainer_class, discriminator=discriminator)
    trainer.compile()
    trainer.fit(_images(16), batch_size=8, verbose=0)
    seen = np.array(discriminator.layers[0].moving_mean)
    assert np.abs(seen).max() > 0
    trainer.evaluate(_images(16), batch_size=8, verbose=0)
    np.testing.assert_array_equal(discriminator.layers[0].moving_mean, seen)


def test_initial_weights_leave_the_random_state_of_the_caller_alone():
    def kernel(seed):
        with initial_weights_from(seed):
            layer = keras.layers.Dense(2)
            layer.build((None, 3))
        return np.array(layer.kernel)

    random.seed(7), np.random.seed(8)
    expected = random.random(), np.random.rand()
    random.seed(7), np.random.seed(8)
    first = kernel(3)
    assert (random.random(), np.random.rand()) == expected
    np.testing.assert_array_equal(kernel(3), first)
    assert (kernel(4) != first).all()


def test_building_and_estimating_leave_the_random_state_of_the_caller_alone():
    random.seed(7), np.random.seed(8), tf.random.set_seed(9)
    states = random.getstate(), np.random.get_state()[1].tolist()
    trainers = [Recipe("vae", seed=4).build(SHAPE) for _ in range(2)]
    x = np.random.default_rng(0).normal(size=(60, 2))
    values = [
        estimate_mutual_information(x[:, 0], x[:, 1], method="dv", steps=1, batch_size=16, hidden=4)
        for _ in range(2)
    ]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    assert values[0].value == values[1].value
    first, second = (trainer.vae.get_weights() for trainer in trainers)
    for mine, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    other = Recipe("vae", seed=5).build(SHAPE).vae.get_weights()
    assert any((mine != theirs).any() for mine, theirs in zip(first, other, strict=True))
