"""Latent groups: what the columns of the code `z` are, and the distributions over them.

A `Latents` object lists groups. Each group owns some columns of one flat tensor `z` of shape [B,
D], in the order of the list, and knows its prior, how parameters [B, P] from an encoder become a
posterior, and how to draw a sample. Decoder, discriminator, traversal and export need only the flat
`z`;
`Latents.split` recovers the groups.
"""

import keras
import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

INFERENCE = ("amortised", "search", None)
_TEMPERATURE = 0.67


class Group:
    """One group of latent dimensions.

    Args:
      size: number of columns of `z`, at least 1.
      name: key of the group in the dictionaries of distributions.
      inference: how q(z | x) of the group is found: "amortised" (by the encoder), "search" (by
        trying every value through the decoder; categorical groups only, CascadeVAE) or None (not
        inferred: noise that only the decoder sees, InfoGAN).

    Raises:
      ValueError: if `size` is not a positive integer or `inference` is unknown.
    """

    def __init__(self, size, name, inference="amortised"):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(
                f"size of group {name!r} must be a positive integer, received {size!r}."
            )
        if inference not in INFERENCE:
            raise ValueError(
                f"inference of group {name!r} must be one of {INFERENCE}, received {inference!r}."
            )
        self.size = size
        self.name = name
        self.inference = inference

    def get_config(self):
        return {"size": self.size, "name": self.name, "inference": self.inference}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        inference = "" if self.inference == "amortised" else f", inference={self.inference!r}"
        return f"{type(self).__name__}({self.size}, name={self.name!r}{inference})"


class _Continuous(Group):
    """A group of real dimensions with the prior N(0, 1)."""

    is_discrete = False

    def prior(self):
        return tfd.Independent(
            tfd.Normal(tf.zeros(self.size), tf.ones(self.size)), reinterpreted_batch_ndims=1
        )

    def sample(self, distribution, seed=None, temperature=None, hard=False, sample_shape=()):
        """A reparameterised sample, [..., size]. `temperature` and `hard` do not apply."""
        return distribution.sample(sample_shape, seed=seed)

    def codes(self, distribution):
        """The representation of an example: the mean."""
        return distribution.mean()

    def point(self, distribution):
        """The most probable value, which the decoder gets when nothing is to be random."""
        return distribution.mean()


class _NormalPosterior(_Continuous):
    """A group of real dimensions whose posterior is normal, of means and softplus deviations."""

    def __init__(self, size, name="continuous", inference="amortised"):
        if inference == "search":
            raise ValueError(
                f"only a Categorical group can be searched, received {type(self).__name__} "
                f"{name!r}."
            )
        super().__init__(size, name, inference)

    @property
    def parameter_size(self):
        return 2 * self.size if self.inference == "amortised" else 0

    def posterior(self, parameters):
        loc, raw_scale = tf.split(parameters, 2, axis=-1)
        # The floor keeps log(scale) finite where the softplus underflows.
        scale = tf.nn.softplus(raw_scale) + 1e-8
        return tfd.Independent(tfd.Normal(loc, scale), reinterpreted_batch_ndims=1)


# `tfdisent.likelihoods` has a Gaussian of its own: each needs a package name of its own.
@keras.saving.register_keras_serializable("tfdisent.latents")
class Gaussian(_NormalPosterior):
    """`size` independent Gaussian dimensions with prior N(0, 1).

    The encoder supplies `2 * size` numbers: the means and, through a softplus, the standard
    deviations.
    """


@keras.saving.register_keras_serializable("tfdisent.latents")
class Uniform(_NormalPosterior):
    """`size` independent dimensions with the prior U(-1, 1), InfoGAN's codes and noise.

    The encoder supplies `2 * size` numbers: the means and, through a softplus, the standard
    deviations of a normal posterior. That reaches beyond the prior, so its rate is infinite, and
    only methods without a rate take such a group.

    Reference:
      Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing
      Generative Adversarial Nets, 2016, arXiv:1606.03657, appendix C.
    """

    def prior(self):
        return tfd.Independent(
            tfd.Uniform(-tf.ones(self.size), tf.ones(self.size)), reinterpreted_batch_ndims=1
        )


@tfd.RegisterKL(tfd.Normal, tfd.Uniform)
def _kl_normal_uniform(q, p, name=None):
    """A normal has mass where the uniform distribution has none."""
    return tf.fill(tf.shape(q.loc + p.low), float("inf"))


class _PointMass(tfd.Deterministic):
    """All probability at `loc`. As `loc` is learned, samples carry their gradient to it."""


