"""Noise as targets (NAT): features that fill the sphere, each image at a place of its own."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import assignment, data
from tfdisent.trainers.encoder_trainer import EncoderTrainer
from tfdisent.trainers.feeding import as_array


@keras.saving.register_keras_serializable("tfdisent")
class NATTrainer(EncoderTrainer):
    """Draws one target per image from the unit sphere and learns features that lie on them.

    With unit features `f_i = e(x_i) / |e(x_i)|` and targets c_1 .. c_N drawn once, uniformly, each
    step takes a batch and

    1. in every `reassign_every`-th epoch shares the batch's own targets out among its images anew,
       so that `sum_i |f_i - c_P(i)|^2` is least: a linear assignment, solved exactly;
    2. takes a gradient step on `mean_i |f_i - c_P(i)|^2 = 2 - 2 mean_i f_i . c_P(i)`.

    P stays a permutation of all N targets, so that the features cannot collapse. The targets are
    noise: what images share a region of the sphere is up to the network.

    Batches are pairs of images and their row numbers, int [B] in 0 .. N-1: what `fit` makes of an
    array. A data set whose labels are `range(N)` gives them with `train(..., labels=True)`; with
    `source` the row numbers alone, `train(..., rows=True)`.

    Args:
      encoder: Keras model, images [B, H, W, C] -> features [B, D].
      num_images: N.
      reassign_every: epochs from one reassignment of all images to the next; 1 for always.
      **kwargs: see `EncoderTrainer`.

    Attributes:
      targets: [N, D] weight, unit vectors, never trained.
      permutation: int64 [N] weight, P: the target of each image.
      metric_names: "moved" is the share of a batch's images that got another target.

    Raises:
      ValueError: if `num_images` or `reassign_every` is not positive, or batches vary in size.

    Reference:
      Bojanowski and Joulin, Unsupervised Learning by Predicting Noise, 2017, arXiv:1704.05310,
      Eq. 4 and Algorithm 1; reassignment in each third epoch is from section 4.
    """

    metric_names = ("loss", "moved")
    takes_labels = True

    def __init__(self, encoder, num_images, reassign_every=3, **kwargs):
        super().__init__(encoder, **kwargs)
        for name, value in (("num_images", num_images), ("reassign_every", reassign_every)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, received {value!r}.")
        self.num_images, self.reassign_every = num_images, reassign_every
        self.targets = self.add_weight(
            shape=(num_images, self.feature_size),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed),
            trainable=False,
            dtype="float32",
            name="targets",
        )
        self.targets.assign(tf.math.l2_normalize(self.targets, axis=-1))
        self.permutation = self.add_weight(
            shape=(num_images,),
            initializer="zeros",
            trainable=False,
            dtype="int64",
            name="permutation",
        )
        self.permutation.assign(tf.range(num_images, dtype=tf.int64))

    @property
    def num_classes(self):
        """N: each image is a class of its own."""
        return self.num_images

    def call(self, x, training=False):
        """Features [B, D] of images [B, H, W, C], of length one."""
        return self.unit_features(x, training)

    def players(self):
        return {"optimizer": self.encoder.trainable_variables}

    def compile(self, optimizer="adam", **kwargs):
        """Configures training; see `keras.Model.compile`."""
        self._compile_with({"optimizer": optimizer}, kwargs)

    def fit(self, x=None, y=None, *args, **kwargs):
        """Trains; see `Trainer.fit`. The rows of an array are numbered here.

        Raises:
          ValueError: for a `Dataset` without `source`, for which there are no row numbers, or under
            a `tf.distribute.MirroredStrategy`; see also `Trainer.fit`.
        """
        self.require_one_replica()
        x = as_array(x)
        if isinstance(x, data.Dataset) and self.source is None:
            raise ValueError(
                "NATTrainer reads a Dataset by row number: pass source=dataset.device_source() to "
                "the trainer, received none."
            )
        if isinstance(x, np.ndarray) and y is None and self.source is None:
            if len(x) != self.num_images:
                raise ValueError(f"expected {self.num_images} images, received {len(x)}.")
            y = np.arange(len(x))
        return super().fit(x, y, *args, **kwargs)

    def _reading(self):
        # A source reads the images by their row numbers, which are the labels, too.
        return super()._reading() if self.source is None else {"rows": True}

    def labels(self, batch):
        """Row numbers, int32 [B], of what `fit` hands to a step."""
        if self.source is not None and not isinstance(batch, (tuple, list)):
            return tf.cast(batch, tf.int32)
        return super().labels(batch)

    def train_step(self, data):
        x, rows = self.images(data, training=True), self.labels(data)
        if x.shape[0] is None:
            raise ValueError(
                "expected batches of one size, received one of unknown size: "
                "use batch(..., drop_remainder=True)."
            )
        with tf.GradientTape() as tape:
            features = self.unit_features(x, training=True)
            mine = tf.gather(self.permutation.value, rows)  # [B], P of the batch
            is_due = self.epoch(x.shape[0]) % self.reassign_every == 0
            best = tf.cond(is_due, lambda: self.reassigned(features, rows, mine), lambda: mine)
            loss = _mean_square(features, tf.gather(self.targets, best))
        self.minimize(loss, tape, self.optimizer, self.encoder.trainable_variables)
        self.permutation.value.scatter_nd_update(rows[:, tf.newaxis], best)
        self.step.assign_add(1)
        return self.update_metrics(loss=loss, moved=tf.cast(best != mine, tf.float32))

    def test_step(self, data):
        x, rows = self.images(data, training=False), self.labels(data)
        targets = tf.gather(self.targets, tf.gather(self.permutation.value, rows))
        loss = _mean_square(self.unit_features(x, training=False), targets)
        return self.update_metrics(loss=loss, moved=0.0)

    def unit_features(self, x, training):
        """f, [B, D], of length one."""
        features = self.encoder(x, training=training)
        return tf.math.l2_normalize(tf.cast(features, tf.float32), axis=-1)

    def epoch(self, batch_size):
        """How often all images have been seen, int64 scalar."""
        return self.step.value * batch_size // self.num_images

    def reassigned(self, features, rows, mine):
        """The targets `mine` [B] in the order that suits the features [B, D] best.

        A batch across the border of two epochs may hold a row twice, and is left as it is.
        """
        costs = -tf.matmul(features, tf.gather(self.targets, mine), transpose_b=True)  # [B, B]
        best = tf.gather(mine, assignment.linear_assignment(costs))
        ordered = tf.sort(rows)
        is_distinct = tf.reduce_all(ordered[1:] != ordered[:-1])
        return tf.where(is_distinct, best, mine)

    def get_config(self):
        return {
            **super().get_config(),
            "num_images": self.num_images,
            "reassign_every": self.reassign_every,
        }


def _mean_square(features, targets):
    return tf.reduce_mean(tf.reduce_sum(tf.square(features - targets), axis=-1))
