"""Critics: networks that score pairs of vectors, with as little as possible for all pairs."""

import math

import keras
from keras import layers, ops


class _Critic(keras.Model):
    """What the critics share: they are built at construction and saved with their sizes."""

    def __init__(self, x_size, y_size, hidden, depth, activation, **kwargs):
        # The networks inside cast what they need; a density needs its y as it is.
        super().__init__(autocast=False, **kwargs)
        for name, size in (("x_size", x_size), ("y_size", y_size), ("hidden", hidden)):
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} must be a positive integer, received {size!r}.")
        self.x_size, self.y_size = x_size, y_size
        self.hidden, self.depth, self.activation = hidden, depth, activation
        self.built = True

    def _network(self, input_size, output_size, name):
        x = inputs = keras.Input((input_size,), name="inputs")
        for _ in range(self.depth):
            x = layers.Dense(self.hidden, activation=self.activation)(x)
        x = layers.Dense(output_size, dtype="float32", name="outputs")(x)
        return keras.Model(inputs, x, name=name)

    def get_config(self):
        return {
            **super().get_config(),
            "x_size": self.x_size,
            "y_size": self.y_size,
            "hidden": self.hidden,
            "depth": self.depth,
            "activation": self.activation,
        }


@keras.saving.register_keras_serializable("tfdisent")
class JointCritic(_Critic):
    """T(x, y), one network of x and y side by side: (x [B, Dx], y [B, Dy]) -> scores [B].

    It can learn any interaction, but all pairs of a batch cost B^2 passes. Of units, "silu" takes
    fewer steps where the log density ratio is smooth, as for Gaussians in many dimensions, "relu"
    where it is sharp, as for little noise.

    Args:
      x_size: Dx.
      y_size: Dy.
      hidden: units of each hidden layer.
      depth: number of hidden layers.
      activation: of the hidden layers.
      **kwargs: see `keras.Model`.

    Reference:
      Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062. Poole et
      al., On Variational Bounds of Mutual Information, 2019, arXiv:1905.06922, "joint critic".
    """

    def __init__(self, x_size, y_size, hidden=256, depth=2, activation="relu", **kwargs):
        super().__init__(x_size, y_size, hidden, depth, activation, **kwargs)
        self.network = self._network(x_size + y_size, 1, "scores")

    def call(self, pair):
        """Scores [B] of the pairs (x_i, y_i)."""
        pair = [ops.cast(values, self.compute_dtype) for values in pair]
        return ops.squeeze(self.network(ops.concatenate(pair, axis=-1)), axis=-1)

    def all_pairs(self, x, y):
        """Scores [B, B], [i, j] = T(x_i, y_j)."""
        rows, columns = ops.shape(x)[0], ops.shape(y)[0]
        pair = (ops.repeat(x, columns, axis=0), ops.tile(y, (rows, 1)))
        return ops.reshape(self(pair), (rows, columns))


@keras.saving.register_keras_serializable("tfdisent")
class SeparableCritic(_Critic):
    """T(x, y) = g(x) . h(y), two networks: (x [B, Dx], y [B, Dy]) -> scores [B].

    All pairs of a batch cost B passes and one product of matrices, which makes it the critic for
    `info_nce` and for many marginal pairs a step.

    Args:
      x_size: Dx.
      y_size: Dy.
      hidden: units of each hidden layer.
      depth: number of hidden layers of either network.
      embedding: length of g(x) and h(y).
      activation: of the hidden layers.
      **kwargs: see `keras.Model`.

    Reference:
      Poole et al., On Variational Bounds of Mutual Information, 2019, arXiv:1905.06922, "separable
      critic".
    """

    def __init__(
        self, x_size, y_size, hidden=256, depth=2, embedding=32, activation="relu", **kwargs
    ):
        super().__init__(x_size, y_size, hidden, depth, activation, **kwargs)
        self.embedding = embedding
        self.embed_x = self._network(x_size, embedding, "embed_x")
        self.embed_y = self._network(y_size, embedding, "embed_y")

    def call(self, pair):
        """Scores [B] of the pairs (x_i, y_i)."""
        x, y = pair
        return ops.sum(self.embed_x(x) * self.embed_y(y), axis=-1)

    def all_pairs(self, x, y):
        """Scores [B, B], [i, j] = T(x_i, y_j)."""
        return ops.matmul(self.embed_x(x), ops.transpose(self.embed_y(y)))

    def get_config(self):
        return {**super().get_config(), "embedding": self.embedding}


@keras.saving.register_keras_serializable("tfdisent")
class ConditionalGaussian(_Critic):
    """log q(y | x) of a Gaussian with diagonal covariance: (x [B, Dx], y [B, Dy]) -> nats [B].

    Mean and logarithm of the standard deviation are a network of x.

    Args:
      x_size: Dx.
      y_size: Dy.
      hidden: units of each hidden layer.
      depth: number of hidden layers.
      activation: of the hidden layers.
      **kwargs: see `keras.Model`.

    Reference:
      Barber and Agakov, The IM Algorithm: A Variational Approach to Information Maximization, 2003.
    """

    def __init__(self, x_size, y_size, hidden=256, depth=2, activation="relu", **kwargs):
        super().__init__(x_size, y_size, hidden, depth, activation, **kwargs)
        self.network = self._network(x_size, 2 * y_size, "parameters")

    def call(self, pair):
        """log q(y_i | x_i) [B], nats."""
        x, y = pair
        mean, log_std = ops.split(self.network(x), 2, axis=-1)
        squares = ops.square((ops.cast(y, mean.dtype) - mean) * ops.exp(-log_std))
        return -ops.sum(0.5 * squares + log_std + 0.5 * math.log(2 * math.pi), axis=-1)
