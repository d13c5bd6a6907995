"""The model: encoder q(z | x), prior p(z), decoder p(x | z). It knows no loss."""

import keras
import tensorflow as tf

from tfdisent import likelihoods, networks
from tfdisent import priors as prior_lib
from tfdisent.latents import Gaussian, Latents, split_seed


@keras.saving.register_keras_serializable("tfdisent")
class VAE(keras.Model):
    """A latent variable model of images, or of the labels of images.

    The networks map tensors to tensors; the methods of this class build the distributions:

    ```python
    vae = VAE.build_for((64, 64, 1), Latents(Gaussian(10)))
    posterior = vae.posterior(x)      # {"continuous": Independent(Normal)}, [B] x [10]
    z = vae.sample(posterior)         # [B, 10], reparameterised
    likelihood = vae.likelihood(z)    # Independent(Bernoulli), [B] x [64, 64, 1]
    codes = vae.encode(x)             # [B, 10], the representation
    ```

    With a likelihood over labels, `likelihoods.Categorical`, the decoder is a classifier of codes,
    p(y | z), and what is said of decoded images below holds of class probabilities [B, classes].

    Args:
      encoder: Keras model, images [B, H, W, C] -> parameters [B, latents.parameter_size].
      decoder: Keras model, codes [B, latents.size] -> [B, H, W, likelihood.output_channels(C)], or
        [B, classes].
      latents: `Latents`, what the columns of z are.
      likelihood: object from `tfdisent.likelihoods`, or its name.
      priors: {name of an amortised Gaussian group: object from `tfdisent.priors`}; the other groups
        keep their own prior, N(0, I) or uniform.

    Raises:
      TypeError: if `latents` is no `Latents`.
      ValueError: if the widths of the networks do not fit `latents` and `likelihood`, a group is
        to be searched by decoding images where the decoder gives labels, or a prior fits no group.
    """

    def __init__(self, encoder, decoder, latents, likelihood="bernoulli", priors=None, **kwargs):
        if not isinstance(latents, Latents):
            raise TypeError(
                f"latents must be Latents(Gaussian(6), ...), received {type(latents).__name__}."
            )
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.latents = latents
        self.likelihood_family = likelihoods.get(likelihood)
        self.priors = dict(priors or {})
        _check_width("encoder output", encoder.output_shape[-1], latents.parameter_size)
        _check_width("decoder input", decoder.input_shape[-1], latents.size)
        channels = self.likelihood_family.output_channels(self.image_shape[-1])
        _check_width("decoder output", decoder.output_shape[-1], channels)
        what = "images" if self.num_classes is None else "labels"
        size = self.image_shape[:-1] if self.num_classes is None else ()
        if decoder.output_shape[1:-1] != size:
            raise ValueError(
                f"decoder output must be of the size of the {what}, {size}, "
                f"received {decoder.output_shape[1:-1]}."
            )
        if latents.searched is not None and self.num_classes is not None:
            raise ValueError(f"a decoder of labels cannot search a group, received {latents}.")
        for name, prior in self.priors.items():
            self._check_prior(name, prior)
        self.built = True

    @classmethod
    def build_for(
        cls,
        image_shape,
        latents,
        architecture=None,
        likelihood="bernoulli",
        priors=None,
        **options,
    ):
        """A VAE with the usual networks.

        Args:
          image_shape: (H, W, C).
          latents: `Latents`.
          architecture: a name in `networks.ARCHITECTURES`: "conv32", "conv64", "conv128",
            "conv256", "mlp", "info_gan", or "deep_vib" for labels; by default the one that fits
            `image_shape` and `likelihood`.
          likelihood: "bernoulli", "gaussian", "one_hot", "categorical" or an object from
            `tfdisent.likelihoods`.
          priors: see `VAE`.
          **options: passed to the networks, such as `hidden=128`.

        Raises:
          ValueError: if the architecture is unknown or cannot have this image shape, or no latent
            group is amortised.
        """
        if not latents.amortised:
            raise ValueError(f"a VAE needs an amortised latent group, received {latents}.")
        likelihood = likelihoods.get(likelihood)
        if architecture is None and _num_classes(likelihood) is not None:
            architecture = "deep_vib"
        encoder, decoder = networks.build(
            architecture,
            tuple(image_shape),
            parameter_size=latents.parameter_size,
            latent_size=latents.size,
            output_channels=likelihood.output_channels(image_shape[-1]),
            **options,
        )
        return cls(encoder, decoder, latents, likelihood, priors)

    def fit(self, *args, **kwargs):
        """A model knows no loss: a trainer fits it.

        Raises:
          TypeError: always.
        """
        raise TypeError("a VAE knows no loss: train it with VAETrainer(vae).fit(...), for example.")

    @property
    def image_shape(self):
        """(H, W, C) of the images."""
        return tuple(self.encoder.input_shape[1:])

    @property
    def num_classes(self):
        """Classes of the labels that the decoder gives, or None where it gives images."""
        return _num_classes(self.likelihood_family)

    def posterior(self, x, training=False):
        """q(z | x) of the amortised groups.

        Args:
          x: images [B, H, W, C] in [0, 1].
          training: whether layers such as dropout behave as in training.

        Returns:
          {group name: distribution with batch shape [B]}.
        """
        return self.latents.posterior(tf.cast(self.encoder(x, training=training), tf.float32))

    def prior(self, training=False):
        """p(z): {group name: distribution over [size]}, every group.

        A learned prior is that of this moment: call it inside the step that trains it.
        """
        learned = {
            name: prior.distribution(lambda x, name=name: self.posterior(x, training)[name])
            for name, prior in self.priors.items()
        }
        return {**self.latents.prior(), **learned}

    def factorised_prior(self):
        """`prior`, each learned group replaced by independent normals of its means and variances.

        What a single dimension is compared with where the prior is no product over dimensions.
        """
        return {name: prior_lib.marginals(p) for name, p in self.prior().items()}

    @property
    def rate_sizes(self):
        """{amortised group: number of its rates}: one per Gaussian dimension, or one in all.

        One in all have categorical groups and those with a learned, joint prior.
        """
        return {
            group.name: 1 if group.is_discrete or group.name in self.priors else group.size
            for group in self.latents.amortised
        }

    def sample(self, distributions, seed=None, temperature=None, hard=False, given=None):
        """Draws z from the groups of a posterior or prior.

        Args:
          distributions: {group name: distribution}, as `posterior` and `prior` return.
          seed: int32 [2] tensor for a stateless draw; None draws anew at each call.
          temperature: of relaxed categorical groups; by default each group's own.
          hard: whether categorical groups are drawn as exact one-hot vectors.
          given: {group name: [B, size]}, values of groups that are not to be drawn.

        Returns:
          z, [B, D]. Groups that are neither in `distributions` nor given: noise comes from its
          prior, and a searched group is zero (no class chosen yet).

        Raises:
          ValueError: if no distribution or value is given, or one of a group that does not exist.
        """
        given = dict(given or {})
        self._check_groups([*distributions, *given])
        drawn = [g for g in self.latents.groups if g.name in distributions and g.name not in given]
        seeds = split_seed(seed, len(drawn) + 1)
        values = dict(given)
        for group, group_seed in zip(drawn, seeds, strict=False):
            values[group.name] = group.sample(
                distributions[group.name], group_seed, temperature, hard
            )
        return self.join(values, seed=seeds[-1])

    def sample_prior(self, count, seed=None):
        """z ~ p(z), [count, D], with exact one-hot classes; see `sample` for `seed`."""
        return self.latents.draw(self.prior(), count, seed)

    def point(self, posterior, given=None):
        """The most probable z, [B, D]: means, one-hot classes, and `resting_noise`."""
        values = {name: self.latents.group(name).point(q) for name, q in posterior.items()}
        values.update(given or {})
        batch = tf.shape(next(iter(values.values())))[0]
        return self.join({**self.resting_noise(batch), **values})

    def resting_noise(self, batch):
        """{noise group: [batch, size]}: one fixed draw from the prior, the same in every row.

        Deterministic methods decode with it: zero, the prior's mean, would be no typical noise, and
        a fresh draw would make `reconstruct` random.
        """
        groups = [group for group in self.latents.groups if group.inference is None]
        draws = {
            group.name: group.sample(group.prior(), seed=[0, i], hard=True, sample_shape=[1])
            for i, group in enumerate(groups)
        }
        return {name: tf.repeat(draw, batch, axis=0) for name, draw in draws.items()}

    def join(self, values, seed=None):
        """{group name: [B, size]} -> z [B, D]; missing noise is drawn, a missing search zero."""
        self._check_groups(values)
        values = dict(values)
        batch = tf.shape(next(iter(values.values())))[0]
        missing = [group for group in self.latents.groups if group.name not in values]
        for group, group_seed in zip(missing, split_seed(seed, len(missing)), strict=True):
            if group.inference == "search":
                values[group.name] = tf.zeros([batch, group.size])
            elif group.inference is None:
                values[group.name] = group.sample(
                    group.prior(), group_seed, hard=True, sample_shape=[batch]
                )
        return self.latents.join(values)

    def _check_groups(self, names):
        if not names or not set(names) <= set(self.latents.names):
            raise ValueError(f"expected groups {list(self.latents.names)}, received {list(names)}.")

    def _check_prior(self, name, prior):
        suitable = {g.name: g.size for g in self.latents.amortised if isinstance(g, Gaussian)}
        if name not in suitable:
            raise ValueError(
                f"a prior can be learned for the groups {list(suitable)}, received {name!r}."
            )
        _check_width(f"prior of {name!r}", self.prior()[name].event_shape[0], suitable[name])

    def likelihood(self, z, training=False):
        """p(x | z) for z [B, D]: distribution with batch shape [B], event shape [H, W, C].

        With labels p(y | z), event shape [].
        """
        return self.likelihood_family(self.decoder(z, training=training))

    def decode(self, z):
        """Mean image, [B, H, W, C], or class probabilities, [B, classes], for z [B, D]."""
        return self.likelihood_family.mean(self.decoder(z, training=False))

    def search_costs(self, x, values, training=False):
        """Distortion of every class of the searched group, with the other groups held fixed.

        The K decodings are one batched decoder pass.

        Args:
          x: images [B, H, W, C].
          values: {group name: [B, size]}, all groups but the searched one; noise may be missing.
          training: see `likelihood`.

        Returns:
          u [B, K], `u[i, k] = -log p(x_i | values_i, class k)`, nats.

        Raises:
          ValueError: if no group is searched.
        """
        group = self.latents.searched
        if group is None:
            raise ValueError(f"no group of {self.latents} has inference='search'.")
        batch = tf.shape(x)[0]
        classes = tf.repeat(tf.eye(group.size), batch, axis=0)  # [K * B, K], class by class
        tiled = {name: tf.tile(value, [group.size, 1]) for name, value in values.items()}
        noise = self.resting_noise(group.size * batch)
        z = self.join({**noise, **tiled, group.name: classes})
        x_tiled = tf.tile(tf.cast(x, tf.float32), [group.size] + [1] * len(self.image_shape))
        costs = -self.likelihood(z, training=training).log_prob(x_tiled)  # [K * B]
        return tf.transpose(tf.reshape(costs, [group.size, batch]))

    def infer(self, x):
        """q(z | x) of every inferred group: `posterior`, completed by the searched group.

        The searched group's posterior is softmax(-u) over its classes, u being the distortions at
        the most probable values of the other groups (Jeong and Song, 2019, arXiv:1905.09432).
        """
        posterior = self.posterior(x)
        group = self.latents.searched
        if group is not None:
            values = {name: self.latents.group(name).point(q) for name, q in posterior.items()}
            posterior = {
                **posterior,
                group.name: group.posterior(-self.search_costs(x, values)),
            }
        return posterior

    def encode(self, x):
        """The representation of images [B, H, W, C]: codes [B, D'].

        Columns are the means of the continuous groups, then the class probabilities of the discrete
        ones (`latents.discrete_columns`). Noise groups are no part of it.
        """
        return self.latents.codes(self.infer(x))

    def reconstruct(self, x):
        """What is decoded from the most probable code, see `decode`."""
        return self.decode(self.point(self.infer(x)))

    def call(self, x, training=False):
        """See `reconstruct`."""
        return self.reconstruct(x)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "encoder": serialize(self.encoder),
            "decoder": serialize(self.decoder),
            "latents": serialize(self.latents),
            "likelihood": serialize(self.likelihood_family),
            "priors": {name: serialize(prior) for name, prior in self.priors.items()},
        }

    @classmethod
    def from_config(cls, config):
        parts = ("encoder", "decoder", "latents", "likelihood")
        restored = {part: keras.saving.deserialize_keras_object(config[part]) for part in parts}
        priors = {
            name: keras.saving.deserialize_keras_object(prior)
            for name, prior in config.get("priors", {}).items()
        }
        return cls(**{**config, **restored, "priors": priors})


def _num_classes(likelihood):
    """Of a likelihood over labels; a user's own likelihood over images need not mention it."""
    return getattr(likelihood, "num_classes", None)


def _check_width(what, received, expected):
    if received != expected:
        raise ValueError(f"{what} must be {expected} wide, received {received}.")
