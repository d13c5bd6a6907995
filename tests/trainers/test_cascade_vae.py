import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, CascadeVAETrainer, Categorical, Gaussian, Latents
from tfdisent.trainers.checkpoints import Checkpoints


def _trainer(size=3, classes=3, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(Gaussian(size), Categorical(classes, inference="search"))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=12)
    return CascadeVAETrainer(vae, seed=2, **options)


def _images(count=8):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _batches():
    return tf.data.Dataset.from_tensor_slices(_images(32)).repeat().batch(8)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # Opened dimensions in stages 0, 1, 2, ...; the discrete code enters in stage 4.
        (6, [1, 2, 3, 4, 4, 5, 6, 6]),
        (4, [1, 2, 3, 4, 4, 4, 4, 4]),
    ],
)
def test_switch_on_stage_opens_no_dimension(size, expected):
    trainer = _trainer(size)
    for stage, is_open in enumerate(expected):
        for step in (stage * 20_000, (stage + 1) * 20_000 - 1):
            assert int(trainer.open_dimensions(tf.constant(step, tf.int64))) == is_open
            betas = trainer.betas(tf.constant(step, tf.int64)).numpy()
            np.testing.assert_allclose(betas, [1.0] * is_open + [10.0] * (size - is_open))
            assert bool(trainer.is_on(tf.constant(step, tf.int64))) == (stage >= 4)


def _values(trainer, x):
    return {"continuous": trainer.vae.posterior(x)["continuous"].mean()}


def test_discrete_code_is_zero_before_the_switch_on():
    trainer = _trainer(stage_steps=5, switch_on=2)
    x = tf.constant(_images())
    for step, total in ((0, 0.0), (9, 0.0), (10, 8.0)):
        trainer.step.assign(step)
        d = trainer.assign_classes(trainer.vae, x, _values(trainer, x), training=True).numpy()
        assert d.sum() == total
        assert set(np.unique(d)) <= {0.0, 1.0}


@pytest.mark.parametrize("balance", [0.0, 0.3, 50.0])
def test_discrete_code_is_the_cheapest_of_all_assignments_of_the_batch(balance):
    trainer = _trainer(classes=2, stage_steps=1, switch_on=0, balance=balance)
    x = tf.constant(_images(6))
    values = _values(trainer, x)
    d = trainer.assign_classes(trainer.vae, x, values, training=True).numpy()
    costs = np.stack(
        [
            -trainer.vae.likelihood(
                tf.concat(
                    [
                        values["continuous"],
                        tf.repeat(np.eye(2, dtype=np.float32)[k : k + 1], 6, axis=0),
                    ],
                    1,
                )
            ).log_prob(x)
            for k in range(2)
        ],
        axis=1,
    )

    def objective(classes):
        counts = np.bincount(classes, minlength=2)
        return costs[np.arange(6), classes].sum() + balance * (counts * (counts - 1) / 2).sum()

    best = min(objective(np.array(choice)) for choice in itertools.product(range(2), repeat=6))
    np.testing.assert_allclose(objective(d.argmax(axis=1)), best, rtol=1e-6)


def test_evaluation_takes_the_best_class_of_each_image_without_balance():
    trainer = _trainer(stage_steps=1, switch_on=0, balance=1e6)
    x = tf.constant(_images())
    values = _values(trainer, x)
    d = trainer.assign_classes(trainer.vae, x, values, training=False)
    np.testing.assert_array_equal(
        tf.argmax(d, 1), tf.argmin(trainer.vae.search_costs(x, values), 1)
    )


def test_class_inputs_get_no_gradient_before_the_switch_on():
    # Weight decay alone would move them: without it they stay.
    trainer = _trainer(stage_steps=3, switch_on=1, l2=0.0)
    trainer.compile(keras.optimizers.SGD(0.1))
    kernel = trainer.vae.decoder.layers[1].kernel
    before = kernel.numpy()[3:]
    trainer.fit(_batches(), steps_per_epoch=3, verbose=0)
    np.testing.assert_array_equal(kernel.numpy()[3:], before)
    trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
    assert not np.array_equal(kernel.numpy()[3:], before)


