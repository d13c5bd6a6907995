"""Estimates from samples that need no search: plug-in tables and Gaussian fits."""

from __future__ import annotations

import math

import numpy as np

from tfdisent.information.gaussian import gaussian_mutual_information, gaussian_total_correlation
from tfdisent.information.mutual_information import mutual_information
from tfdisent.information.tables import check_numbers


def empirical_table(*columns) -> np.ndarray:
    """Relative frequencies of discrete samples, one axis per column.

    Any function of tables becomes a plug-in estimate on it. Plug-in entropies are too low, by
    about (K - 1) / 2N nats with K cells in use; plug-in informations are too high.

    Args:
        *columns: [N] or [N, D] samples of discrete variables (integers, booleans or strings); a
            row of D entries is one symbol.

    Returns:
        Table of shape (values of column 1, values of column 2, ...), values in sorted order.

    Raises:
        ValueError: if the columns differ in length or are empty.
        TypeError: if a column holds real numbers that are not whole.
    """
    if not columns:
        raise ValueError("empirical_table takes at least one column, received none.")
    indices, sizes = [], []
    for i, column in enumerate(columns):
        column = _check_discrete(column, f"column {i}")
        values, index = np.unique(column, axis=0, return_inverse=True)
        indices.append(index.reshape(-1))
        sizes.append(len(values))
    lengths = [len(index) for index in indices]
    if len(set(lengths)) > 1:
        raise ValueError(f"columns must have the same length, received {lengths}.")
    table = np.zeros(sizes)
    np.add.at(table, tuple(indices), 1.0)
    return table / lengths[0]


def plugin_mutual_information(x, y, base: float = 2) -> float:
    """Mutual information of the empirical table of two discrete variables.

    Biased upwards by about (K_x - 1)(K_y - 1) / 2N nats, and never above log N.

    Args:
        x: [N] or [N, D] discrete samples.
        y: [N] or [N, D] discrete samples.
        base: base of the logarithm.

    Returns:
        The estimate, in units of `base`.

    Raises:
        ValueError: if the samples differ in length or are empty.
        TypeError: if the samples are not discrete.

    Reference:
        Paninski, Estimation of Entropy and Mutual Information, 2003, for the bias.
    """
    return mutual_information(empirical_table(x, y), base)


def fitted_gaussian_mutual_information(x, y, base: float = math.e) -> float:
    """Mutual information of the Gaussian with the sample covariance of (x, y).

    Exact in the limit for Gaussian samples, blind to any dependence beyond the covariance.

    Args:
        x: [N] or [N, D] samples.
        y: [N] or [N, D] samples.
        base: base of the logarithm.

    Returns:
        The estimate, in units of `base`.

    Raises:
        ValueError: if the samples differ in length or their covariance is singular.
    """
    x, y = check_samples(x, "x"), check_samples(y, "y")
    check_paired(x, y)
    joint = np.concatenate([x, y], axis=1)
    target = range(x.shape[1], joint.shape[1])
    return gaussian_mutual_information(_covariance(joint), target, base=base)


def fitted_gaussian_total_correlation(z, base: float = math.e) -> float:
    """Total correlation of the Gaussian with the sample covariance of z.

    Args:
        z: [N, D] samples, D >= 2.
        base: base of the logarithm.

    Returns:
        The estimate, in units of `base`.

    Raises:
        ValueError: if the covariance is singular or there are fewer than two columns.
    """
    z = check_samples(z, "z", min_columns=2)
    return gaussian_total_correlation(_covariance(z), base)


def check_samples(samples, name: str, min_columns: int = 1) -> np.ndarray:
    """Returns samples as float64 [N, D], a vector as one column."""
    samples = check_numbers(samples, name)
    if samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or len(samples) < 2 or samples.shape[1] < min_columns:
        raise ValueError(
            f"{name} must have shape [samples, columns] with at least 2 samples and "
            f"{min_columns} columns, received {samples.shape}."
        )
    return samples


def check_paired(x: np.ndarray, y: np.ndarray) -> None:
    """Raises unless x and y have the same number of rows."""
    if len(x) != len(y):
        raise ValueError(f"x and y must have the same length, received {len(x)} and {len(y)}.")


def _covariance(samples: np.ndarray) -> np.ndarray:
    """Sample covariance, exactly 0 for a column of one value whatever its mean is rounded to."""
    varies = samples.min(0) < samples.max(0)
    return np.cov(samples, rowvar=False) * np.outer(varies, varies)


def _check_discrete(column, name: str) -> np.ndarray:
    column = np.asarray(column)
    if column.ndim not in (1, 2) or column.size == 0:
        raise ValueError(f"{name} must have shape [N] or [N, D], received {column.shape}.")
    if column.dtype.kind not in "biufUS":
        raise TypeError(f"{name} must be discrete, received dtype {column.dtype}.")
    if column.dtype.kind == "f" and (column != np.round(column)).any():
        raise TypeError(
            f"{name} must be discrete, received real numbers; bin them, or use "
            "knn_mutual_information."
        )
    return column
