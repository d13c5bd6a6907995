import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import linear_sum_assignment

from tfdisent import NATTrainer, data


def _encoder(size=3, hidden=12):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((4, 4, 1))
    x = keras.layers.Dense(hidden, activation="tanh")(keras.layers.Flatten()(x))
    return keras.Model(inputs, keras.layers.Dense(size)(x))


def _trainer(num_images=24, size=3, **options):
    trainer = NATTrainer(_encoder(size), num_images, **{"seed": 5, **options})
    trainer.compile(keras.optimizers.SGD(0.1))
    return trainer


def _images(count=24):
    return np.random.default_rng(0).uniform(size=(count, 4, 4, 1)).astype(np.float32)


def _batches(images, rows):
    return tf.data.Dataset.from_tensors((images[rows], np.array(rows, np.int32)))


def _unit(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@pytest.mark.parametrize("eager", [True, False])
def test_one_step_follows_the_paper(eager):
    """Reassignment by every permutation of the batch, then a step on the sum of squares."""
    trainer, twin, images = _trainer(), _encoder(), _images()
    trainer.compile(keras.optimizers.SGD(0.1), run_eagerly=eager)
    shuffled = np.random.default_rng(1).permutation(24)
    trainer.permutation.assign(shuffled)
    rows = [7, 2, 21, 11, 5, 16]
    targets = np.asarray(trainer.targets)

    features = _unit(twin(images[rows]).numpy())
    mine = shuffled[rows]
    costs = {
        order: np.sum((features - targets[mine[list(order)]]) ** 2)
        for order in itertools.permutations(range(6))
    }
    best = mine[list(min(costs, key=costs.get))]
    with tf.GradientTape() as tape:
        unit = twin(images[rows])
        unit /= tf.norm(unit, axis=1, keepdims=True)
        loss = tf.reduce_sum((unit - targets[best]) ** 2) / 6
    gradients = tape.gradient(loss, twin.trainable_variables)
    for variable, gradient in zip(twin.trainable_variables, gradients, strict=True):
        variable.assign_sub(0.1 * gradient)

    history = trainer.fit(_batches(images, rows), steps_per_epoch=1, verbose=0).history
    np.testing.assert_allclose(history["loss"], loss, rtol=1e-5)
    np.testing.assert_allclose(history["moved"], np.mean(best != mine))
    expected = shuffled.copy()
    expected[rows] = best
    np.testing.assert_array_equal(trainer.permutation, expected)
    for a, b in zip(trainer.encoder.trainable_variables, twin.trainable_variables, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 5, 16, 64])
def test_reassignment_is_the_best_of_the_batch(batch):
    trainer = _trainer(num_images=100, size=8)
    rng = np.random.default_rng(batch)
    for _ in range(10):
        rows = rng.choice(100, batch, replace=False).astype(np.int32)
        mine = rng.permutation(100)[:batch]
        features = _unit(rng.normal(size=(batch, 8))).astype(np.float32)
        best = trainer.reassigned(tf.constant(features), tf.constant(rows), tf.constant(mine))
        assert sorted(best.numpy()) == sorted(mine)
        inner = features @ np.asarray(trainer.targets)[mine].T
        exact = inner[linear_sum_assignment(-inner)].sum()
        after = np.sum(features * np.asarray(trainer.targets)[best.numpy()])
        np.testing.assert_allclose(after, exact, rtol=1e-5, atol=1e-5)


def test_features_on_targets_find_them():
    trainer = _trainer(num_images=8, size=8)
    trainer.targets.assign(np.eye(8))
    order = np.random.default_rng(2).permutation(8)
    features = tf.constant(np.eye(8, dtype=np.float32)[order])
    best = trainer.reassigned(features, tf.range(8), tf.range(8, dtype=tf.int64))
    np.testing.assert_array_equal(best, order)


