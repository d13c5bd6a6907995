import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Categorical, Gaussian, InfoGANTrainer, Latents, Uniform, data, networks
from tfdisent.priors import GaussianMixture
from tfdisent.trainers.recipes import RECIPES

LATENTS = (Uniform(2), Categorical(3), Uniform(4, "noise", inference=None))


def _trainer(*groups, image_shape=(8, 8, 1), hidden=12, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or LATENTS))
    vae = VAE.build_for(image_shape, latents, architecture="mlp", hidden=hidden)
    return InfoGANTrainer(vae, seed=2, **options)


def _images(count=16):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _parts(trainer):
    vae = trainer.vae
    return {"G": vae.decoder, "Q": vae.encoder, "D": trainer.discriminator}


@pytest.mark.parametrize("eager", [True, False])
def test_one_step_follows_the_paper(eager):
    """Eq. 6 with plain gradient descent, the judges first, each expectation written out."""
    weight, rates = 0.7, {"G": 1e-1, "Q": 2e-1, "D": 2e-1}
    trainer = _trainer(information_weight=weight)
    trainer.compile(
        keras.optimizers.SGD(rates["G"]), keras.optimizers.SGD(rates["D"]), run_eagerly=eager
    )
    twin = _trainer(information_weight=weight)  # of equal weights
    body = keras.Model(twin.vae.encoder.input, twin.vae.encoder.layers[-1].input)
    base = tf.random.fold_in(tf.constant([2, 0]), 0, alg="philox")  # seed 2, step 0, replica 0
    seeds = tf.unstack(tf.random.split(base, 2, alg="philox"))
    x = tf.constant(_images())

    def judge(images):
        """D(x) and the parameters of Q(c | x)."""
        return tf.sigmoid(twin.discriminator(body(images))), twin.vae.encoder(images)

    def bound(parameters, z):
        """The mean of log Q(c | x), and the entropies of two U(-1, 1) and of three classes."""
        loc, scale = parameters[:, :2], tf.nn.softplus(parameters[:, 2:4])
        log_q = -0.5 * ((z[:, :2] - loc) / scale) ** 2 - tf.math.log(scale * np.sqrt(2 * np.pi))
        log_q = tf.reduce_sum(log_q, axis=1)
        log_q += tf.reduce_sum(z[:, 2:5] * tf.nn.log_softmax(parameters[:, 4:]), axis=1)
        return tf.reduce_mean(log_q) + 2 * np.log(2) + np.log(3)

    def update(loss, tape, names):
        for name in names:
            variables = _parts(twin)[name].trainable_variables
            gradients = tape.gradient(loss, variables)
            for variable, gradient in zip(variables, gradients, strict=True):
                variable.assign_sub(rates[name] * gradient)

    z = twin.vae.sample_prior(16, seeds[0])
    generated = tf.constant(tf.sigmoid(twin.vae.decoder(z)))
    with tf.GradientTape(persistent=True) as tape:
        real, (fake, parameters) = judge(x)[0], judge(generated)
        loss = -tf.reduce_mean(tf.math.log(real)) - tf.reduce_mean(tf.math.log(1 - fake))
        loss -= weight * bound(parameters, z)
    update(loss, tape, "QD")
    z = twin.vae.sample_prior(16, seeds[1])
    with tf.GradientTape(persistent=True) as tape:
        fake, parameters = judge(tf.sigmoid(twin.vae.decoder(z)))
        loss = -tf.reduce_mean(tf.math.log(fake)) - weight * bound(parameters, z)
    update(loss, tape, "G")

    history = trainer.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0)
    np.testing.assert_allclose(history.history["loss"], loss, rtol=1e-5)
    for name, part in _parts(trainer).items():
        expected = _parts(twin)[name].trainable_variables
        for a, b in zip(part.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(a, b, atol=2e-6)


def test_judges_share_all_layers_but_the_last():
    trainer = _trainer()
    before = trainer.judge(tf.constant(_images()), training=False)
    first = trainer.vae.encoder.trainable_variables[0]
    first.assign(2 * first)
    after = trainer.judge(tf.constant(_images()), training=False)
    assert np.abs(before[0] - after[0]).max() > 1e-3
    assert np.abs(before[1]["continuous"].mean() - after[1]["continuous"].mean()).max() > 1e-3
    assert len(trainer.discriminator.trainable_variables) == 2


def test_information_of_a_readable_generator_is_the_entropy_of_the_codes():
    """Where Q is sure of the right class L_I is log K, and where it says nothing 0."""
    trainer = _trainer(Categorical(10))
    z = tf.one_hot(tf.range(10), 10)
    for sharpness, expected in [(50.0, np.log(10)), (0.0, 0.0)]:
        posterior = trainer.vae.latents.posterior(sharpness * z)
        information = trainer.information(posterior, z)
        assert float(information["discrete_information"]) == pytest.approx(expected, abs=1e-5)
        assert float(information["continuous_information"]) == 0


def test_information_of_a_normal_channel_is_a_bound():
    """c ~ N(0, 1) and Q of c + N(0, s^2) as it truly is: exactly log(1 + 1 / s^2) / 2."""
    trainer, noise = _trainer(Gaussian(1)), 0.5
    rng = np.random.default_rng(0)
    c = rng.normal(size=(200_000, 1))
    x = c + noise * rng.normal(size=c.shape)
    shrink, deviation = 1 / (1 + noise**2), np.sqrt(noise**2 / (1 + noise**2))
    parameters = np.hstack([shrink * x, np.full_like(x, np.log(np.expm1(deviation)))])
    posterior = trainer.vae.latents.posterior(tf.constant(parameters, tf.float32))
    found = trainer.information(posterior, tf.constant(c, tf.float32))["continuous_information"]
    assert float(found) == pytest.approx(0.5 * np.log(1 + 1 / noise**2), abs=0.01)


@pytest.mark.long
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_codes_become_readable_where_information_counts(weight):
    """Pixels at three values: the classes become these, or with weight 0 nothing in particular."""
    trainer = _trainer(
        Categorical(3),
        Uniform(2, "noise", inference=None),
        image_shape=(1, 1, 1),
        hidden=48,
        information_weight=weight,
    )
    trainer.compile(keras.optimizers.Adam(1e-3, 0.5), keras.optimizers.Adam(1e-3, 0.5))
    rng = np.random.default_rng(0)
    x = rng.choice([0.2, 0.5, 0.8], size=3000) + rng.normal(0, 0.02, 3000)
    x = x.astype(np.float32).reshape(-1, 1, 1, 1)
    history = trainer.fit(data.from_arrays(x).train(100), steps_per_epoch=1500, verbose=0)
    information = history.history["discrete_information"][-1]
    if weight == 0:
        assert information < 0.1
        return
    assert information > 0.8 * np.log(3)
    classes = trainer.vae.encode(np.array([0.2, 0.5, 0.8], np.float32).reshape(3, 1, 1, 1))
    assert sorted(np.argmax(classes, axis=1)) == [0, 1, 2]


def test_recipe_is_the_authors_network():
    """Widths of the authors' code on MNIST, computed by hand."""
    recipe = RECIPES["info_gan/mnist"]
    assert recipe.noise == 62 and recipe.discrete == (10,) and recipe.continuous == 2
    trainer = recipe.build((28, 28, 1))
    groups = {group.name: (type(group), group.size) for group in trainer.vae.latents.groups}
    assert groups == {
        "continuous": (Uniform, 2),
        "discrete": (Categorical, 10),
        "noise": (Uniform, 62),
    }
    kernels = [v.shape for v in trainer.vae.encoder.trainable_variables if len(v.shape) > 1]
    assert kernels == [(4, 4, 1, 64), (4, 4, 64, 128), (6272, 1024), (1024, 128), (128, 14)]
    kernels = [v.shape for v in trainer.vae.decoder.trainable_variables if len(v.shape) > 1]
    assert kernels == [(74, 1024), (1024, 6272), (4, 4, 64, 128), (4, 4, 1, 64)]
    assert [v.shape for v in trainer.discriminator.trainable_variables] == [(1024, 1), (1,)]
    assert float(trainer.optimizer.learning_rate) == pytest.approx(1e-3)
    assert float(trainer.discriminator_optimizer.learning_rate) == pytest.approx(2e-4)


def test_features_are_what_the_last_layer_reads_or_the_layer_of_that_name():
    vae = _trainer().vae
    features, parameters = networks.with_features(vae.encoder)(_images())
    last = vae.encoder.layers[-1]
    np.testing.assert_allclose(last(features), parameters, rtol=1e-6)
    encoder, _ = networks.build("info_gan", (28, 28, 1), 14, 74, 1)
    assert networks.with_features(encoder).output_shape == [(None, 1024), (None, 14)]


def test_bad_arguments_are_refused(make_vae):
    with pytest.raises(ValueError, match="information_weight must not be negative, received -1"):
        _trainer(information_weight=-1)
    vae = make_vae(priors={"continuous": GaussianMixture(3, 2)})
    with pytest.raises(ValueError, match="trains no prior, received learned priors of"):
        InfoGANTrainer(vae)
    with pytest.raises(ValueError, match="noise must be an integer, at least 0, received -1"):
        RECIPES["info_gan/mnist"].replace(noise=-1)
