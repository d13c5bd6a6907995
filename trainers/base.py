"""The base of all trainers: what every paper file may take for granted."""

import keras
import tensorflow as tf

from tfdisent import schedules
from tfdisent.latents import Categorical, Gaussian
from tfdisent.objectives import elbo
from tfdisent.trainers.feeding import Feeding
from tfdisent.trainers.players import Players, restored


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


class Trainer(Feeding, Players, keras.Model):
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
    # Kinds of latent groups that the method takes; a recipe builds its continuous one of the first.
    latent_groups = (Gaussian, Categorical)
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
        # A likelihood of one's own need not say: then the data are images.
        self.value_range = getattr(vae.likelihood_family, "value_range", (0.0, 1.0))
        self.num_rates = sum(vae.rate_sizes.values())
        self.rate_per_dimension = MeanVector(self.num_rates, name="rate_per_dimension")
        self._set_up(seed)

    @property
    def image_shape(self):
        """(H, W, C) of the images."""
        return self.vae.image_shape

    @property
    def num_classes(self):
        """Classes of the labels, or None where the model gives images."""
        return self.vae.num_classes

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
        return cls(**{name: restored(value) for name, value in config.items()})
