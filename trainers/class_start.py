"""Trainers whose classes start once, in the middle of training, from what is known of images."""

import numpy as np
import tensorflow as tf

from tfdisent.trainers.every_steps import AfterBatches


class ClassStart:
    """Mixin for a `Trainer`: remembers a row of numbers for each image, and starts the classes.

    The trainer calls `_set_up_start` last in its constructor and `_remember` in its steps, and has
    `start_classes`. `fit` calls that where it first returns to Python at or after the step: choose
    `steps_per_execution` so that it divides it. One replica only.

    Attributes:
      start_step: int64 weight, the step at which the classes started, -1 before.
      recent_rows: [rows, width] weight, what is known of the last images, oldest first.
      num_recent: int64 weight, how many of its rows, the last ones, are filled.
    """

    def _set_up_start(self, after, num_rows, width):
        self.pauses = (after,)
        weight = {"trainable": False, "initializer": "zeros"}
        self.start_step = self.add_weight(shape=(), dtype="int64", name="start_step", **weight)
        self.start_step.assign(-1)
        self.recent_rows = self.add_weight(
            shape=(num_rows, width), dtype="float32", name="recent_rows", **weight
        )
        self.num_recent = self.add_weight(shape=(), dtype="int64", name="num_recent", **weight)

    @property
    def has_started(self):
        """Whether the classes have started, boolean tensor."""
        return self.start_step.value >= 0

    def _remember(self, rows):
        """Puts the rows of a batch, [B, width], in the place of the oldest ones."""
        num_rows = self.recent_rows.shape[0]
        kept = tf.concat([self.recent_rows.value, rows], axis=0)[-num_rows:]
        self.recent_rows.assign(tf.ensure_shape(kept, self.recent_rows.shape))
        count = self.num_recent.value + tf.shape(rows, tf.int64)[0]
        self.num_recent.assign(tf.minimum(count, num_rows))

    def _recent(self, at_least):
        """The rows that are filled, float64 [N, width].

        Raises:
          ValueError: if there are fewer than `at_least`.
          FloatingPointError: if a number is not finite.
        """
        rows = np.asarray(self.recent_rows.value, np.float64)
        rows = rows[len(rows) - int(self.num_recent.numpy()) :]
        if len(rows) < at_least:
            raise ValueError(
                f"expected to know of at least {at_least} images, have {len(rows)}: train some "
                "steps first."
            )
        if not np.isfinite(rows).all():
            raise FloatingPointError(
                f"what the model says of the images before step {int(self.step.numpy())} is not "
                "finite: lower the learning rate or a weight of the objective."
            )
        return rows

    def start_classes(self):
        """Starts the classes from the recent rows; `fit` calls it."""
        raise NotImplementedError(f"{type(self).__name__} implements start_classes")

    def fit(self, *args, callbacks=None, **kwargs):
        """Trains; see `Trainer.fit`. The classes start once the steps before them are taken.

        Raises:
          ValueError: under a `tf.distribute.MirroredStrategy`; see also `Trainer.fit`.
          FloatingPointError: if a number that the classes start from is not finite.
        """
        self.require_one_replica()
        # Before the others, which may save or score what they see.
        callbacks = [_StartClasses(), *tf.nest.flatten(callbacks or [])]
        return super().fit(*args, callbacks=callbacks, **kwargs)


class _StartClasses(AfterBatches):
    """Starts the classes as soon as the steps before them are taken."""

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._has_started = int(self.model.start_step.numpy()) >= 0
        self.after(int(self.model.step.numpy()))

    def after(self, step):
        if not self._has_started and step >= self.model.pauses[0]:
            self.model.start_classes()
            self._has_started = True
