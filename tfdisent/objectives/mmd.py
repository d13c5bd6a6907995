"""Maximum mean discrepancy between two sets of samples (InfoVAE)."""

import tensorflow as tf

# Of the inverse multiquadratics, so that some are as wide as the samples are apart.
SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def rbf_kernel(u, v, bandwidth):
    """`k(u, v) = exp(-||u - v||^2 / (2 bandwidth^2))`.

    Args:
      u: [A, D].
      v: [B, D].
      bandwidth: h. The InfoVAE authors' code has exp(-||u - v||^2 / D^2), which is h = D / sqrt(2).

    Returns:
      [A, B], in (0, 1].
    """
    return tf.exp(-_squared_distances(u, v) / (2 * bandwidth**2))


def imq_kernel(u, v, bandwidth, scales=SCALES):
    """`k(u, v) = sum_s c_s / (c_s + ||u - v||^2)`, c_s = 2 s bandwidth^2: inverse multiquadratics.

    Heavy tails: samples far from all others still have a gradient.

    Args:
      u: [A, D].
      v: [B, D].
      bandwidth: h; sqrt(D) makes c_1 the expected squared distance of two samples of N(0, I).
      scales: the s.

    Returns:
      [A, B], in (0, number of scales].

    Reference:
      Tolstikhin et al., Wasserstein Auto-Encoders, 2018, arXiv:1711.01558, section 4 (the kernel).
    """
    distances = _squared_distances(u, v)
    widths = [2 * scale * bandwidth**2 for scale in scales]
    return tf.add_n([width / (width + distances) for width in widths])


def maximum_mean_discrepancy(z, samples, kernel, unbiased=False):
    """Squared maximum mean discrepancy `E k(z, z') + E k(p, p') - 2 E k(z, p)`.

    The V-statistic takes the means over all pairs, each sample with itself included: it is never
    negative, and too large by about `2 E [k(0) - k] / B`. The U-statistic leaves these pairs out:
    it is unbiased and may be slightly negative, so take no root of it.

    Args:
      z: [B, D], samples of q.
      samples: [B', D], samples of p.
      kernel: function (u [A, D], v [B, D]) -> [A, B].
      unbiased: whether to return the U-statistic; it needs two samples on each side.

    Returns:
      Scalar. The U-statistic of a single sample, which has no pair, is 0.

    Reference:
      Zhao, Song, Ermon, InfoVAE: Information Maximizing Variational Autoencoders, 2017,
      arXiv:1706.02262, section 3.2.
    """
    mean = _mean_of_distinct if unbiased else tf.reduce_mean
    within = mean(kernel(z, z)) + mean(kernel(samples, samples))
    discrepancy = within - 2 * tf.reduce_mean(kernel(z, samples))
    if not unbiased:
        return discrepancy
    has_pairs = tf.minimum(tf.shape(z)[0], tf.shape(samples)[0]) > 1
    return tf.where(has_pairs, discrepancy, tf.zeros_like(discrepancy))


def _mean_of_distinct(values):
    """Mean of [B, B] off its diagonal; 0 where there is nothing else."""
    size = tf.cast(tf.shape(values)[0], values.dtype)
    total = tf.reduce_sum(values) - tf.reduce_sum(tf.linalg.diag_part(values))
    return tf.math.divide_no_nan(total, size * (size - 1))


def _squared_distances(u, v):
    # Differences first: |u|^2 + |v|^2 - 2 u v would lose what is small.
    return tf.reduce_sum(tf.math.squared_difference(u[:, None], v[None]), axis=-1)  # [A, B]
