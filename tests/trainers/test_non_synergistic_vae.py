import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Gaussian, Latents, NonSynergisticVAETrainer, VAETrainer, objectives


def _trainer(trainer_class=NonSynergisticVAETrainer, **options):
    keras.utils.set_random_seed(0)
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(4)), architecture="mlp", hidden=12)
    trainer = trainer_class(vae, seed=2, **options)
    # Rates that differ enough for some latents, and not all, to be in the worst set.
    layer = vae.encoder.layers[-1]
    layer.bias.assign([1.5, 0.8, 0.1, 0.02, 0.5, 0.5, 0.5, 0.5])
    return trainer


def _images(count=16):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _step(trainer, optimizer, images=None):
    """Compiles, takes one step, and returns its logs."""
    trainer.compile(optimizer, run_eagerly=True)
    images = _images() if images is None else images
    return trainer.train_step(tf.constant(images))


def _weights(network):
    return [np.asarray(w.value) for w in network.trainable_variables]


def _assert_equal(first, second, **tolerance):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


def _assert_moved(first, second):
    assert any(np.any(a != b) for a, b in zip(first, second, strict=True))


def test_evaluated_loss_is_the_vaes_plus_alpha_times_the_worst_rates():
    trainer = _trainer(alpha=7.0)
    terms = trainer.objective(tf.constant(_images()), training=True)
    posterior = trainer.vae.posterior(_images())["continuous"]
    mean, std = posterior.mean().numpy(), posterior.stddev().numpy()
    rates = 0.5 * (mean**2 + std**2 - 2 * np.log(std) - 1)
    is_worst = ~objectives.greedy_best_set(tf.constant(rates.mean(axis=0)), 0.9).numpy()
    assert 0 < is_worst.sum() < 4
    synergy = rates[:, is_worst].sum(axis=1).mean()
    np.testing.assert_allclose(np.mean(terms["synergy"]), synergy, rtol=1e-4)
    np.testing.assert_allclose(terms["worst_size"], is_worst.sum())
    expected = np.mean(terms["distortion"]) + rates.sum(axis=1).mean() + 7.0 * synergy
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)


def test_alpha_zero_is_the_vaes_loss():
    x = tf.constant(_images())
    loss = _trainer(alpha=0.0).objective(x, training=True)["loss"]
    vae_loss = _trainer(VAETrainer).objective(x, training=True)["loss"]
    np.testing.assert_allclose(loss, vae_loss, rtol=0, atol=1e-5)


@pytest.mark.parametrize("resample", [True, False])
def test_alpha_zero_takes_the_vaes_step(resample):
    # Without momentum a gradient of zero moves nothing.
    ours, plain = _trainer(alpha=0.0, resample=resample), _trainer(VAETrainer)
    images = _images()
    logs = _step(ours, keras.optimizers.SGD(0.01), images)
    own = images[:8] if resample else images
    expected = _step(plain, keras.optimizers.SGD(0.01), own)
    _assert_equal(_weights(ours.vae), _weights(plain.vae), rtol=1e-6)
    np.testing.assert_allclose(logs["loss"], expected["loss"], rtol=1e-6)


