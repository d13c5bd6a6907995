"""The methods by name, readable without TensorFlow: what `tfdisent list` prints."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
      name: as typed on the command line.
      title: as written in prose.
      trainer: name of the class in `tfdisent.trainers`.
      paper: authors, title, year and arXiv number.
      defaults: trainer arguments that make the method what it is.
      schedules: trainer arguments that count steps, which a shorter run scales.
      discrete: classes of the categorical latents that the method wants, where none are asked for.
      noise: dimensions of noise that no code says, likewise.
    """

    name: str
    title: str
    trainer: str
    paper: str
    defaults: dict = dataclasses.field(default_factory=dict)
    schedules: tuple = ()
    discrete: tuple = ()
    noise: int = 0


_ALL = (
    Method(
        "vae",
        "VAE",
        "VAETrainer",
        "Kingma and Welling, Auto-Encoding Variational Bayes, 2014, arXiv:1312.6114",
    ),
    Method(
        "beta_vae",
        "beta-VAE",
        "VAETrainer",
        "Higgins et al., beta-VAE: Learning Basic Visual Concepts, ICLR 2017",
        defaults={"beta": 4.0},
    ),
    Method(
        "annealed_vae",
        "AnnealedVAE",
        "AnnealedVAETrainer",
        "Burgess et al., Understanding disentangling in beta-VAE, 2018, arXiv:1804.03599",
        schedules=("capacity_steps",),
    ),
    Method(
        "target_rate_vae",
        "VAE with a target rate",
        "TargetRateVAETrainer",
        "Alemi et al., Fixing a Broken ELBO, 2018, arXiv:1711.00464",
    ),
    Method(
        "autoencoder",
        "Autoencoder",
        "AutoencoderTrainer",
        "Hinton and Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks, "
        "Science 313, 2006",
    ),
    Method(
        "denoising_autoencoder",
        "Denoising autoencoder",
        "DenoisingAutoencoderTrainer",
        "Vincent et al., Extracting and Composing Robust Features with Denoising Autoencoders, "
        "ICML 2008",
    ),
    Method(
        "aae",
        "Adversarial autoencoder",
        "AAETrainer",
        "Makhzani, Shlens, Jaitly, Goodfellow, Frey, Adversarial Autoencoders, 2015, "
        "arXiv:1511.05644",
    ),
    Method(
        "bigan",
        "BiGAN",
        "BiGANTrainer",
        "Donahue, Kraehenbuehl, Darrell, Adversarial Feature Learning, 2017, arXiv:1605.09782",
    ),
    Method(
        "info_gan",
        "InfoGAN",
        "InfoGANTrainer",
        "Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel, InfoGAN: Interpretable Representation "
        "Learning by Information Maximizing Generative Adversarial Nets, 2016, arXiv:1606.03657",
        discrete=(10,),
        noise=62,
    ),
    Method(
        "factor_vae",
        "FactorVAE",
        "FactorVAETrainer",
        "Kim and Mnih, Disentangling by Factorising, 2018, arXiv:1802.05983",
    ),
    Method(
        "beta_tc_vae",
        "beta-TCVAE",
        "BetaTCVAETrainer",
        "Chen et al., Isolating Sources of Disentanglement in VAEs, 2018, arXiv:1802.04942",
    ),
    Method(
        "dip_vae_i",
        "DIP-VAE-I",
        "DIPVAETrainer",
        "Kumar, Sattigeri, Balakrishnan, Variational Inference of Disentangled Latent Concepts "
        "from Unlabeled Observations, 2018, arXiv:1711.00848",
        defaults={"kind": "i"},
    ),
    Method(
        "dip_vae_ii",
        "DIP-VAE-II",
        "DIPVAETrainer",
        "Kumar, Sattigeri, Balakrishnan, Variational Inference of Disentangled Latent Concepts "
        "from Unlabeled Observations, 2018, arXiv:1711.00848",
        defaults={"kind": "ii"},
    ),
    Method(
        "info_vae",
        "InfoVAE",
        "InfoVAETrainer",
        "Zhao, Song, Ermon, InfoVAE: Information Maximizing Variational Autoencoders, 2017, "
        "arXiv:1706.02262",
    ),
    Method(
        "non_synergistic_vae",
        "Non-Synergistic VAE",
        "NonSynergisticVAETrainer",
        "Barrientos, Non-Synergistic Variational Autoencoders, 2019",
    ),
    Method(
        "cascade_vae_c",
        "CascadeVAE-C",
        "CascadeVAECTrainer",
        "Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating "
        "Disentanglement, 2019, arXiv:1905.09432",
        schedules=("stage_steps",),
    ),
    Method(
        "cascade_vae",
        "CascadeVAE",
        "CascadeVAETrainer",
        "Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating "
        "Disentanglement, 2019, arXiv:1905.09432",
        schedules=("stage_steps",),
        discrete=(3,),
    ),
    Method(
        "cascade_vae_spectral",
        "CascadeVAE from spectral clusters",
        "CascadeVAESpectralTrainer",
        "Jeong and Song, Learning Discrete and Continuous Factors of Data via Alternating "
        "Disentanglement, 2019, arXiv:1905.09432 and Shi and Malik, Normalized Cuts and Image "
        "Segmentation, 2000",
        schedules=("stage_steps", "scout_steps", "lesson_steps"),
        discrete=(3,),
    ),
    Method(
        "joint_vae",
        "JointVAE",
        "JointVAETrainer",
        "Dupont, Learning Disentangled Joint Continuous and Discrete Representations, 2018, "
        "arXiv:1804.00104",
        schedules=("capacity_steps",),
        discrete=(3,),
    ),
    Method(
        "joint_vae_gmm",
        "JointVAE from a Gaussian mixture",
        "JointVAEGMMTrainer",
        "Dupont, Learning Disentangled Joint Continuous and Discrete Representations, 2018, "
        "arXiv:1804.00104 and Jiang et al., Variational Deep Embedding, 2017, arXiv:1611.05148",
        schedules=("warmup_steps", "capacity_steps"),
        discrete=(3,),
    ),
    Method(
        "deep_vib",
        "Deep VIB",
        "DeepVIBTrainer",
        "Alemi, Fischer, Dillon, Murphy, Deep Variational Information Bottleneck, 2017, "
        "arXiv:1612.00410",
    ),
    Method(
        "mine_ib",
        "MINE-IB",
        "MINEIBTrainer",
        "Belghazi et al., MINE: Mutual Information Neural Estimation, 2018, arXiv:1801.04062",
    ),
)

METHODS = {method.name: method for method in _ALL}


def get(name):
    """The method called `name`.

    Raises:
      ValueError: if there is none; lists the known ones.
    """
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}, expected one of: {', '.join(METHODS)}.")
    return METHODS[name]
