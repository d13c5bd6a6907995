import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import (
    VAE,
    DeepVIBTrainer,
    Gaussian,
    Latents,
    VAETrainer,
    data,
    likelihoods,
    priors,
    schedules,
)


def _vae(**options):
    keras.utils.set_random_seed(0)
    latents, likelihood = Latents(Gaussian(2)), likelihoods.Categorical(3)
    return VAE.build_for((2, 2, 1), latents, likelihood=likelihood, hidden=8, **options)


def _pairs(count=24):
    rng = np.random.default_rng(0)
    return rng.uniform(size=(count, 2, 2, 1)).astype(np.float32), rng.integers(0, 3, size=count)


def _batches(count=24):
    return tf.data.Dataset.from_tensors(_pairs(count)).repeat()


class _Recorder(keras.callbacks.Callback):
    """The learner's weights after every step."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.learner.get_weights())


@pytest.mark.parametrize("ema", [0.0, 0.5, 0.999])
def test_the_model_holds_the_debiased_average_of_the_learners_weights(ema):
    trainer, recorder = DeepVIBTrainer(_vae(), ema=ema), _Recorder()
    trainer.compile(keras.optimizers.Adam(0.1))
    trainer.fit(_batches(), steps_per_epoch=7, verbose=0, callbacks=[recorder])
    # Zero-debiased: an average that begins at zero, divided by what its weights sum to.
    averages = [np.zeros_like(weight) for weight in trainer.vae.get_weights()]
    for weights in recorder.weights:
        averages = [
            ema * average + (1 - ema) * weight
            for average, weight in zip(averages, weights, strict=True)
        ]
    for average, weight in zip(averages, trainer.vae.get_weights(), strict=True):
        np.testing.assert_allclose(weight, average / (1 - ema**7), rtol=1e-3, atol=1e-5)
    moved = np.abs(recorder.weights[-1][0] - recorder.weights[0][0]).max()
    assert moved > 0.1  # enough for an average with other shares to be another


def test_beta_may_follow_a_schedule():
    trainer = DeepVIBTrainer(_vae(), beta=schedules.Linear(0.0, 6.0, 100))
    x, y = map(tf.constant, _pairs())
    for step, beta in ((0, 0.0), (50, 3.0), (200, 6.0)):
        trainer.step.assign(step)
        terms = trainer.objective(x, tf.cast(y, tf.int32), training=True)
        expected = np.mean(terms["distortion"]) + beta * np.mean(terms["rate"])
        assert np.mean(terms["rate"]) > 1e-3
        assert float(terms["loss"]) == pytest.approx(expected, rel=1e-5)


def test_statistics_that_are_no_numbers_are_copied():
    vae = _vae()
    encoder = keras.Sequential([vae.encoder, keras.layers.Dropout(0.5, seed=1)])
    encoder.build((None, 2, 2, 1))
    trainer = DeepVIBTrainer(VAE(encoder, vae.decoder, vae.latents, vae.likelihood_family))
    trainer.compile()
    trainer.fit(_batches(), steps_per_epoch=2, verbose=0)
    for average, weight in zip(trainer.vae.weights, trainer.learner.weights, strict=True):
        assert average.dtype == weight.dtype


def test_loss_is_the_cross_entropy_and_beta_times_the_closed_form_rate():
    trainer = DeepVIBTrainer(_vae(), beta=0.25, seed=4)
    x, y = map(tf.constant, _pairs())
    terms = trainer.objective(x, tf.cast(y, tf.int32), training=False)
    posterior = trainer.vae.posterior(x)
    mean, std = (
        f().numpy() for f in (posterior["continuous"].mean, posterior["continuous"].stddev)
    )
    rate = (0.5 * (mean**2 + std**2 - 1) - np.log(std)).sum(axis=-1)
    z = trainer.vae.sample(posterior, seed=trainer.seeds(1)[0])
    shares = trainer.vae.decode(z).numpy()
    cross_entropy = -np.log(shares[np.arange(24), y])
    np.testing.assert_allclose(terms["rate"], rate, rtol=1e-4)
    np.testing.assert_allclose(terms["distortion"], cross_entropy, rtol=1e-4)
    np.testing.assert_allclose(terms["loss"], np.mean(cross_entropy + 0.25 * rate), rtol=1e-5)
    np.testing.assert_array_equal(terms["accuracy"], shares.argmax(axis=-1) == y)


def test_evaluation_is_of_the_averaged_model():
    trainer = DeepVIBTrainer(_vae(), ema=0.9)
    trainer.compile()
    trainer.learner.set_weights([weight + 1 for weight in trainer.vae.get_weights()])
    x, y = _pairs()
    found = trainer.evaluate(x, y, batch_size=24, verbose=0, return_dict=True)
    expected = trainer.objective(tf.constant(x), tf.constant(y, tf.int32), training=False)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
    np.testing.assert_allclose(
        trainer.predict(x, verbose=0), trainer.vae.reconstruct(x), rtol=1e-4, atol=1e-6
    )


def test_a_step_moves_the_learner_by_its_gradient_alone():
    trainer = DeepVIBTrainer(_vae(), beta=0.5, seed=2)
    trainer.compile(keras.optimizers.SGD(0.1))
    x, y = _pairs()
    copy = VAE.from_config(trainer.vae.get_config())
    copy.set_weights(trainer.vae.get_weights())
    with tf.GradientTape() as tape:
        terms = trainer._terms(copy, tf.constant(x), tf.constant(y, tf.int32), training=True)
    gradients = tape.gradient(terms["loss"], copy.trainable_variables)
    expected = [v - 0.1 * g for v, g in zip(copy.trainable_variables, gradients, strict=True)]
    trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
    for received, wanted in zip(trainer.learner.trainable_variables, expected, strict=True):
        np.testing.assert_allclose(received, wanted, rtol=1e-4, atol=1e-6)


def test_a_learned_prior_is_learned():
    mixture = priors.get("mixture", 2, (2, 2, 1), 3)
    trainer = DeepVIBTrainer(_vae(priors={"continuous": mixture}), beta=1.0)
    trainer.compile(keras.optimizers.Adam(0.01))
    before = [np.array(variable) for variable in trainer.vae.trainable_variables]
    trainer.fit(_batches(), steps_per_epoch=2, verbose=0)
    after = [np.array(variable) for variable in trainer.vae.trainable_variables]
    assert len(after) > len(_vae().trainable_variables)
    assert all(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_learns_to_classify_digits():
    keras.utils.set_random_seed(0)
    digits = data.load("digits")
    vae = VAE.build_for(
        digits.image_shape, Latents(Gaussian(8)), likelihood="categorical", hidden=64
    )
    trainer = DeepVIBTrainer(vae, ema=0.9)
    trainer.compile(keras.optimizers.Adam(3e-3))
    trainer.fit(digits.train(64, labels=True), steps_per_epoch=200, verbose=0)
    x, y = digits.images(np.arange(len(digits))), digits.labels
    found = trainer.evaluate(x, y, batch_size=256, verbose=0, return_dict=True)
    assert found["accuracy"] > 0.95
    # H(Y) - CE <= I(Z; Y) <= I(X; Z) <= rate
    assert np.log(10) - 0.3 < np.log(10) - found["distortion"] < found["rate"]


def test_models_and_trainers_of_images_and_labels_are_kept_apart():
    images = VAE.build_for((2, 2, 1), Latents(Gaussian(2)), architecture="mlp", hidden=4)
    with pytest.raises(ValueError, match="decoder of labels.*received one with.*'bernoulli'"):
        DeepVIBTrainer(images)
    with pytest.raises(ValueError, match="decoder of images, received one with.*'categorical'"):
        VAETrainer(_vae())


@pytest.mark.parametrize("ema", [1.0, -0.1, float("nan")])
def test_averages_that_forget_nothing_are_refused(ema):
    with pytest.raises(ValueError, match=r"ema must be in \[0, 1\), received"):
        DeepVIBTrainer(_vae(), ema=ema)
