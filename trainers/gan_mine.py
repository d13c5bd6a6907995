"""GAN+MINE: a generator that keeps the information about its code, and so all of its modes."""

import keras
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.latents import Latents, split_seed
from tfdisent.trainers.feeding import Feeding
from tfdisent.trainers.optimizers import FusedAdam
from tfdisent.trainers.players import Players, restored


@keras.saving.register_keras_serializable("tfdisent")
class GANMINETrainer(Feeding, Players, keras.Model):
    """A generative adversarial network whose images share much information with their codes.

    The generator G maps z = (c, noise) to images. A generator that drops modes maps many codes to
    the same image; a reward for I(G(z); c), estimated by a critic T, counts against that. Each step

    1. updates the discriminator D on `-E log D(x) - E log(1 - D(G(z)))`;
    2. updates T on MINE's loss of pairs (G(z), c), and pairs (G(z), c') with c' of another draw;
    3. updates G on `-E log D(G(z))` with gradient g and `-I_T` with gradient h: by
       `g + min(|g|, |w h|) w h / |w h|`, w being `information_weight`, so that the information
       never outweighs the game;

    each with z drawn anew and an optimiser of its own, and each sees what the one before changed.

    Args:
      generator: Keras model, z [B, latents.size] -> images [B, H, W, C]; points are images of one
        row.
      latents: `Latents`; groups with `inference=None` are noise, the others make up the code c.
      information_weight: w; 0 is the plain network.
      discriminator: Keras model, images -> logit [B]; by default three layers of 400 leaky units.
      critic: Keras model, (images, c [B, Dc]) -> score [B]; by default two layers of 400 ELU units.
      average_rate: weight of a batch in the moving average that corrects the critic's gradient, see
        `objectives.mine_loss`.
      value_range: (0, 1), in which images are checked to lie, or None for any values.
      seed: integer in [0, 2**31). All noise is a function of (seed, step).
      source: see `Trainer`.

    Attributes:
      metric_names: "information" is Donsker-Varadhan's bound I_T on the batch that G was updated
        on, nats.

    Raises:
      ValueError: if the generator does not fit `latents` or gives no images, no group is a code, or
        a number is out of range.

    Reference:
      Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062, sections
      5.1 (Eq. 14 and the adaptive clipping) and 5.2.
    """

    metric_names = ("loss", "discriminator_loss", "discriminator_accuracy", "information")
    optimizer_names = ("optimizer", "discriminator_optimizer", "critic_optimizer")

    def __init__(
        self,
        generator,
        latents,
        information_weight=1.0,
        discriminator=None,
        critic=None,
        average_rate=0.01,
        value_range=(0.0, 1.0),
        seed=0,
        source=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(latents, Latents):
            raise TypeError(
                f"latents must be Latents(Uniform(2), ...), received {type(latents).__name__}."
            )
        if generator.input_shape[-1] != latents.size or len(generator.output_shape) != 4:
            raise ValueError(
                f"expected a generator from z [B, {latents.size}] to images [B, H, W, C], received "
                f"one from {generator.input_shape} to {generator.output_shape}."
            )
        if not latents.inferred:
            raise ValueError(f"expected a group that is a code, received only noise in {latents}.")
        if not information_weight >= 0:
            raise ValueError(
                f"information_weight must not be negative, received {information_weight}."
            )
        if not 0 < average_rate < 1:
            raise ValueError(f"average_rate must be in (0, 1), received {average_rate}.")
        self.generator, self.latents = generator, latents
        self.information_weight, self.average_rate = float(information_weight), float(average_rate)
        self.value_range, self.source = value_range, source
        code_size = sum(group.size for group in latents.inferred)
        self.discriminator = discriminator or networks.image_discriminator(self.image_shape)
        self.critic = critic or networks.image_code_critic(self.image_shape, code_size, hidden=400)
        self._set_up(seed)
        self.log_average = self._add_log_average()

    @property
    def image_shape(self):
        """(H, W, C) of the images."""
        return tuple(self.generator.output_shape[1:])

    def compile(
        self, optimizer="adam", discriminator_optimizer=None, critic_optimizer=None, **kwargs
    ):
        """Configures training; see `keras.Model.compile`.

        Args:
          optimizer: of the generator.
          discriminator_optimizer: by default Adam(1e-4, 0.5).
          critic_optimizer: by default Adam(1e-4, 0.5).
          **kwargs: see `keras.Model.compile`.
        """
        judges = {
            "discriminator_optimizer": discriminator_optimizer,
            "critic_optimizer": critic_optimizer,
        }
        judges = {
            name: FusedAdam(1e-4, beta_1=0.5) if given is None else given
            for name, given in judges.items()
        }
        self._compile_with({"optimizer": optimizer, **judges}, kwargs)

    def players(self):
        return {
            "optimizer": self.generator.trainable_variables,
            "discriminator_optimizer": self.discriminator.trainable_variables,
            "critic_optimizer": self.critic.trainable_variables,
        }

    def train_step(self, data):
        x = self.images(data, training=True)
        batch = tf.shape(x)[0]
        seeds = self.seeds(3)
        players = self.players()

        generated, _, _ = self.generate(batch, seeds[0])  # a value: outside of the tape
        with tf.GradientTape() as tape:
            logits_real, logits = self._discriminate(x, generated)
            terms = objectives.discriminator_terms(logits_real, logits)
        self.minimize(
            terms["discriminator_loss"],
            tape,
            self.discriminator_optimizer,
            players["discriminator_optimizer"],
        )

        generated, code, code_apart = self.generate(batch, seeds[1])
        with tf.GradientTape() as tape:
            joint, marginal = self._scores(generated, code, code_apart)
            critic_loss, log_average = objectives.mine_loss(
                joint, marginal, self.log_average.value, self.average_rate
            )
        self.minimize(critic_loss, tape, self.critic_optimizer, players["critic_optimizer"])
        self.log_average.assign(log_average)

        with tf.GradientTape(persistent=True) as tape:
            generated, code, code_apart = self.generate(batch, seeds[2])
            loss = objectives.non_saturating_loss(self.discriminator(generated, training=True))
            information = objectives.donsker_varadhan(*self._scores(generated, code, code_apart))
            reward = -self.information_weight * information
        of_game = self.gradients(loss, tape, self.optimizer, players["optimizer"])
        of_information = self.gradients(reward, tape, self.optimizer, players["optimizer"])
        del tape
        of_information = objectives.clip_to_norm_of(of_information, of_game)
        both = [g + h for g, h in zip(of_game, of_information, strict=True)]
        self.optimizer.apply(both, players["optimizer"])
        self.step.assign_add(1)
        return self.update_metrics(loss=loss, information=information, **terms)

    def test_step(self, data):
        x = self.images(data, training=False)
        (seed,) = self.seeds(1)
        generated, code, code_apart = self.generate(tf.shape(x)[0], seed, training=False)
        logits_real, logits = self._discriminate(x, generated, training=False)
        scores = self._scores(generated, code, code_apart, training=False)
        return self.update_metrics(
            loss=objectives.non_saturating_loss(logits),
            information=objectives.donsker_varadhan(*scores),
            **objectives.discriminator_terms(logits_real, logits),
        )

    def generate(self, count, seed=None, training=True):
        """Images [count, H, W, C], their codes [count, Dc], and codes of an independent draw."""
        seed, seed_apart = split_seed(seed, 2)
        prior = self.latents.prior()
        z, apart = (self.latents.draw(prior, count, s) for s in (seed, seed_apart))
        return self.generator(z, training=training), self._code(z), self._code(apart)

    def call(self, z, training=False):
        """Images of z [B, D]."""
        return self.generator(z, training=training)

    def _code(self, z):
        values = self.latents.split(z)
        return tf.concat([values[group.name] for group in self.latents.inferred], axis=-1)

    def _discriminate(self, x, generated, training=True):
        """Logits of both batches from one pass, which is faster than two."""
        both = tf.concat([x, generated], axis=0)
        return tf.split(self.discriminator(both, training=training), 2)

    def _scores(self, generated, code, code_apart, training=True):
        """The critic's scores of (G(z), c) and of (G(z), c'), [B] each."""
        pairs = [tf.concat([generated] * 2, axis=0), tf.concat([code, code_apart], axis=0)]
        return tf.split(self.critic(pairs, training=training), 2)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        parts = ("generator", "latents", "discriminator", "critic")
        return {
            **super().get_config(),
            **{part: serialize(getattr(self, part)) for part in parts},
            "information_weight": self.information_weight,
            "average_rate": self.average_rate,
            "value_range": self.value_range,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{name: restored(value) for name, value in config.items()})
