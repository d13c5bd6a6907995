"""CascadeVAE, trained twice: the second time with classes from a mixture of the first's costs."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import schedules
from tfdisent.trainers.cascade_vae import CascadeVAETrainer
from tfdisent.trainers.mixture_start import MixtureStart, fit_mixture

# Added to the variances of each component, beside a variance of one of all the rows together.
_MIN_VARIANCE = 1e-3


@keras.saving.register_keras_serializable("tfdisent")
class CascadeVAEGMMTrainer(MixtureStart, CascadeVAETrainer):
    """CascadeVAE that starts again, with classes that its first training came upon.

    A class keeps its meaning if it has it before the continuous latents share out what differs
    within the classes. In CascadeVAE these come first, and the classes say what they leave. But a
    mixture of the costs of the classes tells images apart that the classes do not. So:

    1. CascadeVAE, for `restart_step` steps.
    2. A Gaussian mixture with one component for each class is fitted to the costs [N, K] of the
       last `mixture_rows` images, each row divided by the sum of its image's pixels, for the errors
       of a larger object are more. No label enters. The networks become the teacher; new ones,
       with random weights and a fresh optimiser, take their place.
    3. The dimensions open anew, one every `second_stage_steps` steps. For the first
       `lesson_steps` steps the class of an image is the component of its costs under the teacher.
    4. From then on classes are searched again, as in CascadeVAE.

    The search holds the continuous latents at their posterior means, where `encode` has them.

    Args:
      vae: see `CascadeVAETrainer`.
      restart_step: steps of the first training.
      lesson_steps: steps of the second in which the teacher gives the classes.
      second_stage_steps: steps from one opening to the next in the second training.
      mixture_rows: images whose costs the mixture is fitted to, at most.
      beta_low, beta_high, stage_steps, switch_on, balance, l2, fresh_optimizer: see
        `CascadeVAETrainer`; the first training has the stages, both have the rest.
      **kwargs: see `Trainer`.

    Attributes:
      teacher: `tfdisent.VAE`, the networks of the first training once the second has begun.
      mixture_means, mixture_factors, mixture_offsets: weights, [K, K], [K, K, K] and [K]: component
        k of a row r has the log density `offset_k - |(r - mean_k) factor_k|^2 / 2`.
      start_step, recent_rows, num_recent: see `MixtureStart`.

    Raises:
      ValueError: if the latents have another form or a number is out of range.

    References:
      Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating
      Disentanglement, 2019, arXiv:1905.09432, Algorithm 1. A second training taught by the first:
      Furlanello, Lipton, Tschannen, Itti, Anandkumar, Born-Again Neural Networks, 2018,
      arXiv:1805.04770.
    """

    def __init__(
        self,
        vae,
        restart_step=200_000,
        lesson_steps=40_000,
        second_stage_steps=5000,
        mixture_rows=10_000,
        beta_low=1.0,
        beta_high=10.0,
        stage_steps=20_000,
        switch_on=4,
        balance=1e-3,
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
        for name, steps in (
            ("restart_step", restart_step),
            ("lesson_steps", lesson_steps),
            ("second_stage_steps", second_stage_steps),
        ):
            if steps < 1:
                raise ValueError(f"{name} must be at least 1, received {steps}.")
        if restart_step <= self.switch_on * self.stage_steps:
            raise ValueError(
                f"restart_step must be after the switch-on, step "
                f"{self.switch_on * self.stage_steps}, received {restart_step}."
            )
        self.restart_step = int(restart_step)
        self.lesson_steps = int(lesson_steps)
        self.second_stage_steps = int(second_stage_steps)
        size = vae.latents.searched.size
        self._set_up_start(self.restart_step, mixture_rows, size, size)
        # Until the restart it holds the random weights of the second training.
        self.teacher = type(vae).from_config(vae.get_config())
        self.teacher.trainable = False
        weight = {"trainable": False, "initializer": "zeros", "dtype": "float32"}
        self.mixture_means = self.add_weight(shape=(size, size), name="mixture_means", **weight)
        self.mixture_factors = self.add_weight(
            shape=(size, size, size), name="mixture_factors", **weight
        )
        self.mixture_offsets = self.add_weight(shape=(size,), name="mixture_offsets", **weight)

    def open_dimensions(self, step):
        second = schedules.open_dimensions(
            tf.cast(step, tf.int64) - self.start_step.value,
            self.second_stage_steps,
            self.num_rates,
        )
        return tf.where(self.has_started, second, super().open_dimensions(step))

    def is_on(self, step):
        return tf.logical_or(self.has_started, super().is_on(step))

    def is_lesson(self, step):
        """Whether the teacher gives the classes at `step`, boolean tensor."""
        since = tf.cast(step, tf.int64) - self.start_step.value
        return tf.logical_and(self.has_started, since < self.lesson_steps)

    def values_for_search(self, posterior, values):
        return {name: self.vae.latents.group(name).point(q) for name, q in posterior.items()}

    def class_costs(self, x, values, training):
        costs = super().class_costs(x, values, training)
        if training:
            self._remember(_by_brightness(costs, x))
        return costs

    def assign_classes(self, x, values, training):
        def search():
            return super(CascadeVAEGMMTrainer, self).assign_classes(x, values, training)

        if not training:
            return search()
        return tf.cond(self.is_lesson(self.step.value), lambda: self.taught_classes(x), search)

    def taught_classes(self, x):
        """The likeliest component of each image's costs under the teacher, one-hot [B, K]."""
        posterior = self.teacher.posterior(x)
        values = self.values_for_search(posterior, {})
        rows = _by_brightness(self.teacher.search_costs(x, values), x)  # [B, K]
        deviations = rows[:, None] - self.mixture_means.value  # [B, component, K]
        scaled = tf.einsum("bck,ckj->bcj", deviations, self.mixture_factors.value)
        log_density = self.mixture_offsets.value - 0.5 * tf.reduce_sum(scaled**2, axis=-1)
        classes = tf.one_hot(tf.argmax(log_density, axis=1), self.vae.latents.searched.size)
        return tf.stop_gradient(classes)

    def train_step(self, data):
        # New networks, whatever `fresh_optimizer` says of the stages.
        self.restart_optimizer(self.optimizer, when=self.step.value == self.start_step.value)
        return super().train_step(data)

    def start_classes(self):
        """Fits the mixture to the recent costs and begins the second training.

        `fit` calls it; once called, part 3 begins.

        Raises:
          ValueError: if the costs of fewer images than classes are known.
          FloatingPointError: if a cost is not finite.
        """
        num_classes = self.vae.latents.searched.size
        rows = self._recent(num_classes)
        mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-12
        mixture = fit_mixture((rows - mean) / scale, num_classes, _MIN_VARIANCE, self.seed)
        factors = mixture.precisions_cholesky_
        log_determinants = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
        self.mixture_means.assign(mixture.means_ * scale + mean)
        self.mixture_factors.assign(factors / scale[:, None])
        self.mixture_offsets.assign(np.log(mixture.weights_) + log_determinants)

        learned, random = self.vae.get_weights(), self.teacher.get_weights()
        self.teacher.set_weights(learned)
        self.vae.set_weights(random)
        self.start_step.assign(self.step)

    def get_config(self):
        return {
            **super().get_config(),
            "restart_step": self.restart_step,
            "lesson_steps": self.lesson_steps,
            "second_stage_steps": self.second_stage_steps,
            "mixture_rows": self.mixture_rows,
        }


def _by_brightness(costs, x):
    """Costs [B, K] over the sums of the images' pixels; a black image counts as one white pixel."""
    brightness = tf.reduce_sum(tf.cast(x, tf.float32), axis=[1, 2, 3])
    return costs / tf.maximum(brightness, 1.0)[:, None]
