"""MINE-IB: the information bottleneck with a neural estimate of I(X; Z)."""

import keras
import tensorflow as tf

from tfdisent import networks, objectives, schedules
from tfdisent.objectives import bounds, elbo
from tfdisent.trainers.base import Trainer
from tfdisent.trainers.optimizers import FusedAdam


@keras.saving.register_keras_serializable("tfdisent")
class MINEIBTrainer(Trainer):
    """Learns a code that tells the label, its information about the image estimated by a critic.

    `min over encoder and decoder, max over T, of E -log p(y | z) + beta I_T(X; Z)`, with
    Donsker-Varadhan's `I_T = E_joint T - log E_marginal exp T`, in nats. Two players: the critic T
    always raises I_T, towards I(X; Z); encoder and decoder lower it, through z, with T held fixed.
    (Both on one loss with one sign would have the encoder raise I(X; Z), too.) Unlike the rate of
    Deep VIB the estimate needs no prior; but it is no upper bound, and a batch of B images shows no
    more than about log B nats.

    Two things keep the encoder from winning against a critic that lags behind, and both are exact
    at the maximum over T: T is shown codes standardised over the batch, and an I_T below zero is
    not rewarded.

    Args:
      vae: `tfdisent.VAE` with a likelihood over labels, `likelihoods.Categorical`.
      beta: number or schedule.
      critic: Keras model, (x [B, H, W, C], z [B, D]) -> score [B]; by default
        `networks.image_code_critic`.
      critic_noise: standard deviation of Gaussian noise that training adds to the images and codes
        that the critic sees, lest it learn the pairs of the training set by heart. What noisy pairs
        share is less than I(X; Z), so that the bound stays one.
      average_rate: weight of a batch in the moving average that corrects the critic's gradient, see
        `objectives.bounds.mine_loss`.
      **kwargs: see `Trainer`.

    Attributes:
      metric_names: "information" is I_T on the batch that T has just seen, "rate" the KL divergence
        from N(0, I), which nothing trains but which bounds I(X; Z) from above.

    Raises:
      ValueError: if the model's decoder gives no labels or its prior is to be learned, or another
        argument is out of range.

    Reference:
      Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section
      5.3 and Algorithm 1.
    """

    metric_names = ("loss", "distortion", "rate", "information", "accuracy")
    optimizer_names = ("optimizer", "critic_optimizer")
    takes_labels = True
    trains_prior = False

    def __init__(self, vae, beta=1e-3, critic=None, critic_noise=0.3, average_rate=0.01, **kwargs):
        super().__init__(vae, **kwargs)
        if not 0 < average_rate < 1:
            raise ValueError(f"average_rate must be in (0, 1), received {average_rate}.")
        if not critic_noise >= 0:
            raise ValueError(f"critic_noise must not be negative, received {critic_noise}.")
        self.beta = schedules.get(beta)
        self.critic_noise = float(critic_noise)
        self.average_rate = float(average_rate)
        self.critic = critic or networks.image_code_critic(vae.image_shape, vae.latents.size)
        self.log_average = self._add_log_average()

    def compile(self, optimizer="adam", critic_optimizer=None, **kwargs):
        """Configures training; see `Trainer.compile`.

        Args:
          optimizer: of the VAE.
          critic_optimizer: by default Adam(1e-3).
          **kwargs: see `Trainer.compile`.
        """
        critic_optimizer = FusedAdam(1e-3) if critic_optimizer is None else critic_optimizer
        optimizers = {"optimizer": optimizer, "critic_optimizer": critic_optimizer}
        self._compile_with(optimizers, kwargs)

    def players(self):
        return {
            "optimizer": self.vae.trainable_variables,
            "critic_optimizer": self.critic.trainable_variables,
        }

    def train_step(self, data):
        x, y = self.images(data, training=True), self.labels(data)
        seed_critic, seed = self.seeds(2)

        z = self._code(x, seed_critic, training=True)[0]  # a value: outside of the critic's tape
        with tf.GradientTape() as tape:
            joint, marginal = self._scores(x, z, seed_critic, training=True)
            critic_loss, log_average = bounds.mine_loss(
                joint, marginal, self.log_average.value, self.average_rate
            )
        self.minimize(critic_loss, tape, self.critic_optimizer, self.critic.trainable_variables)
        self.log_average.assign(log_average)

        with tf.GradientTape() as tape:
            terms = self._terms(x, y, seed, training=True)
        self.minimize(terms["loss"], tape, self.optimizer, self.vae.trainable_variables)
        self.step.assign_add(1)
        return self.update_metrics(**terms)

    def objective(self, x, y, training):
        """See base class; what encoder and decoder minimise. Labels y: int32 [B]."""
        return self._terms(x, y, self.seeds(1)[0], training)

    def _terms(self, x, y, seed, training):
        z, posterior = self._code(x, seed, training)
        likelihood = self.vae.likelihood(z, training=training)  # p(y | z)
        distortion = elbo.distortion(likelihood, y)  # [B], the cross-entropy
        information = bounds.donsker_varadhan(*self._scores(x, z, seed, training))
        rates = elbo.rate_per_dimension(posterior, self.vae.prior())  # [B, D]
        beta = self.beta(self.step.value)
        return {
            # T = 0 shows that the maximum over T is never negative: an estimate below zero is the
            # critic's lag, and lowering it further would pay without end.
            "loss": tf.reduce_mean(distortion) + beta * tf.nn.relu(information),
            "distortion": distortion,
            "rate": tf.reduce_sum(rates, axis=-1),
            "information": information,
            "accuracy": tf.cast(likelihood.mode() == y, tf.float32),
            "rate_per_dimension": rates,
        }

    def _code(self, x, seed, training):
        """(z [B, D], the posterior that it is drawn from)."""
        posterior = self.vae.posterior(x, training=training)
        return self.sample(posterior, seed), posterior

    def _scores(self, x, z, seed, training):
        """The critic's scores of (x_i, z_i) and of (x_i, z_j), j a permutation, [B] each."""
        seed = tf.random.fold_in(seed, 1, alg="philox")  # `seed` itself drew z
        seed, seed_x, seed_z = tf.unstack(tf.random.split(seed, 3, alg="philox"))
        # Information is that of any invertible map of z. Standardised, the code cannot outrun the
        # critic by growing.
        mean, variance = tf.nn.moments(z, axes=[0])
        z = (z - mean) * tf.math.rsqrt(variance + 1e-6)
        z_apart = objectives.permute_dims(z, [self.vae.latents.size], seed)
        pairs = [tf.concat([x, x], axis=0), tf.concat([z, z_apart], axis=0)]  # [2 B, ...]
        if training and self.critic_noise:
            pairs = [
                values
                + self.critic_noise * tf.random.stateless_normal(tf.shape(values), noise_seed)
                for values, noise_seed in zip(pairs, (seed_x, seed_z), strict=True)
            ]
        return tf.split(self.critic(pairs, training=training), 2)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "beta": serialize(self.beta),
            "critic": serialize(self.critic),
            "critic_noise": self.critic_noise,
            "average_rate": self.average_rate,
        }
