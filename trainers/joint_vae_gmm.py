"""JointVAE whose classes start from a Gaussian mixture of the continuous latents."""

import keras
import numpy as np
import tensorflow as tf

from tfdisent import schedules
from tfdisent.trainers.class_start import ClassStart
from tfdisent.trainers.joint_vae import JointVAETrainer

# Variance added to that of each component: latents have unit variance, sleeping ones none.
_MIN_VARIANCE = 0.03
_RESTARTS = 10
# Weight of the squared coefficients of the linear classifier, beside a mean over the rows.
_RIDGE = 0.005


@keras.saving.register_keras_serializable("tfdisent")
class JointVAEGMMTrainer(ClassStart, JointVAETrainer):
    """JointVAE in two parts: continuous latents that learn to tell the classes, then classes.

    JointVAE's classes are decided in its first steps, by what an image looks like on average, and
    stay what they were. Here they start from clusters of a representation instead:

    1. For `warmup_steps` steps the rate of the continuous latents is held at `warmup_capacity`,
       with that of the classes at zero.
    2. A Gaussian mixture with one component for each class is fitted to the last `mixture_rows`
       posterior means, and the encoder's logits become the linear function of the means that comes
       nearest to the mixture's responsibilities. No label enters.
    3. JointVAE's loss, with a fresh optimiser. In `capacity_steps` steps the capacity of the
       continuous latents goes to `continuous_capacity`, a lower one, so that they leave the classes
       to the discrete latent, whose capacity goes from `start_rate` to `discrete_capacity`.

    `fit` does all three, the second where it first returns to Python after the warm-up: choose
    `steps_per_execution` so that it divides `warmup_steps`. One replica only.

    Args:
      vae: `tfdisent.VAE` with one Gaussian group and one `Categorical` group, whose encoder ends
        with a linear dense layer with biases.
      warmup_steps: steps before the mixture.
      warmup_capacity: rate of the continuous latents until then, nats.
      gamma: weight of the two penalties.
      continuous_capacity: C_z at the end, nats.
      discrete_capacity: C_c at the end, nats; never above log K.
      capacity_steps: steps after the mixture in which the capacities go there.
      mixture_rows: posterior means that the mixture is fitted to, at most.
      **kwargs: see `Trainer`.

    Attributes:
      start_rate: weight, the mean rate of the first logits over those posterior means, nats.
      start_step, num_recent, recent_rows: see `ClassStart`; a row is an image's posterior mean [D].

    Raises:
      ValueError: if the groups or the encoder are others, or a number is out of range.

    References:
      Dupont, Learning Disentangled Joint Continuous and Discrete Representations, 2018,
      arXiv:1804.00104, Eq. 7. A mixture of the codes as a start: Jiang, Zheng, Tan, Tang, Zhou,
      Variational Deep Embedding, 2017, arXiv:1611.05148.
    """

    def __init__(
        self,
        vae,
        warmup_steps=8000,
        warmup_capacity=12.0,
        gamma=30.0,
        continuous_capacity=5.0,
        discrete_capacity=5.0,
        capacity_steps=3000,
        mixture_rows=20_000,
        **kwargs,
    ):
        super().__init__(
            vae, gamma, continuous_capacity, discrete_capacity, capacity_steps, **kwargs
        )
        kinds = sorted(group.is_discrete for group in vae.latents.amortised)
        if kinds != [False, True] or len(vae.latents.groups) != 2:
            raise ValueError(
                "the classes start from one Gaussian group and there is one Categorical group, "
                f"received {vae.latents}."
            )
        _last_dense_layer(vae)
        self.discrete_group = vae.latents.group(self.discrete_names[0])
        self.continuous_group = next(g for g in vae.latents.groups if not g.is_discrete)
        if warmup_steps < 1:
            raise ValueError(f"warmup_steps must be at least 1, received {warmup_steps}.")
        if not warmup_capacity >= 0:
            raise ValueError(f"warmup_capacity must not be negative, received {warmup_capacity}.")
        if mixture_rows < self.discrete_group.size:
            raise ValueError(
                f"mixture_rows must be at least the {self.discrete_group.size} classes, received "
                f"{mixture_rows}."
            )
        self.warmup_steps = int(warmup_steps)
        self.warmup_capacity = float(warmup_capacity)
        self.mixture_rows = int(mixture_rows)
        self.start_rate = self.add_weight(
            shape=(), dtype="float32", initializer="zeros", trainable=False, name="start_rate"
        )
        self._set_up_start(self.warmup_steps, self.mixture_rows, self.continuous_group.size)

    def capacities(self, step):
        """(C_z, C_c) at `step`, nats, scalar tensors."""
        since = tf.cast(step, tf.int64) + 1 - self.start_step.value
        share = schedules.Linear(0.0, 1.0, self.capacity_steps)(since)
        continuous = self.warmup_capacity + share * (
            self.continuous_capacity - self.warmup_capacity
        )
        largest = min(self.discrete_capacity, float(np.log(self.discrete_group.size)))
        discrete = self.start_rate.value + share * (largest - self.start_rate.value)
        return (
            tf.where(self.has_started, continuous, self.warmup_capacity),
            tf.where(self.has_started, discrete, 0.0),
        )

    def train_step(self, data):
        x = self.images(data, training=True)
        self.restart_optimizer(self.optimizer, when=self.step.value == self.start_step.value)
        with tf.GradientTape() as tape:
            posterior = self.vae.posterior(x, training=True)
            terms = self.joint_terms(x, posterior, training=True)
        self.minimize(terms["loss"], tape, self.optimizer, self.vae.trainable_variables)
        self._remember(posterior[self.continuous_group.name].mean())
        self.step.assign_add(1)
        return self.update_metrics(**terms)

    def start_classes(self):
        """Fits the mixture to the recent means and gives its classes to the encoder.

        `fit` calls it; once called, part 3 begins.

        Raises:
          ValueError: if there are fewer means than classes.
          FloatingPointError: if a mean is not finite.
        """
        num_classes = self.discrete_group.size
        means = self._recent(at_least=num_classes)
        responsibilities = _responsibilities(means, num_classes, self.seed)
        weights, biases = _nearest_linear_classifier(means, responsibilities)
        self._set_logits(weights, biases)
        self.start_rate.assign(_rate(means @ weights + biases))
        self.start_step.assign(self.step)

    def _set_logits(self, weights, biases):
        """Makes the encoder's logits `mean @ weights + biases`, which its last layer can say."""
        layer = _last_dense_layer(self.vae)
        columns, start = {}, 0
        for group in self.vae.latents.amortised:
            columns[group.name] = slice(start, start + group.size)
            start += group.parameter_size
        mean, logits = (columns[g.name] for g in (self.continuous_group, self.discrete_group))
        kernel, bias = layer.get_weights()
        kernel[:, logits] = kernel[:, mean] @ weights
        bias[logits] = bias[mean] @ weights + biases
        layer.set_weights([kernel, bias])

    def get_config(self):
        return {
            **super().get_config(),
            "warmup_steps": self.warmup_steps,
            "warmup_capacity": self.warmup_capacity,
            "mixture_rows": self.mixture_rows,
        }


