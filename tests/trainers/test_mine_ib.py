import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import logsumexp
from scipy.stats import norm

from tfdisent import (
    VAE,
    FusedAdam,
    Gaussian,
    Latents,
    MINEIBTrainer,
    likelihoods,
    networks,
    priors,
    schedules,
)

# Eight images of three bits; the label is the first of them.
IMAGES = ((np.arange(8)[:, None] >> np.arange(3)) & 1).astype(np.float32).reshape(8, 3, 1, 1)
LABELS = np.arange(8) % 2


def _trainer(beta, critic_noise=0.0, hidden=64, **options):
    keras.utils.set_random_seed(0)
    vae = VAE.build_for(
        (3, 1, 1), Latents(Gaussian(2)), likelihood=likelihoods.Categorical(2), hidden=32
    )
    critic = networks.image_code_critic((3, 1, 1), 2, hidden=hidden)
    return MINEIBTrainer(vae, beta=beta, critic=critic, critic_noise=critic_noise, **options)


def _batches(repeats=8):
    pairs = np.tile(IMAGES, (repeats, 1, 1, 1)), np.tile(LABELS, repeats)
    return tf.data.Dataset.from_tensors(pairs).repeat()


def _information(vae, samples=2000):
    """I(X; Z) of the eight images under the encoder, nats: the entropies of its normals."""
    posterior = vae.posterior(IMAGES)["continuous"]
    mean, std = posterior.mean().numpy(), posterior.stddev().numpy()  # [8, D]
    noise = np.random.default_rng(0).normal(size=(8, samples, mean.shape[1]))
    z = mean[:, None] + std[:, None] * noise
    log_q = norm.logpdf(z[:, :, None], mean, std).sum(axis=-1)  # [8, samples, 8]
    own = np.stack([log_q[i, :, i] for i in range(8)])
    return float(np.mean(own - logsumexp(log_q, axis=-1) + np.log(8)))


@pytest.mark.long
def test_lowers_the_information_about_the_image_that_the_label_does_not_need():
    found, accuracy = {}, {}
    for beta in (0.0, 0.3, -0.3):
        trainer = _trainer(beta)
        # Standard deviations begin at softplus(0): there is information to win and to lose.
        trainer.vae.encoder.layers[-1].bias.assign(np.zeros(4))
        trainer.compile(FusedAdam(1e-3), FusedAdam(1e-2))
        trainer.fit(_batches(), steps_per_epoch=600, verbose=0)
        found[beta] = _information(trainer.vae)
        accuracy[beta] = np.mean(trainer.predict(IMAGES, verbose=0).argmax(axis=-1) == LABELS)
    assert set(accuracy.values()) == {1.0}
    assert found[0.3] > np.log(2) - 0.05  # the label itself
    assert found[0.3] < found[0.0] - 0.25
    # With the sign of the encoder's term flipped the information rises, to all there is, log 8.
    assert found[-0.3] > found[0.0] + 0.25


@pytest.mark.long
def test_the_encoder_descends_what_the_critic_climbs():
    trainer = _trainer(beta=1e3, hidden=16)  # next to nothing but the estimate moves the encoder
    x, y = next(iter(_batches()))

    def estimate(seed):
        terms = trainer._terms(x, tf.cast(y, tf.int32), seed, training=True)
        return float(terms["information"])

    fresh = tf.constant([5, 6])
    first = estimate(fresh)
    trainer.compile(keras.optimizers.SGD(0.0), FusedAdam(1e-2))
    trainer.fit(_batches(), steps_per_epoch=100, verbose=0)
    climbed = estimate(fresh)
    assert climbed > max(first, 0) + 0.1

    trainer.compile(keras.optimizers.SGD(1e-6), keras.optimizers.SGD(0.0))
    seed = trainer.seeds(2)[1]  # of the step to come
    before = estimate(seed)
    trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
    assert 0 < estimate(seed) < before


@pytest.mark.parametrize("sign", [-1, 1])
def test_information_is_charged_and_an_estimate_below_zero_is_no_reward(sign):
    trainer = _trainer(beta=10.0)
    if sign > 0:  # a critic that has learned something
        trainer.compile(keras.optimizers.SGD(0.0), FusedAdam(1e-2))
        trainer.fit(_batches(), steps_per_epoch=30, verbose=0)
    terms = trainer.objective(tf.constant(IMAGES), tf.constant(LABELS, tf.int32), training=False)
    information = float(terms["information"])
    assert sign * information > 0.01
    trainer.beta = schedules.Linear(0.0, 20.0, 100)
    for step, beta in ((0, 0.0), (50, 10.0)):
        trainer.step.assign(step)
        later = trainer.objective(tf.constant(IMAGES), tf.constant(LABELS, tf.int32), False)
        information = float(later["information"])  # of another sample of the code
        expected = np.mean(later["distortion"]) + beta * max(information, 0)
        assert float(later["loss"]) == pytest.approx(expected, rel=1e-5)
    information = float(terms["information"])
    expected = np.mean(terms["distortion"]) + 10 * max(information, 0)
    assert float(terms["loss"]) == pytest.approx(expected, rel=1e-5)


def test_the_scale_of_the_code_does_not_change_what_the_critic_sees():
    trainer, seed = _trainer(0.1), tf.constant([1, 2])
    x = tf.constant(IMAGES)
    z = tf.random.stateless_normal([8, 2], [3, 4])
    plain = trainer._scores(x, z, seed, training=True)
    scaled = trainer._scores(x, 1000 * z + 5, seed, training=True)
    np.testing.assert_allclose(plain, scaled, atol=1e-3)


def test_noise_is_for_training_only():
    trainer = _trainer(0.1, critic_noise=0.5)
    x, z = tf.constant(IMAGES), tf.random.stateless_normal([8, 2], [3, 4])
    scores = {
        (training, n): np.array(trainer._scores(x, z, tf.constant([1, n]), training)[0])
        for training in (True, False)
        for n in (0, 1)
    }
    np.testing.assert_array_equal(scores[False, 0], scores[False, 1])
    assert not np.allclose(scores[True, 0], scores[True, 1])


def test_the_average_starts_from_the_first_batch_and_moves_slowly():
    trainer = _trainer(0.1, average_rate=0.1)
    assert float(trainer.log_average) == -np.inf
    trainer.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    averages, means = [], []
    for _ in range(3):
        x = tf.constant(np.tile(IMAGES, (8, 1, 1, 1)))
        seed = trainer.seeds(2)[0]
        z = trainer._code(x, seed, training=True)[0]
        means.append(np.mean(np.exp(trainer._scores(x, z, seed, training=True)[1])))
        trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
        averages.append(np.exp(float(trainer.log_average)))
    assert averages[0] == pytest.approx(means[0], rel=1e-4)
    assert averages[1] == pytest.approx(0.9 * averages[0] + 0.1 * means[1], rel=1e-4)
    assert averages[2] == pytest.approx(0.9 * averages[1] + 0.1 * means[2], rel=1e-4)


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ValueError, match="critic_noise must not be negative, received -1"):
        _trainer(0.1, critic_noise=-1)
    for rate in (0, 1):
        with pytest.raises(ValueError, match=rf"average_rate must be in \(0, 1\), received {rate}"):
            _trainer(0.1, average_rate=rate)
    vae = VAE.build_for(
        (3, 1, 1),
        Latents(Gaussian(2)),
        likelihood="categorical",
        priors={"continuous": priors.get("mixture", 2, (3, 1, 1), 3)},
        hidden=4,
    )
    with pytest.raises(ValueError, match="trains no prior, received learned priors"):
        MINEIBTrainer(vae)
