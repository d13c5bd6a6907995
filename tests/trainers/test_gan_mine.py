import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import Categorical, GANMINETrainer, Gaussian, Latents, Uniform, data, networks

LATENTS = (Uniform(2), Categorical(3), Gaussian(4, "noise", inference=None))


def _trainer(*groups, image_shape=(1, 2, 1), hidden=8, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or LATENTS))
    code_size = sum(group.size for group in latents.inferred)
    options = {
        "discriminator": networks.image_discriminator(image_shape, hidden=hidden, depth=1),
        "critic": networks.image_code_critic(image_shape, code_size, hidden=4 * hidden),
        "value_range": None,
        "seed": 2,
        **options,
    }
    generator = networks.dense_generator(latents.size, image_shape, hidden=hidden, depth=1)
    return GANMINETrainer(generator, latents, **options)


def _points(count=16):
    return np.random.default_rng(0).normal(size=(count, 1, 2, 1)).astype(np.float32)


@pytest.mark.parametrize(("weight", "is_clipped"), [(0.05, False), (200.0, True)])
@pytest.mark.parametrize("eager", [True, False])
def test_one_step_follows_the_paper(eager, weight, is_clipped):
    """Plain gradient descent, D, T, then G, with the adaptive clipping written out."""
    rates = (0.1, 0.2, 0.3)
    trainer, twin = (_trainer(information_weight=weight) for _ in range(2))
    optimizers = [keras.optimizers.SGD(rate) for rate in rates]
    trainer.compile(*optimizers, run_eagerly=eager)
    base = tf.random.fold_in(tf.constant([2, 0]), 0, alg="philox")  # seed 2, step 0, replica 0
    seeds = tf.unstack(tf.random.split(base, 3, alg="philox"))
    x = tf.constant(_points())
    generator, judge, critic = twin.generator, twin.discriminator, twin.critic

    def draw(seed):
        first, second = tf.unstack(tf.random.split(seed, 2, alg="philox"))
        prior = twin.latents.prior()
        z, apart = (twin.latents.draw(prior, 16, s) for s in (first, second))
        return z, z[:, :5], apart[:, :5]  # all but the noise is code

    def descend(network, gradients, rate):
        for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
            variable.assign_sub(rate * gradient)

    fake = tf.constant(generator(draw(seeds[0])[0]))
    with tf.GradientTape() as tape:
        real_share, fake_share = tf.sigmoid(judge(x)), tf.sigmoid(judge(fake))
        loss = -tf.reduce_mean(tf.math.log(real_share)) - tf.reduce_mean(tf.math.log1p(-fake_share))
    descend(judge, tape.gradient(loss, judge.trainable_variables), rates[1])

    z, code, apart = draw(seeds[1])
    fake = tf.constant(generator(z))
    with tf.GradientTape() as tape:  # the first average is the batch's own
        minus_bound = tf.math.log(tf.reduce_mean(tf.exp(critic((fake, apart)))))
        minus_bound -= tf.reduce_mean(critic((fake, code)))
    descend(critic, tape.gradient(minus_bound, critic.trainable_variables), rates[2])

    z, code, apart = draw(seeds[2])
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(z)
        loss = -tf.reduce_mean(tf.math.log_sigmoid(judge(fake)))
        bound = tf.reduce_mean(critic((fake, code)))
        bound -= tf.math.log(tf.reduce_mean(tf.exp(critic((fake, apart)))))
    of_game = tape.gradient(loss, generator.trainable_variables)
    of_bound = [-weight * g for g in tape.gradient(bound, generator.trainable_variables)]
    norms = [np.sqrt(sum(np.sum(np.square(g)) for g in gs)) for gs in (of_game, of_bound)]
    assert (norms[1] > norms[0]) == is_clipped
    scale = min(1, norms[0] / norms[1])
    descend(generator, [g + scale * h for g, h in zip(of_game, of_bound, strict=True)], rates[0])

    history = trainer.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0).history
    np.testing.assert_allclose(history["loss"], loss, rtol=1e-5)
    np.testing.assert_allclose(history["information"], bound, atol=1e-6)
    for name in ("generator", "discriminator", "critic"):
        ours, theirs = (getattr(t, name).trainable_variables for t in (trainer, twin))
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, atol=3e-6)