def _last_dense_layer(vae):
    """The linear dense layer that an encoder ends with.

    Raises:
      ValueError: if it ends with something else.
    """
    layer, width = vae.encoder.layers[-1], vae.latents.parameter_size
    if not (
        isinstance(layer, keras.layers.Dense)
        and layer.units == width
        and layer.use_bias
        and layer.activation is keras.activations.linear
        and getattr(vae.encoder, "outputs", [None])[0] is layer.output
    ):
        raise ValueError(
            f"expected an encoder that ends with a linear dense layer of {width} units with "
            f"biases, received one that ends with {layer}."
        )
    return layer


def _responsibilities(points, num_components, seed):
    """p(component | point) [N, K] under the likeliest mixture of some restarts."""
    from sklearn.mixture import GaussianMixture
    from threadpoolctl import threadpool_limits

    mixture = GaussianMixture(
        num_components,
        n_init=_RESTARTS,
        max_iter=500,
        reg_covar=_MIN_VARIANCE,
        random_state=seed,
    )
    # Several threads add in an order of their own, so that equal runs would differ.
    with threadpool_limits(1):
        return mixture.fit(points).predict_proba(points)


def _nearest_linear_classifier(points, responsibilities):
    """(W [D, K], b [K]) that minimise `mean KL(r_i || softmax(x_i W + b)) + ridge/2 |W|^2`."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    num_points, size = points.shape
    num_classes = responsibilities.shape[1]

    def loss(flat):
        weights, biases = np.split(flat.reshape(size + 1, num_classes), [size])
        log_p = log_softmax(points @ weights + biases, axis=1)
        excess = (np.exp(log_p) - responsibilities) / num_points
        value = -(responsibilities * log_p).sum() / num_points + _RIDGE / 2 * (weights**2).sum()
        gradient = np.concatenate(
            [points.T @ excess + _RIDGE * weights, excess.sum(axis=0, keepdims=True)]
        )
        return value, gradient.ravel()

    start = np.zeros((size + 1) * num_classes)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000})
    weights, biases = np.split(best.x.reshape(size + 1, num_classes), [size])
    return weights, biases[0]


def _rate(logits):
    """`log K - mean entropy` of the classes with logits [N, K], nats."""
    from scipy.special import log_softmax

    log_p = log_softmax(logits, axis=1)
    return np.log(logits.shape[1]) + (np.exp(log_p) * log_p).sum(axis=1).mean()
