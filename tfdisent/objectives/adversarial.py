"""Losses of a player whose samples a discriminator judges, and how a second one is added."""

import tensorflow as tf

from tfdisent.objectives.density_ratio import density_ratio_loss, discriminator_accuracy


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


def discriminator_terms(logits_real, logits):
    """What a discriminator of real and generated samples minimises, and how often it is right.

    Args:
      logits_real: [B] of real samples.
      logits: [B] of generated ones.

    Returns:
      {"discriminator_loss": `-E log D(x) - E log(1 - D(G(z)))`, nats, the sum of the expectations
      that `density_ratio_loss` averages; "discriminator_accuracy": see `discriminator_accuracy`}.
    """
    return {
        "discriminator_loss": 2 * density_ratio_loss(logits_real, logits),
        "discriminator_accuracy": discriminator_accuracy(logits_real, logits),
    }


def clip_to_norm_of(gradients, reference):
    """Rescales gradients, all as one vector h, to be no longer than those of the reference, g.

    `min(|g|, |h|) h / |h|`: MINE's adaptive clipping, which keeps an information term, whose
    gradient knows no bound, from drowning the game it is added to.

    Args:
      gradients: list of tensors, h.
      reference: list of tensors, g.

    Returns:
      List of tensors of the shapes of `gradients`; zero where h is.

    Reference:
      Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062, section
      5.1.
    """
    norm, limit = tf.linalg.global_norm(gradients), tf.linalg.global_norm(reference)
    scale = tf.minimum(tf.math.divide_no_nan(limit, norm), 1.0)
    return [scale * gradient for gradient in gradients]
