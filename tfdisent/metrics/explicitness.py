"""Explicitness: can each factor be read off linearly?"""

import numpy as np
import scipy.stats
from sklearn.linear_model import LogisticRegression

from tfdisent.metrics import _parallel, _sampling, _validate
from tfdisent.metrics.score import Score

# The default of 100 stops the fit to entangled codes early, which changes the fifth decimal.
_MAX_ITER = 1000


def explicitness(factors, codes, train=None, test=None, discrete_columns=(), protocol=None, seed=0):
    """Mean ROC AUC of a logistic regression from all units to each factor, on held-out rows.

    The codes are standardised by the training rows, groups enter as one-hot columns. The AUC is
    one-vs-rest, averaged over the values of the factor and then over factors. A value that all
    or none of the rows have has no AUC and is left out.

    Args:
        factors: int [N, K]; factors with one value are dropped.
        codes: float [N, D].
        train: int row indices, or None for two thirds of the rows.
        test: int row indices, or None for the other third.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None, or "locatello2019": 10,000 training and 5,000 test rows drawn with
            replacement, independently: of fewer than 95,000 rows, more than a tenth of the test
            rows are training rows too, of 10,000 rows 63 %.
        seed: seed of the split or of that draw.

    Returns:
        `Score` in [0, 1], the test value. Details: `explicitness_train`, `explicitness_test`,
        `per_factor` [K] (test), `num_train`, `num_test`, `kept_factors`.

    Raises:
        ValueError: if the arrays, rows or protocol are not as stated, if a factor has one value
            among the training or test rows, or if the two sets of rows share no value of it.

    Warns:
        UserWarning: if more than a tenth of the test rows drawn by a protocol are expected to be
            training rows, which raises the score.

    Reference:
        Ridgeway and Mozer, Learning Deep Disentangled Embeddings with the F-Statistic Loss, 2018,
        arXiv:1802.05312, section 3.
    """
    data = _validate.check_data(factors, codes, discrete_columns)
    train, test, stamp = _sampling.split(data.num_rows, train, test, protocol, seed)
    return from_rows(data, train, test, stamp, seed)


def from_rows(data, train, test, stamp, seed):
    """The score of checked data and rows; see `explicitness`."""
    train_factors, test_factors = data.factors[train], data.factors[test]
    _sampling.check_two_values(train_factors, data.kept_factors, "training")
    _sampling.check_two_values(test_factors, data.kept_factors, "test")
    _check_shared_values(train_factors, test_factors, data.kept_factors)
    features, _ = data.units.features()
    train_codes, test_codes = features[train], features[test]
    mean, std = train_codes.mean(axis=0), train_codes.std(axis=0)
    std[train_codes.min(axis=0) == train_codes.max(axis=0)] = 1.0
    train_codes, test_codes = (train_codes - mean) / std, (test_codes - mean) / std

    def area(k):
        """AUC of factor k on the training and the test rows."""
        model = LogisticRegression(max_iter=_MAX_ITER).fit(train_codes, train_factors[:, k])
        return (
            _mean_auc(train_factors[:, k], model.classes_, model.predict_proba(train_codes)),
            _mean_auc(test_factors[:, k], model.classes_, model.predict_proba(test_codes)),
        )

    areas = np.array(_parallel.over_factors(area, train_factors))  # [K, 2]
    train_value, test_value = areas.mean(axis=0)
    details = {
        "explicitness_train": float(train_value),
        "explicitness_test": float(test_value),
        "per_factor": areas[:, 1],
        "num_train": train.size,
        "num_test": test.size,
        "kept_factors": list(data.kept_factors),
    }
    return Score(test_value, "explicitness", stamp, seed, details)


def _check_shared_values(train_factors, test_factors, kept_factors):
    """Raises ValueError if no training value of a factor [N, K] is among the test rows."""
    for k, (train, test) in enumerate(zip(train_factors.T, test_factors.T, strict=True)):
        values = np.unique(train)
        if not np.isin(test, values).any():
            raise ValueError(
                "explicitness needs test rows with values that the classifier was trained on, "
                f"factor {kept_factors[k]} has none of its {values.size} training value(s) among "
                f"{test.size} test row(s)."
            )


def _mean_auc(labels, classes, scores):
    """Mean over classes [C] of the one-vs-rest AUC of scores [N, C]; ties count one half."""
    is_class = labels[:, None] == classes  # [N, C]
    positive = is_class.sum(axis=0)
    negative = len(labels) - positive
    ranks = scipy.stats.rankdata(scores, axis=0)  # average rank at ties
    wins = np.sum(ranks * is_class, axis=0) - positive * (positive + 1) / 2
    defined = (positive > 0) & (negative > 0)
    return np.mean(wins[defined] / (positive * negative)[defined])
