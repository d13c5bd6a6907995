"""Checkpoints of a trainer: weights, every optimiser, the step, all that training changes."""

import os
import pathlib
import time
import warnings

import tensorflow as tf

from tfdisent.trainers.every_steps import AfterBatches


class Checkpoints:
    """The checkpoints of one trainer in one folder, newest last.

    Everything that changes during training is in them, so that a restored trainer takes the step
    that the saved one would have taken, bit for bit. A checkpoint is complete or absent: the list
    of checkpoints is replaced only after its files are written.

    Args:
      trainer: compiled `Trainer`.
      directory: folder, made when the first checkpoint is saved.
      keep: number of checkpoints to keep.

    Raises:
      ValueError: if the trainer is not compiled: its optimisers would not be restored.
    """

    def __init__(self, trainer, directory, keep=2):
        if not trainer.compiled:
            raise ValueError("expected a compiled trainer, received one without optimisers.")
        self.trainer = trainer
        # Dropout and its like keep generators outside of `weights`, and TensorFlow does not find
        # what lies in a tuple in a dictionary.
        found = {id(node) for node in tf.train.TrackableView(trainer).descendants()}
        known = {id(variable) for variable in trainer.weights} & found
        variables = [*trainer.trainable_variables, *trainer.non_trainable_variables]
        others = [v.value for v in variables if id(v) not in known]
        self._checkpoint = tf.train.Checkpoint(trainer=trainer, generators=others)
        self._directory = pathlib.Path(directory)
        _drop_broken_list(self._directory)
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, os.fspath(directory), max_to_keep=keep, checkpoint_name="step"
        )

    def save(self):
        """Saves the trainer as it is; returns the path.

        Raises:
          FloatingPointError: if a weight is not finite: it would replace a good checkpoint.
        """
        for variable in self.trainer.trainable_variables:
            if not tf.reduce_all(tf.math.is_finite(variable.value)):
                raise FloatingPointError(
                    f"the loss became meaningless by step {int(self.trainer.step.numpy())}: "
                    f"{variable.path} is not finite. Lower the learning rate or a weight of the "
                    "objective."
                )
        return self._manager.save(checkpoint_number=int(self.trainer.step.numpy()))

    def restore(self):
        """Restores the newest checkpoint that can be read, if there is one.

        Returns:
          The step of the restored trainer; 0 if there is no checkpoint.

        Raises:
          ValueError: if the checkpoint is of another model, or there are some and none can be read.
        """
        unreadable = []
        for path in self._newest_first():
            try:
                self._checkpoint.restore(path).assert_existing_objects_matched().assert_consumed()
            except (AssertionError, ValueError) as error:
                raise ValueError(
                    f"the checkpoint {path} is not of this trainer: {error}"
                ) from error
            # What TensorFlow says of files that are cut off, empty or gone, as after a power cut.
            except (tf.errors.OpError, IndexError) as error:
                unreadable.append(f"{path} ({str(error).splitlines()[0]})")
                continue
            if unreadable:
                warnings.warn(
                    f"going on from {path}: cannot read {', '.join(unreadable)}.",
                    UserWarning,
                    stacklevel=2,
                )
            return int(self.trainer.step.numpy())
        if unreadable:
            raise ValueError(f"cannot read the checkpoints {', '.join(unreadable)}.")
        return 0

    def _newest_first(self):
        """The checkpoints that there are: those in TensorFlow's list, or without it the files."""
        if self._manager.checkpoints:
            return reversed(self._manager.checkpoints)
        steps = [int(path.stem.split("-")[1]) for path in self._directory.glob("step-*.index")]
        return [str(self._directory / f"step-{step}") for step in sorted(steps, reverse=True)]


def _drop_broken_list(directory):
    """Removes TensorFlow's list of checkpoints if it was cut off; their files are there."""
    try:
        tf.train.get_checkpoint_state(os.fspath(directory))
    except ValueError:
        (directory / "checkpoint").unlink()


class CheckpointEvery(AfterBatches):
    """Saves a checkpoint every so many steps or seconds, and at the end of training.

    Args:
      checkpoints: `Checkpoints`.
      steps: save whenever the trainer's step has passed a multiple of this; or None.
      seconds: save whenever this much time has passed; or None.

    Raises:
      ValueError: if both are None, or one is not positive.
    """

    def __init__(self, checkpoints, steps=None, seconds=None):
        super().__init__()
        if steps is None and seconds is None:
            raise ValueError("expected steps or seconds between checkpoints, received neither.")
        for name, value in (("steps", steps), ("seconds", seconds)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} between checkpoints must be positive, received {value}.")
        self.checkpoints = checkpoints
        self.steps = steps
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self._saved_step = int(self.model.step.numpy())
        self._saved_time = time.monotonic()

    def after(self, step):
        by_steps = self.steps is not None and step // self.steps > self._saved_step // self.steps
        elapsed = time.monotonic() - self._saved_time
        if by_steps or (self.seconds is not None and elapsed >= self.seconds):
            self._save()

    def on_train_end(self, logs=None):
        if int(self.model.step.numpy()) > self._saved_step:
            self._save()

    def _save(self):
        self.checkpoints.save()
        self._saved_step = int(self.model.step.numpy())
        self._saved_time = time.monotonic()