def test_loss_is_that_of_the_chosen_classes_with_the_same_noise():
    trainer = _trainer(stage_steps=1, switch_on=0, l2=0.0, beta_high=1.0)
    x = tf.constant(_images())
    terms = trainer.objective(x, training=True)
    (seed,) = trainer.seeds(1)
    posterior = trainer.vae.posterior(x)
    z = trainer.vae.latents.split(trainer.vae.sample(posterior, seed=seed))["continuous"]
    d = trainer.assign_classes(trainer.vae, x, {"continuous": z}, training=True)
    expected = -trainer.vae.likelihood(tf.concat([z, d], axis=1)).log_prob(x)
    np.testing.assert_allclose(terms["distortion"], expected, rtol=1e-6)


@pytest.mark.parametrize(("step", "is_open"), [(0, 1), (4, 3), (8, 3)])
def test_loss_charges_every_dimension_its_own_price(step, is_open):
    trainer = _trainer(beta_low=0.5, beta_high=7.0, stage_steps=2, switch_on=3, l2=0.0)
    trainer.step.assign(step)
    x = tf.constant(_images())
    terms = trainer.objective(x, training=True)
    posterior = trainer.vae.posterior(x)["continuous"]
    mean, std = posterior.mean().numpy(), posterior.stddev().numpy()
    rates = 0.5 * (mean**2 + std**2 - 2 * np.log(std) - 1)
    assert rates.mean(axis=0).min() > 1e-4  # each enters visibly, and none like another
    prices = np.array([0.5] * is_open + [7.0] * (3 - is_open))
    expected = np.mean(terms["distortion"]) + (rates * prices).sum(axis=1).mean()
    np.testing.assert_allclose(terms["loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(terms["rate"], rates.sum(axis=1), rtol=1e-4)


def _optimizer_steps(trainer, steps):
    trainer.compile(keras.optimizers.Adam(1e-3))
    counts = []

    class Count(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            counts.append(int(self.model.optimizer.iterations))

    trainer.fit(_batches(), steps_per_epoch=steps, verbose=0, callbacks=[Count()])
    return counts


def test_switch_on_and_openings_restart_the_optimiser():
    # m = 3, switch-on in stage 2: dimensions open at 2 and 6, the discrete code enters at 4.
    counts = _optimizer_steps(_trainer(stage_steps=2, switch_on=2), 10)
    assert counts == [1, 2] * 3 + [1, 2, 3, 4]


@pytest.mark.parametrize("saved_at", [1, 2, 4, 5])
def test_resume_across_stage_border_and_switch_on_is_bit_exact(saved_at, tmp_path):
    whole = _trainer(stage_steps=2, switch_on=2)
    whole.compile(keras.optimizers.Adam(1e-3))
    whole.fit(_batches(), steps_per_epoch=saved_at, verbose=0)
    Checkpoints(whole, tmp_path).save()
    rest = {"steps_per_epoch": 7 - saved_at, "verbose": 0}
    whole.fit(_batches().skip(saved_at), **rest)

    resumed = _trainer(stage_steps=2, switch_on=2)
    resumed.compile(keras.optimizers.Adam(1e-3))
    Checkpoints(resumed, tmp_path).restore()
    resumed.fit(_batches().skip(saved_at), **rest)
    for a, b in zip(whole.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a.value), np.asarray(b.value))


def test_encode_gives_means_then_softmax_of_minus_costs():
    trainer = _trainer()
    x = tf.constant(_images())
    codes = trainer.vae.encode(x).numpy()
    values = _values(trainer, x)
    costs = trainer.vae.search_costs(x, values)
    np.testing.assert_allclose(codes[:, :3], values["continuous"], rtol=1e-6)
    np.testing.assert_allclose(codes[:, 3:], tf.nn.softmax(-costs), rtol=1e-5)
    assert trainer.vae.latents.discrete_columns == ((3, 4, 5),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stage_steps": 0}, "stage_steps must be at least 1"),
        ({"switch_on": -1}, "switch_on must not be negative"),
        ({"balance": -0.1}, "balance must not be negative"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(**options)
