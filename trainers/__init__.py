"""How representations are learned: one trainer per paper, and the runs around them.

The public names are resolved on first use (PEP 562): listing the methods needs no TensorFlow.
"""

import importlib

if __name__ == "trainers":
    raise ImportError(
        "`import trainers` would load a second copy of every class: "
        "import tfdisent.trainers instead."
    )

_PUBLIC = {
    "Trainer": "base",
    "VAETrainer": "vae",
    "AutoencoderTrainer": "autoencoder",
    "DenoisingAutoencoderTrainer": "denoising_autoencoder",
    "AAETrainer": "aae",
    "AnnealedVAETrainer": "annealed_vae",
    "TargetRateVAETrainer": "target_rate_vae",
    "BiGANTrainer": "bigan",
    "InfoGANTrainer": "info_gan",
    "GANMINETrainer": "gan_mine",
    "EncoderTrainer": "encoder_trainer",
    "NATTrainer": "nat",
    "DeepInfoMaxTrainer": "deep_info_max",
    "FactorVAETrainer": "factor_vae",
    "BetaTCVAETrainer": "beta_tc_vae",
    "DIPVAETrainer": "dip_vae",
    "InfoVAETrainer": "info_vae",
    "NonSynergisticVAETrainer": "non_synergistic_vae",
    "CascadeVAECTrainer": "cascade_vae_c",
    "CascadeVAETrainer": "cascade_vae",
    "CascadeVAESpectralTrainer": "cascade_vae_spectral",
    "JointVAETrainer": "joint_vae",
    "JointVAEGMMTrainer": "joint_vae_gmm",
    "DeepVIBTrainer": "deep_vib",
    "MINEIBTrainer": "mine_ib",
    "trace_information_plane": "information_plane",
    "InformationPlaneStudy": "information_plane",
    "AtTrainingStep": "optimizers",
    "FusedAdam": "optimizers",
    "ActiveUnits": "metrics",
    "AggregateMoments": "metrics",
    "MutualInformationTrainer": "critics",
    "TotalCorrelationTrainer": "total_correlation",
    "Estimate": "estimates",
    "estimate_mutual_information": "mutual_information",
    "estimate_total_correlation": "total_correlation",
    "Checkpoints": "checkpoints",
    "CheckpointEvery": "checkpoints",
    "ClassifyEvery": "callbacks",
    "ELBODecomposition": "decomposition",
    "FiniteLoss": "callbacks",
    "ScoreEvery": "callbacks",
    "Summaries": "callbacks",
    "RateDistortionStudy": "rate_distortion",
    "Recipe": "recipes",
    "Run": "run",
    "load_run": "run",
}
_MODULES = (
    "base",
    "callbacks",
    "checkpoints",
    "critics",
    "decomposition",
    "estimates",
    "information_plane",
    "methods",
    "mutual_information",
    "optimizers",
    "rate_distortion",
    "recipes",
    "run",
    "study",
    "total_correlation",
)

__all__ = [*_PUBLIC]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"tfdisent.trainers.{_PUBLIC[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"tfdisent.trainers.{name}")
    raise AttributeError(f"module 'tfdisent.trainers' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, *_MODULES])
