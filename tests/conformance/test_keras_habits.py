"""What users of Keras expect of every trainer: predict, arrays, callbacks, errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Categorical, Gaussian, Latents, NATTrainer


def test_predicts_mean_reconstructions(vae_case, images, untrained):
    reconstructions = untrained.predict(images, verbose=0)
    if vae_case.trainer_class.takes_labels:
        assert reconstructions.shape == (len(images), 3)
        np.testing.assert_allclose(reconstructions.sum(axis=-1), 1, atol=1e-5)
    else:
        assert reconstructions.shape == images.shape
    assert reconstructions.min() >= 0 and reconstructions.max() <= 1
    np.testing.assert_allclose(reconstructions, untrained.vae.reconstruct(images), atol=1e-6)


def test_fits_arrays_each_row_once_an_epoch(case, images, labels):
    trainer = case.compiled()
    trainer.fit(images, **labels, batch_size=8, epochs=2, verbose=0)
    assert int(trainer.step) == 2 * len(images) // 8


def test_callbacks_of_keras_work(case, batches, tmp_path):
    trainer = case.compiled()
    callbacks = [
        keras.callbacks.TensorBoard(tmp_path / "events", update_freq=1),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.EarlyStopping("loss", patience=5),
        keras.callbacks.TerminateOnNaN(),
    ]
    trainer.fit(
        batches,
        steps_per_epoch=2,
        epochs=2,
        callbacks=callbacks,
        validation_data=batches.take(2),
        verbose=0,
    )
    assert (tmp_path / "2.weights.h5").exists()
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert {"val_loss", *case.metric_names} <= set(header.split(","))
    assert list((tmp_path / "events" / "train").iterdir())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((16, 8, 8), np.float32), "expected images"),
        (np.zeros((16, 9, 8, 1), np.float32), "expected images"),
        (np.zeros((16, 8, 8, 1), np.uint8), "floating-point"),
        (np.full((16, 8, 8, 1), 255, np.float32), "Divide 0..255 images by 255"),
        (np.full((16, 8, 8, 1), -0.5, np.float32), r"in \[0, 1\], received \[-0.5"),
        (np.full((16, 8, 8, 1), np.nan, np.float32), "NaN"),
        (np.zeros((0, 8, 8, 1), np.float32), "at least one image"),
    ],
)
def test_bad_images_are_refused_before_training(labels, untrained, bad, message):
    y = {name: values[: len(bad)] for name, values in labels.items()}
    with pytest.raises(ValueError, match=message):
        untrained.fit(bad, **y, batch_size=8, verbose=0)
    if len(bad):
        rows = tf.data.Dataset.from_tensor_slices((bad, y["y"]) if y else bad)
        batches = rows.repeat().batch(8, drop_remainder=True)
        with pytest.raises(ValueError, match=message):
            untrained.fit(batches, steps_per_epoch=2, verbose=0)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros(40, np.float32), "integer labels"),
        (np.zeros((40, 3), np.int32), "integer labels"),
        (np.full(40, 40), r"labels in \[0, \d+\], received \[40, 40\]"),
        (np.full(40, -1), r"labels in \[0, \d+\], received \[-1, -1\]"),
    ],
)
def test_bad_labels_are_refused_before_training(case, images, untrained, bad, message):
    if not case.trainer_class.takes_labels:
        pytest.skip("takes no labels")
    with pytest.raises(ValueError, match=message):
        untrained.fit(images, bad, batch_size=8, verbose=0)
    rows = tf.data.Dataset.from_tensor_slices((images, bad))
    with pytest.raises(ValueError, match=message):
        untrained.fit(rows.repeat().batch(8), steps_per_epoch=2, verbose=0)


def test_missing_labels_are_refused_before_training(case, images, untrained):
    if not case.trainer_class.takes_labels:
        pytest.skip("takes no labels")
    if case.trainer_class is not NATTrainer:  # which numbers the rows of an array by itself
        with pytest.raises(ValueError, match="received none"):
            untrained.fit(images, batch_size=8, verbose=0)
    batches = tf.data.Dataset.from_tensor_slices(images).repeat().batch(8)
    with pytest.raises(ValueError, match="images alone"):
        untrained.fit(batches, steps_per_epoch=2, verbose=0)


def test_batch_of_one_is_refused(rows, untrained):
    batches = rows.batch(untrained.batches_per_step)
    with pytest.raises(ValueError, match="batch size must be at least"):
        untrained.fit(batches, verbose=0)


def test_groups_that_the_method_cannot_infer_are_refused(vae_case):
    if vae_case.trainer_class.takes_labels:
        pytest.skip("no model of labels can have a group that is searched")
    searches = vae_case.trainer_class.searches
    inference = "amortised" if searches else "search"
    latents = Latents(Gaussian(2), Categorical(3, inference=inference))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=8)
    with pytest.raises(ValueError, match="search" if searches else "amortised"):
        vae_case.trainer_class(vae)
