"""Many scores of one representation, sharing what they share."""

import dataclasses
import functools
import math

import numpy as np
from rich.console import Console
from rich.progress import Progress

from tfdisent.metrics import _information, _sampling, _validate, protocols
from tfdisent.metrics.active_units import from_units as active_units
from tfdisent.metrics.beta_vae_score import PUBLISHED_SIZES
from tfdisent.metrics.beta_vae_score import from_data as beta_vae_score
from tfdisent.metrics.dci import from_rows as dci
from tfdisent.metrics.explicitness import from_rows as explicitness
from tfdisent.metrics.factor_vae_score import check_kl
from tfdisent.metrics.factor_vae_score import from_data as factor_vae_score
from tfdisent.metrics.gaussian_total_correlation import from_units as gaussian_total_correlation
from tfdisent.metrics.gaussian_wasserstein import from_units as gaussian_wasserstein
from tfdisent.metrics.irs import from_data as irs
from tfdisent.metrics.mig import from_classes as mig
from tfdisent.metrics.modularity import from_classes as modularity
from tfdisent.metrics.mutual_information_score import from_classes as mutual_information_score
from tfdisent.metrics.sap import from_rows as sap
from tfdisent.metrics.score import Score

_BINS = 20
_LEVEL = 0.95  # of the bootstrap intervals
_MAX_REDRAWS = 100


def evaluate(
    factors,
    codes,
    metrics="all",
    protocol="locatello2019",
    seed=0,
    kl_per_dim=None,
    discrete_columns=(),
    bootstrap=0,
):
    """Computes many scores of one representation from one check, one draw and one discretisation.

    Each score equals what its own function returns with the same seed and, where the preset sets
    its sampling, the same protocol. "jeong2019", "kim2018" and "lecture" define the FactorVAE score
    only: the other scores then use all rows (a 2:1 split of them for predictors) and say so.

    The bootstrap draws rows anew, with replacement, and computes every score again: training and
    test rows separately, so that no row is in both that was not. Repeated rows raise plug-in
    information, so the 2.5 % and 97.5 % quantiles are moved by the difference between the score
    and the median of the drawn ones (and clipped to the score's range): `details["interval"]`.

    Args:
        factors: int [N, K]; factors with one value are dropped.
        codes: float [N, D], posterior means and class probabilities.
        metrics: "all", a name, or several of `METRICS`. "all" leaves out "dci_fast".
        protocol: "locatello2019", "jeong2019", "kim2018" or "lecture".
        seed: seed of every draw.
        kl_per_dim: float [continuous columns], mean KL in nats; see `factor_vae_score`.
        discrete_columns: tuple of column tuples, one per discrete group; a group is one unit.
        bootstrap: number of resamples, 0 for none.

    Returns:
        Dict from metric name to `Score`, in the order asked for.

    Raises:
        ValueError: if the arrays, names, protocol or counts are not as stated, if no factor has two
            values among the rows drawn, if a score with a predictor is asked of fewer than 3 rows,
            or as the scores themselves raise.

    Warns:
        UserWarning: if a score with a predictor is asked for and more than a tenth of the test rows
            drawn by the protocol are expected to be training rows.
    """
    names = _check_names(metrics)
    protocols.check_preset(protocol)
    _validate.check_positive_int(bootstrap, "bootstrap", minimum=0)
    data = _validate.check_data(factors, codes, discrete_columns)
    if "factor_vae_score" in names:
        kl_per_dim = check_kl(kl_per_dim, data.units.continuous.shape[1], protocol)
    is_split = not _PREDICTORS.isdisjoint(names)
    inputs = _Inputs.of(data, protocol, seed, kl_per_dim, is_split)
    rng = np.random.default_rng(seed)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("scores", total=len(names) * (1 + bootstrap))

        def scores_of(inputs):
            scores = {}
            for name in names:
                progress.update(task, description=name)
                scores[name] = _SCORES[name](inputs)
                progress.advance(task)
            return scores

        scores = scores_of(inputs)
        drawn = [scores_of(inputs.resample(rng)) for _ in range(bootstrap)]
    if bootstrap:
        return {
            name: _with_interval(score, [other[name].value for other in drawn], name)
            for name, score in scores.items()
        }
    return scores


