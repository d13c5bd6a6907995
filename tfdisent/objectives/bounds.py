"""Variational bounds of mutual information, as functions of a critic's scores.

A critic T(x, y) scores pairs. `joint` holds its scores of pairs drawn together, `marginal` those of
pairs drawn apart (x of one example, y of another); their shapes are free, for all that is taken of
them is means. At the optimum T is `log p(x, y) / p(x) p(y)`, for some bounds up to a constant that
each function states. Bounds are in nats, to be maximised over the critic. For any fixed critic
those called lower bounds hold, but a critic's own training batch flatters it: report them on fresh
samples.
"""

import math

import tensorflow as tf


def donsker_varadhan(joint, marginal):
    """`E_joint T - log E_marginal exp T`, a lower bound of mutual information.

    Tight at `T = log p(x, y) / p(x) p(y) + constant`; adding a constant to all scores changes
    nothing. With N marginal scores the logarithm of their mean cannot see what happens less often
    than once in N: the estimate certifies no more than about log N nats and its variance grows like
    the exponential of the information.

    Args:
      joint: scores of pairs drawn together, any shape.
      marginal: scores of pairs drawn apart, any shape.

    Returns:
      Scalar, nats.

    Reference:
      Donsker and Varadhan, Asymptotic Evaluation of Certain Markov Process Expectations for Large
      Time, IV, 1983. Belghazi et al., MINE: Mutual Information Neural Estimation, 2018,
      arXiv:1801.04062, Theorem 1. McAllester and Stratos, Formal Limitations on the Measurement of
      Mutual Information, 2018, arXiv:1811.04251, for the log N.
    """
    return tf.reduce_mean(joint) - log_mean_exp(marginal)


def mine_loss(joint, marginal, log_average, rate=0.01):
    """MINE's loss, whose gradient is that of Donsker-Varadhan with a slow denominator.

    `-(mean T_joint - m / a)`, with `m = mean exp T_marginal` and `a <- (1 - rate) a + rate m` held
    constant. The gradient of Donsker-Varadhan divides by the mean of the same batch, which
    biases it; the moving average a removes most of that. Everything stays in log space, so that
    scores may be as large as floats go. The loss itself means nothing: report `donsker_varadhan`.

    Args:
      joint: scores of pairs drawn together, any shape.
      marginal: scores of pairs drawn apart, any shape.
      log_average: scalar, log a before this batch; minus infinity for the first one, which a then
        starts from.
      rate: weight of the batch in the average.

    Returns:
      (loss, scalar to minimise; log a after this batch, scalar without gradient).

    Reference:
      Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062,
      Algorithm 1 and section 3.2 (Correcting the bias from the stochastic gradients).
    """
    log_mean = log_mean_exp(marginal)
    now = tf.stop_gradient(log_mean)
    slow = _log_add(math.log1p(-rate) + log_average, math.log(rate) + now)
    log_average = tf.where(tf.math.is_finite(log_average), slow, now)
    # a >= rate * mean exp T, so that this ratio is at most 1 / rate.
    return tf.exp(log_mean - log_average) - tf.reduce_mean(joint), log_average


def nwj(joint, marginal):
    """`E_joint T - E_marginal exp(T - 1)`, a lower bound of mutual information.

    Tight at `T = 1 + log p(x, y) / p(x) p(y)`. Unlike Donsker-Varadhan's its estimate from samples
    is unbiased; its variance grows like the exponential of the information too.

    Args:
      joint: scores of pairs drawn together, any shape.
      marginal: scores of pairs drawn apart, any shape.

    Returns:
      Scalar, nats.

    Reference:
      Nguyen, Wainwright and Jordan, Estimating Divergence Functionals and the Likelihood Ratio by
      Convex Risk Minimization, 2010, arXiv:0809.0853. Nowozin et al., f-GAN, 2016,
      arXiv:1606.00709, for the critic's form.
    """
    return tf.reduce_mean(joint) - tf.exp(log_mean_exp(marginal) - 1.0)


def jensen_shannon(joint, marginal):
    """`E_joint [log 2 - softplus(-T)] - E_marginal [softplus(T) - log 2]`.

    A lower bound of twice the Jensen-Shannon divergence of p(x, y) and p(x) p(y), so at most
    2 log 2: an objective for training, not an estimate of mutual information. Its critic is a
    classifier's logit and the bound is tight at `T = log p(x, y) / p(x) p(y)`; hence it equals
    `2 log 2 - 2 density_ratio_loss(joint, marginal)`. See `jensen_shannon_information` and `smile`
    for what to report.

    Args:
      joint: scores of pairs drawn together, any shape.
      marginal: scores of pairs drawn apart, any shape.

    Returns:
      Scalar, nats.

    Reference:
      Hjelm et al., Learning deep representations by mutual information estimation and maximization,
      2019, arXiv:1808.06670, Eq. 4, less the constant there, so that it is 0 for scores of 0.
    """
    positive = tf.reduce_mean(tf.nn.softplus(-joint))
    negative = tf.reduce_mean(tf.nn.softplus(marginal))
    return 2 * math.log(2) - positive - negative


def jensen_shannon_information(joint, marginal):
    """`E_joint T - E_marginal exp T + 1`, the bound `nwj` at the critic T + 1.

    A lower bound of mutual information that is tight at `T = log p(x, y) / p(x) p(y)`, which is
    where `jensen_shannon` takes its critic: that is trained stably, this is reported.

    Args:
      joint: scores of pairs drawn together, any shape.
      marginal: scores of pairs drawn apart, any shape.

    Returns:
      Scalar, nats.

    Reference:
      Poole et al., On Variational Bounds of Mutual Information, 2019, arXiv:1905.06922, I_JS.
    """
    return nwj(joint + 1.0, marginal + 1.0)


