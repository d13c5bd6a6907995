"""Losses of a player whose samples a discriminator judges."""

import tensorflow as tf


def non_saturating_loss(logits):
    """What a generator minimises: `-E log D(x) = E softplus(-t(x))` over its own samples.

    It has the fixed points of the minimax loss, `E log (1 - D(x))`, but a gradient that does not
    vanish where the discriminator is sure of itself. The discriminator's own loss is
    `density_ratio_loss`.

    Args:
      logits: [B] of the discriminator; positive where it takes a sample for real.

    Returns:
      Scalar, nats; log 2 where the discriminator cannot tell.

    Reference:
      Goodfellow et al., Generative Adversarial Nets, 2014, arXiv:1406.2661, section 3.
    """
    return tf.reduce_mean(tf.nn.softplus(-logits))
