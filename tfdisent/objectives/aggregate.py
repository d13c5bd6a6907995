"""The aggregated posterior q(z), estimated from a batch, and the parts of the rate (beta-TCVAE)."""

from typing import NamedTuple

import tensorflow as tf
import tensorflow_probability as tfp

tfd = tfp.distributions

ESTIMATORS = ("mss", "mws", "released")


class AggregateTerms(NamedTuple):
    """`E KL(q(z | x) || p(z)) = I(x; z) + TC(z) + sum_d KL(q(z_d) || p(z_d))`, sample by sample.

    The names are those of `evaluation.Decomposition`, which takes q(z) over all rows of a data set
    and so has values to report; these are for losses, and only as good as their estimator.

    Attributes:
      index_code_mi: [B], log q(z | x) - log q(z), nats.
      total_correlation: [B], log q(z) - sum_d log q(z_d), nats.
      dimensionwise_kl: [B], sum_d log q(z_d) - log p(z_d), nats.
    """

    index_code_mi: tf.Tensor
    total_correlation: tf.Tensor
    dimensionwise_kl: tf.Tensor


def aggregate_log_weights(batch_size, dataset_size, estimator="mss"):
    """log W for the estimate `q(z_j) = sum_i W_ji q(z_j | x_i)` from a batch, z_j ~ q(z | x_j).

    - "mss", stratified: q(z_j | x_j), which is large because z_j comes from it, counts as the one
      row of the data set that it is, W_jj = 1/N; the others stand for the rest. With M = B - 1, one
      of them has the weight (N - M) / (N M), the M - 1 others 1/M, and every row sums to 1. The
      estimate of q(z_j) is unbiased.
    - "mws", weighted: 1 / (B N) everywhere, a lower bound of log q(z) in expectation. The total
      correlation comes out too large, by about (D - 1) log N where posteriors overlap. Its gradient
      is useful, its value is not.
    - "released": the stratified weights as the authors' code has them. It fills the matrix with a
      stride of B where the diagonal has B + 1: column 0 gets 1/N and column 1 the weight of the
      last stratum, whichever row z_j comes from, and one row sums to more than 1. Only for
      comparison with published runs of that code.

    Args:
      batch_size: B, integer or scalar tensor.
      dataset_size: N, the number of training images, at least B.
      estimator: "mss", "mws" or "released".

    Returns:
      [B, B]; row j belongs to the sample z_j, column i to the posterior q(z | x_i).

    Raises:
      ValueError: if the estimator is unknown or a known batch is larger than the data set.

    Reference:
      Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, arXiv:1802.04942, section 4
      (weighted) and appendix (stratified). The fault of the released weights is reported in
      rtqichen/beta-tcvae, pull request 1, and YannDubs/disentangling-vae, issue 58.
    """
    if estimator not in ESTIMATORS:
        raise ValueError(f"estimator must be one of {ESTIMATORS}, received {estimator!r}.")
    if isinstance(batch_size, int) and batch_size > dataset_size:
        raise ValueError(
            f"dataset_size must be at least the batch size {batch_size}, received {dataset_size}."
        )
    size = tf.cast(batch_size, tf.float32)
    # An evaluation whose batches are larger than the data set that was trained on.
    dataset_size = tf.maximum(size, float(dataset_size))
    row, column = tf.range(batch_size)[:, None], tf.range(batch_size)[None]
    if estimator == "mws":
        return tf.fill([batch_size, batch_size], -tf.math.log(size * dataset_size))
    others = tf.maximum(size - 1, 1.0)  # M; a batch of one has no others
    stratum = (dataset_size - others) / (dataset_size * others)
    if estimator == "mss":
        is_own, is_stratum = row == column, column == (row + 1) % batch_size
    else:
        is_stratum = (column == 1) | ((column == 0) & (row == batch_size - 2))
        is_own = (column == 0) & ~is_stratum
    weights = tf.where(is_stratum, stratum, 1 / others)
    return tf.math.log(tf.where(is_own, 1 / dataset_size, weights))


def aggregate_terms(posterior, prior, z, log_weights):
    """The parts of the rate, with q(z_j) estimated as `sum_i W_ji q(z_j | x_i)`.

    With any weights the three add up to log q(z | x) - log p(z). With the whole data set as the
    batch and all weights 1/N they are exact but for the sampling of z. Memory is that of [B, B, D].

    Args:
      posterior: {group name: `tfd.Independent` with batch shape [B]}.
      prior: {group name: `tfd.Independent`}, at least the groups of `posterior`.
      z: {group name: [B, size]}, z[j] drawn from q(z | x_j).
      log_weights: [B, B], see `aggregate_log_weights`.

    Returns:
      `AggregateTerms`.

    Raises:
      ValueError: if a posterior or prior does not factorise over the dimensions of its group.

    Reference:
      Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, arXiv:1802.04942, Eq. 2.
    """
    for name in posterior:
        for what, distribution in (("posterior", posterior[name]), ("prior", prior[name])):
            if not isinstance(distribution, tfd.Independent):
                raise ValueError(
                    f"the {what} of group {name!r} must factorise over dimensions, received "
                    f"{type(distribution).__name__}."
                )
    log_q = tf.concat(
        [q.distribution.log_prob(z[name][:, None]) for name, q in posterior.items()], axis=-1
    )  # [B, B, D]: log q(z_jd | x_i)
    log_q_z = tf.reduce_logsumexp(log_weights + tf.reduce_sum(log_q, axis=-1), axis=1)  # [B]
    log_q_zd = tf.reduce_logsumexp(log_weights[:, :, None] + log_q, axis=1)  # [B, D]
    log_q_z_marginals = tf.reduce_sum(log_q_zd, axis=-1)  # [B]
    log_q_z_x = sum(q.log_prob(z[name]) for name, q in posterior.items())  # [B]
    log_p_z = sum(prior[name].log_prob(z[name]) for name in posterior)  # [B]
    return AggregateTerms(
        index_code_mi=log_q_z_x - log_q_z,
        total_correlation=log_q_z - log_q_z_marginals,
        dimensionwise_kl=log_q_z_marginals - log_p_z,
    )
