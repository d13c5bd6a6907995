import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import (
    VAE,
    Categorical,
    FactorVAETrainer,
    Gaussian,
    Latents,
    VAETrainer,
    networks,
)


def _trainer(**options):
    keras.utils.set_random_seed(0)
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(4)), architecture="mlp", hidden=12)
    discriminator = networks.latent_discriminator(4, hidden=16, depth=2)
    return FactorVAETrainer(vae, discriminator=discriminator, seed=2, **options)


def _images(count=16):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _move(trainer, optimizers):
    """Whether the VAE and the discriminator moved in two steps with these learning rates."""
    trainer.compile(*[keras.optimizers.Adam(rate) for rate in optimizers])
    before = trainer.vae.get_weights(), trainer.discriminator.get_weights()
    batches = tf.data.Dataset.from_tensors(_images()).repeat()
    trainer.fit(batches, steps_per_epoch=2, verbose=0)
    after = trainer.vae.get_weights(), trainer.discriminator.get_weights()
    return tuple(
        not all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))
        for old, new in zip(before, after, strict=True)
    )


def test_discriminator_step_leaves_every_vae_variable_untouched():
    assert _move(_trainer(), (0.0, 1e-3)) == (False, True)


def test_vae_step_leaves_every_discriminator_variable_untouched():
    assert _move(_trainer(), (1e-3, 0.0)) == (True, False)


def test_gamma_zero_gives_the_vaes_loss():
    trainer = _trainer(gamma=0.0)
    x = tf.constant(_images())
    seed = tf.constant([3, 4])
    terms, _ = trainer._vae_terms(x, seed, training=True)
    distortion, rates, _, _ = VAETrainer(trainer.vae).elbo_terms(x, seed, training=True)
    expected = tf.reduce_mean(distortion + tf.reduce_sum(rates, axis=-1))
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-6)


def test_total_correlation_enters_with_gamma_and_its_sign():
    # A discriminator that always says "permuted less likely" by one nat adds gamma to the loss.
    x, seed = tf.constant(_images()), tf.constant([3, 4])
    losses = {}
    for gamma in (0.0, 35.0):
        trainer = _trainer(gamma=gamma)
        for variable in trainer.discriminator.trainable_variables:
            variable.assign(tf.zeros_like(variable))
        trainer.discriminator.trainable_variables[-1].assign([1.0])
        losses[gamma] = float(trainer._vae_terms(x, seed, training=True)[0]["loss"])
    np.testing.assert_allclose(losses[35.0] - losses[0.0], 35.0, rtol=1e-4)


def test_untrained_discriminator_is_at_log_two():
    trainer = _trainer()
    for variable in trainer.discriminator.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    terms = trainer.objective(tf.constant(_images()), training=False)
    np.testing.assert_allclose(terms["discriminator_loss"], np.log(2), rtol=1e-6)


def test_a_discrete_group_is_permuted_as_a_whole(monkeypatch):
    keras.utils.set_random_seed(0)
    latents = Latents(Gaussian(2), Categorical(3, temperature=0.01))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=12)
    trainer = FactorVAETrainer(vae, seed=2)
    trainer.compile(run_eagerly=True)
    discriminate, seen = trainer._discriminate, []

    def watched(z, z_permuted, training):
        seen.append(z_permuted.numpy())
        return discriminate(z, z_permuted, training)

    monkeypatch.setattr(trainer, "_discriminate", watched)
    x = tf.constant(_images(80))
    trainer.objective(x, training=False)
    trainer.train_step(x)
    for z_permuted in seen:  # torn apart, the columns would not stay one-hot
        assert len(z_permuted) >= 40
        np.testing.assert_allclose(z_permuted[:, 2:].sum(axis=1), 1, atol=1e-5)
        assert set(z_permuted[:, 2:].argmax(axis=1)) == {0, 1, 2}
    assert len(seen) == 2


def test_one_step_follows_algorithm_2():
    """Against the algorithm written out with plain gradient descent and no shared code."""
    trainer = _trainer(gamma=7.0)
    trainer.compile(keras.optimizers.SGD(1e-2), keras.optimizers.SGD(1e-1))
    vae, discriminator = trainer.vae, trainer.discriminator
    theta = vae.trainable_variables
    psi = discriminator.trainable_variables
    x = _images()
    first, second = x[:8], x[8:]

    base = tf.random.fold_in(tf.constant([2, 0]), 0, alg="philox")  # seed 2, step 0, replica 0
    seeds = tf.unstack(tf.random.split(base, 3, alg="philox"))

    def encode(images, seed):
        out = vae.encoder(images)
        mean, raw = out[:, :4], out[:, 4:]
        std = tf.math.log1p(tf.exp(raw)) + 1e-8
        inner = tf.random.split(seed, 2, alg="philox")[0]
        q = vae.posterior(images)["continuous"]
        eps = (q.sample(seed=inner) - q.mean()) / q.stddev()
        return mean, std, mean + std * eps

    with tf.GradientTape() as tape:
        mean, std, z = encode(first, seeds[0])
        logits = vae.decoder(z)
        bce = tf.reduce_sum(
            tf.nn.relu(logits) - logits * first + tf.math.log1p(tf.exp(-tf.abs(logits))), [1, 2, 3]
        )
        kl = 0.5 * tf.reduce_sum(mean**2 + std**2 - 2 * tf.math.log(std) - 1, 1)
        loss = tf.reduce_mean(bce + kl + 7.0 * discriminator(z))
    theta_gradients = tape.gradient(loss, theta)
    expected_theta = [
        v.numpy() - 1e-2 * g.numpy() for v, g in zip(theta, theta_gradients, strict=True)
    ]

    keras_weights = vae.get_weights()
    for variable, value in zip(theta, expected_theta, strict=True):
        variable.assign(value)
    _, _, z_other = encode(second, seeds[1])  # through the updated encoder
    order = np.argsort(tf.random.stateless_uniform([4, 8], seeds[2]).numpy(), axis=1)
    permuted = np.stack([z_other.numpy()[order[j], j] for j in range(4)], axis=1)
    with tf.GradientTape() as tape:
        real, fake = discriminator(z), discriminator(permuted)
        ratio_loss = 0.5 * tf.reduce_mean(tf.math.log1p(tf.exp(-real)))
        ratio_loss += 0.5 * tf.reduce_mean(tf.math.log1p(tf.exp(fake)))
    psi_gradients = tape.gradient(ratio_loss, psi)
    expected_psi = [v.numpy() - 1e-1 * g.numpy() for v, g in zip(psi, psi_gradients, strict=True)]
    vae.set_weights(keras_weights)

    trainer.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0)
    for variable, value in zip([*theta, *psi], [*expected_theta, *expected_psi], strict=True):
        # float32 sums over 64 pixels and 8 rows in another order.
        np.testing.assert_allclose(variable.numpy(), value, atol=2e-5)


def test_odd_batch_is_refused_with_expected_and_received():
    trainer = _trainer()
    trainer.compile()
    batches = tf.data.Dataset.from_tensors(_images(7))
    with pytest.raises(ValueError, match="batch size must be even to split .* received 7"):
        trainer.fit(batches, verbose=0)
