"""The data set every part of the library works with."""

import hashlib
import operator

import numpy as np

from tfdisent.data.order import shuffled_rows

# The factor of the published sets that is a category, which a discrete code should find.
_CATEGORIES = ("shape", "category")


class Dataset:
    """Images by row number, with ground-truth factors or labels where they are known.

    Args:
        name: short name, as given to `tfdisent.data.load`.
        source: where images come from, see `tfdisent.data.images`.
        factor_values: dict from factor name to the values its classes stand for, in column order.
            None if the factors are unknown.
        factors: integer classes [N, K]. None with `factor_values` means a full grid: every
            combination once, in row-major order (last factor fastest).
        labels: integer classes [N], -1 where there is none, or None.
        value_range: (0.0, 1.0), or None for points whose coordinates are not images.

    Attributes:
        name, image_shape (H, W, C), value_range: as above.
        factor_names, factor_sizes: tuples of length K, or None.
        factor_values: dict of arrays, or None.
        labels: int32 [N]: those given, else the factor called "shape" or "category", else None.
        is_grid: whether the rows are all combinations of the factors in row-major order.
    """

    def __init__(
        self,
        name,
        source,
        *,
        factor_values=None,
        factors=None,
        labels=None,
        value_range=(0.0, 1.0),
    ):
        if len(source) == 0:
            raise ValueError(f"data set {name!r} must have at least one image, received none.")
        self.name = name
        self.image_shape = tuple(source.image_shape)
        self.value_range = value_range
        self._source = source
        self._in_graph = None
        self._factors = None
        self.factor_values = factor_values
        self.factor_names = self.factor_sizes = None
        self.is_grid = False
        if factor_values is not None:
            self.factor_names = tuple(factor_values)
            self.factor_sizes = tuple(len(values) for values in factor_values.values())
            self._set_factors(factors)
        self._labels = None
        if labels is not None:
            self._labels = np.asarray(labels, np.int32)
            _check_length("labels", self._labels, (len(self),))

    def __len__(self):
        return len(self._source)

    def __repr__(self):
        parts = [f"{len(self)} images of shape {self.image_shape}"]
        if self.factor_names is not None:
            factors = zip(self.factor_names, self.factor_sizes, strict=True)
            parts.append("factors " + ", ".join(f"{name} ({size})" for name, size in factors))
        if self._labels is not None:
            parts.append(f"{len(np.unique(self._labels))} labels")
        return f"<{type(self).__name__} {self.name!r}: {'; '.join(parts)}>"

    @property
    def stored_bytes(self):
        """Bytes that the images take in memory, or None if they are drawn when they are needed."""
        return self._source.stored_bytes

    @property
    def factors(self):
        """Integer classes, int32 [N, K], or None. A grid computes them when first asked."""
        if self._factors is None and self.is_grid:
            self._factors = self.classes(np.arange(len(self))).astype(np.int32)
            self._factors.flags.writeable = False
        return self._factors

    @property
    def labels(self):
        """Integer classes, int32 [N], or None: what a discrete code or a classifier should find."""
        category = next((name for name in _CATEGORIES if name in (self.factor_names or ())), None)
        if self._labels is None and category is not None:
            return self.factors[:, self.factor_names.index(category)]
        return self._labels

    def images(self, indices):
        """Images of the given rows.

        Args:
            indices: integers [n], each in 0 .. N-1.

        Returns:
            float32 [n, H, W, C], in [0, 1] unless `value_range` is None.

        Raises:
            ValueError: if `indices` is not a vector of integers, or one is out of range.
        """
        return self._source.numpy(_check_integers("indices", indices, len(self), ndim=1))

    def fingerprint(self):
        """What tells this set from another one: its length, and a digest of some of its rows.

        Returns:
            {"number": N, "shape": [H, W, C], "digest": hexadecimal, of the images (and labels) of
            64 rows that lie evenly apart}.
        """
        rows = np.unique(np.linspace(0, len(self) - 1, 64).astype(np.int64))
        content = hashlib.blake2b(self.images(rows).tobytes(), digest_size=16)
        if self.labels is not None:
            content.update(np.asarray(self.labels, np.int32)[rows].tobytes())
        return {
            "number": len(self),
            "shape": list(self.image_shape),
            "digest": content.hexdigest(),
        }

    def index(self, classes):
        """Row numbers of combinations of factor classes.

        Args:
            classes: integers [..., K].

        Returns:
            int64 [...].

        Raises:
            ValueError: if the set is not a full grid, or `classes` does not fit its factors.
        """
        self._require_grid("index")
        classes = np.asarray(classes)
        if classes.ndim == 0 or classes.shape[-1] != len(self.factor_sizes):
            raise ValueError(
                f"classes must have shape [..., {len(self.factor_sizes)}], one column for each of "
                f"{self.factor_names}, received {classes.shape}."
            )
        columns = [
            _check_integers(f"classes of {name}", column, size)
            for name, size, column in zip(
                self.factor_names, self.factor_sizes, np.moveaxis(classes, -1, 0), strict=True
            )
        ]
        return np.ravel_multi_index(tuple(columns), self.factor_sizes).astype(np.int64)

    def classes(self, index):
        """Factor classes of row numbers: the inverse of `index`.

        Args:
            index: integers [...], each in 0 .. N-1.

        Returns:
            int64 [..., K].

        Raises:
            ValueError: if the set is not a full grid, or a row number is out of range.
        """
        self._require_grid("classes")
        index = _check_integers("index", index, len(self))
        return np.stack(np.unravel_index(index, self.factor_sizes), axis=-1).astype(np.int64)

    def images_in_graph(self, rows):
        """Images of the given rows in TensorFlow graph operations, on the CPU.

        Args:
            rows: int64 tensor [B], each in 0 .. N-1.

        Returns:
            float32 tensor [B, H, W, C].
        """
        if self._in_graph is None:
            self._in_graph = self._source.on_device("CPU:0")
        return self._in_graph(rows)

    def device_source(self, device=None):
        """The images as a callable for use inside a training step, held on the device that trains.

        Use it with `train(..., rows=True)`, so that only row numbers are sent to the device:
        `source = dataset.device_source()`, then `x = source(rows)` in the step, which XLA may
        compile.

        Args:
            device: TensorFlow device name such as "GPU:0"; default the first GPU, else the CPU.

        Returns:
            Callable from an int64 tensor [B] of rows to a float32 tensor [B, H, W, C].
        """
        import tensorflow as tf

        if device is None:
            device = "GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"
        return self._source.on_device(device)

    def train(self, batch_size, seed=0, start_step=0, labels=False, rows=False, shuffle=True):
        """Endless batches, shuffled; batch t depends on (seed, t) only.

        Every row comes exactly once in each N consecutive rows; a batch may straddle two such
        epochs. `train(b, seed, start_step=s)` yields what `train(b, seed)` yields after s batches,
        without reading those: this is how training resumes.

        Args:
            batch_size: B, at least 1.
            seed: 0 <= seed < 2**63.
            start_step: number of batches to pass over; or a function that returns it and is called
                when iteration begins.
            labels: whether to yield pairs (x, y) with y the int32 labels [B].
            rows: whether to yield int64 row numbers [B] in place of the images.
            shuffle: whether to shuffle. If not, the rows come in their order, pass after pass, and
                each pass leaves out the last ones that fill no batch.

        Returns:
            Infinite `tf.data.Dataset` of float32 [B, H, W, C] (or as above).

        Raises:
            ValueError: for a number out of range, `labels` of a set that has none, or more rows in
                a batch than there are, if they are not shuffled.
        """
        import tensorflow as tf

        batch_size = _check_at_least("batch_size", batch_size, 1)
        if not callable(start_step):
            start_step = _check_at_least("start_step", start_step, 0)
        seed = _check_at_least("seed", seed, 0)
        read = self._reader(labels, rows)
        if not shuffle and batch_size > len(self):
            raise ValueError(
                f"batch_size must be at most {len(self)}, the number of rows, where these are not "
                f"shuffled, received {batch_size}."
            )

        @tf.autograph.experimental.do_not_convert
        def batch(step):
            if not shuffle:
                step %= len(self) // batch_size
            positions = step * batch_size + tf.range(batch_size, dtype=tf.int64)
            return read(shuffled_rows(positions, len(self), seed) if shuffle else positions)

        # Autotuning would only add waits of up to 20 s at the end of an iterator's life.
        options = tf.data.Options()
        options.autotune.enabled = False
        steps = _count_from(start_step)
        return steps.map(batch).prefetch(2).with_options(options)

    def batches(self, batch_size, labels=False, rows=False):
        """Every row once, in order: what `evaluate`, `predict` and `validation_data` take.

        Args:
            batch_size: B, at least 1; the last batch has what is left.
            labels: see `train`.
            rows: see `train`.

        Returns:
            `tf.data.Dataset` of float32 [B, H, W, C] (or as `train` has it), one pass.

        Raises:
            ValueError: for a number out of range, or `labels` of a set that has none.
        """
        import tensorflow as tf

        batch_size = _check_at_least("batch_size", batch_size, 1)
        read = self._reader(labels, rows)
        return tf.data.Dataset.range(len(self)).batch(batch_size).map(read).prefetch(2)

    def _reader(self, labels, rows):
        """Rows [B] in a graph -> what a pipeline yields of them."""
        import tensorflow as tf

        if labels and self.labels is None:
            raise ValueError(f"labels=True needs a data set with labels, received {self.name!r}.")
        label_of_row = tf.constant(self.labels) if labels else None

        @tf.autograph.experimental.do_not_convert
        def read(indices):
            x = indices if rows else self.images_in_graph(indices)
            return (x, tf.gather(label_of_row, indices)) if labels else x

        return read

    def _set_factors(self, factors):
        if factors is None:
            if np.prod(self.factor_sizes, dtype=np.int64) != len(self):
                raise ValueError(
                    f"a full grid of sizes {self.factor_sizes} has "
                    f"{np.prod(self.factor_sizes, dtype=np.int64)} rows, received {len(self)}."
                )
            self.is_grid = True
            return
        self._factors = np.array(factors, np.int32)
        _check_length("factors", self._factors, (len(self), len(self.factor_sizes)))
        self._factors.flags.writeable = False
        if np.prod(self.factor_sizes, dtype=np.float64) == len(self):
            grid = np.stack(np.unravel_index(np.arange(len(self)), self.factor_sizes), axis=-1)
            self.is_grid = np.array_equal(grid, self._factors)

    def _require_grid(self, method):
        if not self.is_grid:
            raise ValueError(
                f"{method}() needs a data set that holds every combination of its factors in "
                f"order, received {self.name!r}, which does not."
            )


