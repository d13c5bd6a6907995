"""CascadeVAE-C, the continuous CascadeVAE."""

import keras
import tensorflow as tf

from tfdisent import objectives, schedules
from tfdisent.trainers.base import Trainer


@keras.saving.register_keras_serializable("tfdisent")
class CascadeVAECTrainer(Trainer):
    """Opens the latent dimensions one after another: a beta-VAE with a vector of betas.

    Stage s = step // stage_steps has the first min(s + 1, m) dimensions open:
    `L_s = E_x [ E_q -log p(x | z) ] + sum_j w_sj E_x KL(q(z_j | x) || p(z_j)) + l2 / 2 sum
    ||W||^2`, with w_sj = beta_low for open dimensions and beta_high for the others. The information
    of each newly opened dimension cannot be taken from the earlier ones, which presses down every
    summand I(z_1..i-1; z_i) of the total correlation.

    Args:
      vae: `tfdisent.VAE` with Gaussian groups; their dimensions open in the order of the groups.
      beta_low: weight of the rate of an open dimension.
      beta_high: weight of the rate of a closed dimension.
      stage_steps: steps from one opening to the next; the first dimension is open from step 0.
      l2: weight decay on kernels (not biases).
      fresh_optimizer: whether each opening restarts the optimiser, iteration counter included, as
        the authors' code does with one Adam per stage.
      **kwargs: see `Trainer`.

    Raises:
      ValueError: if `stage_steps` is not positive, or a latent group is discrete.

    Reference:
      Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating
      Disentanglement, 2019, arXiv:1905.09432, section 3.2.
    """

    needs_factorised_prior = True
    metric_names = (*Trainer.metric_names, "open_dimensions")

    def __init__(
        self,
        vae,
        beta_low=1.0,
        beta_high=10.0,
        stage_steps=20_000,
        l2=4e-5,
        fresh_optimizer=True,
        **kwargs,
    ):
        super().__init__(vae, **kwargs)
        if stage_steps < 1:
            raise ValueError(f"stage_steps must be at least 1, received {stage_steps}.")
        self._check_latents(vae.latents)
        self.beta_low = float(beta_low)
        self.beta_high = float(beta_high)
        self.stage_steps = int(stage_steps)
        self.l2 = float(l2)
        self.fresh_optimizer = bool(fresh_optimizer)

    def _check_latents(self, latents):
        if any(group.is_discrete for group in latents.groups):
            raise ValueError(f"CascadeVAE-C takes Gaussian groups only, received {latents}.")

    def open_dimensions(self, step):
        """Number of open dimensions at `step`, int64 tensor."""
        return schedules.open_dimensions(step, self.stage_steps, self.num_rates)

    def betas(self, step):
        """The weights w of the rates at `step`, [D]."""
        is_open = self.open_dimensions(step)
        return schedules.cascade_betas(is_open, self.num_rates, self.beta_low, self.beta_high)

    def new_objective(self, step):
        """Whether `step` is the first of a stage with an objective of its own, boolean tensor."""
        return self.open_dimensions(step) > self.open_dimensions(step - 1)

    def objective(self, x, training):
        (seed,) = self.seeds(1)
        distortion, rates, _, _ = self.elbo_terms(x, seed, training)  # [B], [B, D]
        return self.stage_terms(distortion, rates, self.vae.trainable_variables)

    def stage_terms(self, distortion, rates, variables):
        """The loss of the current stage, and its terms.

        Args:
          distortion: [B], nats.
          rates: [B, D], nats.
          variables: whose kernels decay.
        """
        penalty = tf.reduce_sum(self.betas(self.step.value) * rates, axis=-1)
        l2 = objectives.kernel_l2(variables, self.l2)
        return {
            "loss": tf.reduce_mean(distortion + penalty) + l2,
            "open_dimensions": tf.cast(self.open_dimensions(self.step.value), tf.float32),
            **self.elbo_metrics(distortion, rates),
        }

    def train_step(self, data):
        if self.fresh_optimizer:
            self.restart_optimizer(self.optimizer, when=self.new_objective(self.step.value))
        return super().train_step(data)

    def get_config(self):
        return {
            **super().get_config(),
            "beta_low": self.beta_low,
            "beta_high": self.beta_high,
            "stage_steps": self.stage_steps,
            "l2": self.l2,
            "fresh_optimizer": self.fresh_optimizer,
        }
