"""What `fit` and `evaluate` feed to a step: images, and labels where a method reads them."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import data


class Feeding:
    """Mixin for `keras.Model`: takes arrays and data sets of images, and checks them first.

    Goes before `keras.Model` among the bases. Subclasses have the attributes `seed` and `step`, and
    those below.

    Attributes:
      image_shape: (H, W, C) of the images that the networks take.
      num_classes: of the labels, where the method reads any.
      value_range: (0, 1), in which images must lie, or None for any values.
      source: None, or a callable on the device that turns what the input pipeline yields (row
        numbers, say) into images.
      batches_per_step: into how many batches a step splits the one that it is given.
      takes_labels: whether batches are pairs (x, y).
    """

    source = None
    num_classes = None
    value_range = (0.0, 1.0)
    # Two-batch papers split each batch they are given; see `FactorVAETrainer`.
    batches_per_step = 1
    # Methods that read labels are given batches (x, y); see `DeepVIBTrainer`.
    takes_labels = False

    def images(self, batch, training):
        """The images of what `fit` hands to a step: x, (x,), (x, y) or what `source` reads."""
        x = batch[0] if isinstance(batch, (tuple, list)) else batch
        if self.source is not None:
            x = self.source(x)
        self._check_batch(x.shape, training)
        return tf.cast(x, tf.float32)

    def labels(self, batch):
        """The labels, int32 [B], of the batch (x, y) that `fit` hands to a step."""
        y = batch[1] if isinstance(batch, (tuple, list)) and len(batch) > 1 else None
        if y is None:
            raise ValueError(
                f"{type(self).__name__} needs batches (x, y) of images and labels, received images "
                "alone; data sets give them with train(..., labels=True)."
            )
        if y.shape.rank != 1 or not y.dtype.is_integer:
            raise ValueError(
                f"expected integer labels [B], received {y.dtype.name} {list(y.shape)}."
            )
        return tf.cast(y, tf.int32)

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        steps_per_epoch=None,
        validation_batch_size=None,
        **kwargs,
    ):
        """Trains; see `keras.Model.fit`. Images and labels are checked before anything starts.

        An array or a `tfdisent.data.Dataset` is shuffled anew every epoch, in an order that depends
        on (seed, step) alone, the rest of an epoch that fills no batch going to the next one. With
        `shuffle=False` each epoch visits the rows in their order, without such a rest. Of what a
        generator yields the shape alone is checked.

        Raises:
          ValueError: if the images have another shape than the model's, are not in [0, 1], not
            finite, or too few for a batch, if the labels are not the classes of the model, if
            batches that never end come without `steps_per_epoch`, or if there are weights: every
            objective is the mean over the batch.
        """
        _refuse_weights(class_weight, sample_weight)
        x, y = as_array(x), as_array(y)
        if isinstance(x, np.ndarray) and self.source is None:
            if validation_split and validation_data is None:
                x, y, validation_data = _split(x, y, validation_split)
                validation_split = 0.0
            self._check_arrays(x, y)
            labels = y if self.takes_labels else None
            x = data.from_arrays(x, labels=labels, value_range=self.value_range)
        if isinstance(x, data.Dataset):
            batch_size = 32 * self.batches_per_step if batch_size is None else batch_size
            if len(x) < batch_size:
                raise ValueError(f"expected at least {batch_size} images, received {len(x)}.")
            validation_batch_size = validation_batch_size or batch_size
            steps_per_epoch = steps_per_epoch or len(x) // batch_size
            begin = _Begin()
            callbacks = [*tf.nest.flatten(callbacks or []), begin]
            x = self._serve(x, batch_size, shuffle, begin)
            batch_size = y = None
        if isinstance(validation_data, data.Dataset):
            validation_data = self._one_pass(validation_data, validation_batch_size)
            validation_batch_size = None
        _refuse_endless(x, "steps_per_epoch", steps_per_epoch)
        _refuse_endless(validation_data, "validation_steps", kwargs.get("validation_steps"))
        self._check_first(x, training=True)
        if isinstance(x, tf.data.Dataset):
            shuffle = False
        return super().fit(
            x,
            y,
            batch_size,
            epochs,
            verbose,
            callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            steps_per_epoch=steps_per_epoch,
            validation_batch_size=validation_batch_size,
            **kwargs,
        )

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        **kwargs,
    ):
        """Evaluates `objective`; see `keras.Model.evaluate` and `fit`."""
        _refuse_weights(sample_weight)
        x, y = as_array(x), as_array(y)
        if isinstance(x, np.ndarray) and self.source is None:
            self._check_arrays(x, y)
        if isinstance(x, data.Dataset):
            x, batch_size = self._one_pass(x, batch_size), None
        _refuse_endless(x, "steps", steps)
        self._check_first(x, training=False)
        return super().evaluate(x, y, batch_size, verbose, steps=steps, **kwargs)

    def _serve(self, dataset, batch_size, shuffle, begin):
        """Endless batches of a data set, with labels if the method reads any.

        They go on where the trainer is when they begin, not where it was when `fit` was called:
        `BackupAndRestore` comes in between.
        """
        return dataset.train(
            batch_size,
            seed=self.seed,
            start_step=lambda: begin.step,
            shuffle=shuffle,
            **self._reading(),
        )

    def _one_pass(self, dataset, batch_size):
        """Batches of every row of a data set once."""
        batch_size = 32 * self.batches_per_step if batch_size is None else batch_size
        return dataset.batches(batch_size, **self._reading())

    def _reading(self):
        """What the method reads of a data set, as options of its `train` and `batches`."""
        return {"labels": self.takes_labels, "rows": self.source is not None}

    def _check_arrays(self, x, y):
        check_images(x, self.image_shape, self.value_range)
        if self.takes_labels:
            check_labels(y, len(x), self.num_classes)

    def _check_first(self, x, training):
        """Checks the first batch of a data set."""
        if isinstance(x, keras.utils.PyDataset):
            element = tf.nest.map_structure(tf.convert_to_tensor, x[0])
        elif isinstance(x, tf.data.Dataset):
            # Taking an element leaves the data set as it is: every pass has its own iterator.
            element = next(iter(x.take(1)), None)
        else:
            return
        if element is None:
            raise ValueError("expected at least one batch of images, received an empty data set.")
        if isinstance(element, (tuple, list)):
            _refuse_weights(*element[2:])
        first = element[0] if isinstance(element, (tuple, list)) else element
        first = first if self.source is None else self.source(first)
        self._check_batch(first.shape, training)
        check_images(first.numpy(), self.image_shape, self.value_range)
        if self.takes_labels:
            check_labels(self.labels(element).numpy(), len(first), self.num_classes)

    def _check_batch(self, shape, training):
        """Checks the shape of a batch, as far as it is known while tracing."""
        image_shape, batches = self.image_shape, self.batches_per_step
        if shape.rank != 4 or not shape[1:].is_compatible_with(image_shape):
            raise ValueError(
                f"expected images [B, {', '.join(map(str, image_shape))}], received {list(shape)}."
            )
        batch_size = shape[0]
        if not training or batch_size is None:
            return
        if batch_size % batches:
            raise ValueError(
                f"batch size must be even to split for {type(self).__name__}, "
                f"received {batch_size}."
            )
        if batch_size < 2 * batches:
            raise ValueError(
                f"batch size must be at least {2 * batches} for {type(self).__name__}, "
                f"received {batch_size}."
            )


class _Begin(keras.callbacks.Callback):
    """Notes the step at which training begins, once other callbacks have restored theirs.

    Whoever asks later, as the input pipeline does, may be told of a step that is taken meanwhile.
    """

    step = 0

    def on_train_begin(self, logs=None):
        self.step = int(self.model.step.numpy())


def as_array(x):
    """A tensor as a NumPy array; anything else as it is."""
    return x.numpy() if tf.is_tensor(x) else x


def _split(x, y, share):
    """(x, y, validation data): the last `share` of the rows validates, as in Keras."""
    if not 0 < share < 1:
        raise ValueError(f"validation_split must be in (0, 1), received {share}.")
    count = int(len(x) * (1 - share))
    if not 0 < count < len(x):
        raise ValueError(f"validation_split={share} leaves no images of {len(x)} on one side.")
    if y is None:
        return x[:count], None, (x[count:],)
    return x[:count], y[:count], (x[count:], y[count:])


def _refuse_endless(x, option, steps):
    """Raises ValueError for a `tf.data.Dataset` that never ends, unless `steps` are counted."""
    if not isinstance(x, tf.data.Dataset) or steps is not None:
        return
    if x.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"expected {option} with batches that never end, received none: pass for example "
            f"{option}=len(dataset) // batch_size, or the `tfdisent.data.Dataset` itself."
        )


def _refuse_weights(*weights):
    if any(weight is not None for weight in weights):
        raise ValueError(
            "expected no class_weight or sample_weight: every objective is the mean over the batch."
        )


def check_images(images, image_shape=None, value_range=(0.0, 1.0)):
    """Checks images before training: rank, shape, dtype, range, finiteness.

    Args:
      images: array [N, H, W, C].
      image_shape: (H, W, C) that the model expects, or None for any.
      value_range: (0, 1), or None for any finite values.

    Raises:
      ValueError: says what was expected and what was received.
    """
    if images.ndim != 4 or (image_shape and images.shape[1:] != tuple(image_shape)):
        expected = ", ".join(map(str, image_shape)) if image_shape else "H, W, C"
        raise ValueError(f"expected images [B, {expected}], received {list(images.shape)}.")
    if images.size == 0:
        raise ValueError(f"expected at least one image, received shape {list(images.shape)}.")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(f"expected floating-point images in [0, 1], received {images.dtype}.")
    if not np.isfinite(images).all():
        raise ValueError("expected finite images, received NaN or infinity.")
    if value_range is None:
        return
    low, high = float(images.min()), float(images.max())
    if low < 0 or high > 1:
        hint = " Divide 0..255 images by 255." if high > 1.5 else ""
        raise ValueError(f"expected images in [0, 1], received [{low:g}, {high:g}].{hint}")


def check_labels(labels, length, num_classes):
    """Checks labels before training: shape, dtype, range.

    Args:
      labels: array [N], or None if there are none.
      length: N, the number of images.
      num_classes: of the model.

    Raises:
      ValueError: says what was expected and what was received.
    """
    if labels is None:
        raise ValueError(f"expected {length} labels along with the images, received none.")
    labels = np.asarray(labels)
    if labels.shape != (length,) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"expected integer labels [{length}], received {labels.dtype} {list(labels.shape)}."
        )
    low, high = labels.min(), labels.max()
    if low < 0 or high >= num_classes:
        raise ValueError(f"expected labels in [0, {num_classes - 1}], received [{low}, {high}].")
