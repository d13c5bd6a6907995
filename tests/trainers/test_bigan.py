import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfdisent import VAE, BiGANTrainer, Latents, Point, data, networks
from tfdisent.priors import GaussianMixture


def _trainer(**options):
    keras.utils.set_random_seed(0)
    vae = VAE.build_for((8, 8, 1), Latents(Point(4)), architecture="mlp", hidden=12)
    discriminator = networks.pair_discriminator((8, 8, 1), 4, hidden=16)
    return BiGANTrainer(vae, discriminator=discriminator, seed=2, **options)


def _images(count=16):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


@pytest.mark.parametrize("eager", [True, False])
def test_one_step_follows_the_paper(eager):
    """Both players from the same weights, written out with plain gradient descent."""
    trainer = _trainer()
    rates = (1e-1, 2e-1)
    trainer.compile(*[keras.optimizers.SGD(rate) for rate in rates], run_eagerly=eager)
    parts = (trainer.vae.encoder, trainer.vae.decoder, trainer.discriminator)
    x = tf.constant(_images())
    base = tf.random.fold_in(tf.constant([2, 0]), 0, alg="philox")  # seed 2, step 0, replica 0
    z = trainer.vae.sample_prior(16, tf.unstack(tf.random.split(base, 2, alg="philox"))[1])

    with tf.GradientTape(persistent=True) as tape:
        encoded = tf.sigmoid(trainer.discriminator([x, trainer.vae.encoder(x)]))
        generated = tf.sigmoid(trainer.discriminator([tf.sigmoid(trainer.vae.decoder(z)), z]))
        value = tf.reduce_mean(tf.math.log(encoded)) + tf.reduce_mean(tf.math.log(1 - generated))
        inverted = tf.reduce_mean(tf.math.log(1 - encoded)) + tf.reduce_mean(tf.math.log(generated))
        losses = {False: -inverted / 2, True: -value / 2}
    expected = []
    for part in parts:
        discriminates = part is trainer.discriminator
        gradients = tape.gradient(losses[discriminates], part.trainable_variables)
        for variable, gradient in zip(part.trainable_variables, gradients, strict=True):
            expected.append(variable.numpy() - rates[discriminates] * gradient.numpy())

    trainer.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0)
    found = [variable.numpy() for part in parts for variable in part.trainable_variables]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)


def test_untrained_discriminator_leaves_both_players_at_log_two():
    trainer = _trainer()
    for variable in trainer.discriminator.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    terms = trainer.objective(tf.constant(_images()), training=False)
    np.testing.assert_allclose(terms["discriminator_loss"], np.log(2), rtol=1e-6)
    np.testing.assert_allclose(terms["loss"], np.log(2), rtol=1e-6)


def test_labels_are_inverted_between_the_players():
    """Where no pair can be told from another, the players pull in opposite directions."""
    trainer = _trainer()
    bias = trainer.discriminator.trainable_variables[-1]
    trainer.discriminator.trainable_variables[-2].assign(tf.zeros([16, 1]))
    with tf.GradientTape() as tape:
        terms = trainer.objective(tf.constant(_images()), training=True)
        total = terms["loss"] + terms["discriminator_loss"]
    weights = trainer.discriminator.trainable_variables[-2]
    for gradient in tape.gradient(total, [weights, bias]):
        np.testing.assert_allclose(gradient, tf.zeros_like(gradient), atol=1e-6)


@pytest.mark.long
def test_generator_and_encoder_become_inverses():
    """Nothing compares images with reconstructions, and yet one pixel comes back from its code."""
    keras.utils.set_random_seed(1)
    vae = VAE.build_for((1, 1, 1), Latents(Point(1)), architecture="mlp", hidden=32)
    discriminator = networks.pair_discriminator((1, 1, 1), 1, hidden=64)
    trainer = BiGANTrainer(vae, discriminator=discriminator, seed=1)
    decay = keras.optimizers.schedules.PolynomialDecay
    trainer.compile(
        *[keras.optimizers.Adam(decay(rate, 2000, 0.0), beta_1=0.5) for rate in (1e-3, 2e-3)]
    )
    x = np.linspace(0.0005, 0.9995, 1000, dtype=np.float32).reshape(-1, 1, 1, 1)

    def errors():
        """Of reconstructions, and the distance of generated pixels from uniform ones."""
        z = vae.sample_prior(2000, tf.constant([0, 1], tf.int32))
        generated = vae.decode(z).numpy().reshape(-1)
        distance = stats.kstest(generated, "uniform").statistic
        return np.abs(vae.reconstruct(x).numpy() - x).mean(), distance

    before = errors()
    trainer.fit(data.from_arrays(x).train(200), steps_per_epoch=2000, verbose=0)
    error, distance = errors()
    assert error < 0.5 * np.abs(x - x.mean()).mean() < before[0]
    assert distance < 0.3 < before[1]


def test_learned_priors_are_refused(make_vae):
    vae = make_vae(priors={"continuous": GaussianMixture(3, 2)})
    with pytest.raises(ValueError, match="trains no prior, received learned priors of"):
        BiGANTrainer(vae)
