"""The synergy penalty of the Non-Synergistic VAE: the rate of the least informative latents."""

import tensorflow as tf


def greedy_best_set(rates, omega):
    """A small set of latent variables that holds most of the rate, chosen greedily.

    K(A) = sum of the rates in A. In each round the variables outside the set A are considered in
    order, and one becomes the round's choice if `omega K(A + j)` exceeds the value so far: K(A), or
    K(A + i) if i was chosen earlier in the round. The last choice joins A; a round without a choice
    is the last. The first round has no discount omega, so that it picks the largest rate. Later a
    variable can enter only if its rate exceeds K(A) (1 - omega) / omega, one ninth of K(A) at omega
    = 0.9. As later candidates must beat earlier ones by a margin, the choice need not be the
    largest.

    Args:
      rates: [V], nats, none negative.
      omega: discount in (0, 1].

    Returns:
      Boolean [V], the members of A. No gradient.

    Reference:
      Barrientos, Non-Synergistic Variational Autoencoders: the authors' code, which takes this
      set's complement for the argmin over sets of the text.
    """
    rates = tf.stop_gradient(rates)
    size = rates.shape[0]

    def one_round(_, best, total):
        discount = tf.where(tf.reduce_any(best), tf.cast(omega, total.dtype), tf.ones_like(total))

        def consider(j, choice, value):
            candidate = total + rates[j]
            accepted = ~best[j] & (discount * candidate > value)
            return j + 1, tf.where(accepted, j, choice), tf.where(accepted, candidate, value)

        start = tf.constant(0), tf.constant(-1), total
        _, choice, value = tf.while_loop(lambda j, *_: j < size, consider, start)
        return choice >= 0, best | (tf.range(size) == choice), value

    start = tf.constant(True), tf.zeros([size], tf.bool), tf.zeros([], rates.dtype)
    return tf.while_loop(lambda grew, *_: grew, one_round, start)[1]


def synergy_penalty(rates, omega):
    """`K(A_w)`: the rate of the worst set A_w, the complement of `greedy_best_set`.

    Which variables are in A_w is decided by the batch's mean rates and has no gradient; their
    rates have one.

    Args:
      rates: [B, V], KL(q(z_v | x) || p(z_v)), nats.
      omega: discount in (0, 1].

    Returns:
      ([B], nats; boolean [V], the members of A_w). Zero where A_w is empty.

    Reference:
      See `greedy_best_set`.
    """
    is_worst = ~greedy_best_set(tf.reduce_mean(rates, axis=0), omega)
    return tf.reduce_sum(tf.where(is_worst, rates, tf.zeros_like(rates)), axis=-1), is_worst
