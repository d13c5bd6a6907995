"""Mutual information of samples, by a critic trained on a bound or without training."""

import math

import keras
import numpy as np
import tensorflow as tf

from tfdisent import information, networks
from tfdisent.trainers import estimates
from tfdisent.trainers.critics import BOUNDS, MutualInformationTrainer
from tfdisent.trainers.estimates import Estimate
from tfdisent.trainers.initial_weights import initial_weights_from

_WITHOUT_TRAINING = ("ksg", "ross", "plug_in", "gaussian")
METHODS = (*BOUNDS, *_WITHOUT_TRAINING)


def estimate_mutual_information(
    x,
    y=None,
    method="mine",
    *,
    critic=None,
    negatives=None,
    clip=5.0,
    average_rate=0.01,
    entropy=None,
    neighbours=3,
    steps=5000,
    batch_size=256,
    evaluation_size=100_000,
    hidden=256,
    depth=2,
    activation="relu",
    learning_rate=1e-3,
    seed=0,
):
    """Mutual information I(X; Y) of samples.

    With a critic: "mine", "dv", "nwj" and "jsd" are lower bounds, which N held-out samples cap near
    log N; "info_nce" is a lower bound that log(batch_size) caps; "smile" and "density_ratio" are no
    bounds but have less variance; "barber_agakov" is a lower bound as far as q(y | x) is right and
    the entropy of Y is known. Without training: "ksg" (nearest neighbours), "ross" (nearest
    neighbours, y discrete), "plug_in" (the table of discrete x and y) and "gaussian" (the closed
    form at the sample covariance).

    Args:
      x: [N, Dx] or [N] samples; or a function (count, seed) -> (x float32 [count, Dx],
        y float32 [count, Dy]) that draws fresh samples in TensorFlow operations, seed being
        int32 [2].
      y: [N, Dy] or [N] samples; None if `x` is a function.
      method: one of the above.
      critic: "joint", "separable" or a Keras model, see `MutualInformationTrainer`; by default
        "separable" for "info_nce", a Gaussian q(y | x) for "barber_agakov", else "joint".
      negatives: see `MutualInformationTrainer`; by default all for a separable critic, else 1.
      clip: of "smile".
      average_rate: of "mine".
      entropy: H(Y) for "barber_agakov", nats; by default from nearest neighbours, the error of
        which is not in the standard error.
      neighbours: k of "ksg" and "ross".
      steps: training steps, at most: training stops early once the loss on validation samples has
        ceased to fall, and the best weights are taken.
      batch_size: pairs a step.
      evaluation_size: fresh samples that the value is of, where `x` draws them; of arrays a fifth
        of the rows is held out instead, and another fifth for validation. Methods without training
        use all rows.
      hidden: units of a hidden layer.
      depth: hidden layers.
      activation: of the hidden layers; see `networks.JointCritic`.
      learning_rate: at the start; it falls to zero along a cosine.
      seed: of everything.

    Returns:
      `Estimate`, nats. Without training its standard error is NaN: none of their own.

    Raises:
      ValueError: if the method is unknown, an argument is out of range, or the samples have other
        shapes, are too few or not finite.

    Warns:
      UserWarning: if the estimate comes near what the number of samples, or of pairs in a batch,
        lets the method find.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {list(METHODS)}, received {method!r}.")
    if callable(x) != (y is None):
        raise ValueError("expected either samples x and y, or one function that draws both.")
    if method in _WITHOUT_TRAINING:
        if callable(x):
            x, y = (np.asarray(a) for a in x(evaluation_size, tf.constant([seed, -2])))
        estimate = _without_training(x, y, method, neighbours)
        return estimates.warn_if_capped(estimate, "the logarithm of the number of samples")
    samples = _samples(x, y, evaluation_size, seed)
    x_size, y_size = (array.shape[-1] for array in samples.validation)
    sizes = {"hidden": hidden, "depth": depth, "activation": activation}
    with initial_weights_from(seed):
        critic = _critic(critic, method, x_size, y_size, sizes)
    if negatives is None:
        negatives = "all" if isinstance(critic, networks.SeparableCritic) else 1
    entropy = _scaled_entropy(entropy, samples) if method == "barber_agakov" else 0.0
    trainer = MutualInformationTrainer(critic, method, negatives, clip, average_rate, entropy, seed)
    whole = BOUNDS[method].pairs == "all"  # batches of InfoNCE keep their size
    best = estimates.fit(
        trainer,
        samples,
        steps=steps,
        batch_size=batch_size,
        validation_batch_size=batch_size if whole else estimates.CHUNK,
        learning_rate=learning_rate,
        seed=seed,
    )
    test = _batches(samples.test, batch_size) if whole else samples.test
    estimate = trainer.estimate(test)._replace(steps=best)
    reason = "the logarithm of the batch" if whole else "the logarithm of the number of samples"
    return estimates.warn_if_capped(estimate, reason)


def _samples(x, y, evaluation_size, seed):
    if callable(x):
        return estimates.from_sampler(x, evaluation_size, seed)
    x = estimates.check_rows(x, "x", min_rows=10)
    y = estimates.check_rows(y, "y", min_rows=10)
    if len(x) != len(y):
        raise ValueError(f"x and y must have as many rows, received {len(x)} and {len(y)}.")
    return estimates.from_arrays((x, y), seed)


def _critic(critic, method, x_size, y_size, sizes):
    if critic is None and method == "barber_agakov":
        return networks.ConditionalGaussian(x_size, y_size, **sizes)
    if critic in ("joint", "separable") and method == "barber_agakov":
        raise ValueError(
            "critic of 'barber_agakov' must be a density log q(y | x), such as "
            f"networks.ConditionalGaussian, received {critic!r}."
        )
    if critic is None:
        critic = "separable" if method == "info_nce" else "joint"
    if critic == "joint":
        return networks.JointCritic(x_size, y_size, **sizes)
    if critic == "separable":
        return networks.SeparableCritic(x_size, y_size, **sizes)
    if not isinstance(critic, keras.Model):
        raise ValueError(
            f"critic must be 'joint', 'separable' or a Keras model, received {critic!r}."
        )
    return critic


def _scaled_entropy(entropy, samples):
    """H of the scaled Y that training sees, nats."""
    if entropy is None:
        return information.knn_entropy(samples.validation[1])
    return entropy - float(np.log(samples.deviations[1]).sum())


def _batches(chunks, size):
    """Batches of one size; the rest of each chunk is left out."""
    for x, y in chunks:
        step = min(size, len(x))
        for start in range(0, len(x) - step + 1, step):
            yield x[start : start + step], y[start : start + step]


def _without_training(x, y, method, neighbours):
    functions = {
        "ksg": lambda: information.knn_mutual_information(x, y, neighbours),
        "ross": lambda: information.mixed_mutual_information(x, np.squeeze(y), neighbours),
        "plug_in": lambda: information.plugin_mutual_information(x, y, base=math.e),
        "gaussian": lambda: information.fitted_gaussian_mutual_information(x, y),
    }
    cap = math.log(len(x)) if method in ("ksg", "plug_in") else math.inf
    return Estimate(functions[method](), math.nan, len(x), method, cap)
