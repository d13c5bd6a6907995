"""The density of the aggregated posterior q(z) = mean_n q(z | x_n), over all rows, in blocks."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from tfdisent.evaluation.encode import discrete_groups

# Log-densities evaluated at a time: small enough for the caches of a CPU.
_BLOCK_SAMPLES, _BLOCK_ROWS = 256, 2048
_FAR = 1e30  # a log-density below which exp is exactly zero, but whose negative is still a number


@dataclasses.dataclass(frozen=True)
class Posteriors:
    """Factorised posteriors q(z | x_n) of N rows.

    Attributes:
      mean: float32 [N, D] of the Gaussian dimensions; D may be 0.
      std: float32 [N, D], positive.
      probabilities: tuple of float64 [N, K_g], one per categorical variable, rows summing to 1.

    Raises:
      ValueError: if shapes, signs or sums are not as stated, or a number is not finite.
    """

    mean: np.ndarray
    std: np.ndarray
    probabilities: tuple = ()

    def __post_init__(self):
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        if mean.ndim != 2 or mean.shape != std.shape or len(mean) == 0:
            raise ValueError(
                f"mean and std must both have shape [N, D], received {list(mean.shape)} and "
                f"{list(std.shape)}."
            )
        with np.errstate(divide="ignore", over="ignore"):
            usable = np.isfinite(mean) & np.isfinite(std) & (std > 0) & np.isfinite(1 / std)
        if not usable.all():
            raise ValueError(
                "mean must be finite and std finite and positive, received "
                f"{int((~usable).sum())} that are not."
            )
        probabilities = tuple(_check_probabilities(p, len(mean)) for p in self.probabilities)
        if mean.shape[1] + len(probabilities) == 0:
            raise ValueError("expected at least one latent variable, received none.")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "std", std)
        object.__setattr__(self, "probabilities", probabilities)

    @classmethod
    def of(cls, encoding):
        """The posteriors of an `Encoding`."""
        codes = encoding.codes
        return cls(
            codes[:, : encoding.std.shape[1]],
            encoding.std,
            tuple(codes[:, list(columns)] for columns in encoding.discrete_columns),
        )

    def __len__(self):
        """The number of rows N."""
        return len(self.mean)

    @property
    def num_variables(self):
        """The number of latent variables V: Gaussian dimensions, then categorical variables."""
        return self.mean.shape[1] + len(self.probabilities)

    def take(self, rows):
        """The posteriors of these rows."""
        probabilities = tuple(p[rows] for p in self.probabilities)
        return Posteriors(self.mean[rows], self.std[rows], probabilities)

    def sample(self, rows, rng):
        """One sample of q(z | x_n) for each of some rows.

        Args:
          rows: int [S].
          rng: `numpy.random.Generator`.

        Returns:
          `Samples`.
        """
        noise = rng.standard_normal((len(rows), self.mean.shape[1]), dtype=np.float32)
        classes = tuple(_draw_classes(p[rows], rng) for p in self.probabilities)
        return Samples(rows, self.std[rows] * noise, classes)


@dataclasses.dataclass(frozen=True)
class Samples:
    """Samples z_s of the posteriors of some rows.

    Attributes:
      rows: int [S], the row that each sample comes from.
      noise: float32 [S, D], z minus the mean of its row. The difference is kept, not z, in which a
        small standard deviation would drown.
      classes: tuple of int [S], one per categorical variable.
    """

    rows: np.ndarray
    noise: np.ndarray
    classes: tuple

    def take(self, subset):
        """Some of the samples."""
        classes = tuple(c[subset] for c in self.classes)
        return Samples(self.rows[subset], self.noise[subset], classes)


def class_probabilities(encoding):
    """The class probabilities of an `Encoding`.

    Args:
      encoding: `Encoding` of N rows.

    Returns:
      Tuple of float64 [N, K_g], one per discrete group, rows summing to 1.

    Raises:
      ValueError: if numbers of a group are no probabilities.
    """
    return tuple(_check_probabilities(p, len(p)) for _, p in discrete_groups(encoding))


def log_ratios(posteriors, samples):
    """`log q(z_s | x_s) / q(z_s)`: how far each sample's own posterior stands above the aggregate.

    Every row's density enters relative to that of the row the sample comes from, which makes it 1:
    nothing can overflow (the ratio to another row exceeds e^88 with a probability of e^-88) or
    vanish, and no sample's ratio exceeds log N. Densities are float32, sums float64.

    Args:
      posteriors: `Posteriors` of N rows.
      samples: `Samples` of theirs.

    Returns:
      Joint [S] and, for each latent variable by itself, marginal [S, V] log-ratios; float64, nats.
    """
    num_gaussian = posteriors.mean.shape[1]
    joint = np.empty(len(samples.rows))
    marginal = np.empty((len(samples.rows), posteriors.num_variables))
    sample_block = _block(len(samples.rows), _BLOCK_SAMPLES)
    row_blocks = _row_blocks(posteriors, _block(len(posteriors), _BLOCK_ROWS))
    for start in range(0, len(samples.rows), sample_block):
        chosen = np.arange(start, start + sample_block).clip(max=len(samples.rows) - 1)
        inputs = _sample_inputs(posteriors, samples.take(chosen))
        joint_sum, marginal_sum = 0.0, 0.0
        for rows in row_blocks:
            joint_part, marginal_part = _density_sums(*inputs, *rows)
            joint_sum = joint_sum + joint_part.numpy().astype(np.float64)
            marginal_sum = marginal_sum + marginal_part.numpy().astype(np.float64)
        # Past the last sample, `chosen` repeats it.
        joint[chosen] = -np.log(joint_sum)
        marginal[chosen, :num_gaussian] = -np.log(marginal_sum).T
    joint += np.log(len(posteriors))
    marginal[:, :num_gaussian] += np.log(len(posteriors))
    for g, (p, c) in enumerate(zip(posteriors.probabilities, samples.classes, strict=True)):
        marginal[:, num_gaussian + g] = np.log(p[samples.rows, c] / p.mean(axis=0)[c])
    return joint, marginal


@functools.partial(tf.function, jit_compile=True, autograph=False)
def _density_sums(center, noise, own, own_log, classes, mean, inverse, log_std, is_row, logs):
    """Sums over a block of rows of q(z_s | x_n) / q(z_s | x_s).

    Compiled by XLA, it takes a third of the time on a CPU.

    Args:
      center: [D, S], mean of the row that z_s comes from.
      noise: [D, S], z_s minus it.
      own: [D, S], -log q(z_sj | x_s) but for the constant.
      own_log: tuple of [S], log q of the sampled class.
      classes: tuple of int [S].
      mean: [D, N], of the rows.
      inverse: [D, N], of their standard deviations.
      log_std: [D, N].
      is_row: [N], 0, or a huge negative number for rows that fill up the block.
      logs: tuple of [K_g, N], log-probabilities.

    Returns:
      Joint [S] and marginal [D, S] sums.
    """
    # Two exact differences: z - mean would round z first.
    distance = (center[:, :, None] - mean[:, None] + noise[:, :, None]) * inverse[:, None]
    log_ratio = own[:, :, None] - log_std[:, None] - 0.5 * tf.square(distance) + is_row  # [D, S, N]
    joint = tf.reduce_sum(log_ratio, axis=0) + is_row  # [S, N]
    for g, log in enumerate(logs):
        joint += tf.gather(log, classes[g]) - own_log[g][:, None]
    return tf.reduce_sum(tf.exp(joint), axis=1), tf.reduce_sum(tf.exp(log_ratio), axis=2)


def _sample_inputs(posteriors, samples):
    """The arguments of `_density_sums` that belong to the samples, variables first."""
    std = posteriors.std[samples.rows]
    own = np.log(std) + 0.5 * np.square(samples.noise * (1 / std))
    own_log = [
        np.log(p[samples.rows, c])
        for p, c in zip(posteriors.probabilities, samples.classes, strict=True)
    ]
    return (
        tf.constant(posteriors.mean[samples.rows].T),
        tf.constant(samples.noise.T),
        tf.constant(own.T),
        tuple(tf.constant(log, tf.float32) for log in own_log),
        tuple(tf.constant(c, tf.int32) for c in samples.classes),
    )


def _row_blocks(posteriors, size):
    """The arguments that belong to the rows, in blocks of equal size."""
    blocks = []
    for start in range(0, len(posteriors), size):
        rows = np.arange(start, start + size)
        is_row = np.where(rows < len(posteriors), 0, -_FAR)
        rows = rows.clip(max=len(posteriors) - 1)
        std = posteriors.std[rows]
        with np.errstate(divide="ignore"):
            logs = [np.maximum(np.log(p[rows]), -_FAR).T for p in posteriors.probabilities]
        blocks.append(
            (
                tf.constant(posteriors.mean[rows].T),
                tf.constant((1 / std).T),
                tf.constant(np.log(std).T),
                tf.constant(is_row, tf.float32),
                tuple(tf.constant(log, tf.float32) for log in logs),
            )
        )
    return blocks


def _block(count, largest):
    """The block size for `count` items: a power of two, so that few shapes are ever compiled."""
    return min(largest, 1 << (count - 1).bit_length())


def _draw_classes(probabilities, rng):
    """One class of each row of [S, K]; never one of probability 0."""
    below = np.cumsum(probabilities, axis=1)
    uniform = rng.random(len(probabilities)) * below[:, -1]
    return (below > uniform[:, None]).argmax(axis=1)


def _check_probabilities(probabilities, num_rows):
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or len(p) != num_rows or p.shape[1] == 0:
        raise ValueError(
            f"probabilities must have shape [{num_rows}, K], received {list(p.shape)}."
        )
    total = p.sum(axis=1, keepdims=True)
    if not (np.all(p >= 0) and np.all(np.abs(total - 1) < 1e-3)):
        raise ValueError("probabilities must be non-negative and sum to 1 in every row.")
    return p / total