@tfd.RegisterKL(_PointMass, tfd.Normal)
def _kl_point_mass_normal(q, p, name=None):
    """A point mass has no density: infinity, which every rule about small KLs reads rightly."""
    return tf.fill(tf.shape(q.loc), float("inf"))


@keras.saving.register_keras_serializable("tfdisent.latents")
class Point(_Continuous):
    """`size` deterministic dimensions: the code of an autoencoder.

    The encoder supplies the code itself. Its posterior is a point mass, so it has a standard
    deviation of zero and an infinite rate, and only methods without a rate take it. The prior,
    N(0, 1), is what some of them match the codes to (`InfoVAETrainer`), and where `sample_prior`
    draws; a plain autoencoder does nothing to make it the codes' distribution.
    """

    def __init__(self, size, name="continuous", inference="amortised"):
        if inference != "amortised":
            raise ValueError(
                f"a Point group is what the encoder gives, received {name!r} with "
                f"inference={inference!r}."
            )
        super().__init__(size, name, inference)

    @property
    def parameter_size(self):
        return self.size

    def posterior(self, parameters):
        return tfd.Independent(_PointMass(parameters), reinterpreted_batch_ndims=1)


@keras.saving.register_keras_serializable("tfdisent.latents")
class Categorical(Group):
    """One categorical variable with `size` classes, one-hot in `z`, with a uniform prior.

    The encoder supplies `size` logits. Samples are relaxed to the simplex (Gumbel-softmax), so that
    they carry a gradient, unless `hard=True` asks for one-hot vectors. With `inference="search"`
    the encoder supplies nothing.

    Args:
      size: number of classes.
      name: see `Group`.
      inference: see `Group`.
      temperature: of the relaxation, where the caller of `sample` gives none.

    References:
      Jang, Gu, Poole, Categorical Reparameterization with Gumbel-Softmax, 2017, arXiv:1611.01144,
      Eq. 2. Maddison, Mnih, Teh, The Concrete Distribution, 2017, arXiv:1611.00712, Eq. 10.
    """

    is_discrete = True

    def __init__(self, size, name="discrete", inference="amortised", temperature=_TEMPERATURE):
        super().__init__(size, name, inference)
        if not temperature > 0:
            raise ValueError(f"temperature must be positive, received {temperature}.")
        self.temperature = temperature

    @property
    def parameter_size(self):
        return self.size if self.inference == "amortised" else 0

    def posterior(self, parameters):
        return tfd.OneHotCategorical(logits=parameters, dtype=tf.float32)

    def prior(self):
        return tfd.OneHotCategorical(logits=tf.zeros(self.size), dtype=tf.float32)

    def sample(self, distribution, seed=None, temperature=None, hard=False, sample_shape=()):
        """A sample, [..., size]: one-hot if `hard`, else on the simplex at the temperature."""
        if hard:
            return distribution.sample(sample_shape, seed=seed)
        relaxed = tfd.RelaxedOneHotCategorical(
            self.temperature if temperature is None else temperature,
            logits=distribution.logits_parameter(),
        )
        return relaxed.sample(sample_shape, seed=seed)

    def codes(self, distribution):
        """The representation of an example: the class probabilities."""
        return distribution.probs_parameter()

    def point(self, distribution):
        """The most probable class, one-hot."""
        return tf.one_hot(tf.argmax(distribution.logits_parameter(), axis=-1), self.size)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}

    def __repr__(self):
        text = super().__repr__()
        return (
            text
            if self.temperature == _TEMPERATURE
            else f"{text[:-1]}, temperature={self.temperature})"
        )


