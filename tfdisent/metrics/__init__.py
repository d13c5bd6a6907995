"""Scores of representations: arrays `(factors [N, K], codes [N, D])` -> `Score`. No TensorFlow."""

from tfdisent.metrics.active_units import active_units
from tfdisent.metrics.beta_vae_score import beta_vae_score
from tfdisent.metrics.class_accuracy import class_accuracy
from tfdisent.metrics.dci import dci
from tfdisent.metrics.evaluate import METRICS, evaluate
from tfdisent.metrics.explicitness import explicitness
from tfdisent.metrics.factor_vae_score import factor_vae_score
from tfdisent.metrics.gaussian_total_correlation import gaussian_total_correlation
from tfdisent.metrics.gaussian_wasserstein import gaussian_wasserstein
from tfdisent.metrics.irs import irs
from tfdisent.metrics.mig import mig
from tfdisent.metrics.mode_coverage import mode_coverage
from tfdisent.metrics.modularity import modularity
from tfdisent.metrics.mutual_information_score import mutual_information_score
from tfdisent.metrics.protocols import PRESETS
from tfdisent.metrics.sap import sap
from tfdisent.metrics.score import Score
from tfdisent.metrics.udr import udr

__all__ = [
    "METRICS",
    "PRESETS",
    "Score",
    "active_units",
    "beta_vae_score",
    "class_accuracy",
    "dci",
    "evaluate",
    "explicitness",
    "factor_vae_score",
    "gaussian_total_correlation",
    "gaussian_wasserstein",
    "irs",
    "mig",
    "mode_coverage",
    "modularity",
    "mutual_information_score",
    "sap",
    "udr",
]
