"""Total correlation of the Gaussian with the covariance of the codes."""

import math

import numpy as np

from tfdisent.information.gaussian import is_singular
from tfdisent.metrics import _covariance, _sampling, _validate
from tfdisent.metrics.score import Score


def gaussian_total_correlation(codes, discrete_columns=(), protocol=None, seed=0):
    """0.5 (sum_i log S_ii - log det S) in nats, S the covariance of the codes.

    Zero for uncorrelated codes; infinite if a column is, to rounding, a linear function of others,
    so also wherever there are more columns than rows. Columns that do not vary count as
    independent. A discrete group of C labels enters as a block of C - 1 indicators and log S_ii as
    the log determinant of its block.

    Args:
        codes: float [N, D], N >= 2.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        protocol: None for the rows given, or "locatello2019": 10,000 of them drawn with
            replacement.
        seed: seed of that draw.

    Returns:
        `Score` >= 0, nats. Details: `num_rows`, `num_active` (units that vary).

    Raises:
        ValueError: if the arrays or the protocol are not as stated, or N < 2.

    References:
        Watanabe, Information theoretical analysis of multivariate correlation, 1960.
        Locatello et al., Challenging Common Assumptions in the Unsupervised Learning of
        Disentangled Representations, 2019, arXiv:1811.12359 (as an unsupervised score).
    """
    units = _validate.check_codes(codes, discrete_columns)
    return from_units(*_sampling.rows_for(units, protocol, seed))


def from_units(units, stamp, seed):
    """The score of checked rows; see `gaussian_total_correlation`."""
    covariance, _, blocks = _covariance.covariance_blocks(units)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)  # the total correlation ignores scales
    joint = _log_determinant(correlation)
    wide = [block for block in blocks if block.size > 1]  # of a single column it is log 1
    marginal = sum(_log_determinant(correlation[np.ix_(block, block)]) for block in wide)
    value = math.inf if joint == -math.inf else np.maximum(0.0, 0.5 * (marginal - joint))
    details = {"num_rows": units.num_rows, "num_active": len(blocks)}
    return Score(value, "gaussian_total_correlation", stamp, seed, details)


def _log_determinant(correlation):
    """Log determinant of a positive semi-definite matrix; -inf if singular to rounding."""
    if len(correlation) == 0:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(correlation)
    if is_singular(eigenvalues):
        return -math.inf
    return float(np.sum(np.log(eigenvalues)))
