"""Estimates of information from samples by training: held-out sets, early stopping, errors."""

import math
import warnings
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfdisent.trainers.optimizers import FusedAdam

# Rows that are evaluated at once.
CHUNK = 10_000
_EPOCHS = 20
_VALIDATION_SIZE = 20_000
_BLOCKS = 50
# Nats below its cap within which an estimate is likely too low: InfoNCE is, by a tenth, at the
# optimal critic of 20-dimensional Gaussians.
_NEAR_CAP = 2.0


class Estimate(NamedTuple):
    """An estimate with its error.

    Attributes:
      value: nats.
      standard_error: of the value over the evaluation samples, nats; NaN where the method has none.
        It does not contain the bias of a critic that has not reached the optimum.
      num_samples: how many samples the value is the mean of.
      method: how it was found.
      cap: nats that the method cannot exceed, or not with confidence, with so many samples;
        infinity without such a limit.
      steps: training steps before the validation that was best, 0 without training.
    """

    value: float
    standard_error: float
    num_samples: int
    method: str = ""
    cap: float = math.inf
    steps: int = 0

    def to_dict(self):
        """The attributes as types that `json.dumps` accepts, NaN and infinity as None."""
        numbers = self._asdict()
        return {k: None if _is_missing(v) else v for k, v in numbers.items()}


class Samples(NamedTuple):
    """Where samples come from; a sample is a tensor [B, D] or a tuple of such.

    Attributes:
      train: function (count, seed) -> a training batch, seed being int32 [2].
      validation: the held-out batch that decides when to stop.
      test: list or iterable of batches that nothing else sees.
      deviations: [D], or a tuple of such: what the columns were divided by.
    """

    train: object
    validation: object
    test: object
    deviations: object


