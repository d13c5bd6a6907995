"""The habits of Keras' `fit` that arrays, tensors and data sets must not break."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, Gaussian, Latents, data, likelihoods
from tfdisent.trainers import DeepVIBTrainer, GANMINETrainer, VAETrainer

NUM_IMAGES = 24


class _Seen(VAETrainer):
    """Takes no step, but notes which images it is given: image i is grey of level i / 100."""

    def train_step(self, data):
        x = self.images(data, training=True)
        self.seen.append(np.round(100 * x.numpy()[:, 0, 0, 0]).astype(int).tolist())
        self.step.assign_add(1)
        return self.update_metrics(**self.objective(x, training=True))

    def test_step(self, data):
        self.sizes.append(len(self.images(data, training=False)))
        return super().test_step(data)


def _trainer(likelihood="bernoulli", trainer_class=_Seen):
    vae = VAE.build_for(
        (8, 8, 1), Latents(Gaussian(2)), architecture="mlp", hidden=4, likelihood=likelihood
    )
    trainer = trainer_class(vae, seed=3)
    trainer.compile(run_eagerly=True)
    trainer.seen, trainer.sizes = [], []
    return trainer


@pytest.fixture
def images():
    levels = np.arange(NUM_IMAGES, dtype=np.float32) / 100
    return np.tile(levels[:, None, None, None], (1, 8, 8, 1))


def test_the_third_argument_is_the_batch_size(images):
    trainer = _trainer()
    trainer.fit(images, None, 6, 2, verbose=0)
    assert [len(batch) for batch in trainer.seen] == [6] * 8
    assert sorted(sum(trainer.seen[:4], [])) == list(range(NUM_IMAGES))


def test_unshuffled_arrays_keep_their_order(images):
    trainer = _trainer()
    trainer.fit(images, batch_size=10, epochs=2, shuffle=False, verbose=0)
    assert trainer.seen == [list(range(10)), list(range(10, 20))] * 2


def test_the_last_share_of_an_array_validates_in_batches_of_the_training(images):
    trainer = _trainer()
    history = trainer.fit(images, batch_size=6, validation_split=0.25, verbose=0).history
    assert sorted(sum(trainer.seen, [])) == list(range(18)) and trainer.sizes == [6]
    expected = _trainer().evaluate(images[18:], batch_size=6, return_dict=True, verbose=0)
    assert history["val_distortion"][0] == pytest.approx(expected["distortion"], rel=0.1)


def test_a_data_set_has_no_share_to_validate(images):
    batches = tf.data.Dataset.from_tensor_slices(images).batch(6)
    with pytest.raises(ValueError, match="validation_split"):
        _trainer().fit(batches, validation_split=0.25, verbose=0)


@pytest.mark.parametrize(("share", "message"), [(1.5, r"in \(0, 1\)"), (0.99, "no images of 24")])
def test_a_share_that_leaves_nothing_is_refused(images, share, message):
    with pytest.raises(ValueError, match=message):
        _trainer().fit(images, batch_size=6, validation_split=share, verbose=0)


def test_validation_arrays_come_in_batches_of_the_training(images):
    trainer = _trainer()
    trainer.fit(images, batch_size=6, validation_data=(images[:12],), verbose=0)
    trainer.fit(
        images, batch_size=6, validation_data=(images[:12],), validation_batch_size=4, verbose=0
    )
    assert trainer.sizes == [6, 6, 4, 4, 4]


class _Sequence(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return len(self.images) // 6

    def __getitem__(self, index):
        return (self.images[6 * index : 6 * index + 6],)


@pytest.mark.parametrize("wrap", [tf.constant, _Sequence])
def test_tensors_and_sequences_are_checked_as_arrays_are(images, wrap):
    trainer = _trainer()
    trainer.fit(wrap(images), **({} if wrap is _Sequence else {"batch_size": 6}), verbose=0)
    assert len(trainer.seen) == 4
    with pytest.raises(ValueError, match="Divide 0..255 images by 255"):
        trainer.fit(wrap(images * 255), verbose=0)
    with pytest.raises(ValueError, match="floating-point"):
        trainer.fit(wrap((images * 255).astype(np.uint8)), verbose=0)


def test_a_dataset_is_fed_as_its_array(images):
    arrays, dataset = _trainer(), _trainer()
    arrays.fit(images, batch_size=6, epochs=2, validation_split=0.25, verbose=0)
    train, held_out = data.from_arrays(images[:18]), data.from_arrays(images[18:])
    dataset.fit(train, batch_size=6, epochs=2, validation_data=held_out, verbose=0)
    assert arrays.seen == dataset.seen and arrays.sizes == dataset.sizes == [6, 6]
    first = arrays.evaluate(images, batch_size=7, verbose=0, return_dict=True)
    second = dataset.evaluate(data.from_arrays(images), batch_size=7, verbose=0, return_dict=True)
    assert arrays.sizes[2:] == dataset.sizes[2:] == [7, 7, 7, 3]
    assert first.keys() == second.keys()


def test_a_dataset_is_read_by_the_source_of_the_trainer(images):
    dataset = data.from_arrays(images)
    trainer = _trainer()
    trainer.source = dataset.device_source()
    trainer.fit(dataset, batch_size=6, epochs=1, shuffle=False, verbose=0)
    trainer.evaluate(dataset, batch_size=20, verbose=0)
    assert sum(trainer.seen, []) == list(range(NUM_IMAGES)) and trainer.sizes == [20, 4]


def test_labels_come_with_a_dataset(images):
    labels = np.arange(NUM_IMAGES) % 3
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(2)), likelihood=likelihoods.Categorical(3))
    trainer = DeepVIBTrainer(vae)
    trainer.compile()
    dataset = data.from_arrays(images, labels=labels)
    trainer.fit(dataset, batch_size=6, validation_data=dataset, verbose=0)
    assert int(trainer.step.numpy()) == 4
    with pytest.raises(ValueError, match="needs a data set with labels"):
        trainer.fit(data.from_arrays(images), batch_size=6, verbose=0)


def test_batches_that_never_end_need_a_count(images):
    trainer, endless = _trainer(), data.from_arrays(images).train(6)
    with pytest.raises(ValueError, match="expected steps_per_epoch with batches that never end"):
        trainer.fit(endless, verbose=0)
    with pytest.raises(ValueError, match="expected validation_steps with batches that never end"):
        trainer.fit(images, batch_size=6, validation_data=endless, verbose=0)
    with pytest.raises(ValueError, match="expected steps with batches that never end"):
        trainer.evaluate(endless, verbose=0)
    assert not trainer.seen and not trainer.sizes
    trainer.fit(endless, steps_per_epoch=2, verbose=0)
    trainer.fit(images, batch_size=6, validation_data=endless, validation_steps=1, verbose=0)
    trainer.evaluate(endless, steps=1, verbose=0)
    assert len(trainer.seen) == 6 and trainer.sizes == [6, 6]


@pytest.mark.parametrize("option", [{"loss": "mse"}, {"metrics": ["mse"], "loss_weights": [1.0]}])
def test_compile_refuses_what_a_trainer_would_ignore(option):
    trainer = _trainer()
    with pytest.raises(ValueError, match=f"its terms; received {', '.join(sorted(option))}"):
        trainer.compile(**option)
    with pytest.raises(TypeError, match="a VAE knows no loss"):
        trainer.vae.fit(np.zeros((2, 8, 8, 1), np.float32))


def test_weights_are_refused(images):
    vae = VAE.build_for((8, 8, 1), Latents(Gaussian(2)), likelihood=likelihoods.Categorical(3))
    trainer = DeepVIBTrainer(vae)
    trainer.compile()
    labels, weights = np.arange(NUM_IMAGES) % 3, np.ones(NUM_IMAGES, np.float32)
    batches = tf.data.Dataset.from_tensor_slices((images, labels, weights)).batch(6)
    for call in (
        lambda: trainer.fit(images, labels, class_weight={0: 2.0}),
        lambda: trainer.fit(images, labels, sample_weight=weights),
        lambda: trainer.evaluate(images, labels, sample_weight=weights),
        lambda: trainer.fit(batches),
    ):
        with pytest.raises(ValueError, match="no class_weight or sample_weight"):
            call()


def test_points_of_any_value_need_a_likelihood_that_has_them(images):
    points = 10 * images - 1
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        _trainer("gaussian").fit(points, batch_size=6, verbose=0)
    trainer = _trainer(likelihoods.Gaussian(squash=False))
    trainer.fit(points, batch_size=6, verbose=0)
    trainer.evaluate(points, batch_size=6, verbose=0)
    assert int(trainer.step) == 4
    assert GANMINETrainer.value_range == (0.0, 1.0)


def test_a_restored_fit_goes_on_in_the_order_of_the_data(images, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def fit(trainer, *callbacks):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        trainer.fit(images, batch_size=6, epochs=4, callbacks=[backup, *callbacks], verbose=0)

    whole, killed, resumed = _trainer(), _trainer(), _trainer()
    whole.fit(images, batch_size=6, epochs=4, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        fit(killed, Stop())
    fit(resumed)
    assert killed.seen == whole.seen[:8]
    assert resumed.seen == whole.seen[8:]
