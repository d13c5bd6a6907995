"""Trainers whose classes start from a Gaussian mixture, once, in the middle of training."""

import numpy as np
import tensorflow as tf

from tfdisent.trainers.every_steps import AfterBatches

_RESTARTS = 10


class MixtureStart:
    """Mixin for a `Trainer`: remembers a row of numbers for each image, and starts the classes.

    The trainer calls `_set_up_start` last in its constructor and `_remember` in its steps, and has
    `start_classes`. `fit` calls that where it first returns to Python at or after the step: choose
    `steps_per_execution` so that it divides it. One replica only.

    Attributes:
      start_step: int64 weight, the step at which the classes started, -1 before.
      recent_rows: [mixture_rows, width] weight, what is known of the last images, oldest first.
      num_recent: int64 weight, how many of its rows, the last ones, are filled.
    """

    def _set_up_start(self, after, mixture_rows, width, num_classes):
        if mixture_rows < num_classes:
            raise ValueError(
                f"mixture_rows must be at least the {num_classes} classes, received {mixture_rows}."
            )
        self.pauses = (after,)
        self.mixture_rows = int(mixture_rows)
        weight = {"trainable": False, "initializer": "zeros"}
        self.start_step = self.add_weight(shape=(), dtype="int64", name="start_step", **weight)
        self.start_step.assign(-1)
        self.recent_rows = self.add_weight(
            shape=(self.mixture_rows, width), dtype="float32", name="recent_rows", **weight
        )
        self.num_recent = self.add_weight(shape=(), dtype="int64", name="num_recent", **weight)

    @property
    def has_started(self):
        """Whether the classes have started, boolean tensor."""
        return self.start_step.value >= 0

    def _remember(self, rows):
        """Puts the rows of a batch, [B, width], in the place of the oldest ones."""
        kept = tf.concat([self.recent_rows.value, rows], axis=0)[-self.mixture_rows :]
        self.recent_rows.assign(tf.ensure_shape(kept, self.recent_rows.shape))
        count = self.num_recent.value + tf.shape(rows, tf.int64)[0]
        self.num_recent.assign(tf.minimum(count, self.mixture_rows))

    def _recent(self, num_classes):
        """The rows that are filled, float64 [N, width].

        Raises:
          ValueError: if there are fewer than classes.
          FloatingPointError: if a number is not finite.
        """
        rows = np.asarray(self.recent_rows.value, np.float64)
        rows = rows[len(rows) - int(self.num_recent) :]
        if len(rows) < num_classes:
            raise ValueError(
                f"a mixture needs at least {num_classes} images, have {len(rows)}: train some "
                "steps first."
            )
        if not np.isfinite(rows).all():
            raise FloatingPointError(
                f"the model's numbers before step {int(self.step)} are not finite: lower the "
                "learning rate or a weight of the objective."
            )
        return rows

    def start_classes(self):
        """Fits the mixture and starts the classes from it; `fit` calls it."""
        raise NotImplementedError(f"{type(self).__name__} implements start_classes")

    def fit(self, *args, callbacks=None, **kwargs):
        """Trains; see `Trainer.fit`. The classes start once the steps before them are taken.

        Raises:
          ValueError: under a `tf.distribute.MirroredStrategy`; see also `Trainer.fit`.
          FloatingPointError: if a number that the mixture is fitted to is not finite.
        """
        if isinstance(self.distribute_strategy, tf.distribute.MirroredStrategy):
            raise ValueError(
                f"{type(self).__name__} trains on one replica, received a strategy with "
                f"{self.distribute_strategy.num_replicas_in_sync}."
            )
        # Before the others, which may save or score what they see.
        callbacks = [_StartClasses(), *tf.nest.flatten(callbacks or [])]
        return super().fit(*args, callbacks=callbacks, **kwargs)


class _StartClasses(AfterBatches):
    """Starts the classes as soon as the steps before them are taken."""

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._has_started = int(self.model.start_step) >= 0
        self.after(int(self.model.step))

    def after(self, step):
        if not self._has_started and step >= self.model.pauses[0]:
            self.model.start_classes()
            self._has_started = True


def fit_mixture(points, num_components, min_variance, seed):
    """The likeliest mixture of some restarts, full covariances, `sklearn`'s `GaussianMixture`.

    Args:
      points: [N, D].
      num_components: K.
      min_variance: added to the variances of each component.
      seed: of the restarts.
    """
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    mixture = GaussianMixture(
        num_components,
        n_init=_RESTARTS,
        max_iter=500,
        reg_covar=min_variance,
        random_state=seed,
    )
    # Several threads add in an order of their own, so that equal runs would differ.
    with threadpool_limits(1):
        return mixture.fit(points)