def test_a_batch_that_holds_a_row_twice_keeps_its_targets():
    trainer = _trainer()
    features = tf.constant(_unit(np.random.default_rng(3).normal(size=(4, 3))), tf.float32)
    mine = tf.constant([3, 9, 3, 1], tf.int64)
    kept = trainer.reassigned(features, tf.constant([3, 9, 3, 1]), mine)
    np.testing.assert_array_equal(kept, mine)


def test_targets_are_uniform_on_the_sphere_and_belong_to_the_seed():
    targets = np.asarray(_trainer(num_images=20_000).targets)
    np.testing.assert_allclose(np.linalg.norm(targets, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(targets.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(targets.T @ targets / 20_000, np.eye(3) / 3, atol=0.01)
    # On the sphere in three dimensions each coordinate is uniform (Archimedes).
    deciles = np.quantile(targets[:, 0], np.linspace(0.1, 0.9, 9))
    np.testing.assert_allclose(deciles, np.linspace(-0.8, 0.8, 9), atol=0.03)
    np.testing.assert_array_equal(_trainer().targets, _trainer().targets)
    assert not np.array_equal(_trainer().targets, _trainer(seed=6).targets)


def test_every_third_epoch_is_reassigned():
    trainer = _trainer()
    history = trainer.fit(_images(), batch_size=8, epochs=7, verbose=0).history
    moved = np.array(history["moved"]) > 0
    np.testing.assert_array_equal(moved, [True, False, False] * 2 + [True])
    assert sorted(np.asarray(trainer.permutation)) == list(range(24))


def test_a_source_reads_row_numbers():
    images = _images()
    dataset = data.from_arrays(images)
    trainer = NATTrainer(_encoder(), 24, seed=5, source=dataset.device_source())
    trainer.compile(keras.optimizers.SGD(0.1))
    twin = _trainer()
    rows = dataset.train(8, seed=5, rows=True)
    trainer.fit(rows, steps_per_epoch=3, verbose=0)
    twin.fit(images, batch_size=8, verbose=0)
    np.testing.assert_array_equal(trainer.permutation, twin.permutation)
    for a, b in zip(trainer.trainable_variables, twin.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_spreads_clusters_over_the_sphere_and_keeps_them_together():
    """Four kinds of images: near one another in features, and the kinds apart."""
    rng = np.random.default_rng(0)
    kinds = np.arange(240) % 4
    centres = rng.uniform(0.2, 0.8, size=(4, 4, 4, 1))
    images = (centres[kinds] + 0.02 * rng.normal(size=(240, 4, 4, 1))).astype(np.float32)
    trainer = NATTrainer(_encoder(hidden=32), 240, reassign_every=1, seed=1)
    trainer.compile(keras.optimizers.Adam(3e-3), steps_per_execution=6)
    untrained = trainer.predict(images, verbose=0)
    losses = trainer.fit(images, batch_size=40, epochs=40, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]

    def resultant(features):
        """Length of the mean direction: 1 where all features agree, near 0 where they spread."""
        return np.linalg.norm(_unit(features).mean(axis=0))

    features = trainer.predict(images, verbose=0)
    assert resultant(untrained) > 0.7 and resultant(features) < 0.35
    assert min(resultant(features[kinds == kind]) for kind in range(4)) > 0.6


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="num_images must be a positive integer, received 0"):
        NATTrainer(_encoder(), 0)
    with pytest.raises(ValueError, match="reassign_every must be a positive integer"):
        NATTrainer(_encoder(), 8, reassign_every=0)
    with pytest.raises(ValueError, match="expected 24 images, received 20"):
        _trainer().fit(_images(20), verbose=0)
    inputs = keras.Input((4, 4, 1))
    with pytest.raises(ValueError, match=r"to features \[B, D\], received"):
        NATTrainer(keras.Model(inputs, keras.layers.Dense(2)(inputs)), 8)
    ragged = tf.data.Dataset.from_tensor_slices((_images(), np.arange(24))).batch(7)
    with pytest.raises(ValueError, match="drop_remainder=True"):
        _trainer().fit(ragged, verbose=0)