def test_pairs_apart_come_from_another_draw():
    trainer = _trainer(Uniform(1), Categorical(4))
    _, code, apart = trainer.generate(20_000, tf.constant([1, 2]))
    assert code.shape == (20_000, 5)
    np.testing.assert_allclose(np.corrcoef(code[:, 0], apart[:, 0])[0, 1], 0, atol=0.03)
    table = tf.linalg.matmul(code[:, 1:], apart[:, 1:], transpose_a=True) / 20_000
    np.testing.assert_allclose(table, np.full((4, 4), 1 / 16), atol=0.01)


def test_the_information_of_a_generator_that_copies_its_code_is_its_entropy():
    """G maps four classes to four far points; T, trained alone, finds I = H(c) = log 4."""
    trainer = _trainer(Categorical(4), hidden=32)
    x = z = keras.Input((4,))
    x = keras.layers.Dense(2, use_bias=False, name="corners")(x)
    trainer.generator = keras.Model(z, keras.layers.Reshape((1, 2, 1))(x))
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], np.float32)
    trainer.generator.get_layer("corners").set_weights([corners])
    critic_optimizer = keras.optimizers.Adam(3e-3)
    trainer.compile(
        keras.optimizers.SGD(0.0), critic_optimizer=critic_optimizer, steps_per_execution=50
    )
    points = data.from_arrays(_points(512), value_range=None)
    history = trainer.fit(points.train(256), steps_per_epoch=100, epochs=4, verbose=0).history
    np.testing.assert_allclose(history["information"][-1], np.log(4), atol=0.05)
    assert history["information"][0] < history["information"][-1]


@pytest.mark.long
def test_the_reward_makes_a_generator_tell_its_code():
    """Real points on a line: the plain game may ignore the code, the reward does not."""
    rng = np.random.default_rng(0)
    line = np.linspace(-1, 1, 1024)
    points = np.stack([line, 0.1 * rng.normal(size=1024)], axis=-1)
    dataset = data.from_arrays(points.reshape(-1, 1, 2, 1).astype(np.float32), value_range=None)

    def correlation(weight):
        """Of the code and the place on the line."""
        groups = (Uniform(1), Uniform(16, "noise", inference=None))
        trainer = _trainer(*groups, hidden=32, information_weight=weight)
        optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(3)]
        trainer.compile(*optimizers, steps_per_execution=50)
        trainer.fit(dataset.train(128), steps_per_epoch=300, verbose=0)
        generated, code, _ = trainer.generate(2000, tf.constant([0, 1]), training=False)
        return abs(np.corrcoef(code[:, 0], generated[:, 0, 0, 0])[0, 1])

    with_reward, without = correlation(1.0), correlation(0.0)
    assert with_reward > 0.9 > 0.7 > without, (with_reward, without)


def test_images_are_checked_where_a_range_is_given():
    trainer = _trainer(value_range=(0.0, 1.0))
    trainer.compile()
    with pytest.raises(ValueError, match=r"expected images in \[0, 1\]"):
        trainer.fit(_points(), batch_size=8, verbose=0)
    trainer = _trainer()
    trainer.compile()
    trainer.fit(_points(), batch_size=8, verbose=0)
    assert int(trainer.step) == 2


def test_wrong_arguments_are_refused():
    for options, message in (
        ({"information_weight": -1.0}, "information_weight must not be negative, received -1.0"),
        ({"average_rate": 0.0}, r"average_rate must be in \(0, 1\), received 0.0"),
        ({"average_rate": 1.0}, r"average_rate must be in \(0, 1\), received 1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            _trainer(**options)
    with pytest.raises(ValueError, match="received only noise"):
        _trainer(Uniform(2, inference=None))
    generator = networks.dense_generator(3, (1, 2, 1))
    with pytest.raises(ValueError, match=r"a generator from z \[B, 4\] to images"):
        GANMINETrainer(generator, Latents(Uniform(4)))
    with pytest.raises(TypeError, match="latents must be Latents"):
        GANMINETrainer(generator, [Uniform(3)])