def from_arrays(arrays, seed):
    """`Samples` of rows: three fifths are drawn from, one fifth validates, one fifth tests.

    Columns are scaled to mean 0 and deviation 1 over the training rows: information does not depend
    on either, networks do.

    Args:
      arrays: float32 [N, D], or a tuple of such with one N.
      seed: of the split.
    """
    num_rows = len(tf.nest.flatten(arrays)[0])
    order = np.random.default_rng(seed).permutation(num_rows)
    test, validation, train = np.split(order, [num_rows // 5, 2 * (num_rows // 5)])
    scale, deviations = _scale_of(_take(arrays, train))
    arrays = scale(arrays)
    kept = tf.nest.map_structure(tf.constant, _take(arrays, train))

    def draw(count, seed):
        rows = tf.random.stateless_uniform([count], seed, maxval=len(train), dtype=tf.int32)
        return tf.nest.map_structure(lambda a: tf.gather(a, rows), kept)

    chunks = np.array_split(test, -(-len(test) // CHUNK))
    chunks = [_take(arrays, rows) for rows in chunks]
    return Samples(draw, _take(arrays, validation), chunks, deviations)


def from_sampler(draw, evaluation_size, seed):
    """`Samples` of a function that draws fresh ones, scaled as in `from_arrays`.

    Args:
      draw: function (count, seed) -> float32 [count, D], or a tuple of such, in TensorFlow
        operations; seed is int32 [2].
      evaluation_size: number of test samples.
      seed: of everything.

    Raises:
      ValueError: if there are fewer than two test samples.
    """
    if evaluation_size < 2:
        raise ValueError(f"evaluation_size must be at least 2, received {evaluation_size}.")

    # Training seeds are (seed, step): those with a negative second number cannot be among them.
    def held_out(count, index):
        return tf.nest.map_structure(np.asarray, draw(count, tf.constant([seed, -index])))

    validation = held_out(_VALIDATION_SIZE, 1)
    scale, deviations = _scale_of(validation)
    counts = [CHUNK] * (evaluation_size // CHUNK) + [evaluation_size % CHUNK]
    if counts[-1] == 1:  # of which nothing could be drawn apart
        counts[-2:] = [CHUNK - 1, 2]
    return Samples(
        lambda count, seed: scale(draw(count, seed)),
        scale(validation),
        (scale(held_out(n, i)) for i, n in enumerate(counts, start=2) if n),
        deviations,
    )


def fit(trainer, samples, *, steps, batch_size, validation_batch_size, learning_rate, seed):
    """Trains until the loss on the validation batch has not fallen for half of the steps.

    The learning rate falls to zero along a cosine; at the end the best weights are restored.

    Args:
      trainer: Keras model with a `train_step` and a `test_step`.
      samples: `Samples`.
      steps: at most; rounded down to a multiple of the number of validations.
      batch_size: samples a step.
      validation_batch_size: samples validated at once, at most.
      learning_rate: at the start.
      seed: of the training batches.

    Returns:
      The training steps before the best validation.

    Raises:
      ValueError: if there is no step to take or a batch has no pair of examples.
    """
    if steps < 1 or batch_size < 2:
        raise ValueError(
            f"expected at least 1 step and a batch of 2, received {steps} and {batch_size}."
        )
    epochs = min(_EPOCHS, steps)
    steps = steps // epochs
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps)
    # The steps between two validations run as one call: such networks are small.
    trainer.compile(FusedAdam(schedule), steps_per_execution=steps)
    batches = tf.data.Dataset.counter(dtype=tf.int64).map(
        lambda step: samples.train(batch_size, tf.stack([seed, tf.cast(step, tf.int32)]))
    )
    validation = tf.data.Dataset.from_tensor_slices(samples.validation)
    size = min(validation_batch_size, len(validation))
    stop = keras.callbacks.EarlyStopping(
        "val_loss", mode="min", patience=max(1, epochs // 2), restore_best_weights=True
    )
    trainer.fit(
        _untuned(batches.prefetch(8)),
        steps_per_epoch=steps,
        epochs=epochs,
        validation_data=_untuned(validation.batch(size, drop_remainder=True)),
        callbacks=[stop],
        verbose=0,
        shuffle=False,
    )
    return (stop.best_epoch + 1) * steps


def with_error(value, *scores):
    """A function of samples with its jackknife error.

    The samples are left out in blocks of neighbours, so that what neighbours share counts.

    Args:
      value: function of arrays with equal numbers of rows -> scalar.
      *scores: the arrays, float64 [N].

    Returns:
      (value, standard error).

    Raises:
      FloatingPointError: if the value is not finite.
    """
    whole = float(value(*scores))
    if not math.isfinite(whole):
        raise FloatingPointError(
            f"expected a finite estimate, received {whole} nats: training diverged; lower the "
            "learning rate or take another method."
        )
    blocks = np.array_split(np.arange(len(scores[0])), min(_BLOCKS, len(scores[0])))
    without = np.array([value(*(np.delete(s, block) for s in scores)) for block in blocks])
    error = math.sqrt((len(blocks) - 1) * without.var())
    return whole, error


def warn_if_capped(estimate, reason):
    """Warns if an estimate comes near its cap; see `Estimate.cap`. Returns the estimate."""
    if estimate.value > estimate.cap - _NEAR_CAP:
        warnings.warn(
            f"{estimate.method} gives {estimate.value:.2f} nats, near its limit of {reason} = "
            f"{estimate.cap:.2f}: the information may be larger.",
            UserWarning,
            stacklevel=3,
        )
    return estimate


def check_rows(array, name, min_rows, min_columns=1):
    """Returns samples less their means as float32 [N, D], a vector as one column.

    Information does not depend on where samples lie; their digits do, once they are float32.

    Raises:
      ValueError: if there are too few rows or columns, or a number is not finite.
    """
    array = np.asarray(array, np.float64)
    array = array[:, None] if array.ndim == 1 and min_columns == 1 else array
    if array.ndim != 2 or array.shape[0] < min_rows or array.shape[1] < min_columns:
        raise ValueError(
            f"expected {name} to be samples [N, D] with N >= {min_rows} and D >= {min_columns}, "
            f"received shape {list(array.shape)}."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"expected finite samples {name}, received NaN or infinity.")
    return (array - array.mean(axis=0)).astype(np.float32)


def _take(arrays, rows):
    return tf.nest.map_structure(lambda a: a[rows], arrays)


def _scale_of(arrays):
    """(function that scales samples as `arrays` need, what it divides columns by)."""
    means = tf.nest.map_structure(lambda a: a.mean(axis=0), arrays)
    # A constant column stays as it is.
    deviations = tf.nest.map_structure(lambda a: np.where(np.ptp(a, 0) > 0, a.std(0), 1), arrays)
    deviations = tf.nest.map_structure(np.float32, deviations)

    def scale(arrays):
        return tf.nest.map_structure(lambda a, m, s: (a - m) / s, arrays, means, deviations)

    return scale, deviations


def _untuned(dataset):
    # The tuner of tf.data can hold up the end of an iterator for seconds.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _is_missing(value):
    return isinstance(value, float) and not math.isfinite(value)
