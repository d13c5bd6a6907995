"""Critics: networks trained on a variational bound of mutual information."""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tfdisent import objectives
from tfdisent.trainers import estimates
from tfdisent.trainers.estimates import Estimate
from tfdisent.trainers.players import Players


class Bound(NamedTuple):
    """What a critic is trained on and what is reported of it.

    Attributes:
      pairs: what a step scores: "apart" pairs (x_i, y_i) and pairs (x_i, y_j) as two groups, "all"
        the square of all pairs, or "together" nothing but (x_i, y_i).
      objective: function (joint, marginal) -> what training raises.
      value: function (joint, marginal) -> the estimate, nats.
      is_capped: whether the number of marginal pairs limits the estimate.
    """

    pairs: str
    objective: Callable
    value: Callable
    is_capped: bool = True


def _mean_joint(joint, marginal):
    return tf.reduce_mean(joint)


_DONSKER_VARADHAN = Bound("apart", objectives.donsker_varadhan, objectives.donsker_varadhan)
BOUNDS = {
    "mine": _DONSKER_VARADHAN,  # but for the gradient, see `train_step`
    "dv": _DONSKER_VARADHAN,
    "nwj": Bound("apart", objectives.nwj, objectives.nwj),
    "jsd": Bound("apart", objectives.jensen_shannon, objectives.jensen_shannon_information),
    "smile": Bound("apart", objectives.jensen_shannon, objectives.smile, is_capped=False),
    "density_ratio": Bound("apart", objectives.jensen_shannon, _mean_joint, is_capped=False),
    # For these two `joint` holds the bound of each example.
    "info_nce": Bound("all", _mean_joint, _mean_joint),
    "barber_agakov": Bound("together", _mean_joint, _mean_joint, is_capped=False),
}


