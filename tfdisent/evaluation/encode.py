"""Codes of a data set, in chunks."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfdisent.evaluation._validate import check_image_shape
from tfdisent.objectives import elbo


class Encoding(NamedTuple):
    """What a model makes of a data set.

    Attributes:
      codes: float32 [N, D'], the representation: means, then class probabilities.
      kl_per_dim: float64 [number of continuous columns], mean KL(q(z_j | x) || p(z_j)), nats. For
        a learned prior, p(z_j) is the normal with the mean and the variance of its dimension j.
      discrete_columns: tuple of column tuples, one per discrete group.
      std: float32 [N, number of continuous columns], posterior standard deviations.
      rows: int64 [N], the rows of the data set that were encoded.
    """

    codes: np.ndarray
    kl_per_dim: np.ndarray
    discrete_columns: tuple
    std: np.ndarray
    rows: np.ndarray


def discrete_groups(encoding):
    """(suffix, codes [N, K]) of each discrete group: "_0", "_1", ..., or "" for a single one."""
    several = len(encoding.discrete_columns) > 1
    for number, columns in enumerate(encoding.discrete_columns):
        yield f"_{number}" if several else "", encoding.codes[:, list(columns)]


def subset(dataset, size, seed=0):
    """`size` distinct rows of a data set in increasing order, or all of them if it has no more.

    Args:
      dataset: anything with a length.
      size: number of rows, or None for all.
      seed: of the draw.

    Returns:
      int64 [min(size, N)].
    """
    if size is None or size >= len(dataset):
        return np.arange(len(dataset))
    return np.sort(np.random.default_rng(seed).choice(len(dataset), size, replace=False))


def encode_dataset(vae, dataset, rows=None, batch_size=512, progress=None):
    """Encodes a data set, or some rows of it, chunk by chunk.

    Args:
      vae: `tfdisent.VAE`.
      dataset: `tfdisent.data.Dataset`.
      rows: integer array [N] of rows, or None for all, in order.
      batch_size: images per chunk; memory stays bounded by it and the result.
      progress: optional function, called with the number of images done after each chunk.

    Returns:
      `Encoding`.

    Raises:
      ValueError: if the images have another shape than the model's, there are no rows, `rows` are
        no row numbers of the data set, or `batch_size` is not positive.
    """
    check_image_shape(vae, dataset)
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, received {batch_size}.")
    rows = np.arange(len(dataset)) if rows is None else np.asarray(rows)
    if rows.size == 0:
        raise ValueError("expected at least one row to encode, received none.")
    if rows.ndim != 1 or not np.issubdtype(rows.dtype, np.integer):
        raise ValueError(
            f"rows must be a vector of integers, received {rows.dtype} {list(rows.shape)}."
        )
    if rows.min() < 0 or rows.max() >= len(dataset):
        raise ValueError(
            f"rows must lie in 0 .. {len(dataset) - 1}, received {rows.min()} .. {rows.max()}."
        )
    rows = rows.astype(np.int64)
    encode = _encode_function(vae, dataset)

    chunks = np.array_split(rows, -(-len(rows) // batch_size))
    codes, stds, kl_sum, done = [], [], 0.0, 0
    for chunk in chunks:
        code, std, kl = encode(tf.constant(chunk, tf.int64))
        codes.append(code.numpy())
        stds.append(std.numpy())
        kl_sum = kl_sum + kl.numpy().astype(np.float64).sum(axis=0)
        done += len(chunk)
        if progress is not None:
            progress(done)
    return Encoding(
        codes=np.concatenate(codes),
        kl_per_dim=kl_sum / len(rows),
        discrete_columns=vae.latents.discrete_columns,
        std=np.concatenate(stds),
        rows=rows,
    )


def _encode_function(vae, dataset):
    """Compiled function: rows [B] -> (codes, stddevs and KLs of the continuous columns)."""
    prior = vae.factorised_prior()
    continuous = [group.name for group in vae.latents.coded if not group.is_discrete]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)], autograph=False)
    def encode(rows):
        posterior = vae.infer(dataset.images_in_graph(rows))
        rates = elbo.rate_by_group(posterior, prior)
        empty = tf.zeros([tf.shape(rows)[0], 0])
        std = tf.concat([empty, *[posterior[name].stddev() for name in continuous]], axis=-1)
        kl = tf.concat([empty, *[rates[name] for name in continuous]], axis=-1)
        return vae.latents.codes(posterior), std, kl

    return encode
