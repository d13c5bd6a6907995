"""Classes of points by their nearest neighbours: found without labels, and given to new points."""

import warnings

import numpy as np
import tensorflow as tf


def spectral_classes(points, num_classes, neighbors=10, seed=0):
    """Parts of a cloud of points that few of its points' nearest neighbours connect.

    Normalised spectral clustering of the graph in which every point is tied to its nearest ones:
    points are of one class if a walk from neighbour to neighbour leads from one to the other, even
    if they are far apart, as the two ends of a curve are.

    Args:
      points: [N, D].
      num_classes: K, the number of parts.
      neighbors: number of points that each is tied to, itself among them.
      seed: integer, of the eigenvectors' first guess.

    Returns:
      int64 [N] in [0, K).

    Raises:
      ValueError: if there are fewer points than classes or than neighbours, or a number is not
        finite.

    References:
      Shi and Malik, Normalized Cuts and Image Segmentation, 2000, section 2; von Luxburg, A
      Tutorial on Spectral Clustering, 2007, arXiv:0711.0189, sections 2.2 and 4. The eigenvectors
      are read by their pivoted QR factorisation: Damle, Minden, Ying, Simple, Direct and Efficient
      Multi-way Spectral Clustering, 2019, arXiv:1607.05264.
    """
    from sklearn.cluster import SpectralClustering
    from threadpoolctl import threadpool_limits

    points = np.asarray(points, np.float64)
    needed = max(num_classes, neighbors)
    if points.ndim != 2 or len(points) < needed:
        raise ValueError(f"expected points [N >= {needed}, D], received shape {points.shape}.")
    if not np.isfinite(points).all():
        raise ValueError("expected finite points, received some that are not.")
    clustering = SpectralClustering(
        num_classes,
        affinity="nearest_neighbors",
        n_neighbors=neighbors,
        assign_labels="cluster_qr",
        random_state=seed,
    )
    # Several threads add in an order of their own, so that equal runs would differ. Parts that
    # nothing connects are what is looked for, no reason for the warning.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Graph is not fully connected", UserWarning)
        return clustering.fit_predict(points).astype(np.int64)


def nearest_class(points, reference_points, reference_classes, num_classes, neighbors=10):
    """The class that most of the nearest reference points have.

    Args:
      points: [B, D].
      reference_points: [N, D].
      reference_classes: integers [N] in [0, K).
      num_classes: K.
      neighbors: number of reference points that vote, at most N. Of classes with as many votes the
        first is taken.

    Returns:
      int64 [B].
    """
    reference_points = tf.convert_to_tensor(reference_points)
    points = tf.cast(points, reference_points.dtype)
    # Less |p|^2, which is the same for all.
    squares = tf.reduce_sum(tf.square(reference_points), axis=1)
    distances = squares - 2 * tf.matmul(points, reference_points, transpose_b=True)  # [B, N]
    _, nearest = tf.math.top_k(-distances, neighbors)
    votes = tf.one_hot(tf.gather(reference_classes, nearest), num_classes, dtype=tf.int32)
    return tf.argmax(tf.reduce_sum(votes, axis=1), axis=1)
