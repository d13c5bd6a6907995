"""Dependence among many variables of a finite table."""

from __future__ import annotations

from tfdisent.information.entropy import table_entropy
from tfdisent.information.tables import check_base, check_table, clip_negative, marginal


def total_correlation(p, base: float = 2) -> float:
    """Total correlation of all variables, sum_i H(X_i) - H(X_1, ..., X_n).

    It is KL(p || prod_i p(x_i)), equals I(X_1; X_2) for two variables, and follows the chain
    TC = sum_i I(X_1, ..., X_{i-1}; X_i).

    Args:
        p: joint table, one axis per variable.
        base: base of the logarithm.

    Returns:
        TC >= 0, in units of `base`.

    Raises:
        ValueError: if `p` is not a probability table.

    Reference:
        Watanabe, Information Theoretical Analysis of Multivariate Correlation, 1960.
    """
    unit = check_base(base)
    return table_total_correlation(check_table(p)) / unit


def dual_total_correlation(p, base: float = 2) -> float:
    """Dual total correlation, H(X_1, ..., X_n) - sum_i H(X_i | all others).

    Args:
        p: joint table, one axis per variable.
        base: base of the logarithm.

    Returns:
        DTC >= 0, in units of `base`; equal to TC for two variables.

    Raises:
        ValueError: if `p` is not a probability table.

    Reference:
        Han, Nonnegative Entropy Measures of Multivariate Symmetric Correlations, 1978.
    """
    unit = check_base(base)
    p = check_table(p)
    joint = table_entropy(p)
    unexplained = sum(joint - table_entropy(p.sum(axis)) for axis in range(p.ndim))
    return clip_negative(joint - unexplained) / unit


def table_total_correlation(p) -> float:
    """Total correlation in nats of an array that is known to be a table."""
    singles = sum(table_entropy(marginal(p, (axis,))) for axis in range(p.ndim))
    return clip_negative(singles - table_entropy(p))
