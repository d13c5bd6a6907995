import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Gaussian, Latents, VAETrainer, schedules


def test_beta_may_follow_a_schedule(vae, images):
    trainer = VAETrainer(vae, beta=schedules.Linear(0.0, 6.0, 100))
    for step, beta in ((0, 0.0), (50, 3.0), (200, 6.0)):
        trainer.step.assign(step)
        terms = trainer.objective(tf.constant(images), training=True)
        expected = np.mean(terms["distortion"]) + beta * np.mean(terms["rate"])
        assert np.mean(terms["rate"]) > 0.1
        assert float(terms["loss"]) == pytest.approx(expected, rel=1e-5)


def test_a_short_last_batch_counts_as_what_it_is():
    images = np.full((33, 8, 8, 1), 0.5, np.float32)
    images[-1] = 0
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(2)), architecture="mlp", hidden=4)
    trainer = VAETrainer(vae)
    trainer.compile()
    found = trainer.evaluate(images, batch_size=32, return_dict=True, verbose=0)
    assert found["loss"] == pytest.approx(-found["elbo"], rel=1e-5)
