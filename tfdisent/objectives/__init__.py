"""Formulas as pure functions of distributions and tensors: per example, in nats, without state."""

from tfdisent.objectives.adversarial import (
    clip_to_norm_of,
    discriminator_terms,
    non_saturating_loss,
)
from tfdisent.objectives.aggregate import (
    AggregateTerms,
    aggregate_log_weights,
    aggregate_terms,
)
from tfdisent.objectives.bounds import (
    barber_agakov,
    donsker_varadhan,
    info_nce,
    jensen_shannon,
    jensen_shannon_information,
    local_info_nce_loss,
    log_mean_exp,
    mine_loss,
    nwj,
    smile,
    split_pairs,
)
from tfdisent.objectives.capacity import capacity_penalty
from tfdisent.objectives.density_ratio import (
    density_ratio_loss,
    discriminator_accuracy,
    permute_dims,
)
from tfdisent.objectives.elbo import distortion, rate, rate_by_group, rate_per_dimension
from tfdisent.objectives.mmd import imq_kernel, maximum_mean_discrepancy, rbf_kernel
from tfdisent.objectives.moments import aggregate_covariance, moment_penalties
from tfdisent.objectives.reconstruction import corrupt, squared_error
from tfdisent.objectives.regularizers import kernel_l2
from tfdisent.objectives.synergy import greedy_best_set, synergy_penalty

__all__ = [
    "clip_to_norm_of",
    "AggregateTerms",
    "aggregate_covariance",
    "aggregate_log_weights",
    "aggregate_terms",
    "barber_agakov",
    "capacity_penalty",
    "corrupt",
    "density_ratio_loss",
    "discriminator_accuracy",
    "discriminator_terms",
    "distortion",
    "donsker_varadhan",
    "greedy_best_set",
    "imq_kernel",
    "info_nce",
    "jensen_shannon",
    "jensen_shannon_information",
    "local_info_nce_loss",
    "kernel_l2",
    "log_mean_exp",
    "maximum_mean_discrepancy",
    "mine_loss",
    "moment_penalties",
    "non_saturating_loss",
    "nwj",
    "permute_dims",
    "rate",
    "rate_by_group",
    "rate_per_dimension",
    "rbf_kernel",
    "smile",
    "split_pairs",
    "squared_error",
    "synergy_penalty",
]
