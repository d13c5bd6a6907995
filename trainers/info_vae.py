"""InfoVAE with the maximum mean discrepancy, and MMD-VAE."""

import functools
import math

import keras
import tensorflow as tf

from tfdisent import objectives
from tfdisent.latents import Gaussian, Point
from tfdisent.priors import GaussianMixture
from tfdisent.trainers.base import Trainer

# Name -> (kernel, its bandwidth for D dimensions where none is given).
_KERNELS = {
    # The authors' code: exp(-||u - v||^2 / D^2).
    "rbf": (objectives.rbf_kernel, lambda size: size / math.sqrt(2)),
    "imq": (objectives.imq_kernel, math.sqrt),
}


@keras.saving.register_keras_serializable("tfdisent")
class InfoVAETrainer(Trainer):
    """Matches the codes of all images together to the prior, and those of each image less.

    `L = E -log p(x | z) + (1 - alpha) KL(q(z | x) || p(z)) + (alpha + lambda_mmd - 1) MMD(q(z),
    p(z))`, the last term between a sample of each posterior of the batch and as many draws from the
    prior. alpha = 1 is MMD-VAE, which leaves the code all information about its image, and the only
    choice for `Point` groups; alpha = 0 with lambda_mmd = 1 is the VAE.

    The authors' demonstration takes the mean over pixels of the squared error: with the sum, as
    here, lambda_mmd is larger by their number.

    Args:
      vae: `tfdisent.VAE` with Gaussian groups, or with `Point` groups at alpha = 1.
      alpha: preference for information.
      lambda_mmd: lambda of the paper.
      kernel: "rbf", exp(-||u - v||^2 / (2 h^2)), or "imq", a sum of inverse multiquadratics.
      bandwidth: h of the kernel; by default D / sqrt(2) for "rbf" and sqrt(D) for "imq".
      unbiased: whether the MMD is the U-statistic, which may be negative, or the V-statistic of the
        authors' code.
      **kwargs: see `Trainer`.

    Raises:
      ValueError: if the kernel is unknown, its bandwidth not positive, there are `Point` groups and
        alpha is not 1, or a prior is a learned mixture.

    Reference:
      Zhao, Song, Ermon, InfoVAE: Information Maximizing Variational Autoencoders, 2017,
      arXiv:1706.02262, Eq. 6 (alpha = 0 and lambda = 1000 on MNIST).
    """

    metric_names = (*Trainer.metric_names, "mmd")
    latent_groups = (Gaussian, Point)

    def __init__(
        self,
        vae,
        alpha=0.0,
        lambda_mmd=1000.0,
        kernel="rbf",
        bandwidth=None,
        unbiased=False,
        **kwargs,
    ):
        super().__init__(vae, **kwargs)
        if kernel not in _KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(_KERNELS)}, received {kernel!r}.")
        if bandwidth is not None and not bandwidth > 0:
            raise ValueError(f"bandwidth must be positive, received {bandwidth}.")
        if alpha != 1 and any(isinstance(group, Point) for group in vae.latents.groups):
            raise ValueError(
                f"a deterministic code has an infinite rate: alpha must be 1, received {alpha}."
            )
        mixtures = [n for n, prior in vae.priors.items() if isinstance(prior, GaussianMixture)]
        if mixtures:
            raise ValueError(
                "samples of a mixture have no gradient to its weights, which the MMD would leave "
                f"as they began: take a VampPrior, received learned mixtures of {mixtures}."
            )
        self.alpha = float(alpha)
        self.lambda_mmd = float(lambda_mmd)
        self.kernel = kernel
        default = _KERNELS[kernel][1](vae.latents.size)
        self.bandwidth = float(default if bandwidth is None else bandwidth)
        self.unbiased = bool(unbiased)

    def objective(self, x, training):
        seed, seed_prior = self.seeds(2)
        distortion, rates, _, z = self.elbo_terms(x, seed, training)  # [B], [B, D], _, [B, D]
        terms = self.elbo_metrics(distortion, rates)
        z_prior = self.vae.sample_prior(tf.shape(z)[0], seed_prior)
        kernel = functools.partial(_KERNELS[self.kernel][0], bandwidth=self.bandwidth)
        mmd = objectives.maximum_mean_discrepancy(z, z_prior, kernel, self.unbiased)
        loss = tf.reduce_mean(distortion) + (self.alpha + self.lambda_mmd - 1) * mmd
        if self.alpha != 1:  # zero times an infinite rate is not a number
            loss += (1 - self.alpha) * tf.reduce_mean(terms["rate"])
        return {"loss": loss, "mmd": mmd, **terms}

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "lambda_mmd": self.lambda_mmd,
            "kernel": self.kernel,
            "bandwidth": self.bandwidth,
            "unbiased": self.unbiased,
        }
