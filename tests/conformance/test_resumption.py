"""Resumption of every trainer: checkpoints, Keras files, backups."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent.trainers.checkpoints import Checkpoints


def _values(variables):
    return [np.asarray(variable.value) for variable in variables]


def _equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def _fit(trainer, batches, steps, skip=0):
    return trainer.fit(batches.skip(skip), steps_per_epoch=steps, epochs=1, verbose=0)


def test_saved_trainers_take_the_identical_steps(case, batches, tmp_path):
    # Step 3 lies between the borders of CascadeVAE-C at 2 and 4.
    trainer = case.compiled()
    _fit(trainer, batches, 3)
    Checkpoints(trainer, tmp_path).save()
    trainer.save(tmp_path / "trainer.keras")
    trainer.save_weights(tmp_path / "trainer.weights.h5")
    slots = {name: _values(getattr(trainer, name).variables) for name in case.players}
    _fit(trainer, batches, 4, skip=3)

    resumed = case.compiled()
    for variable in resumed.trainable_variables:  # nothing like the first
        variable.assign_add(tf.ones_like(variable))
    assert Checkpoints(resumed, tmp_path).restore() == 3
    _fit(resumed, batches, 4, skip=3)
    assert int(resumed.step) == 7
    assert _equal(_values(trainer.variables), _values(resumed.variables))

    # A Keras file restores model, optimisers and step.
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    assert int(loaded.step) == 3
    _fit(loaded, batches, 4, skip=3)
    assert _equal(_values(trainer.trainable_variables), _values(loaded.trainable_variables))

    # A weights file restores every optimiser.
    weighted = case.compiled()
    weighted.load_weights(tmp_path / "trainer.weights.h5")
    for name in case.players:
        assert _equal(_values(getattr(weighted, name).variables), slots[name])


def test_backup_and_restore_goes_on_where_it_stopped(case, batches, tmp_path):
    class Crash(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def fit(trainer, *callbacks):
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        trainer.fit(batches, steps_per_epoch=2, epochs=3, verbose=0, callbacks=[backup, *callbacks])

    with pytest.raises(KeyboardInterrupt):
        fit(case.compiled(run_eagerly=True), Crash())
    resumed = case.compiled(run_eagerly=True)
    fit(resumed)
    assert int(resumed.step) == 6
