"""Deep InfoMax (DIM): features that tell from which image each patch is."""

import math

import keras
import tensorflow as tf

from tfdisent import networks, objectives
from tfdisent.trainers.encoder_trainer import EncoderTrainer
from tfdisent.trainers.optimizers import FusedAdam

# Losses of pair scores, joint [B, L] and marginal [B, B - 1, L].
MEASURES = {
    "jsd": lambda joint, marginal: -objectives.jensen_shannon(joint, marginal),
    "dv": lambda joint, marginal: -objectives.donsker_varadhan(joint, marginal),
    "info_nce": objectives.local_info_nce_loss,
}
PRIORS = ("uniform", "gaussian")


@keras.saving.register_keras_serializable("tfdisent")
class DeepInfoMaxTrainer(EncoderTrainer):
    """Raises the information between an image's features and its parts, and shapes the features.

    The encoder gives a local map C(x), [B, M, M, c], and features Y = E(x), [B, D]. Scores
    `S[i, k, l] = psi(Y_i) . phi(C_k)_l` of all pairs of an image and a place l in an image, drawn
    together where i = k and apart where not, give a bound of I(C_l; Y), averaged over the places;
    scores of whole maps give one of I(C; Y). A game with a discriminator D brings the features to a
    prior, as in an adversarial autoencoder:

        L = global_weight L_G + local_weight L_L + prior_weight E -log D(Y)

    for encoder, phi and psi, and `-E log D(v) - E log(1 - D(Y))` with v ~ p(v) for D, with a
    penalty `|grad D|^2 / 2` of both. Both players move at once, on the same features.

    The measures bound information but do not estimate it: "jsd" is twice the Jensen-Shannon
    divergence, and "info_nce" and "dv" take all the places of another image for independent draws.
    Measure I(x; Y) with `estimate_mutual_information`.

    Args:
      encoder: functional Keras model with a layer called "local", such as
        `networks.deep_info_max((32, 32, 3))`.
      global_weight: alpha of the paper. DIM(G) is (1, 0, 1).
      local_weight: beta. DIM(L), the default, is (0, 1, 0.1).
      prior_weight: gamma.
      measure: "jsd", "dv" or "info_nce".
      prior: "uniform", U(0, 1) per feature, met by the sigmoid of Y, or "gaussian", N(0, 1).
      embedding: length of psi(Y) and phi(C)_l.
      discriminator: Keras model, [B, D] -> logit [B]; by default layers of 1000 and 200 ReLU units.
      **kwargs: see `EncoderTrainer`.

    Attributes:
      metric_names: "prior_loss" is E -log D(Y). Losses of weight 0 are not computed and are 0.

    Raises:
      ValueError: if a weight is negative, neither the global nor the local one is positive, a name
        is unknown, or the encoder has no local map.

    Reference:
      Hjelm et al., Learning deep representations by mutual information estimation and maximization,
      2019, arXiv:1808.06670, Eq. 4 to 8. The gradient penalty is from the authors' code.
    """

    metric_names = (
        "loss",
        "global_loss",
        "local_loss",
        "prior_loss",
        "discriminator_loss",
        "discriminator_accuracy",
    )
    optimizer_names = ("optimizer", "discriminator_optimizer")

    def __init__(
        self,
        encoder,
        global_weight=0.0,
        local_weight=1.0,
        prior_weight=0.1,
        measure="jsd",
        prior="uniform",
        embedding=2048,
        discriminator=None,
        **kwargs,
    ):
        super().__init__(encoder, **kwargs)
        weights = {"global": global_weight, "local": local_weight, "prior": prior_weight}
        for name, weight in weights.items():
            if not weight >= 0:
                raise ValueError(f"{name}_weight must not be negative, received {weight}.")
        if not global_weight and not local_weight:
            raise ValueError("global_weight or local_weight must be positive, received zero twice.")
        for name, value, known in (("measure", measure, MEASURES), ("prior", prior, PRIORS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {list(known)}, received {value!r}.")
        self.weights_of_terms = {name: float(weight) for name, weight in weights.items()}
        self.measure, self.prior, self.embedding = measure, prior, embedding
        self.encoder_with_map = networks.with_local_map(encoder)
        map_shape, size = self.encoder_with_map.output_shape[0][1:], self.feature_size
        self.embeddings = {}
        if local_weight:
            self.embeddings["local"] = (
                networks.pair_embedding(map_shape, embedding, "local_map"),
                networks.pair_embedding((size,), embedding, "local_features"),
            )
        if global_weight:
            self.embeddings["global"] = (
                networks.map_embedding(encoder, embedding, "global_map"),
                networks.pair_embedding((size,), embedding, "global_features"),
            )
        self.discriminator = discriminator or networks.prior_discriminator(size)

    def compile(self, optimizer="adam", discriminator_optimizer=None, **kwargs):
        """Configures training; see `keras.Model.compile`.

        Args:
          optimizer: of encoder and embeddings; the authors take Adam(1e-4).
          discriminator_optimizer: by default Adam(1e-4), the authors'.
          **kwargs: see `keras.Model.compile`.
        """
        if discriminator_optimizer is None:
            discriminator_optimizer = FusedAdam(1e-4)
        optimizers = {"optimizer": optimizer, "discriminator_optimizer": discriminator_optimizer}
        self._compile_with(optimizers, kwargs)

    def players(self):
        pairs = [network for pair in self.embeddings.values() for network in pair]
        networks_of_encoder = [self.encoder, *pairs]
        return {
            "optimizer": [v for n in networks_of_encoder for v in n.trainable_variables],
            "discriminator_optimizer": self.discriminator.trainable_variables,
        }

    def train_step(self, data):
        x = self.images(data, training=True)
        players = self.players()
        with tf.GradientTape(persistent=True) as tape:
            terms = self.objective(x, training=True)
            penalised = terms["discriminator_loss"] + terms.pop("penalty")
        # Both gradients are of the same features: what the first update changes, the tape has read.
        self.minimize(terms["loss"], tape, self.optimizer, players["optimizer"])
        self.minimize(
            penalised, tape, self.discriminator_optimizer, players["discriminator_optimizer"]
        )
        del tape
        self.step.assign_add(1)
        return self.update_metrics(tf.shape(x)[0], **terms)

    def test_step(self, data):
        x = self.images(data, training=False)
        return self.update_metrics(tf.shape(x)[0], **self.objective(x, training=False))

    def objective(self, x, training):
        """The terms of one batch of images [B, H, W, C], scalars in nats.

        Returns:
          {name of `metric_names`: scalar; "penalty": of the discriminator}.
        """
        (seed,) = self.seeds(1)
        local_map, features = self.encoder_with_map(x, training=training)
        losses = {"global": 0.0, "local": 0.0}
        for name in self.embeddings:
            scores = self.scores(name, local_map, features, training)
            losses[name] = MEASURES[self.measure](*objectives.split_pairs(scores))

        features, prior = self.shaped(features, seed)
        logits = self.discriminator(features, training=training)
        losses["prior"] = objectives.non_saturating_loss(logits)
        logits_prior, logits, penalty = self._judge(prior, tf.stop_gradient(features), training)
        return {
            "loss": sum(self.weights_of_terms[name] * loss for name, loss in losses.items()),
            **{f"{name}_loss": loss for name, loss in losses.items()},
            **objectives.discriminator_terms(logits_prior, logits),
            "penalty": penalty,
        }

    def scores(self, name, local_map, features, training=False):
        """S, [B, B, L]: features of image i with place l of image k; L = 1 of "global"."""
        embed_map, embed_features = self.embeddings[name]
        places = embed_map(local_map, training=training)
        # The number of places is static, also where that of the images is not.
        shape = [tf.shape(places)[0], math.prod(places.shape[1:-1]), self.embedding]
        places = tf.reshape(tf.cast(places, tf.float32), shape)
        features = tf.cast(embed_features(features, training=training), tf.float32)
        return tf.einsum("iu,klu->ikl", features, places)

    def shaped(self, features, seed):
        """(features as the prior has them, samples of the prior), [B, D] each."""
        features = tf.cast(features, tf.float32)
        if self.prior == "gaussian":
            return features, tf.random.stateless_normal(tf.shape(features), seed)
        return tf.sigmoid(features), tf.random.stateless_uniform(tf.shape(features), seed)

    def _judge(self, prior, features, training):
        """(logits of the prior's samples [B], of features [B], penalty of their gradients)."""
        both = tf.concat([prior, features], axis=0)
        with tf.GradientTape() as tape:
            tape.watch(both)
            logits = self.discriminator(both, training=training)
        gradients = tape.gradient(logits, both)  # [2 B, D], each row of its own logit
        penalty = tf.reduce_mean(tf.reduce_sum(tf.square(gradients), axis=-1))
        return (*tf.split(logits, 2), penalty)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            **{f"{name}_weight": weight for name, weight in self.weights_of_terms.items()},
            "measure": self.measure,
            "prior": self.prior,
            "embedding": self.embedding,
            "discriminator": serialize(self.discriminator),
        }
