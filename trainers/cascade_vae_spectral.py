"""CascadeVAE whose classes start from spectral clusters of the costs of many classes."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import schedules
from tfdisent.latents import Categorical, Latents
from tfdisent.neighbors import nearest_class, spectral_classes
from tfdisent.trainers.cascade_vae import CascadeVAETrainer
from tfdisent.trainers.class_start import ClassStart
from tfdisent.vae import VAE


@keras.saving.register_keras_serializable("tfdisent")
class CascadeVAESpectralTrainer(ClassStart, CascadeVAETrainer):
    """CascadeVAE that knows its classes before its latents share out what differs within them.

    In CascadeVAE the latents come first, and the classes say what they leave. Where few latents are
    open, that is first of all what differs most: of three classes on dSprites two are ellipses that
    lean to the left and to the right. Many classes cover every shape in every position, and which
    of them are of one shape can be seen: a shape turns from one of its classes into the next
    through images between the two, and into another shape through none. So:

    1. A scout, which is a CascadeVAE with `scout_classes` classes, trains for `scout_steps` steps.
    2. An image is described by the costs of its classes over the sum of its pixels, for the errors
       of a larger object are more. The graph of nearest neighbours among the last `reference_rows`
       images is cut into K parts (`tfdisent.neighbors`). No label enters.
    3. The model trains for `lesson_steps` steps with the class that most of an image's `neighbors`
       nearest references have. Its dimensions open one after another, as the scout's did.
    4. From then on classes are searched, as in CascadeVAE.

    The search holds the continuous latents at their posterior means, where `encode` has them. What
    `fit` shows is of the scout until it has done, what `evaluate` shows of the model. The lesson is
    over too early if the latents do not yet say what differs within the classes: the search then
    mixes them. The default numbers of steps are for 300,000.

    Args:
      vae: see `CascadeVAETrainer`.
      scout: a second such VAE for images of the same shape, with as many continuous dimensions and
        more classes; by default one of the usual networks.
      scout_classes: classes of the usual scout.
      scout_steps: steps of the first part.
      lesson_steps: steps of the third part.
      reference_rows: number of images that the parts are found among.
      neighbors: of a point in the graph, itself among them, and of an image that takes its class
        from them.
      scout_beta_high: weight of the rate of a closed dimension of the scout: so high that those
        which are not open at the switch-on say nothing.
      beta_low, beta_high, stage_steps: see `CascadeVAETrainer`; the first and the last of the scout
        too. A `beta_high` so low that no dimension of the model falls asleep while it is closed.
      switch_on: stage of the scout from which its classes are inferred, with as many dimensions
        open.
      balance, l2, fresh_optimizer: see `CascadeVAETrainer`.
      **kwargs: see `Trainer`.

    Attributes:
      scout: as above.
      reference_classes: int64 weight [reference_rows], the parts.
      start_step, num_recent, recent_rows: see `ClassStart`; a row is what an image is described by.

    Raises:
      ValueError: if the latents have another form, the scout is for others, or a number is out of
        range.

    References:
      Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating
      Disentanglement, 2019, arXiv:1905.09432, Algorithm 1. Shi and Malik, Normalized Cuts and Image
      Segmentation, 2000.
    """

    optimizer_names = ("optimizer", "scout_optimizer")

    def __init__(
        self,
        vae,
        scout=None,
        scout_classes=12,
        scout_steps=70_000,
        lesson_steps=160_000,
        reference_rows=5000,
        neighbors=10,
        scout_beta_high=30.0,
        beta_low=1.0,
        beta_high=4.0,
        stage_steps=15_000,
        switch_on=3,
        balance=0.3,
        l2=4e-5,
        fresh_optimizer=True,
        **kwargs,
    ):
        super().__init__(
            vae,
            beta_low,
            beta_high,
            stage_steps,
            switch_on,
            balance,
            l2,
            fresh_optimizer,
            **kwargs,
        )
        if lesson_steps < 1:
            raise ValueError(f"lesson_steps must be at least 1, received {lesson_steps}.")
        if scout_steps <= self.switch_on * self.stage_steps:
            raise ValueError(
                f"scout_steps must be more than the {self.switch_on * self.stage_steps} steps to "
                f"the switch-on, received {scout_steps}."
            )
        if not 1 <= neighbors <= reference_rows:
            raise ValueError(
                f"neighbors must be at least 1 and at most reference_rows = {reference_rows}, "
                f"received {neighbors}."
            )
        self.scout = scout or _usual_scout(vae, scout_classes)
        self._check_scout()
        self.scout_classes = self.scout.latents.searched.size
        self.scout_steps = int(scout_steps)
        self.lesson_steps = int(lesson_steps)
        self.reference_rows = int(reference_rows)
        self.neighbors = int(neighbors)
        self.scout_beta_high = float(scout_beta_high)
        self.reference_classes = self.add_weight(
            shape=(self.reference_rows,),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="reference_classes",
        )
        self._set_up_start(self.scout_steps, self.reference_rows, self.scout_classes)

    def _check_scout(self):
        sizes = [sum(vae.rate_sizes.values()) for vae in (self.scout, self.vae)]
        shapes = [vae.image_shape for vae in (self.scout, self.vae)]
        if self.scout.latents.searched is None or sizes[0] != sizes[1] or shapes[0] != shapes[1]:
            raise ValueError(
                f"expected a scout for images {shapes[1]} with {sizes[1]} continuous dimensions "
                f"and a searched group, received one for {shapes[0]} with {self.scout.latents}."
            )
        self._check_latents(self.scout.latents)

    def open_dimensions(self, step):
        since = tf.cast(step, tf.int64) - self.start_step.value
        anew = schedules.open_dimensions(since, self.stage_steps, self.num_rates)
        return tf.where(self.has_started, anew, super().open_dimensions(step))

    def betas(self, step):
        is_open = self.open_dimensions(step)
        scouts, models = (
            schedules.cascade_betas(is_open, self.num_rates, self.beta_low, beta_high)
            for beta_high in (self.scout_beta_high, self.beta_high)
        )
        return tf.where(self.has_started, models, scouts)

    def is_on(self, step):
        return tf.logical_or(self.has_started, super().is_on(step))

    def is_lesson(self, step):
        """Whether the references give the model its classes at `step`, boolean tensor."""
        since = tf.cast(step, tf.int64) - self.start_step.value
        return tf.logical_and(self.has_started, since < self.lesson_steps)

    def values_for_search(self, vae, posterior, values):
        return {name: vae.latents.group(name).point(q) for name, q in posterior.items()}

    def assign_classes(self, vae, x, values, training):
        def search():
            return super(CascadeVAESpectralTrainer, self).assign_classes(vae, x, values, training)

        if vae is self.scout or not training:
            return search()
        return tf.cond(self.is_lesson(self.step.value), lambda: self.taught_classes(x), search)

    def describe(self, x):
        """The scout's costs over the sums of the images' pixels, [B, scout_classes].

        A black image counts as one white pixel.
        """
        values = self.values_for_search(self.scout, self.scout.posterior(x), None)
        costs = self.scout.search_costs(x, values)
        pixels = tf.reduce_sum(tf.cast(x, tf.float32), axis=[1, 2, 3])
        return costs / tf.maximum(pixels, 1.0)[:, None]

    def taught_classes(self, x):
        """The class that most of each image's nearest references have, one-hot [B, K]."""
        num_classes = self.vae.latents.searched.size
        references = self.recent_rows.value
        classes = nearest_class(
            _scaled(self.describe(x), references),
            _scaled(references, references),
            self.reference_classes.value,
            num_classes,
            self.neighbors,
        )
        return tf.stop_gradient(tf.one_hot(classes, num_classes))

    def train_step(self, data):
        x = self.images(data, training=True)
        terms = tf.cond(
            self.has_started,
            lambda: self._update(self.vae, self.optimizer, x),  # parts 3 and 4
            lambda: self._train_scout(x),
        )
        self.step.assign_add(1)
        return self.update_metrics(**terms)

    def _train_scout(self, x):
        """Part 1, and what part 2 has to know of the last images."""
        terms = self._update(self.scout, self.scout_optimizer, x)
        batches = tf.cast(tf.math.ceil(self.reference_rows / tf.shape(x)[0]), tf.int64)
        is_reference = self.step.value >= self.scout_steps - batches
        tf.cond(is_reference, lambda: self._remember(self.describe(x)), lambda: None)
        return terms

    def _update(self, vae, optimizer, x):
        if self.fresh_optimizer:
            self.restart_optimizer(optimizer, when=self.new_objective(self.step.value))
        with tf.GradientTape() as tape:
            terms = self.searched_terms(vae, x, training=True)
        self.minimize(terms["loss"], tape, optimizer, vae.trainable_variables)
        return terms

    def start_classes(self):
        """Part 2: the references get their classes; `fit` calls it, and part 3 begins.

        Raises:
          ValueError: if fewer images than neighbours or classes are known.
          FloatingPointError: if a cost is not finite.
        """
        num_classes = self.vae.latents.searched.size
        rows = self._recent(at_least=max(self.neighbors, num_classes))
        points = _scaled(tf.constant(rows), tf.constant(rows)).numpy()
        classes = spectral_classes(points, num_classes, self.neighbors, self.seed)
        # Where too few are known, each counts several times.
        self.recent_rows.assign(np.resize(rows, self.recent_rows.shape))
        self.reference_classes.assign(np.resize(classes, self.reference_rows))
        self.start_step.assign(self.step)

    def players(self):
        return {
            "optimizer": self.vae.trainable_variables,
            "scout_optimizer": self.scout.trainable_variables,
        }

    def compile(self, optimizer="adam", scout_optimizer=None, **kwargs):
        """Configures training; see `Trainer.compile`.

        Args:
          optimizer: of the model.
          scout_optimizer: of the scout; by default a copy of the other.
          **kwargs: see `Trainer.compile`.
        """
        optimizer = keras.optimizers.get(optimizer)
        if scout_optimizer is None:
            config = keras.optimizers.serialize(optimizer)
            scout_optimizer = keras.optimizers.deserialize(config)
        optimizers = {"optimizer": optimizer, "scout_optimizer": scout_optimizer}
        self._compile_with(optimizers, kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "scout": keras.saving.serialize_keras_object(self.scout),
            "scout_classes": self.scout_classes,
            "scout_steps": self.scout_steps,
            "lesson_steps": self.lesson_steps,
            "reference_rows": self.reference_rows,
            "neighbors": self.neighbors,
            "scout_beta_high": self.scout_beta_high,
        }


def _usual_scout(vae, num_classes):
    """A VAE like `vae`, of the usual networks, with `num_classes` classes to search."""
    groups = [
        Categorical(num_classes, group.name, inference="search") if group.is_discrete else group
        for group in vae.latents.groups
    ]
    return VAE.build_for(vae.image_shape, Latents(*groups), likelihood=vae.likelihood_family)


def _scaled(rows, references):
    """Columns with the mean and deviation of the references' columns as zero and one."""
    mean, deviation = tf.reduce_mean(references, axis=0), tf.math.reduce_std(references, axis=0)
    return tf.math.divide_no_nan(rows - mean, deviation)
