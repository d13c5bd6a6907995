import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import (
    VAE,
    Categorical,
    Gaussian,
    InfoVAETrainer,
    Latents,
    Point,
    VAETrainer,
    objectives,
)
from tfdisent.priors import GaussianMixture, VampPrior


def _trainer(trainer_class=InfoVAETrainer, groups=None, **options):
    keras.utils.set_random_seed(0)
    vae = VAE.build_for(
        (8, 8, 1), Latents(*(groups or (Gaussian(3),))), architecture="mlp", hidden=12
    )
    return trainer_class(vae, seed=2, **options)


def _images(count=8):
    return tf.constant(np.random.default_rng(0).uniform(size=(count, 8, 8, 1)), tf.float32)


@pytest.mark.parametrize("kernel", ["rbf", "imq"])
def test_weight_zero_is_the_vae(kernel):
    options = {"alpha": 0.0, "lambda_mmd": 1.0, "kernel": kernel}
    loss = _trainer(**options).objective(_images(), training=True)["loss"]
    vae_loss = _trainer(VAETrainer).objective(_images(), training=True)["loss"]
    np.testing.assert_allclose(loss, vae_loss, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("alpha", "lambda_mmd"), [(0.0, 1000.0), (0.3, 5.0), (1.0, 20.0)])
@pytest.mark.parametrize("unbiased", [False, True])
def test_loss_is_eq_6(alpha, lambda_mmd, unbiased):
    trainer = _trainer(alpha=alpha, lambda_mmd=lambda_mmd, unbiased=unbiased)
    terms = trainer.objective(_images(), training=True)
    seed, seed_prior = trainer.seeds(2)
    z = trainer.vae.sample(trainer.vae.posterior(_images()), seed=seed).numpy()
    p = trainer.vae.sample_prior(8, seed_prior).numpy()

    def k(u, v):
        return np.exp(-((u[:, None] - v) ** 2).sum(axis=-1) / 9)  # D^2

    within = [k(u, u)[~np.eye(8, dtype=bool)] if unbiased else k(u, u) for u in (z, p)]
    mmd = within[0].mean() + within[1].mean() - 2 * k(z, p).mean()
    np.testing.assert_allclose(terms["mmd"], mmd, atol=1e-5)
    expected = (
        np.mean(terms["distortion"])
        + (1 - alpha) * np.mean(terms["rate"])
        + (alpha + lambda_mmd - 1) * mmd
    )
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-4)


def test_default_bandwidths_follow_the_width_of_the_code():
    assert _trainer().bandwidth == 3 / math.sqrt(2)
    assert _trainer(kernel="imq").bandwidth == math.sqrt(3)
    assert _trainer(bandwidth=0.7).bandwidth == 0.7


def test_bandwidth_and_kernel_reach_the_objective():
    trainer = _trainer(kernel="imq", bandwidth=0.7)
    value = trainer.objective(_images(), training=True)["mmd"]
    seed, seed_prior = trainer.seeds(2)
    z = trainer.vae.sample(trainer.vae.posterior(_images()), seed=seed)
    expected = objectives.maximum_mean_discrepancy(
        z, trainer.vae.sample_prior(8, seed_prior), lambda u, v: objectives.imq_kernel(u, v, 0.7)
    )
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_draws_from_the_prior_are_others_at_every_step():
    trainer = _trainer()
    trainer.vae.encoder.set_weights([np.zeros_like(w) for w in trainer.vae.encoder.get_weights()])
    values = []
    for _ in range(2):
        values.append(float(trainer.objective(_images(), training=True)["mmd"]))
        trainer.step.assign_add(1)
    assert values[0] != values[1]


def test_deterministic_codes_are_matched_to_the_prior():
    trainer = _trainer(groups=(Point(2),), alpha=1.0, lambda_mmd=100.0, kernel="imq")
    images = np.random.default_rng(0).integers(2, size=(64, 8, 8, 1)).astype(np.float32)
    trainer.vae.encoder.layers[-1].bias.assign([4.0, -4.0])  # far from N(0, I)
    trainer.compile(keras.optimizers.Adam(1e-2))
    before = trainer.vae.encode(images).numpy()
    history = trainer.fit(images, batch_size=64, steps_per_epoch=60, epochs=2, verbose=0).history
    after = trainer.vae.encode(images).numpy()
    assert np.isfinite(history["loss"]).all() and history["mmd"][1] < 0.5 * history["mmd"][0]
    assert np.abs(before.mean(axis=0)).max() > 3 > 1 > np.abs(after.mean(axis=0)).max()
    assert np.isposinf(trainer.objective(tf.constant(images), training=False)["rate"]).all()


def test_a_learned_mixture_is_refused_for_its_weights_would_never_move():
    options = {"architecture": "mlp", "hidden": 4}
    for prior, refused in ((GaussianMixture(2, 3), True), (VampPrior((8, 8, 1), 3), False)):
        vae = VAE.build_for(
            (8, 8, 1), Latents(Gaussian(2)), priors={"continuous": prior}, **options
        )
        if refused:
            with pytest.raises(ValueError, match=r"learned mixtures of \['continuous'\]"):
                InfoVAETrainer(vae)
        else:
            InfoVAETrainer(vae)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "linear"}, "kernel must be one of rbf, imq, received 'linear'"),
        ({"bandwidth": 0.0}, "bandwidth must be positive, received 0"),
        ({"groups": (Point(2),), "alpha": 0.5}, "alpha must be 1, received 0.5"),
        ({"groups": (Gaussian(2), Categorical(3))}, "takes Gaussian or Point latent groups"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(**options)
