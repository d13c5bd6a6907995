"""JointVAE."""

import keras
import tensorflow as tf

from tfdisent import objectives, schedules
from tfdisent.trainers.base import Trainer


@keras.saving.register_keras_serializable("tfdisent")
class JointVAETrainer(Trainer):
    """Holds the rates of continuous and discrete latents at capacities of their own, which grow.

    `L = E -log p(x | z, c) + gamma |KL_z - C_z(t)| + gamma |KL_c - C_c(t)|`, in nats, with the
    rates averaged over the batch, C(t) growing linearly to its maximum in `capacity_steps` steps,
    and C_c never above the entropy sum log K_i that the categorical variables can hold. The first
    step has t = 1.

    The authors' distortion is the mean over all elements times H W, a third of the sum for RGB
    images: to reproduce their balance with this sum, multiply gamma by the number of channels.

    Args:
      vae: `tfdisent.VAE` with Gaussian and `Categorical` groups, at least one of each.
      gamma: weight of the two penalties.
      continuous_capacity: C_z at the end, nats.
      discrete_capacity: C_c at the end, nats.
      capacity_steps: steps in which the capacities grow from zero.
      **kwargs: see `Trainer`; the temperature of the Gumbel-softmax is 0.67 by default.

    Raises:
      ValueError: if a kind of group is missing, gamma or a capacity is negative, or
        `capacity_steps` is not positive.

    Reference:
      Dupont, Learning Disentangled Joint Continuous and Discrete Representations, 2018,
      arXiv:1804.00104, Eq. 7.
    """

    metric_names = (
        *Trainer.metric_names,
        "continuous_rate",
        "discrete_rate",
        "continuous_capacity",
        "discrete_capacity",
    )

    def __init__(
        self,
        vae,
        gamma=150.0,
        continuous_capacity=40.0,
        discrete_capacity=1.1,
        capacity_steps=300_000,
        **kwargs,
    ):
        super().__init__(vae, **kwargs)
        discrete = [group for group in vae.latents.amortised if group.is_discrete]
        if not discrete or len(discrete) == len(vae.latents.amortised):
            raise ValueError(
                "JointVAE infers Gaussian and Categorical groups, at least one of each, received "
                f"{vae.latents}."
            )
        if capacity_steps < 1:
            raise ValueError(f"capacity_steps must be at least 1, received {capacity_steps}.")
        for name, value in (
            ("gamma", gamma),
            ("continuous_capacity", continuous_capacity),
            ("discrete_capacity", discrete_capacity),
        ):
            if not value >= 0:
                raise ValueError(f"{name} must not be negative, received {value}.")
        self.gamma = float(gamma)
        self.continuous_capacity = float(continuous_capacity)
        self.discrete_capacity = float(discrete_capacity)
        self.capacity_steps = int(capacity_steps)
        self.discrete_names = [group.name for group in discrete]

    def capacities(self, step):
        """(C_z, C_c) at `step`, nats, scalar tensors."""
        latents = self.vae.latents
        entropy = sum(tf.math.log(float(latents.group(n).size)) for n in self.discrete_names)
        grow = [
            schedules.Linear(0.0, maximum, self.capacity_steps)(step + 1)
            for maximum in (self.continuous_capacity, self.discrete_capacity)
        ]
        return grow[0], tf.minimum(grow[1], entropy)

    def objective(self, x, training):
        return self.joint_terms(x, self.vae.posterior(x, training=training), training)

    def joint_terms(self, x, posterior, training):
        """The loss of a batch x [B, H, W, C] whose posterior is known, and its terms."""
        (seed,) = self.seeds(1)
        z = self.sample(posterior, seed)
        distortion = objectives.distortion(self.vae.likelihood(z, training=training), x)  # [B]
        prior = self.vae.prior(training=training)
        by_group = objectives.rate_by_group(posterior, prior, self.vae.latents.split(z))
        continuous, discrete = (
            tf.add_n(
                [
                    tf.reduce_sum(rates, axis=-1)
                    for name, rates in by_group.items()
                    if (name in self.discrete_names) == is_discrete
                ]
            )
            for is_discrete in (False, True)
        )  # [B] each
        continuous_capacity, discrete_capacity = self.capacities(self.step.value)
        penalty = objectives.capacity_penalty(
            continuous, continuous_capacity
        ) + objectives.capacity_penalty(discrete, discrete_capacity)
        return {
            "loss": tf.reduce_mean(distortion) + self.gamma * penalty,
            "continuous_rate": continuous,
            "discrete_rate": discrete,
            "continuous_capacity": continuous_capacity,
            "discrete_capacity": discrete_capacity,
            **self.elbo_metrics(distortion, tf.concat(list(by_group.values()), axis=-1)),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "continuous_capacity": self.continuous_capacity,
            "discrete_capacity": self.discrete_capacity,
            "capacity_steps": self.capacity_steps,
        }
