"""Density ratios by classification: FactorVAE's permutation trick and discriminator loss."""

import tensorflow as tf


def permute_dims(z, blocks=None, seed=None):
    """Permutes every block of columns along the batch, independently of the others.

    A batch from q(z) becomes (nearly) a batch from the product of the blocks' marginals.

    Args:
      z: [B, D] codes.
      blocks: sizes of the column blocks that move together, summing to D; by default every column
        moves alone. The columns of a one-hot group must move as one (`Latents.permutation_blocks`):
        apart they would form vectors that no posterior produces.
      seed: int32 [2] for a stateless draw; None draws anew at each call.

    Returns:
      [B, D]; every column holds the same values as in `z`.

    Raises:
      ValueError: if the blocks do not sum to D.

    Reference:
      Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, Algorithm 1.
    """
    width = z.shape[-1]
    blocks = [1] * width if blocks is None else list(blocks)
    if sum(blocks) != width:
        raise ValueError(f"blocks must sum to the {width} columns of z, received {blocks}.")
    shape = [len(blocks), tf.shape(z)[0]]
    seed = tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32) if seed is None else seed
    noise = tf.random.stateless_uniform(shape, seed)
    # Sorting noise permutes without tf.random.shuffle, which XLA refuses.
    order = tf.repeat(tf.argsort(noise, axis=1), blocks, axis=0)  # [D, B]
    return tf.transpose(tf.gather(tf.transpose(z), order, batch_dims=1))


def density_ratio_loss(logits_p, logits_q):
    """Cross-entropy of a classifier that tells samples of p from samples of q.

    `0.5 E_p softplus(-t) + 0.5 E_q softplus(t)`. At its minimum the logit is `t(x) = log p(x) /
    q(x)`, so that the mean of t over samples of p estimates KL(p || q), neither as an upper nor as
    a lower bound.

    Args:
      logits_p: [B] logits of samples of p.
      logits_q: [B'] logits of samples of q.

    Returns:
      Scalar, nats.

    Reference:
      Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983, Eq. 3 and Algorithm 2.
    """
    return 0.5 * (
        tf.reduce_mean(tf.nn.softplus(-logits_p)) + tf.reduce_mean(tf.nn.softplus(logits_q))
    )


def discriminator_accuracy(logits_p, logits_q):
    """The share of samples that a discriminator takes for what they are, half where it cannot tell.

    Args:
      logits_p: [B] logits of samples of p, right where positive.
      logits_q: [B'] logits of samples of q, right where negative.

    Returns:
      Scalar in [0, 1]; a logit of zero is wrong on either side.
    """
    correct = tf.concat([logits_p > 0, logits_q < 0], axis=0)
    return tf.reduce_mean(tf.cast(correct, tf.float32))
