"""CascadeVAE: alternating inference of discrete and continuous factors."""

import keras
import tensorflow as tf

from tfdisent import assignment, objectives, schedules
from tfdisent.trainers.cascade_vae_c import CascadeVAECTrainer


@keras.saving.register_keras_serializable("tfdisent")
class CascadeVAETrainer(CascadeVAECTrainer):
    """CascadeVAE-C with a discrete group that is inferred by search, one batch at a time.

    Before the switch-on (stage `switch_on`) the discrete code d is zero. From then on each step

    1. draws the noise of z once, for all classes;
    2. decodes every image with every class, u_ik = -log p(x_i | z_i, e_k);
    3. chooses d as the exact minimiser of `sum_i u_i,k(i) + balance sum_k n_k (n_k - 1) / 2`;
    4. minimises `E -log p(x | z, d) + sum_j w_sj KL(q(z_j | x) || p(z_j)) + l2 / 2 sum ||W||^2` for
       the same noise, d held fixed; there is no KL term for d.

    The weights w_sj are those of CascadeVAE-C, but for the switch-on stage, which opens no new
    dimension: stage s has min(s + 1, m) dimensions open before it and min(s, m) from it on.

    Args:
      vae: `tfdisent.VAE` with Gaussian groups and one `Categorical(K, inference="search")`.
      beta_low: weight of the rate of an open dimension.
      beta_high: weight of the rate of a closed dimension.
      stage_steps: steps from one stage to the next.
      switch_on: the stage from which d is inferred; `ntime` in the authors' code, 4 there.
      balance: nats per pair of images of a batch in the same class; 0.001 in the authors' code.
      l2: weight decay on kernels (not biases).
      fresh_optimizer: whether each change of stage restarts the optimiser, as in the authors' code.
      **kwargs: see `Trainer`.

    Raises:
      ValueError: if the latents have another form, or `stage_steps`, `switch_on` or `balance` is
        out of range.

    Reference:
      Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating
      Disentanglement, 2019, arXiv:1905.09432, sections 3.2 and 4, Algorithm 1.
    """

    metric_names = (*CascadeVAECTrainer.metric_names, "largest_class")
    searches = True

    def __init__(
        self,
        vae,
        beta_low=1.0,
        beta_high=10.0,
        stage_steps=20_000,
        switch_on=4,
        balance=1e-3,
        l2=4e-5,
        fresh_optimizer=True,
        **kwargs,
    ):
        super().__init__(vae, beta_low, beta_high, stage_steps, l2, fresh_optimizer, **kwargs)
        if switch_on < 0:
            raise ValueError(f"switch_on must not be negative, received {switch_on}.")
        if not balance >= 0:
            raise ValueError(f"balance must not be negative, received {balance}.")
        self.switch_on = int(switch_on)
        self.balance = float(balance)

    def _check_latents(self, latents):
        discrete = [group for group in latents.groups if group.is_discrete]
        if discrete != [latents.searched]:
            raise ValueError(
                "CascadeVAE takes Gaussian groups and one Categorical group with "
                f"inference='search', received {latents}."
            )

    def open_dimensions(self, step):
        """Number of open continuous dimensions at `step`, int64 tensor."""
        return schedules.open_dimensions(step, self.stage_steps, self.num_rates, self.switch_on)

    def is_on(self, step):
        """Whether the discrete code is inferred at `step`, boolean tensor."""
        return tf.cast(step, tf.int64) >= self.switch_on * self.stage_steps

    def values_for_search(self, vae, posterior, values):
        """The continuous latents that the search holds fixed: the sample of step 1."""
        return values

    def assign_classes(self, vae, x, values, training):
        """The discrete code of a batch, one-hot [B, K]; zeros before the switch-on.

        In training it is balanced over the batch; at other times every image takes its best class.
        """
        size = vae.latents.searched.size

        def search():
            costs = vae.search_costs(x, values, training=training)  # [B, K] nats
            if training:
                return assignment.balanced_assignment(costs, self.balance)
            return tf.one_hot(tf.argmin(costs, axis=1), size)

        def nothing():
            return tf.zeros([tf.shape(x)[0], size])

        # A constant for the gradient: step 4 of the algorithm holds d fixed.
        return tf.stop_gradient(tf.cond(self.is_on(self.step.value), search, nothing))

    def objective(self, x, training):
        return self.searched_terms(self.vae, x, training)

    def searched_terms(self, vae, x, training):
        """The loss of a batch under `vae` and the terms it is made of, steps 1 to 4."""
        (seed,) = self.seeds(1)
        posterior = vae.posterior(x, training=training)
        searched = vae.latents.searched.name
        values = vae.latents.split(vae.sample(posterior, seed=seed))  # one draw for all classes
        del values[searched]
        held = self.values_for_search(vae, posterior, values)
        d = self.assign_classes(vae, x, held, training)  # [B, K]
        z = vae.join({**values, searched: d})

        distortion = objectives.distortion(vae.likelihood(z, training=training), x)  # [B]
        rates = objectives.rate_per_dimension(posterior, vae.prior())  # [B, m]
        largest = tf.reduce_max(tf.reduce_mean(d, axis=0))
        terms = self.stage_terms(distortion, rates, vae.trainable_variables)
        return {"largest_class": largest, **terms}

    def new_objective(self, step):
        switches_on = tf.logical_and(step > 0, self.is_on(step) != self.is_on(step - 1))
        return tf.logical_or(super().new_objective(step), switches_on)

    def get_config(self):
        return {**super().get_config(), "switch_on": self.switch_on, "balance": self.balance}
