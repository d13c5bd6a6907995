"""Keras metrics of the aggregated posterior, running over the batches of an epoch.

They see the encoder as it was at each batch: while it learns, their values lag behind it.
"""

import keras
import numpy as np
import tensorflow as tf


class _Moments(keras.metrics.Metric):
    """Sums over rows, from which means and variances follow.

    The sums are float64, so that variances lose nothing where means are large, and plain sums, so
    that metrics of several processes or replicas merge by addition.

    Args:
      size: D, number of Gaussian latent dimensions.
      name: of the metric.
    """

    def __init__(self, size, name):
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"size must be a positive integer, received {size!r}.")
        super().__init__(name=name)
        self.size = size
        self.count = self._sum("count", ())

    def _sum(self, name, shape):
        return self.add_weight(shape=shape, initializer="zeros", dtype="float64", name=name)

    def _rows(self, values, what):
        """Rows [B, D] as float64, after a check of their width."""
        values = tf.cast(tf.convert_to_tensor(values), tf.float64)
        if values.shape.rank != 2 or values.shape[1] != self.size:
            raise ValueError(
                f"{what} must have shape [B, {self.size}], received {values.shape.as_list()}."
            )
        return values

    def _mean_of(self, total):
        return tf.math.divide_no_nan(total.value, self.count.value)

    def merge_state(self, metrics):
        """Adds what other metrics of the same class and size have seen.

        Raises:
          ValueError: if one is of another class or size.
        """
        for metric in metrics:
            if type(metric) is not type(self) or metric.size != self.size:
                raise ValueError(
                    f"expected {type(self).__name__} of size {self.size} to merge, received "
                    f"{type(metric).__name__} of size {getattr(metric, 'size', None)}."
                )
            for own, other in zip(self.variables, metric.variables, strict=True):
                own.assign_add(other)

    def get_config(self):
        return {"size": self.size, "name": self.name}


@keras.saving.register_keras_serializable("tfdisent")
class ActiveUnits(_Moments):
    """The number of latent dimensions whose posterior mean varies over the data.

    ```python
    active = ActiveUnits(10)
    active.update_state(posterior["continuous"].mean())   # [B, 10], batch after batch
    active.result()                                       # such as 7.0
    ```

    Args:
      size: D.
      threshold: variance above which a dimension is active.
      name: of the metric.

    Raises:
      ValueError: if a number is not as stated.

    Reference:
      Burda et al., Importance Weighted Autoencoders, 2016, arXiv:1509.00519, section 5.
    """

    def __init__(self, size, threshold=0.01, name="active_units"):
        super().__init__(size, name)
        if not threshold >= 0:
            raise ValueError(f"threshold must be at least 0, received {threshold}.")
        self.threshold = float(threshold)
        self.sum = self._sum("sum", (size,))
        self.squares = self._sum("squares", (size,))

    def update_state(self, means):
        """Adds the posterior means [B, D] of a batch."""
        means = self._rows(means, "means")
        self.count.assign_add(tf.cast(tf.shape(means)[0], tf.float64))
        self.sum.assign_add(tf.reduce_sum(means, axis=0))
        self.squares.assign_add(tf.reduce_sum(tf.square(means), axis=0))

    def variances(self):
        """Variance of each posterior mean, [D]; 0 before the first batch."""
        return self._mean_of(self.squares) - tf.square(self._mean_of(self.sum))

    def result(self):
        is_active = self.variances() > self.threshold
        return tf.reduce_sum(tf.cast(is_active, tf.float32))

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


@keras.saving.register_keras_serializable("tfdisent")
class AggregateMoments(_Moments):
    """Mean m and covariance S of the aggregated posterior q(z) = mean_n q(z | x_n).

    S is the covariance of the posterior means plus the mean of the posterior variances. `result` is
    a dictionary, in nats:

    - "<name>_kl": KL(N(m, S) || N(0, I)), a lower bound of KL(q(z) || p(z)), because a Gaussian has
      the largest entropy of all densities with its moments;
    - "<name>_total_correlation": that of N(m, S), which bounds nothing.

    ```python
    aggregate = AggregateMoments(10)
    aggregate.update_state(posterior["continuous"].mean(), posterior["continuous"].stddev())
    aggregate.covariance()                                # [10, 10]
    ```

    Args:
      size: D.
      name: of the metric.

    Raises:
      ValueError: if the size is not a positive integer.
    """

    def __init__(self, size, name="aggregate"):
        super().__init__(size, name)
        self.sum = self._sum("sum", (size,))
        self.products = self._sum("products", (size, size))

    def update_state(self, means, stds):
        """Adds the posterior means and standard deviations, both [B, D], of a batch."""
        means, stds = self._rows(means, "means"), self._rows(stds, "stds")
        self.count.assign_add(tf.cast(tf.shape(means)[0], tf.float64))
        self.sum.assign_add(tf.reduce_sum(means, axis=0))
        variances = tf.linalg.diag(tf.reduce_sum(tf.square(stds), axis=0))
        self.products.assign_add(tf.matmul(means, means, transpose_a=True) + variances)

    def mean(self):
        """m, float64 [D]; 0 before the first batch."""
        return self._mean_of(self.sum)

    def covariance(self):
        """S, float64 [D, D]; 0 before the first batch."""
        mean = self.mean()
        return self._mean_of(self.products) - mean[:, None] * mean

    def result(self):
        mean = self.mean()
        # Before the first batch, the moments of the prior: both values are then 0.
        is_empty = tf.cast(tf.equal(self.count.value, 0), tf.float64)
        covariance = self.covariance() + is_empty * np.eye(self.size)
        variances = tf.nn.relu(tf.linalg.diag_part(covariance))
        # A code without variance has an infinite KL and no correlations.
        is_constant = tf.cast(tf.equal(variances, 0), tf.float64)
        scale = tf.sqrt(variances) + is_constant
        correlation = covariance / (scale[:, None] * scale) + tf.linalg.diag(is_constant)
        # XLA has eigenvalues, but no determinant.
        eigenvalues = tf.linalg.eigvalsh(correlation)
        total_correlation = -0.5 * tf.reduce_sum(tf.math.log(tf.nn.relu(eigenvalues)))
        marginal_kl = 0.5 * tf.reduce_sum(variances + tf.square(mean) - 1 - tf.math.log(variances))
        kl = marginal_kl + total_correlation
        return {
            f"{self.name}_kl": tf.cast(kl, tf.float32),
            f"{self.name}_total_correlation": tf.cast(total_correlation, tf.float32),
        }