def _count_from(start):
    """`tf.data.Dataset` of start, start + 1, ...; of what a function gives when it is iterated."""
    import tensorflow as tf

    if not callable(start):
        return tf.data.Dataset.counter(start, dtype=tf.int64)
    first = tf.data.Dataset.from_generator(
        lambda: [_check_at_least("start_step", start(), 0)],
        output_signature=tf.TensorSpec([], tf.int64),
    )
    steps = first.flat_map(lambda step: tf.data.Dataset.counter(step, dtype=tf.int64))
    return steps.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def check_option(option, value, known):
    """Raises ValueError, naming the known values, if `value` is not among them."""
    if value not in known:
        raise ValueError(
            f"{option} must be one of {', '.join(map(repr, known))}, received {value!r}."
        )


def _check_length(what, array, shape):
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {list(shape)}, received {list(array.shape)}.")


def _check_at_least(what, value, minimum):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"{what} must be an integer, received {value!r}.")
    value = operator.index(value)
    if not minimum <= value < 2**63:
        raise ValueError(f"{what} must be at least {minimum} and below 2**63, received {value}.")
    return value


def _check_integers(what, values, size, ndim=None):
    values = np.asarray(values)
    if values.size == 0 and values.dtype == np.float64:  # numpy gives an empty list this type
        values = values.astype(np.int64)
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"{what} must be integers, received {values.dtype}.")
    if ndim is not None and values.ndim != ndim:
        raise ValueError(f"{what} must have {ndim} dimension(s), received shape {values.shape}.")
    if values.size and (values.min() < 0 or values.max() >= size):
        raise ValueError(
            f"{what} must lie in 0 .. {size - 1}, received {values.min()} .. {values.max()}."
        )
    return values