@keras.saving.register_keras_serializable("tfdisent")
class MutualInformationTrainer(Players, keras.Model):
    """Trains a critic T(x, y) to raise a variational bound of I(X; Y), on batches (x, y).

    Pairs drawn apart come from the batch itself: x_i with the y of another example. Examples of a
    batch must be independent, as those of shuffled data are.

    | bound | trained on | reported |
    |---|---|---|
    | "mine" | `objectives.mine_loss` | `donsker_varadhan` |
    | "dv" | `objectives.donsker_varadhan` | the same |
    | "nwj" | `objectives.nwj` | the same |
    | "jsd" | `objectives.jensen_shannon` | `jensen_shannon_information` |
    | "smile" | `objectives.jensen_shannon` | `smile`: no bound |
    | "density_ratio" | `objectives.jensen_shannon`, a classifier | its mean logit: no bound |
    | "info_nce" | `objectives.info_nce` | the same |
    | "barber_agakov" | `objectives.barber_agakov` | the same |

    Args:
      critic: Keras model, (x [B, Dx], y [B, Dy]) -> scores [B]; for "info_nce", and if `negatives`
        is "all", with a method `all_pairs(x, y)` -> [B, B]; for "barber_agakov" its scores are
        log q(y | x), nats. See `networks.JointCritic`, `SeparableCritic`, `ConditionalGaussian`.
      bound: a name of the table.
      negatives: how many y of other examples each x meets in a step, a number below the batch size
        or "all" of them.
      clip: of "smile", see `objectives.smile`.
      average_rate: of "mine", see `objectives.mine_loss`.
      entropy: H(Y) of "barber_agakov", nats.
      seed: see `Players`; these trainers draw nothing.

    Raises:
      ValueError: if the bound is unknown or an argument is out of range; on the first step, if
        `negatives` is not below the batch size.

    Reference:
      Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062,
      Algorithm 1; for the others see `tfdisent.objectives`.
    """

    metric_names = ("loss", "mutual_information")

    def __init__(
        self,
        critic,
        bound="mine",
        negatives=1,
        clip=5.0,
        average_rate=0.01,
        entropy=0.0,
        seed=0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if bound not in BOUNDS:
            raise ValueError(f"bound must be one of {list(BOUNDS)}, received {bound!r}.")
        if negatives != "all" and (not isinstance(negatives, int) or negatives < 1):
            raise ValueError(f"negatives must be 'all' or at least 1, received {negatives!r}.")
        if not clip > 0:
            raise ValueError(f"clip must be positive, received {clip}.")
        if not 0 < average_rate < 1:
            raise ValueError(f"average_rate must be in (0, 1), received {average_rate}.")
        needs_all = negatives == "all" or BOUNDS[bound].pairs == "all"
        if needs_all and not hasattr(critic, "all_pairs"):
            raise ValueError(f"{bound} with all pairs needs a critic with a method all_pairs.")
        self.critic = critic
        self.bound, self.negatives = bound, negatives
        self.clip, self.average_rate = float(clip), float(average_rate)
        self.entropy = float(entropy)
        self._set_up(seed)
        self.log_average = self._add_log_average()

    def players(self):
        return {"optimizer": self.critic.trainable_variables}

    def compile(self, optimizer="adam", **kwargs):
        """Configures training; see `keras.Model.compile`."""
        self._compile_with({"optimizer": optimizer}, kwargs)

    def train_step(self, data):
        x, y = data[:2]
        with tf.GradientTape() as tape:
            joint, marginal = self.scores(x, y, self.negatives, training=True)
            if self.bound == "mine":
                loss, log_average = objectives.mine_loss(
                    joint, marginal, self.log_average.value, self.average_rate
                )
            else:
                loss = -BOUNDS[self.bound].objective(joint, marginal)
        self.minimize(loss, tape, self.optimizer, self.critic.trainable_variables)
        if self.bound == "mine":
            self.log_average.assign(log_average)
        self.step.assign_add(1)
        value = self.value(joint, marginal)
        return self.update_metrics(tf.shape(x)[0], loss=loss, mutual_information=value)

    def test_step(self, data):
        x, y = data[:2]
        joint, marginal = self.scores(x, y)
        loss = -BOUNDS[self.bound].objective(joint, marginal)
        value = self.value(joint, marginal)
        return self.update_metrics(tf.shape(x)[0], loss=loss, mutual_information=value)

    def scores(self, x, y, negatives=1, training=False):
        """(joint [B], marginal [B * negatives] or [B, B - 1]); see `Bound`."""
        pairs = BOUNDS[self.bound].pairs
        if pairs == "together":
            log_likelihood = self.critic((x, y), training=training)
            joint = objectives.barber_agakov(log_likelihood, self.entropy)
            return joint, tf.zeros_like(joint)
        if pairs == "all":
            joint = objectives.info_nce(self.critic.all_pairs(x, y))
            return joint, tf.zeros_like(joint)
        if negatives == "all":
            return objectives.split_pairs(self.critic.all_pairs(x, y))
        if x.shape[0] is not None and negatives >= x.shape[0]:
            raise ValueError(
                f"negatives must be below the batch size {x.shape[0]}, received {negatives}."
            )
        # An array comes in batches of unknown size: those are counted when they are there.
        tf.debugging.assert_greater(
            tf.shape(x)[0], negatives, "negatives must be below the batch size"
        )
        # Rolled, y_i meets every x but its own.
        apart = [tf.roll(y, shift, axis=0) for shift in range(negatives + 1)]
        pair = (tf.tile(x, [negatives + 1, 1]), tf.concat(apart, axis=0))
        scores = self.critic(pair, training=training)
        return tf.split(scores, [tf.shape(x)[0], -1])

    def value(self, joint, marginal):
        """The estimate, nats, of scores."""
        if self.bound == "smile":
            return objectives.smile(joint, marginal, self.clip)
        return BOUNDS[self.bound].value(joint, marginal)

    def estimate(self, batches):
        """The estimate over held-out batches, with its error.

        Every x meets one y drawn apart; for "info_nce" all of its batch, whose size is what caps
        that estimate.

        Args:
          batches: iterable of (x [B, Dx], y [B, Dy]).

        Returns:
          `Estimate`.
        """
        scores = tf.function(self.scores, reduce_retracing=True)
        sizes, joint, marginal = [], [], []
        for x, y in batches:
            together, apart = scores(x, y)
            sizes.append(len(together))
            joint.append(together.numpy())
            marginal.append(apart.numpy())
        joint, marginal = (np.concatenate(s).astype(np.float64) for s in (joint, marginal))
        value, error = estimates.with_error(self.value, joint, marginal)
        bound = BOUNDS[self.bound]
        count = max(sizes) if bound.pairs == "all" else len(joint)
        cap = math.log(count) if bound.is_capped else math.inf
        return Estimate(value, error, len(joint), self.bound, cap, int(self.step.numpy()))

    def call(self, pair):
        """Scores [B] of pairs (x [B, Dx], y [B, Dy])."""
        return self.critic(pair)

    def get_config(self):
        return {
            **super().get_config(),
            "critic": keras.saving.serialize_keras_object(self.critic),
            "bound": self.bound,
            "negatives": self.negatives,
            "clip": self.clip,
            "average_rate": self.average_rate,
            "entropy": self.entropy,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        critic = keras.saving.deserialize_keras_object(config["critic"])
        return cls(**{**config, "critic": critic})