@keras.saving.register_keras_serializable("tfdisent.latents")
class Latents:
    """The latent variables of a model: an ordered list of groups.

    ```python
    latents = Latents(Gaussian(6), Categorical(3))
    latents.size              # 9, the width D of z
    latents.sizes             # (6, 3)
    latents.split(z)          # {"continuous": [B, 6], "discrete": [B, 3]}
    ```

    Args:
      *groups: `Gaussian`, `Uniform`, `Point` and `Categorical` groups with distinct names, at most
        one with `inference="search"`.

    Raises:
      ValueError: if there is no group, two share a name, or more than one is searched.
    """

    def __init__(self, *groups):
        for group in groups:
            if not isinstance(group, Group):
                raise TypeError(
                    f"expected latent groups such as Gaussian(6), received {type(group).__name__}."
                )
        names = [group.name for group in groups]
        if not groups:
            raise ValueError("expected at least one latent group, received none.")
        if len(set(names)) != len(names):
            raise ValueError(f"latent groups need distinct names, received {names}.")
        searched = [group.name for group in groups if group.inference == "search"]
        if len(searched) > 1:
            raise ValueError(f"at most one group can be searched, received {searched}.")
        self.groups = tuple(groups)

    @property
    def names(self):
        return tuple(group.name for group in self.groups)

    @property
    def sizes(self):
        return tuple(group.size for group in self.groups)

    @property
    def size(self):
        """Width D of the flat code `z`."""
        return sum(self.sizes)

    @property
    def parameter_size(self):
        """Width P of the encoder's output."""
        return sum(group.parameter_size for group in self.groups)

    @property
    def amortised(self):
        """The groups that the encoder infers."""
        return tuple(group for group in self.groups if group.inference == "amortised")

    @property
    def inferred(self):
        """The groups that make up the representation: all but noise."""
        return tuple(group for group in self.groups if group.inference is not None)

    @property
    def searched(self):
        """The group found by search, or None."""
        return next((group for group in self.groups if group.inference == "search"), None)

    @property
    def permutation_blocks(self):
        """Sizes of the blocks that `permute_dims` moves: columns, but a one-hot group as one."""
        blocks = []
        for group in self.groups:
            blocks += [group.size] if group.is_discrete else [1] * group.size
        return tuple(blocks)

    def group(self, name):
        """The group called `name`.

        Raises:
          KeyError: if there is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise KeyError(f"no latent group {name!r}; there are {list(self.names)}.")

    def split(self, z):
        """[..., D] -> {group name: [..., size]}."""
        return dict(zip(self.names, tf.split(z, self.sizes, axis=-1), strict=True))

    def join(self, values):
        """{group name: [..., size]} -> [..., D], in the order of the groups.

        Raises:
          ValueError: if a group is missing or unknown.
        """
        if set(values) != set(self.names):
            raise ValueError(f"expected groups {list(self.names)}, received {list(values)}.")
        return tf.concat([values[name] for name in self.names], axis=-1)

    def posterior(self, parameters):
        """Encoder output [B, P] -> {amortised group name: distribution, batch shape [B]}."""
        parts = tf.split(parameters, [group.parameter_size for group in self.amortised], axis=-1)
        return {
            group.name: group.posterior(part)
            for group, part in zip(self.amortised, parts, strict=True)
        }

    def prior(self):
        """{name: distribution over [size], batch shape []}, every group."""
        return {group.name: group.prior() for group in self.groups}

    def draw(self, prior, count, seed=None):
        """z, [count, D], with exact one-hot classes.

        Args:
          prior: {name: distribution over [size]}, every group, as `prior` returns.
          count: number of draws.
          seed: int32 [2] tensor for a stateless draw; None draws anew at each call.
        """
        seeds = split_seed(seed, len(self.groups))
        return self.join(
            {
                group.name: group.sample(prior[group.name], s, hard=True, sample_shape=[count])
                for group, s in zip(self.groups, seeds, strict=True)
            }
        )

    @property
    def coded(self):
        """The inferred groups in the order of `codes`: continuous first, then discrete."""
        return tuple(sorted(self.inferred, key=lambda group: group.is_discrete))

    def codes(self, posterior):
        """{name: q(group | x)}, all inferred groups -> [B, D']: means, then class probabilities."""
        return tf.concat([group.codes(posterior[group.name]) for group in self.coded], axis=-1)

    @property
    def discrete_columns(self):
        """Columns of `codes` of each discrete group: a tuple of tuples."""
        columns, start = [], 0
        for group in self.coded:
            if group.is_discrete:
                columns.append(tuple(range(start, start + group.size)))
            start += group.size
        return tuple(columns)

    def get_config(self):
        return {"groups": [keras.saving.serialize_keras_object(group) for group in self.groups]}

    @classmethod
    def from_config(cls, config):
        return cls(*[keras.saving.deserialize_keras_object(group) for group in config["groups"]])

    def __eq__(self, other):
        return isinstance(other, Latents) and repr(self) == repr(other)

    def __hash__(self):
        return hash(repr(self))

    def __repr__(self):
        return f"Latents({', '.join(map(repr, self.groups))})"


def split_seed(seed, count):
    """`count` independent seeds from one, or as many None."""
    if seed is None:
        return [None] * count
    return tf.unstack(tf.random.split(tf.cast(seed, tf.int32), max(count, 1), alg="philox"))[:count]
