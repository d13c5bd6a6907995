"""Separated attribute predictability."""

import numpy as np
from sklearn.svm import LinearSVC

from tfdisent.metrics import _linear_svm, _sampling, _validate
from tfdisent.metrics.mig import top_two_gap
from tfdisent.metrics.score import Score


def sap(
    factors,
    codes,
    train=None,
    test=None,
    continuous=False,
    discrete_columns=(),
    protocol=None,
    seed=0,
):
    """Mean over factors of the gap between the two units that predict it best.

    Discrete factors: the test accuracy of a linear support vector classifier (C = 0.01, balanced
    classes) from one unit; a discrete group enters as one-hot columns. Continuous factors: the
    squared correlation with one unit (of a group, the share of the factor's variance between its
    labels), 0 for a unit of variance up to 1e-12. The gap of a single unit is that to a constant.

    Args:
        factors: int [N, K]; factors with one value are dropped.
        codes: float [N, D].
        train: int row indices, or None for two thirds of the rows (all rows if `continuous`).
        test: int row indices, or None for the other third; unused if `continuous`.
        continuous: treat factors as numbers.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None, or "locatello2019": 10,000 training and 5,000 test rows drawn with
            replacement, independently: of fewer than 95,000 rows, more than a tenth of the test
            rows are training rows too, of 10,000 rows 63 %.
        seed: seed of the split or of that draw.

    Returns:
        `Score` in [0, 1]. Details: `matrix` [units, K], `gaps` [K], `num_train`, `num_test`,
        `kept_factors`.

    Raises:
        ValueError: if the arrays, rows or protocol are not as stated, or if a factor has one value
            among the training rows.

    Warns:
        UserWarning: if factors are discrete and more than a tenth of the test rows drawn by a
            protocol are expected to be training rows.

    Reference:
        Kumar et al., Variational Inference of Disentangled Latent Concepts from Unlabeled
        Observations, 2018, arXiv:1711.00848, section 3.
    """
    data = _validate.check_data(factors, codes, discrete_columns)
    if continuous and train is None and test is None and protocol is None:
        return from_correlations(data, "all rows", None)
    train, test, stamp = _sampling.split(
        data.num_rows, train, test, protocol, seed, is_tested=not continuous
    )
    if continuous:
        _sampling.check_two_values(data.factors[train], data.kept_factors, "training")
        return from_correlations(data.take(train), stamp, seed)
    return from_rows(data, train, test, stamp, seed)


def from_rows(data, train, test, stamp, seed):
    """The score of discrete factors, for checked data and rows; see `sap`."""
    _sampling.check_two_values(data.factors[train], data.kept_factors, "training")
    matrix, constant = _accuracies(data, train, test)
    gaps = top_two_gap(np.vstack([matrix, constant]) if len(matrix) == 1 else matrix)
    details = {"matrix": matrix, "gaps": gaps, "num_train": train.size, "num_test": test.size}
    return _score(data, details, stamp, seed)


def from_correlations(data, stamp, seed):
    """The score of continuous factors over all rows of checked data; see `sap`."""
    matrix = _squared_correlations(data)
    gaps = top_two_gap(np.vstack([matrix, np.zeros(matrix.shape[1])]))
    details = {"matrix": matrix, "gaps": gaps, "num_train": data.num_rows, "num_test": 0}
    return _score(data, details, f"{stamp}, continuous", seed)


def _score(data, details, stamp, seed):
    """Wraps the mean gap."""
    details["kept_factors"] = list(data.kept_factors)
    return Score(details["gaps"].mean(), "sap", stamp, seed, details)


def _accuracies(data, train, test):
    """Test accuracy from each unit [units, K], and from a constant [K]."""
    labels, targets = [], []  # classes counted from 0 as in training; unseen test values: -1
    for factor in data.factors.T:
        values, classes = np.unique(factor[train], return_inverse=True)
        place = np.searchsorted(values, factor[test]).clip(max=values.size - 1)
        labels.append(classes)
        targets.append(np.where(values[place] == factor[test], place, -1))

    def accuracies(column):
        """Test accuracy [K] from float [N]."""
        prepared = _linear_svm.SortedColumn(column[train])
        return [
            np.mean(_linear_svm.fit_predict(prepared, y, column[test]) == target)
            for y, target in zip(labels, targets, strict=True)
        ]

    matrix = [accuracies(column) for column in data.units.continuous.T]
    for label in data.units.labels:
        features = _validate.one_hot(label)
        model = LinearSVC(C=0.01, class_weight="balanced", dual=False)
        matrix.append(
            [
                np.mean(model.fit(features[train], y).predict(features[test]) == target)
                for y, target in zip(labels, targets, strict=True)
            ]
        )
    return np.array(matrix), np.array(accuracies(np.zeros(data.num_rows)))


def _squared_correlations(data):
    """Squared correlation of each unit with each factor: [units, K]."""
    codes, factors = _centered(data.units.continuous), _centered(data.factors)
    total = np.einsum("nk,nk->k", factors, factors)
    square = np.einsum("nc,nc->c", codes, codes)[:, None]
    varies = square > 1e-12 * (data.num_rows - 1)
    explained = (codes.T @ factors) ** 2 / np.where(varies, square, 1.0)
    parts = [np.where(varies, explained / total, 0.0)]
    for label in data.units.labels:
        features = _validate.one_hot(label)
        between = (features.T @ factors) ** 2 / features.sum(axis=0)[:, None]  # [labels, K]
        parts.append(between.sum(axis=0, keepdims=True) / total)
    return np.minimum(np.concatenate(parts), 1.0)


def _centered(matrix):
    """Float [N, W] less the mean of each column."""
    matrix = matrix.astype(np.float64)
    matrix -= np.full(len(matrix), 1 / len(matrix)) @ matrix
    return matrix