def smile(joint, marginal, clip=5.0):
    """`E_joint T - log E_marginal exp(T clipped to [-clip, clip])`.

    Donsker-Varadhan with density ratios clipped where they are averaged, for a critic trained by
    `jensen_shannon`. The variance no longer grows with the information; the price is a bias, and it
    is a lower bound no more. A clip of infinity is `donsker_varadhan`.

    Args:
      joint: scores of pairs drawn together, any shape.
      marginal: scores of pairs drawn apart, any shape.
      clip: largest magnitude of a score among the marginal ones; tau in the paper.

    Returns:
      Scalar, nats.

    Reference:
      Song and Ermon, Understanding the Limitations of Variational Mutual Information Estimators,
      2020, arXiv:1910.06222, I_SMILE.
    """
    return donsker_varadhan(joint, tf.clip_by_value(marginal, -clip, clip))


def info_nce(scores):
    """`E log (exp T(x_i, y_i) / mean_j exp T(x_i, y_j))`, a lower bound of mutual information.

    How well the y that belongs to x is picked among B. Tight as B grows at `T = log p(x | y) +
    anything that depends on x alone`; it never exceeds log B.

    Args:
      scores: [B, B], [i, j] = T(x_i, y_j), so that the pairs drawn together are on the diagonal.

    Returns:
      [B], nats; the bound is their mean.

    Raises:
      ValueError: if the scores are not square.

    Reference:
      van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018,
      arXiv:1807.03748, Eq. 4: `log B` less that loss.
    """
    if scores.shape.rank != 2 or not scores.shape[:1].is_compatible_with(scores.shape[1:]):
        raise ValueError(f"expected scores [B, B], received {list(scores.shape)}.")
    log_batch = tf.math.log(tf.cast(tf.shape(scores)[0], scores.dtype))
    return tf.linalg.diag_part(scores) - tf.reduce_logsumexp(scores, axis=1) + log_batch


def local_info_nce_loss(joint, marginal):
    """Deep InfoMax's noise contrastive loss: each part of y_i among all parts of all other y.

    The mean over i and l of `-log exp T_il / (exp T_il + sum over the marginal scores of i)`, with
    N = (B - 1) L of these: log(1 + N) where all scores are equal. Where the parts of one y are
    independent draws, L = 1 among others, log(1 + N) less this loss is a lower bound of mutual
    information; else it is none, however often it is called one.

    Args:
      joint: [B, L], scores of x_i and part l of y_i.
      marginal: [B, B - 1, L], scores of x_i and the parts of the other y.

    Returns:
      Scalar, nats.

    Reference:
      Hjelm et al., Learning deep representations by mutual information estimation and maximization,
      2019, arXiv:1808.06670, Eq. 5.
    """
    negatives = tf.reduce_logsumexp(marginal, axis=[1, 2])  # [B]
    return tf.reduce_mean(tf.nn.softplus(negatives[:, tf.newaxis] - joint))


def barber_agakov(log_likelihood, entropy):
    """`H(Y) + log q(y | x)`, a lower bound of mutual information in expectation.

    Tight at `q(y | x) = p(y | x)`, and a bound only as far as the entropy is the true one. Needs no
    pairs drawn apart, and no logarithm of an average: neither N nor B caps it.

    Args:
      log_likelihood: [B], log q(y | x) of pairs drawn together, nats.
      entropy: H(Y), nats; differential where y is continuous.

    Returns:
      [B], nats; the bound is their mean.

    Reference:
      Barber and Agakov, The IM Algorithm: A Variational Approach to Information Maximization, 2003.
    """
    return entropy + log_likelihood


def split_pairs(scores):
    """Splits the scores of all pairs of a batch into those drawn together and those drawn apart.

    Args:
      scores: [B, B] or [B, B, L], B >= 2, [i, j] = T(x_i, y_j), for each of L parts of y_j.

    Returns:
      (joint [B] or [B, L], marginal [B, B - 1] or [B, B - 1, L]).

    Raises:
      tf.errors.InvalidArgumentError: if B is 1: nothing is drawn apart.
    """
    tf.debugging.assert_greater(tf.shape(scores)[0], 1, "expected two examples or more, received 1")
    batch, parts = tf.shape(scores)[0], scores.shape[2:]
    rows = tf.reshape(scores, [batch * batch, *parts])
    # Rows of B + 1 entries, once the last is dropped, each begin with one of the diagonal.
    rows = tf.reshape(rows[:-1], [batch - 1, batch + 1, *parts])
    marginal = tf.reshape(rows[:, 1:], [batch, batch - 1, *parts])
    return tf.concat([rows[:, 0], scores[-1:, -1]], axis=0), marginal


def log_mean_exp(scores):
    """`log mean exp` over all entries, which does not overflow.

    Args:
      scores: any shape.

    Returns:
      Scalar.
    """
    log_count = tf.math.log(tf.cast(tf.size(scores), tf.float64))  # float16 ends at 65,504
    return tf.reduce_logsumexp(scores) - tf.cast(log_count, scores.dtype)


def _log_add(a, b):
    """log(exp a + exp b) of two scalars."""
    return tf.reduce_logsumexp(tf.stack([a, b]))
