import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Gaussian, Latents
from tfdisent.trainers import AtTrainingStep, FusedAdam, VAETrainer

# Values of order 1 after 20 float32 steps of size 0.05 in another order of operations.
ROUNDING = {"rtol": 0, "atol": 1e-5}


def _trajectory(optimizer, steps=20, jit_compile=False):
    """Values of two variables after some steps down a quadratic with a changing direction."""
    variables = [keras.Variable([1.0, -2.0, 3.0]), keras.Variable([[0.5], [4.0]])]
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step(scale):
        gradients = [scale * 2.0 * variables[0].value, scale * tf.sin(variables[1].value)]
        optimizer.apply(gradients, variables)

    for i in range(steps):
        step(tf.constant(1.0 if i % 3 else -0.5))
    return np.concatenate([variable.numpy().ravel() for variable in variables])


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.xla)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.9},
        {"epsilon": 1e-3},
        {"weight_decay": 0.01},
        {"global_clipnorm": 0.1},
        {"amsgrad": True},
        {"gradient_accumulation_steps": 3},
    ],
)
def test_equals_keras_adam(options, jit_compile):
    expected = _trajectory(keras.optimizers.Adam(0.05, **options))
    fused = _trajectory(FusedAdam(0.05, **options), jit_compile=jit_compile)
    np.testing.assert_allclose(fused, expected, **ROUNDING)


def test_learning_rate_schedule_is_followed():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5)
    expected = _trajectory(keras.optimizers.Adam(schedule))
    np.testing.assert_allclose(_trajectory(FusedAdam(schedule)), expected, **ROUNDING)


def test_moments_are_those_of_keras():
    fused, plain = FusedAdam(0.1), keras.optimizers.Adam(0.1)
    _trajectory(fused)
    _trajectory(plain)
    for ours, theirs in zip(fused.variables, plain.variables, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-3, atol=1e-6)


def test_survives_serialisation():
    fused = FusedAdam(0.02, beta_1=0.3)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(fused))
    assert type(copy) is FusedAdam
    assert copy.get_config() == fused.get_config()


def test_an_optimiser_that_has_trained_before_restarts_as_a_new_one():
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(2)), architecture="mlp", hidden=4)
    trainer = VAETrainer(vae)
    optimizer = keras.optimizers.Adagrad(0.1, initial_accumulator_value=0.2)
    images = np.random.default_rng(0).random((8, 8, 8, 1), np.float32)
    for _ in range(2):
        trainer.compile(optimizer)
        trainer.fit(images, batch_size=4, verbose=0)
    assert int(optimizer.iterations) == 4
    trainer.restart_optimizer(optimizer, when=tf.constant(True))
    assert int(optimizer.iterations) == 0
    for accumulator in optimizer.variables[2:]:
        np.testing.assert_allclose(accumulator, 0.2)


def test_a_schedule_at_the_training_step_survives_saving(tmp_path):
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(2)), architecture="mlp", hidden=4)
    trainer = VAETrainer(vae)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5, staircase=True)
    trainer.compile(FusedAdam(AtTrainingStep(schedule)))
    trainer.step.assign(7)
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.025)
    loaded.step.assign(9)
    assert float(loaded.optimizer.learning_rate) == pytest.approx(0.0125)
    # Without a trainer it is the schedule that it wraps.
    assert float(AtTrainingStep(schedule)(3)) == pytest.approx(0.05)
