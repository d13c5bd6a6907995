"""Disentangled representations in TensorFlow and Keras: learned, measured, resumed, served.

The public names below are resolved on first use (PEP 562), so that `tfdisent --help`, the metrics
and the information theory need no TensorFlow.
"""

import importlib

__version__ = "0.1.0"

# Name -> the module that defines it. A module maps to itself.
_PUBLIC = {
    # What is learned
    "VAE": "tfdisent.vae",
    "Latents": "tfdisent.latents",
    "Gaussian": "tfdisent.latents",
    "Categorical": "tfdisent.latents",
    "GaussianMixture": "tfdisent.priors",
    "VampPrior": "tfdisent.priors",
    "Point": "tfdisent.latents",
    "Uniform": "tfdisent.latents",
    # How it is learned
    "Trainer": "tfdisent.trainers",
    "VAETrainer": "tfdisent.trainers",
    "AutoencoderTrainer": "tfdisent.trainers",
    "DenoisingAutoencoderTrainer": "tfdisent.trainers",
    "AAETrainer": "tfdisent.trainers",
    "AnnealedVAETrainer": "tfdisent.trainers",
    "TargetRateVAETrainer": "tfdisent.trainers",
    "BiGANTrainer": "tfdisent.trainers",
    "InfoGANTrainer": "tfdisent.trainers",
    "GANMINETrainer": "tfdisent.trainers",
    "NATTrainer": "tfdisent.trainers",
    "DeepInfoMaxTrainer": "tfdisent.trainers",
    "FactorVAETrainer": "tfdisent.trainers",
    "BetaTCVAETrainer": "tfdisent.trainers",
    "DIPVAETrainer": "tfdisent.trainers",
    "InfoVAETrainer": "tfdisent.trainers",
    "NonSynergisticVAETrainer": "tfdisent.trainers",
    "CascadeVAECTrainer": "tfdisent.trainers",
    "CascadeVAETrainer": "tfdisent.trainers",
    "CascadeVAESpectralTrainer": "tfdisent.trainers",
    "JointVAETrainer": "tfdisent.trainers",
    "JointVAEGMMTrainer": "tfdisent.trainers",
    "DeepVIBTrainer": "tfdisent.trainers",
    "MINEIBTrainer": "tfdisent.trainers",
    "MutualInformationTrainer": "tfdisent.trainers",
    "TotalCorrelationTrainer": "tfdisent.trainers",
    "estimate_mutual_information": "tfdisent.trainers",
    "estimate_total_correlation": "tfdisent.trainers",
    "FusedAdam": "tfdisent.trainers",
    "load_run": "tfdisent.trainers",
    # Sub-packages
    "assignment": "tfdisent.assignment",
    "data": "tfdisent.data",
    "evaluation": "tfdisent.evaluation",
    "export": "tfdisent.export",
    "information": "tfdisent.information",
    "latents": "tfdisent.latents",
    "likelihoods": "tfdisent.likelihoods",
    "metrics": "tfdisent.metrics",
    "neighbors": "tfdisent.neighbors",
    "networks": "tfdisent.networks",
    "objectives": "tfdisent.objectives",
    "priors": "tfdisent.priors",
    "schedules": "tfdisent.schedules",
    "trainers": "tfdisent.trainers",
    "visualize": "tfdisent.visualize",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tfdisent' has no attribute {name!r}")
    module = importlib.import_module(_PUBLIC[name])
    return module if module.__name__ == f"tfdisent.{name}" else getattr(module, name)


def __dir__():
    return sorted(__all__)