def test_alpha_zero_is_a_vae_whose_adam_sees_an_extra_gradient_of_zero():
    ours, plain = _trainer(alpha=0.0), _trainer(VAETrainer)
    _step(ours, keras.optimizers.Adam(0.01))
    _step(plain, keras.optimizers.Adam(0.01), _images()[:8])
    variables = plain.vae.trainable_variables
    plain.optimizer.apply([tf.zeros_like(v) for v in variables], variables)
    _assert_equal(_weights(ours.vae), _weights(plain.vae), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("resample", [True, False])
@pytest.mark.parametrize("decoder_momentum", [True, False])
def test_step_is_two_updates_of_one_optimiser(resample, decoder_momentum):
    """Against the two updates written out."""
    options = {"alpha": 7.0, "resample": resample, "decoder_momentum": decoder_momentum}
    ours, other = _trainer(**options), _trainer(**options)
    images = _images()
    _step(ours, keras.optimizers.Adam(0.01), images)

    first, second = (images[:8], images[8:]) if resample else (images, images)
    vae, optimizer = other.vae, keras.optimizers.Adam(0.01)
    optimizer.build(vae.trainable_variables)
    encoder, decoder = vae.encoder.trainable_variables, vae.decoder.trainable_variables
    with tf.GradientTape() as tape:
        q = vae.posterior(first)
        z = vae.sample(q, seed=other.seeds(1)[0])
        rate = tf.reduce_sum(
            q["continuous"].distribution.kl_divergence(vae.prior()["continuous"].distribution),
            axis=-1,
        )
        loss = tf.reduce_mean(rate - vae.likelihood(z).log_prob(first))
    optimizer.apply(tape.gradient(loss, [*encoder, *decoder]), [*encoder, *decoder])
    with tf.GradientTape() as tape:
        q = vae.posterior(second)["continuous"].distribution
        rates = q.kl_divergence(vae.prior()["continuous"].distribution)
        best = objectives.greedy_best_set(tf.reduce_mean(rates, axis=0), 0.9).numpy()
        assert 0 < best.sum() < 4
        loss = 7.0 * tf.reduce_mean(tf.reduce_sum(tf.boolean_mask(rates, ~best, axis=1), axis=1))
    gradients = tape.gradient(loss, encoder)
    if decoder_momentum:
        zeros = [tf.zeros_like(v) for v in decoder]
        optimizer.apply([*gradients, *zeros], [*encoder, *decoder])
    else:
        optimizer.apply(gradients, encoder)
    _assert_equal(_weights(ours.vae), _weights(vae), rtol=1e-4, atol=1e-6)
    assert int(ours.optimizer.iterations) == int(optimizer.iterations) == 2
    assert int(ours.step) == 1


def test_second_update_moves_the_decoder_by_its_momentum_alone():
    plain = _trainer(VAETrainer)
    _step(plain, keras.optimizers.Adam(0.01), _images()[:8])
    after_first = _weights(plain.vae.decoder)
    still, moved = _trainer(decoder_momentum=False), _trainer(decoder_momentum=True)
    for trainer in (still, moved):
        _step(trainer, keras.optimizers.Adam(0.01))
    _assert_equal(_weights(still.vae.decoder), after_first, rtol=1e-6)
    _assert_moved(_weights(moved.vae.decoder), after_first)
    _assert_equal(_weights(still.vae.encoder), _weights(moved.vae.encoder), rtol=1e-6)


def test_second_batch_reaches_the_encoder_alone():
    ours, other = (_trainer(decoder_momentum=False) for _ in range(2))
    images = _images()
    _step(ours, keras.optimizers.SGD(0.01), images)
    _step(other, keras.optimizers.SGD(0.01), np.concatenate([images[:8], 1 - images[8:]]))
    _assert_moved(_weights(ours.vae.encoder), _weights(other.vae.encoder))
    _assert_equal(_weights(ours.vae.decoder), _weights(other.vae.decoder), rtol=0)


@pytest.mark.long
def test_penalty_lowers_the_worst_rates_and_leaves_the_best():
    trainer = _trainer(alpha=50.0)
    images = _images(64)
    before = trainer.objective(tf.constant(images), training=False)
    trainer.compile(keras.optimizers.Adam(1e-3))
    trainer.fit(images, batch_size=32, epochs=10, verbose=0)
    after = trainer.objective(tf.constant(images), training=False)
    assert np.mean(after["synergy"]) < 0.5 * np.mean(before["synergy"])
    assert np.mean(after["rate"]) > 0.5 * np.mean(before["rate"])


def test_batches_per_step_follow_resampling():
    assert _trainer().batches_per_step == 2
    assert _trainer(resample=False).batches_per_step == 1
    trainer = _trainer()
    trainer.compile()
    with pytest.raises(ValueError, match="batch size must be even .* received 15"):
        trainer.fit(_images(30), batch_size=15, verbose=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1.0}, "alpha must not be negative, received -1"),
        ({"omega": 0.0}, r"omega must be in \(0, 1\], received 0"),
        ({"omega": 1.1}, r"omega must be in \(0, 1\], received 1.1"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(**options)
