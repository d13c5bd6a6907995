"""The base of all trainers: what every paper file may take for granted."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import data, schedules
from tfdisent.latents import Categorical, Gaussian
from tfdisent.objectives import elbo
from tfdisent.trainers.players import Players


class MeanVector(keras.metrics.Metric):
    """The running mean of the rows of [B, size] tensors.

    Args:
      size: number of columns.
      name: of the metric.
    """

    def __init__(self, size, name):
        super().__init__(name=name)
        self.total = self.add_weight(shape=(size,), initializer="zeros", name="total")
        self.count = self.add_weight(shape=(), initializer="zeros", name="count")

    def update_state(self, rows):
        self.total.assign_add(tf.reduce_sum(rows, axis=0))
        self.count.assign_add(tf.cast(tf.shape(rows)[0], tf.float32))

    def result(self):
        return tf.math.divide_no_nan(self.total.value, self.count.value)


class Trainer(Players, keras.Model):
    """Owns a VAE and teaches it. One subclass per paper.

    A method that differs from others in its objective overrides `objective`; one that differs in
    its algorithm overrides `train_step`, entirely. Everything else is Keras: `compile`, `fit`,
    `evaluate`, `predict` (the mean reconstruction), callbacks, `steps_per_execution`, mixed
    precision. XLA is used where Keras finds a GPU; on a CPU it halves the speed of convolutional
    models. `jit_compile` overrides.

    Attributes:
      vae: the model, the thing to keep.
      metric_names: names of the values that `fit` shows, in nats where they are information.

    Args:
      vae: `tfdisent.VAE`.
      seed: integer in [0, 2**31). All noise is a function of (seed, step).
      temperature: number or schedule for the Gumbel-softmax samples of categorical groups; None
        uses each group's own.
      source: optional callable on the device that turns what the input pipeline yields (row
        numbers, say) into images, such as `dataset.device_source()`.

    Raises:
      ValueError: if the seed is out of range, a latent group is to be searched and this trainer
        does not search, or is of a kind that it does not take, the decoder gives labels and this
        trainer reads none, or the reverse, or a prior is learned and this trainer needs the rates
        of single dimensions.
    """

    metric_names = ("loss", "distortion", "rate", "elbo")
    searches = False
    # Two-batch papers split each batch they are given; see `FactorVAETrainer`.
    batches_per_step = 1
    # Kinds of latent groups that the method takes; a recipe builds its continuous one of the first.
    latent_groups = (Gaussian, Categorical)
    # Methods that read labels are given batches (x, y); see `DeepVIBTrainer`.
    takes_labels = False
    # Methods that weight the rates of single dimensions need a prior that is a product over them.
    needs_factorised_prior = False
    # Methods whose loss no learned prior enters refuse one: it would stay as it began.
    trains_prior = True

    def __init__(self, vae, seed=0, temperature=None, source=None, **kwargs):
        super().__init__(**kwargs)
        if vae.latents.searched is not None and not self.searches:
            raise ValueError(
                f"{type(self).__name__} needs every latent group amortised, received {vae.latents}."
            )
        if not all(isinstance(group, self.latent_groups) for group in vae.latents.groups):
            kinds = " or ".join(kind.__name__ for kind in self.latent_groups)
            raise ValueError(
                f"{type(self).__name__} takes {kinds} latent groups, received {vae.latents}."
            )
        if self.takes_labels != (vae.num_classes is not None):
            expected = "labels (likelihood='categorical')" if self.takes_labels else "images"
            raise ValueError(
                f"{type(self).__name__} needs a VAE with a decoder of {expected}, received one "
                f"with the likelihood {vae.likelihood_family.name!r}."
            )
        if vae.priors and not self.trains_prior:
            raise ValueError(
                f"{type(self).__name__} trains no prior, received learned priors of "
                f"{list(vae.priors)}."
            )
        if vae.priors and self.needs_factorised_prior:
            raise ValueError(
                f"{type(self).__name__} weights the rates of single dimensions and needs the prior "
                f"N(0, I), received learned priors of {list(vae.priors)}."
            )
        self.vae = vae
        self.temperature = None if temperature is None else schedules.get(temperature)
        self.source = source
        self.num_rates = sum(vae.rate_sizes.values())
        self.rate_per_dimension = MeanVector(self.num_rates, name="rate_per_dimension")
        self._set_up(seed)

    def objective(self, x, training):
        """The loss of one batch and the terms it is made of.

        A trainer that takes labels has `objective(x, y, training)`.

        Args:
          x: images [B, H, W, C].
          training: whether the networks behave as in training.

        Returns:
          {"loss": scalar; every other name of `metric_names`: scalar or [B]; optionally
          "rate_per_dimension": [B, number of latent variables]}, nats.
        """
        raise NotImplementedError(f"{type(self).__name__} implements objective or train_step")

    def train_step(self, data):
        x = self.images(data, training=True)
        with tf.GradientTape() as tape:
            terms = self.objective(x, training=True)
        self.minimize(terms["loss"], tape, self.optimizer, self.vae.trainable_variables)
        self.step.assign_add(1)
        return self.update_metrics(**terms)

    def test_step(self, data):
        inputs = [self.images(data, training=False)]
        inputs += [self.labels(data)] if self.takes_labels else []
        return self.update_metrics(**self.objective(*inputs, training=False))

    def call(self, x, training=False):
        """The mean reconstruction."""
        return self.vae(x, training=training)

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

    def sample(self, posterior, seed):
        """`vae.sample` at the scheduled temperature."""
        temperature = None if self.temperature is None else self.temperature(self.step.value)
        return self.vae.sample(posterior, seed=seed, temperature=temperature)

    def elbo_terms(self, x, seed, training):
        """The terms that every VAE objective begins with.

        Returns:
          (distortion [B], rate_per_dimension [B, number of latent variables], posterior, z [B, D]);
          a group with a learned prior counts as one variable, see `elbo.rate_by_group`.
        """
        posterior = self.vae.posterior(x, training=training)
        z = self.sample(posterior, seed)
        distortion = elbo.distortion(self.vae.likelihood(z, training=training), x)
        sample = self.vae.latents.split(z)
        rates = elbo.rate_per_dimension(posterior, self.vae.prior(training=training), sample)
        return distortion, rates, posterior, z

    @staticmethod
    def elbo_metrics(distortion, rates):
        """What every VAE reports of a batch: distortion, rate, elbo, rate_per_dimension.

        Args:
          distortion: [B], nats.
          rates: [B, number of latent variables], nats.
        """
        rate = tf.reduce_sum(rates, axis=-1)
        return {
            "distortion": distortion,
            "rate": rate,
            "elbo": -(distortion + rate),
            "rate_per_dimension": rates,
        }

    def update_metrics(self, rate_per_dimension=None, **terms):
        if rate_per_dimension is not None:
            self.rate_per_dimension.update_state(rate_per_dimension)
        return super().update_metrics(**terms)

    @property
    def metrics(self):
        return [*super().metrics, self.rate_per_dimension]

    def players(self):
        return {"optimizer": self.vae.trainable_variables}

    def compile(self, optimizer="adam", **kwargs):
        """Configures training; see `keras.Model.compile`.

        Args:
          optimizer: Keras optimiser of the VAE, or its name.
          **kwargs: `run_eagerly`, `steps_per_execution`, `jit_compile`, as in Keras.
        """
        self._compile_with({"optimizer": optimizer}, kwargs)

    def fit(self, x=None, y=None, *args, batch_size=None, steps_per_epoch=None, **kwargs):
        """Trains; see `keras.Model.fit`. Images and labels are checked before anything starts.

        An array is served as `tfdisent.data` serves its sets: shuffled anew every epoch, in an
        order that depends on (seed, step) alone, the rest of an epoch that fills no batch going to
        the next one.

        Raises:
          ValueError: if the images have another shape than the model's, are not in [0, 1], not
            finite, or too few for a batch, or if the labels are not the classes of the model.
        """
        if isinstance(x, np.ndarray) and self.source is None:
            self._check_arrays(x, y)
            batch_size = 32 * self.batches_per_step if batch_size is None else batch_size
            if len(x) < batch_size:
                raise ValueError(f"expected at least {batch_size} images, received {len(x)}.")
            steps_per_epoch = steps_per_epoch or len(x) // batch_size
            start_step = int(self.step)
            labels = self.takes_labels
            dataset = data.from_arrays(x, labels=y if labels else None)
            x = dataset.train(batch_size, seed=self.seed, start_step=start_step, labels=labels)
            batch_size = y = None
        self._check_first(x, training=True)
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)
        return super().fit(
            x, y, *args, batch_size=batch_size, steps_per_epoch=steps_per_epoch, **kwargs
        )

    def evaluate(self, x=None, y=None, *args, **kwargs):
        """Evaluates `objective`; see `keras.Model.evaluate`."""
        if isinstance(x, np.ndarray) and self.source is None:
            self._check_arrays(x, y)
        self._check_first(x, training=False)
        return super().evaluate(x, y, *args, **kwargs)

    def _check_arrays(self, x, y):
        check_images(x, self.vae.image_shape)
        if self.takes_labels:
            check_labels(y, len(x), self.vae.num_classes)

    def _check_first(self, x, training):
        """Checks the first batch of a data set."""
        if not isinstance(x, tf.data.Dataset):
            return
        # Taking an element leaves the data set as it is: every pass has an iterator of its own.
        element = next(iter(x.take(1)), None)
        if element is None:
            raise ValueError("expected at least one batch of images, received an empty data set.")
        first = element[0] if isinstance(element, (tuple, list)) else element
        first = first if self.source is None else self.source(first)
        self._check_batch(first.shape, training)
        check_images(first.numpy(), self.vae.image_shape)
        if self.takes_labels:
            check_labels(self.labels(element).numpy(), len(first), self.vae.num_classes)

    def _check_batch(self, shape, training):
        """Checks the shape of a batch, as far as it is known while tracing."""
        image_shape, batches = self.vae.image_shape, self.batches_per_step
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

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "vae": serialize(self.vae),
            "seed": self.seed,
            "temperature": None if self.temperature is None else serialize(self.temperature),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{name: _restore(value) for name, value in config.items()})


def _restore(value):
    is_object = isinstance(value, dict) and "class_name" in value
    return keras.saving.deserialize_keras_object(value) if is_object else value


def check_images(images, image_shape=None):
    """Checks images before training: rank, shape, dtype, range, finiteness.

    Args:
      images: array [N, H, W, C].
      image_shape: (H, W, C) that the model expects, or None for any.

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
