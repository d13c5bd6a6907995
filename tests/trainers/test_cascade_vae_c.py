import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, CascadeVAECTrainer, Categorical, Gaussian, Latents, VAETrainer
from tfdisent.priors import GaussianMixture


def _vae(*groups):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or (Gaussian(5),)))
    return VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=12)


def _batches():
    x = np.random.default_rng(0).uniform(size=(32, 8, 8, 1)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(x).repeat().batch(8)


@pytest.mark.parametrize(
    ("step", "is_open"),
    [(0, 1), (19_999, 1), (20_000, 2), (40_000, 3), (79_999, 4), (80_000, 5), (299_999, 5)],
)
def test_a_dimension_opens_every_stage_and_the_first_is_open_from_the_start(step, is_open):
    trainer = CascadeVAECTrainer(_vae(), beta_low=0.7, beta_high=10.0, stage_steps=20_000)
    betas = trainer.betas(tf.constant(step, tf.int64)).numpy()
    np.testing.assert_allclose(betas, [0.7] * is_open + [10.0] * (5 - is_open))


def test_equal_betas_without_decay_give_the_beta_vae():
    x = next(iter(_batches()))
    cascade = CascadeVAECTrainer(_vae(), beta_low=4.0, beta_high=4.0, l2=0.0, seed=2)
    plain = VAETrainer(_vae(), beta=4.0, seed=2)
    loss, expected = (t.objective(x, training=True)["loss"] for t in (cascade, plain))
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


@pytest.mark.parametrize(("step", "is_open"), [(0, 1), (4, 3)])
def test_loss_charges_every_dimension_its_own_price(step, is_open):
    x = next(iter(_batches()))
    options = {"beta_low": 0.5, "beta_high": 70.0, "stage_steps": 2, "l2": 0.0, "seed": 2}
    trainer = CascadeVAECTrainer(_vae(), **options)
    trainer.step.assign(step)
    terms = trainer.objective(x, training=True)
    posterior = trainer.vae.posterior(x)["continuous"]
    mean, std = posterior.mean().numpy(), posterior.stddev().numpy()
    rates = 0.5 * (mean**2 + std**2 - 2 * np.log(std) - 1).mean(axis=0)
    expected = np.mean(terms["distortion"])
    expected += 0.5 * rates[:is_open].sum() + 70.0 * rates[is_open:].sum()
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)


def test_decay_is_half_the_weighted_square_of_kernels_alone():
    x = next(iter(_batches()))
    vae = _vae()
    for variable in vae.trainable_variables:  # biases start at zero: give them something to add
        if len(variable.shape) == 1:
            variable.assign(variable + 0.3)
    decayed, plain = (CascadeVAECTrainer(vae, l2=l2, seed=2) for l2 in (4e-2, 0.0))
    difference = (
        decayed.objective(x, training=True)["loss"] - plain.objective(x, training=True)["loss"]
    )
    kernels = [w for w in vae.get_weights() if w.ndim > 1]
    expected = 0.5 * 4e-2 * sum((kernel.astype(np.float64) ** 2).sum() for kernel in kernels)
    np.testing.assert_allclose(difference, expected, rtol=1e-4)


def _optimizer_steps(trainer, steps):
    """The optimiser's own count after every step."""
    trainer.compile(keras.optimizers.Adam(1e-3))
    counts = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            counts.append(int(self.model.optimizer.iterations))

    trainer.fit(_batches(), steps_per_epoch=steps, verbose=0, callbacks=[Count()])
    return counts


def test_each_opening_restarts_the_optimiser_and_nothing_else_does():
    # Openings at 3, 6, 9, 12; none after all five dimensions are open.
    counts = _optimizer_steps(CascadeVAECTrainer(_vae(), stage_steps=3), 18)
    assert counts == [1, 2, 3] * 4 + [1, 2, 3, 4, 5, 6]


def test_optimiser_can_go_on_across_openings():
    counts = _optimizer_steps(CascadeVAECTrainer(_vae(), stage_steps=3, fresh_optimizer=False), 7)
    assert counts == [1, 2, 3, 4, 5, 6, 7]


def test_restarted_step_is_the_first_step_of_a_new_adam():
    trainer = CascadeVAECTrainer(_vae(), stage_steps=3, seed=4)
    trainer.compile(keras.optimizers.Adam(1e-3))
    trainer.fit(_batches(), steps_per_epoch=3, verbose=0)
    fresh = CascadeVAECTrainer(_vae(), stage_steps=3, seed=4)
    fresh.compile(keras.optimizers.Adam(1e-3))
    fresh.vae.set_weights(trainer.vae.get_weights())
    fresh.step.assign(3)
    for either in (trainer, fresh):
        either.fit(_batches(), steps_per_epoch=1, verbose=0)
    for a, b in zip(trainer.vae.get_weights(), fresh.vae.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_restart_keeps_the_learning_rate():
    trainer = CascadeVAECTrainer(_vae(), stage_steps=1)
    trainer.compile(keras.optimizers.Adam(1e-3))
    trainer.optimizer.learning_rate = 5e-4
    trainer.fit(_batches(), steps_per_epoch=4, verbose=0)
    np.testing.assert_allclose(trainer.optimizer.learning_rate, 5e-4)


def test_discrete_groups_and_empty_stages_are_refused():
    with pytest.raises(ValueError, match="Gaussian groups only"):
        CascadeVAECTrainer(_vae(Gaussian(2), Categorical(3)))
    with pytest.raises(ValueError, match="stage_steps must be at least 1, received 0"):
        CascadeVAECTrainer(_vae(), stage_steps=0)


def test_a_learned_prior_has_no_rates_of_single_dimensions_and_is_refused(make_vae):
    vae = make_vae(priors={"continuous": GaussianMixture(3, 2)})
    with pytest.raises(ValueError, match="weights the rates of single dimensions .*'continuous'"):
        CascadeVAECTrainer(vae)
