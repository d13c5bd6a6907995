import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from tfdisent import VAE, AAETrainer, Categorical, Gaussian, Latents, Point, data, networks
from tfdisent.priors import GaussianMixture


def _trainer(*groups, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or (Point(4),)))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=12)
    discriminator = networks.latent_discriminator(latents.size, hidden=16, depth=2, slope=0.0)
    return AAETrainer(vae, discriminator=discriminator, seed=2, **options)


def _images(count=16):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


PARTS = ("encoder", "decoder", "discriminator")


def _parts(trainer):
    return trainer.vae.encoder, trainer.vae.decoder, trainer.discriminator


@pytest.mark.parametrize(
    ("rates", "moved"),
    [
        ((1e-3, 0.0, 0.0), {"encoder", "decoder"}),
        ((0.0, 1e-3, 0.0), {"discriminator"}),
        ((0.0, 0.0, 1e-3), {"encoder"}),
    ],
)
def test_each_update_moves_its_own_player_alone(rates, moved):
    trainer = _trainer()
    trainer.compile(*[keras.optimizers.Adam(rate) for rate in rates])
    before = [part.get_weights() for part in _parts(trainer)]
    batches = tf.data.Dataset.from_tensors(_images()).repeat()
    trainer.fit(batches, steps_per_epoch=2, verbose=0)
    changed = {
        name
        for name, part, old in zip(PARTS, _parts(trainer), before, strict=True)
        if not all(np.array_equal(a, b) for a, b in zip(old, part.get_weights(), strict=True))
    }
    assert changed == moved


def test_one_step_follows_the_paper():
    """Against the three updates written out with plain gradient descent and no shared code."""
    trainer = _trainer()
    rates = (1e-2, 1e-1, 5e-2)
    trainer.compile(*[keras.optimizers.SGD(rate) for rate in rates])
    encoder, decoder, discriminator = _parts(trainer)
    x = _images()
    expected = [keras.models.clone_model(part) for part in _parts(trainer)]
    for clone, part in zip(expected, _parts(trainer), strict=True):
        clone.set_weights(part.get_weights())
    e, d, t = expected

    def descend(loss, tape, variables, rate):
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(rate * gradient)

    with tf.GradientTape() as tape:
        logits = d(e(x))
        bce = tf.nn.relu(logits) - logits * x + tf.math.log1p(tf.exp(-tf.abs(logits)))
        loss = tf.reduce_mean(tf.reduce_sum(bce, [1, 2, 3]))
    descend(loss, tape, [*e.trainable_variables, *d.trainable_variables], rates[0])

    base = tf.random.fold_in(tf.constant([2, 0]), 0, alg="philox")  # seed 2, step 0, replica 0
    seed_prior = tf.unstack(tf.random.split(base, 3, alg="philox"))[1]
    z_prior, z = trainer.vae.sample_prior(16, seed_prior), e(x)  # through the updated encoder
    with tf.GradientTape() as tape:
        real, fake = tf.sigmoid(t(z_prior)), tf.sigmoid(t(z))
        value = tf.reduce_mean(tf.math.log(real)) + tf.reduce_mean(tf.math.log(1 - fake))
        loss = -value / 2
    descend(loss, tape, t.trainable_variables, rates[1])

    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(tf.sigmoid(t(e(x)))))  # the updated discriminator
    descend(loss, tape, e.trainable_variables, rates[2])

    trainer.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0)
    for part, clone in zip(_parts(trainer), expected, strict=True):
        for a, b in zip(part.get_weights(), clone.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5)


def test_untrained_discriminator_leaves_both_players_at_log_two():
    trainer = _trainer()
    for variable in trainer.discriminator.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    terms = trainer.objective(tf.constant(_images()), training=False)
    np.testing.assert_allclose(terms["discriminator_loss"], np.log(2), rtol=1e-6)
    np.testing.assert_allclose(terms["encoder_loss"], np.log(2), rtol=1e-6)


def test_loss_is_the_distortion_of_the_model_alone():
    trainer, x = _trainer(Gaussian(2), Categorical(3)), tf.constant(_images())
    terms = trainer.objective(x, training=False)
    z = trainer.sample(trainer.vae.posterior(x), trainer.seeds(3)[0])
    expected = -trainer.vae.likelihood(z).log_prob(x)
    np.testing.assert_allclose(terms["distortion"], expected, rtol=1e-6)
    np.testing.assert_allclose(terms["loss"], np.mean(expected), rtol=1e-6)


@pytest.mark.long
def test_codes_of_one_uniform_number_become_normal():
    """The optimum is known: z = Phi^-1(u) or its mirror image, and the image comes back.

    The pixels u and 1 - u give the encoder's rectifiers their corners between 0 and 1 from the
    start: of u alone it is linear until its biases move, and a uniform code is 0.08 from a normal
    one.
    """
    keras.utils.set_random_seed(0)
    vae = VAE.build_for((1, 2, 1), Latents(Point(1)), architecture="mlp", hidden=32)
    discriminator = networks.latent_discriminator(1, hidden=32, depth=2)
    trainer = AAETrainer(vae, discriminator=discriminator, seed=1)
    steps = 2000
    rates = [keras.optimizers.schedules.CosineDecay(rate, steps) for rate in (1e-3, 2e-3, 1e-3)]
    trainer.compile(*[keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates])
    u = np.linspace(0.0005, 0.9995, 1000, dtype=np.float32)
    x = np.stack([u, 1 - u], axis=1).reshape(-1, 1, 2, 1)
    before = vae.encode(x).numpy()[:, 0]
    dataset = data.from_arrays(x)
    trainer.fit(dataset.train(500), steps_per_epoch=steps, verbose=0)

    z = vae.encode(x).numpy()[:, 0]
    distance = stats.kstest(z, "norm").statistic
    assert stats.kstest(before, "norm").statistic > 0.3
    assert distance < 0.05
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=0.15)
    assert abs(stats.spearmanr(z, u).statistic) > 0.99
    assert np.abs(vae.reconstruct(x).numpy() - x).mean() < 0.02


def test_learned_priors_are_refused(make_vae):
    vae = make_vae(priors={"continuous": GaussianMixture(3, 2)})
    with pytest.raises(ValueError, match="trains no prior, received learned priors of"):
        AAETrainer(vae)
