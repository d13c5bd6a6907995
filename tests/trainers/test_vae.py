import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAETrainer, schedules


def test_beta_may_follow_a_schedule(vae, images):
    trainer = VAETrainer(vae, beta=schedules.Linear(0.0, 6.0, 100))
    for step, beta in ((0, 0.0), (50, 3.0), (200, 6.0)):
        trainer.step.assign(step)
        terms = trainer.objective(tf.constant(images), training=True)
        expected = np.mean(terms["distortion"]) + beta * np.mean(terms["rate"])
        assert np.mean(terms["rate"]) > 0.1
        assert float(terms["loss"]) == pytest.approx(expected, rel=1e-5)
