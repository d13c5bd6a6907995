"""From a model and a data set to arrays, findings and pictures."""

from tfdisent.evaluation.classification import Classification, classify
from tfdisent.evaluation.decomposition import (
    Decomposition,
    aggregate_decomposition,
    elbo_decomposition,
)
from tfdisent.evaluation.doctor import Finding, diagnose
from tfdisent.evaluation.elbo_terms import ElboTerms, elbo_terms
from tfdisent.evaluation.encode import Encoding, encode_dataset, subset
from tfdisent.evaluation.figures import save_figures
from tfdisent.evaluation.measurements import Measurements, measure, unit_names
from tfdisent.evaluation.mig_chen2018 import mig_chen2018
from tfdisent.evaluation.panel import LABEL_FREE, label_free_scores, panel, udr_of_models
from tfdisent.evaluation.rate_distortion import RateDistortion, rate_distortion
from tfdisent.evaluation.reconstruction import reconstruction
from tfdisent.evaluation.scores import can_classify, score_encoding
from tfdisent.evaluation.synergy import SynergyHistory, synergy_history

__all__ = [
    "LABEL_FREE",
    "Classification",
    "Decomposition",
    "ElboTerms",
    "Encoding",
    "Finding",
    "Measurements",
    "RateDistortion",
    "SynergyHistory",
    "aggregate_decomposition",
    "can_classify",
    "classify",
    "diagnose",
    "elbo_decomposition",
    "elbo_terms",
    "encode_dataset",
    "label_free_scores",
    "measure",
    "mig_chen2018",
    "panel",
    "rate_distortion",
    "reconstruction",
    "save_figures",
    "score_encoding",
    "subset",
    "synergy_history",
    "udr_of_models",
    "unit_names",
]
