"""Disentanglement, completeness and informativeness."""

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from tfdisent.metrics import _histogram_boosting, _parallel, _sampling, _validate
from tfdisent.metrics.score import Score


def dci(
    factors,
    codes,
    train=None,
    test=None,
    seed=0,
    fast=False,
    discrete_columns=(),
    protocol=None,
    num_jobs=None,
):
    """Disentanglement, completeness and informativeness from boosted trees.

    For each factor a gradient-boosting classifier (scikit-learn's defaults: 100 stages of trees of
    depth 3) predicts it from all units; R [units, K] holds its feature importances. A unit's
    disentanglement is 1 - entropy (base K) of its row of R, a factor's completeness 1 - entropy
    (base units) of its column, both averaged with the shares of the rows and columns in R as
    weights (equal weights if R is zero). Informativeness is the accuracy of the classifiers.
    A discrete group enters as one-hot columns whose importances are added.

    `fast` tries splits at 32 quantiles of each column only, in seconds instead of minutes; it is
    stamped as a protocol of its own. `benchmarks/metrics.py` shows how far it deviates.

    Args:
        factors: int [N, K]; factors with one value are dropped.
        codes: float [N, D].
        train: int row indices, or None for two thirds of the rows.
        test: int row indices, or None for the other third.
        seed: seed of the split or draw, and of the classifiers.
        fast: see above.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None, or "locatello2019": 10,000 training and 5,000 test rows drawn with
            replacement, independently: of fewer than 95,000 rows, more than a tenth of the test
            rows are training rows too, of 10,000 rows 63 %.
        num_jobs: threads, None for one per core; the result is the same.

    Returns:
        `Score` in [0, 1], the disentanglement. Details: `disentanglement`, `completeness`,
        `informativeness_train`, `informativeness_test`, `importance` [units, K], `num_train`,
        `num_test`, `kept_factors`.

    Raises:
        ValueError: if the arrays, rows or protocol are not as stated, or if a factor has one value
            among the training rows.

    Warns:
        UserWarning: if more than a tenth of the test rows drawn by a protocol are expected to be
            training rows, which raises `informativeness_test`.

    References:
        Eastwood and Williams, A Framework for the Quantitative Evaluation of Disentangled
        Representations, 2018 (ICLR, openreview By-7dz-AZ), section 2.
        Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, arXiv:1811.12359 (boosted trees, as here).
    """
    data = _validate.check_data(factors, codes, discrete_columns)
    train, test, stamp = _sampling.split(data.num_rows, train, test, protocol, seed)
    return from_rows(data, train, test, stamp, seed, fast, num_jobs)


def from_rows(data, train, test, stamp, seed, fast=False, num_jobs=None):
    """The score of checked data and rows; see `dci`."""
    train_factors, test_factors = data.factors[train], data.factors[test]
    _sampling.check_two_values(train_factors, data.kept_factors, "training")
    features, owner = data.units.features()
    features = (features[train], features[test])
    predict = _fit_fast if fast else _fit_published

    def fit(k):
        """Importance [F] for factor k, and the accuracies on the training and the test rows."""
        importance, *predicted = predict(*features, train_factors[:, k], seed)
        truth = (train_factors[:, k], test_factors[:, k])
        return importance, *(np.mean(p == t) for p, t in zip(predicted, truth, strict=True))

    importances, train_accuracy, test_accuracy = zip(
        *_parallel.over_factors(fit, train_factors, num_jobs), strict=True
    )
    importance = np.zeros((len(data.units), data.factors.shape[1]))
    np.add.at(importance, owner, np.transpose(importances))
    details = {
        "disentanglement": concentration(importance),
        "completeness": concentration(importance.T),
        "informativeness_train": float(np.mean(train_accuracy)),
        "informativeness_test": float(np.mean(test_accuracy)),
        "importance": importance,
        "num_train": train.size,
        "num_test": test.size,
        "kept_factors": list(data.kept_factors),
    }
    if fast:
        stamp = f"fast: {_histogram_boosting.BINS} bins, {stamp}"
    return Score(details["disentanglement"], "dci", stamp, seed, details)


def concentration(importance):
    """Weighted mean over rows of 1 - entropy of the row, in base of its length.

    Args:
        importance: float [rows, columns], not negative.

    Returns:
        Float in [0, 1]. Rows weigh by their share of the whole, or equally if it is zero. Rows of
        length one are concentrated as soon as anything is in them.
    """
    total = importance.sum()
    if importance.shape[1] == 1:
        return float(total > 0)
    shares = importance + 1e-11  # keeps empty rows at the entropy of equal shares
    shares = shares / shares.sum(axis=1, keepdims=True)
    entropy = -np.sum(shares * np.log(shares), axis=1) / np.log(importance.shape[1])
    rows = importance.sum(axis=1)
    weights = rows / total if total > 0 else np.full(len(rows), 1 / len(rows))
    return float(np.clip(weights @ (1 - entropy), 0, 1))


def _fit_published(train, test, labels, seed):
    """Importance [F] and predictions of the published classifier."""
    # Trees see the order of the values alone, but in float32: an offset must not eat it up.
    center = train.mean(axis=0)
    scale = np.abs(train - center).max(axis=0)
    scale[scale == 0] = 1.0
    train, test = (train - center) / scale, (test - center) / scale
    model = GradientBoostingClassifier(random_state=seed).fit(train, labels)
    with np.errstate(invalid="ignore"):
        importance = model.feature_importances_  # 0 / 0 if no split of any tree helps
    importance = np.where(np.isnan(importance), 0.0, importance)
    return importance, model.predict(train), model.predict(test)


def _fit_fast(train, test, labels, seed):
    """Importance [F] and predictions of trees on binned features; nothing is random in them."""
    values, classes = np.unique(labels, return_inverse=True)
    importance, predicted = _histogram_boosting.boost(
        np.concatenate([train, test]), classes, len(train)
    )
    return importance, values[predicted[: len(train)]], values[predicted[len(train) :]]