@dataclasses.dataclass(frozen=True)
class _Inputs:
    """What the scores are computed from.

    Attributes:
        data: all rows; votes draw from it.
        rows: the rows of scores without predictor.
        train: training rows of `data`, None if no score fits a predictor.
        test: test rows of `data`, None likewise.
        rows_stamp: protocol stamp of scores without predictor.
        rows_seed: their seed, None where nothing is drawn.
        split_stamp: protocol stamp of scores with a predictor, None if there are none.
        protocol: the preset.
        seed: seed of all draws.
        kl_per_dim: mean KL of the continuous columns, or None.
    """

    data: _validate.Data
    rows: _validate.Data
    train: np.ndarray | None
    test: np.ndarray | None
    rows_stamp: str
    rows_seed: int | None
    split_stamp: str | None
    protocol: str
    seed: int
    kl_per_dim: np.ndarray | None

    @classmethod
    def of(cls, data, protocol, seed, kl_per_dim, is_split=True):
        """Draws the rows of the protocol; without `is_split` none for predictors."""
        sampling = protocol if protocol in protocols.SAMPLING else None
        rows, rows_stamp, rows_seed = _sampling.rows_for(data, sampling, seed)
        train = test = split_stamp = None
        if is_split:
            train, test, split_stamp = _sampling.split(data.num_rows, None, None, sampling, seed)
        return cls(
            data=data,
            rows=rows,
            train=train,
            test=test,
            rows_stamp=rows_stamp,
            rows_seed=rows_seed,
            split_stamp=split_stamp,
            protocol=protocol,
            seed=seed,
            kl_per_dim=kl_per_dim,
        )

    @functools.cached_property
    def classes(self):
        """Discretised units, factor classes and their mutual information."""
        return _information.Classes(self.rows, _BINS)

    def stamp(self, words):
        """The stamp of a score on `rows`: the preset, or its parameters in words."""
        return self.protocol if self.rows_seed is not None else f"{self.rows_stamp}, {words}"

    def resample(self, rng):
        """The same with rows drawn with replacement from each set of rows."""
        factors = self.data.factors
        everything = np.arange(self.data.num_rows)
        return dataclasses.replace(
            self,
            data=self.data.take(_redraw(everything, factors, rng)),
            rows=self.rows.take(_redraw(np.arange(self.rows.num_rows), self.rows.factors, rng)),
            train=None if self.train is None else _redraw(self.train, factors, rng),
            test=None if self.test is None else _redraw(self.test, factors, rng),
        )


_SCORES = {
    "factor_vae_score": lambda i: factor_vae_score(i.data, i.protocol, i.kl_per_dim, i.seed),
    "beta_vae_score": lambda i: beta_vae_score(i.data, PUBLISHED_SIZES, i.seed),
    "mig": lambda i: mig(i.classes, i.stamp(f"{_BINS} bins"), i.rows_seed),
    "dci": lambda i: dci(i.data, i.train, i.test, i.split_stamp, i.seed),
    "dci_fast": lambda i: dci(i.data, i.train, i.test, i.split_stamp, i.seed, fast=True),
    "sap": lambda i: sap(i.data, i.train, i.test, i.split_stamp, i.seed),
    "modularity": lambda i: modularity(i.classes, i.stamp(f"{_BINS} bins"), i.rows_seed),
    "explicitness": lambda i: explicitness(i.data, i.train, i.test, i.split_stamp, i.seed),
    "irs": lambda i: irs(i.rows, 0.99, _BINS, i.stamp(f"{_BINS} bins, quantile 0.99"), i.rows_seed),
    "gaussian_total_correlation": lambda i: gaussian_total_correlation(
        i.rows.units, i.rows_stamp, i.rows_seed
    ),
    "gaussian_wasserstein": lambda i: gaussian_wasserstein(i.rows.units, i.rows_stamp, i.rows_seed),
    "mutual_information_score": lambda i: mutual_information_score(
        i.classes.units, i.stamp(f"{_BINS} bins"), i.rows_seed
    ),
    "active_units": lambda i: active_units(i.data.units),
}

METRICS = tuple(_SCORES)
_ALL = tuple(name for name in METRICS if name != "dci_fast")

_PREDICTORS = {"dci", "dci_fast", "sap", "explicitness"}

_UNBOUNDED = {
    "gaussian_total_correlation",
    "gaussian_wasserstein",
    "mutual_information_score",
    "active_units",
}

_LEAST = {"irs": -1.0}  # 0 for the others


def _check_names(metrics):
    """Returns the names asked for as a tuple, or raises."""
    if isinstance(metrics, str):
        metrics = _ALL if metrics == "all" else (metrics,)
    names = tuple(metrics)
    unknown = [name for name in names if name not in _SCORES]
    if unknown or not names:
        received = repr(unknown[0]) if unknown else "none"
        raise ValueError(
            f"metrics must be 'all' or some of {', '.join(METRICS)}; received {received}."
        )
    return names


def _redraw(rows, factors, rng):
    """Rows drawn with replacement from `rows`, such that each factor keeps two values."""
    varies = (factors[rows] != factors[rows[:1]]).any(axis=0)
    for _ in range(_MAX_REDRAWS):
        drawn = rows[rng.integers(rows.size, size=rows.size)]
        if ((factors[drawn] != factors[drawn[:1]]).any(axis=0) >= varies).all():
            return drawn
    raise ValueError(
        f"{rows.size} rows are too few to resample: in {_MAX_REDRAWS} draws a factor always had "
        "one value."
    )


def _with_interval(score, drawn, name):
    """The score with its bootstrap interval in the details."""
    drawn = np.asarray(drawn)
    if np.isfinite(score.value) and np.isfinite(drawn).all():
        low, median, high = np.quantile(drawn, [(1 - _LEVEL) / 2, 0.5, (1 + _LEVEL) / 2])
        upper = math.inf if name in _UNBOUNDED else 1.0
        moved = score.value + np.array([low, high]) - median
        interval = np.clip(moved, _LEAST.get(name, 0.0), upper)
    else:  # an infinite total correlation has no quantiles between
        interval = np.array([min(score.value, drawn.min()), max(score.value, drawn.max())])
    details = {
        **score.details,
        "interval": interval.tolist(),
        "interval_level": _LEVEL,
        "bootstrap": drawn.size,
    }
    return Score(score.value, score.name, score.protocol, score.seed, details)
