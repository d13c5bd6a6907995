"""The trainers that the battery runs over, on tiny data."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import (
    VAE,
    Categorical,
    Gaussian,
    Latents,
    Point,
    Uniform,
    likelihoods,
    networks,
    trainers,
)
from tfdisent.priors import GaussianMixture, VampPrior

IMAGE_SHAPE = (8, 8, 1)
BATCH = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """A trainer under test.

    Attributes:
      trainer_class: the class.
      build: function of no arguments that returns a new trainer.
      metric_names: as documented.
      players: {optimiser's attribute name: function of the trainer that gives its variables}.
      num_classes: of the labels, where it takes any.
    """

    trainer_class: type
    build: Callable
    metric_names: tuple
    players: dict
    num_classes: int = 3

    def compiled(self, **options):
        """A new compiled trainer; equal calls give equal trainers."""
        keras.utils.set_random_seed(1)
        trainer = self.build()
        trainer.compile(**options)
        return trainer


def _vae(*groups):
    latents = Latents(*(groups or (Gaussian(3),)))
    return VAE.build_for(IMAGE_SHAPE, latents, architecture="mlp", hidden=16)


def _label_vae():
    return VAE.build_for(
        IMAGE_SHAPE, Latents(Gaussian(3)), likelihood=likelihoods.Categorical(3), hidden=16
    )


def _with_prior(prior):
    latents = Latents(Gaussian(2), Categorical(3))
    options = {"hidden": 16, "priors": {"continuous": prior}}
    return VAE.build_for(IMAGE_SHAPE, latents, architecture="mlp", **options)


def _encoder():
    """An encoder with a local map of 4 x 4 places."""
    x = inputs = keras.Input(IMAGE_SHAPE)
    x = keras.layers.Conv2D(4, 3, 2, "same", activation="relu", name="local")(x)
    x = keras.layers.Dense(3, dtype="float32")(keras.layers.Flatten()(x))
    return keras.Model(inputs, x)


def _discriminator(size):
    return networks.latent_discriminator(size, hidden=12, depth=2)


_ELBO = ("loss", "distortion", "rate", "elbo")
_CAPACITIES = ("continuous_rate", "discrete_rate", "continuous_capacity", "discrete_capacity")
_VAE_PLAYER = {"optimizer": lambda trainer: trainer.vae.trainable_variables}

CASES = {
    "vae": Case(
        trainers.VAETrainer,
        lambda: trainers.VAETrainer(_vae(), beta=2.0, seed=3),
        _ELBO,
        _VAE_PLAYER,
    ),
    "vae_discrete": Case(
        trainers.VAETrainer,
        lambda: trainers.VAETrainer(_vae(Gaussian(2), Categorical(3)), temperature=0.5, seed=3),
        _ELBO,
        _VAE_PLAYER,
    ),
    "vae_mixture": Case(
        trainers.VAETrainer,
        lambda: trainers.VAETrainer(_with_prior(GaussianMixture(2, 3)), seed=3),
        _ELBO,
        _VAE_PLAYER,
    ),
    "vae_vamp": Case(
        trainers.VAETrainer,
        lambda: trainers.VAETrainer(_with_prior(VampPrior(IMAGE_SHAPE, 3)), seed=3),
        _ELBO,
        _VAE_PLAYER,
    ),
    "factor_vae": Case(
        trainers.FactorVAETrainer,
        lambda: trainers.FactorVAETrainer(
            _vae(), gamma=5.0, discriminator=_discriminator(3), seed=3
        ),
        (*_ELBO, "total_correlation", "discriminator_loss", "discriminator_accuracy"),
        {
            **_VAE_PLAYER,
            "discriminator_optimizer": lambda trainer: trainer.discriminator.trainable_variables,
        },
    ),
    "autoencoder": Case(
        trainers.AutoencoderTrainer,
        lambda: trainers.AutoencoderTrainer(_vae(Point(3)), seed=3),
        ("loss",),
        _VAE_PLAYER,
    ),
    "denoising_autoencoder": Case(
        trainers.DenoisingAutoencoderTrainer,
        lambda: trainers.DenoisingAutoencoderTrainer(_vae(Point(3)), seed=3),
        ("loss",),
        _VAE_PLAYER,
    ),
    "aae": Case(
        trainers.AAETrainer,
        lambda: trainers.AAETrainer(_vae(Point(3)), discriminator=_discriminator(3), seed=3),
        ("loss", "distortion", "encoder_loss", "discriminator_loss", "discriminator_accuracy"),
        {
            **_VAE_PLAYER,
            "discriminator_optimizer": lambda trainer: trainer.discriminator.trainable_variables,
            "encoder_optimizer": lambda trainer: trainer.vae.encoder.trainable_variables,
        },
    ),
    "aae_discrete": Case(
        trainers.AAETrainer,
        lambda: trainers.AAETrainer(
            _vae(Gaussian(2), Categorical(3)), discriminator=_discriminator(5), seed=3
        ),
        ("loss", "distortion", "encoder_loss", "discriminator_loss", "discriminator_accuracy"),
        {
            **_VAE_PLAYER,
            "discriminator_optimizer": lambda trainer: trainer.discriminator.trainable_variables,
            "encoder_optimizer": lambda trainer: trainer.vae.encoder.trainable_variables,
        },
    ),
    "bigan": Case(
        trainers.BiGANTrainer,
        lambda: trainers.BiGANTrainer(
            _vae(Point(3)),
            discriminator=networks.pair_discriminator(IMAGE_SHAPE, 3, hidden=12),
            seed=3,
        ),
        ("loss", "discriminator_loss", "discriminator_accuracy"),
        {
            **_VAE_PLAYER,
            "discriminator_optimizer": lambda trainer: trainer.discriminator.trainable_variables,
        },
    ),
    "info_gan": Case(
        trainers.InfoGANTrainer,
        lambda: trainers.InfoGANTrainer(
            _vae(Uniform(2), Categorical(3), Uniform(4, "noise", inference=None)), seed=3
        ),
        (
            "loss",
            "discriminator_loss",
            "discriminator_accuracy",
            "continuous_information",
            "discrete_information",
        ),
        {
            "optimizer": lambda trainer: trainer.vae.decoder.trainable_variables,
            "discriminator_optimizer": lambda trainer: [
                *trainer.vae.encoder.trainable_variables,
                *trainer.discriminator.trainable_variables,
            ],
        },
    ),
    "annealed_vae": Case(
        trainers.AnnealedVAETrainer,
        lambda: trainers.AnnealedVAETrainer(_vae(), gamma=5.0, capacity_steps=10, seed=3),
        (*_ELBO, "capacity"),
        _VAE_PLAYER,
    ),
    "target_rate_vae": Case(
        trainers.TargetRateVAETrainer,
        lambda: trainers.TargetRateVAETrainer(_vae(), target_rate=2.0, weight=5.0, seed=3),
        _ELBO,
        _VAE_PLAYER,
    ),
    "beta_tc_vae": Case(
        trainers.BetaTCVAETrainer,
        lambda: trainers.BetaTCVAETrainer(
            _vae(), dataset_size=40, beta=4.0, alpha=2.0, gamma=3.0, seed=3
        ),
        (*_ELBO, "index_code_mi", "total_correlation", "dimensionwise_kl"),
        _VAE_PLAYER,
    ),
    "dip_vae_i": Case(
        trainers.DIPVAETrainer,
        # Weights at which float16 does not overflow: a few skipped steps are all of these tests.
        lambda: trainers.DIPVAETrainer(_vae(), kind="i", lambda_off_diagonal=2.0, seed=3),
        (*_ELBO, "off_diagonal", "diagonal"),
        _VAE_PLAYER,
    ),
    "dip_vae_ii": Case(
        trainers.DIPVAETrainer,
        lambda: trainers.DIPVAETrainer(_vae(), kind="ii", lambda_off_diagonal=2.0, seed=3),
        (*_ELBO, "off_diagonal", "diagonal"),
        _VAE_PLAYER,
    ),
    "info_vae": Case(
        trainers.InfoVAETrainer,
        lambda: trainers.InfoVAETrainer(_vae(), lambda_mmd=20.0, seed=3),
        (*_ELBO, "mmd"),
        _VAE_PLAYER,
    ),
    "info_vae_imq": Case(
        trainers.InfoVAETrainer,
        lambda: trainers.InfoVAETrainer(
            _vae(), alpha=0.5, lambda_mmd=5.0, kernel="imq", unbiased=True, seed=3
        ),
        (*_ELBO, "mmd"),
        _VAE_PLAYER,
    ),
    "non_synergistic_vae": Case(
        trainers.NonSynergisticVAETrainer,
        lambda: trainers.NonSynergisticVAETrainer(_vae(), seed=3),
        (*_ELBO, "synergy", "worst_size"),
        _VAE_PLAYER,
    ),
    "non_synergistic_vae_one_batch": Case(
        trainers.NonSynergisticVAETrainer,
        lambda: trainers.NonSynergisticVAETrainer(
            _vae(Gaussian(2), Categorical(3)), resample=False, decoder_momentum=False, seed=3
        ),
        (*_ELBO, "synergy", "worst_size"),
        _VAE_PLAYER,
    ),
    "cascade_vae_c": Case(
        trainers.CascadeVAECTrainer,
        # Opens at steps 2 and 4: every test that takes some steps crosses a border.
        lambda: trainers.CascadeVAECTrainer(_vae(), stage_steps=2, seed=3),
        (*_ELBO, "open_dimensions"),
        _VAE_PLAYER,
    ),
    "cascade_vae": Case(
        trainers.CascadeVAETrainer,
        # Stages begin at 2, 4 and 6; the discrete code enters at 4.
        lambda: trainers.CascadeVAETrainer(
            _vae(Gaussian(3), Categorical(3, inference="search")),
            stage_steps=2,
            switch_on=2,
            balance=0.1,
            seed=3,
        ),
        (*_ELBO, "open_dimensions", "largest_class"),
        _VAE_PLAYER,
    ),
    "cascade_vae_spectral": Case(
        trainers.CascadeVAESpectralTrainer,
        # The scout's discrete code enters at step 1, the model begins at 2, with classes from the
        # 16 images seen until then, and they are searched from 3 on.
        lambda: trainers.CascadeVAESpectralTrainer(
            _vae(Gaussian(3), Categorical(3, inference="search")),
            scout=_vae(Gaussian(3), Categorical(5, inference="search")),
            scout_steps=2,
            lesson_steps=1,
            reference_rows=16,
            neighbors=3,
            stage_steps=1,
            switch_on=1,
            balance=0.1,
            seed=3,
        ),
        (*_ELBO, "open_dimensions", "largest_class"),
        {
            **_VAE_PLAYER,
            "scout_optimizer": lambda trainer: trainer.scout.trainable_variables,
        },
    ),
    "joint_vae": Case(
        trainers.JointVAETrainer,
        lambda: trainers.JointVAETrainer(
            _vae(Gaussian(2), Categorical(3), Categorical(2, name="more")),
            gamma=5.0,
            capacity_steps=10,
            seed=3,
        ),
        (*_ELBO, *_CAPACITIES),
        _VAE_PLAYER,
    ),
    "joint_vae_gmm": Case(
        trainers.JointVAEGMMTrainer,
        # The classes start after step 2, from the 16 images seen until then.
        lambda: trainers.JointVAEGMMTrainer(
            _vae(Gaussian(2), Categorical(3)),
            warmup_steps=2,
            warmup_capacity=3.0,
            capacity_steps=10,
            mixture_rows=20,
            seed=3,
        ),
        (*_ELBO, *_CAPACITIES),
        _VAE_PLAYER,
    ),
    "deep_vib": Case(
        trainers.DeepVIBTrainer,
        lambda: trainers.DeepVIBTrainer(_label_vae(), beta=0.1, ema=0.9, seed=3),
        ("loss", "distortion", "rate", "accuracy"),
        {"optimizer": lambda trainer: trainer.learner.trainable_variables},
    ),
    "mine_ib": Case(
        trainers.MINEIBTrainer,
        lambda: trainers.MINEIBTrainer(
            _label_vae(),
            beta=0.1,
            critic=networks.image_code_critic(IMAGE_SHAPE, 3, hidden=12),
            seed=3,
        ),
        ("loss", "distortion", "rate", "information", "accuracy"),
        {
            **_VAE_PLAYER,
            "critic_optimizer": lambda trainer: trainer.critic.trainable_variables,
        },
    ),
}

# Trainers that own no VAE.
OTHER_CASES = {
    "gan_mine": Case(
        trainers.GANMINETrainer,
        lambda: trainers.GANMINETrainer(
            networks.dense_generator(6, IMAGE_SHAPE, hidden=12, depth=1, activation="sigmoid"),
            Latents(Uniform(2), Categorical(3), Uniform(1, "noise", inference=None)),
            discriminator=networks.image_discriminator(IMAGE_SHAPE, hidden=12, depth=1),
            critic=networks.image_code_critic(IMAGE_SHAPE, 5, hidden=12),
            seed=3,
        ),
        ("loss", "discriminator_loss", "discriminator_accuracy", "information"),
        {
            "optimizer": lambda trainer: trainer.generator.trainable_variables,
            "discriminator_optimizer": lambda trainer: trainer.discriminator.trainable_variables,
            "critic_optimizer": lambda trainer: trainer.critic.trainable_variables,
        },
    ),
    "nat": Case(
        trainers.NATTrainer,
        lambda: trainers.NATTrainer(_encoder(), num_images=40, reassign_every=1, seed=3),
        ("loss", "moved"),
        {"optimizer": lambda trainer: trainer.encoder.trainable_variables},
        num_classes=40,
    ),
    "deep_info_max": Case(
        trainers.DeepInfoMaxTrainer,
        lambda: trainers.DeepInfoMaxTrainer(
            _encoder(), global_weight=0.5, embedding=6, discriminator=_discriminator(3), seed=3
        ),
        (
            "loss",
            "global_loss",
            "local_loss",
            "prior_loss",
            "discriminator_loss",
            "discriminator_accuracy",
        ),
        {
            "optimizer": lambda trainer: [
                *trainer.encoder.trainable_variables,
                *(
                    variable
                    for pair in trainer.embeddings.values()
                    for network in pair
                    for variable in network.trainable_variables
                ),
            ],
            "discriminator_optimizer": lambda trainer: trainer.discriminator.trainable_variables,
        },
    ),
}
ALL_CASES = {**CASES, **OTHER_CASES}


@pytest.fixture(params=ALL_CASES)
def case(request):
    return ALL_CASES[request.param]


@pytest.fixture
def vae_case(case):
    """A case whose trainer owns a VAE; others are left out."""
    if case not in CASES.values():
        pytest.skip("owns no VAE")
    return case


@pytest.fixture(scope="session")
def images():
    rng = np.random.default_rng(0)
    return rng.uniform(size=(40, *IMAGE_SHAPE)).astype(np.float32)


@pytest.fixture
def labels(case, images):
    """{"y": labels of the images} for a trainer that takes labels, else nothing."""
    return (
        {"y": np.arange(len(images)) % case.num_classes} if case.trainer_class.takes_labels else {}
    )


@pytest.fixture
def rows(images, labels):
    """A data set of single images, or of pairs of an image and its label."""
    return tf.data.Dataset.from_tensor_slices((images, labels["y"]) if labels else images)


@pytest.fixture
def batches(rows):
    """Endless batches, the same at every call."""
    return rows.repeat().batch(BATCH, drop_remainder=True)


@pytest.fixture(scope="session")
def untrained_trainers():
    return {}


@pytest.fixture
def untrained(case, untrained_trainers):
    """A compiled trainer of the case that no test trains, made once."""
    if id(case) not in untrained_trainers:
        untrained_trainers[id(case)] = case.compiled()
    yield untrained_trainers[id(case)]
    assert int(untrained_trainers[id(case)].step) == 0
