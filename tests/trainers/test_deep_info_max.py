import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special
from sklearn.linear_model import LogisticRegression

from tfdisent import DeepInfoMaxTrainer, data, networks, objectives
from tfdisent.trainers.deep_info_max import MEASURES

SHAPE = (8, 8, 1)


def _encoder(size=3, channels=4):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input(SHAPE)
    x = keras.layers.Conv2D(channels, 4, 4, activation="relu", name="local")(x)  # 2 x 2 places
    x = keras.layers.Dense(size)(keras.layers.Flatten()(x))
    return keras.Model(inputs, x)


def _trainer(encoder=None, **options):
    return DeepInfoMaxTrainer(encoder or _encoder(), **{"embedding": 5, "seed": 2, **options})


def _images(count=6):
    return np.random.default_rng(0).uniform(size=(count, *SHAPE)).astype(np.float32)


def _linear_discriminator(weights):
    network = keras.Sequential(
        [keras.Input((len(weights),)), keras.layers.Dense(1), keras.layers.Reshape(())]
    )
    network.set_weights([np.array(weights, np.float32)[:, None], np.zeros(1, np.float32)])
    return network


def _pair_loss(measure, scores):
    """Loops over all pairs of images and places."""
    images, _, places = scores.shape
    joint = [scores[i, i, part] for i in range(images) for part in range(places)]
    apart = [
        scores[i, k, part]
        for i in range(images)
        for k in range(images)
        for part in range(places)
        if i != k
    ]
    if measure == "jsd":
        positive = np.mean([math.log(2) - np.log1p(np.exp(-s)) for s in joint])
        negative = np.mean([np.log1p(np.exp(-s)) + s - math.log(2) for s in apart])
        return negative - positive
    return special.logsumexp(apart) - math.log(len(apart)) - np.mean(joint)


@pytest.mark.parametrize(
    ("measure", "prior_name"), [("jsd", "uniform"), ("dv", "uniform"), ("jsd", "gaussian")]
)
def test_terms_follow_the_paper(measure, prior_name):
    weights = [0.5, -1.0, 2.0]
    trainer = _trainer(
        global_weight=0.3,
        local_weight=0.6,
        prior_weight=0.2,
        measure=measure,
        prior=prior_name,
        discriminator=_linear_discriminator(weights),
    )
    x = tf.constant(_images())
    terms = {name: float(value) for name, value in trainer.objective(x, training=False).items()}

    local_map, features = trainer.encoder_with_map(x)
    np.testing.assert_array_equal(features, trainer.encoder(x))
    map_network, features_network = trainer.embeddings["local"]
    psi, phi = features_network(features).numpy(), map_network(local_map).numpy()
    local = np.einsum("iu,kabu->ikab", psi, phi).reshape(6, 6, 4).astype(np.float64)
    map_network, features_network = trainer.embeddings["global"]
    whole = features_network(features).numpy() @ map_network(local_map).numpy().T
    np.testing.assert_allclose(terms["local_loss"], _pair_loss(measure, local), rtol=1e-4)
    expected = _pair_loss(measure, whole[..., None].astype(np.float64))
    np.testing.assert_allclose(terms["global_loss"], expected, rtol=1e-4)

    (seed,) = trainer.seeds(1)
    if prior_name == "uniform":
        codes = special.expit(features.numpy())
        prior = tf.random.stateless_uniform([6, 3], seed).numpy()
    else:
        codes, prior = features.numpy(), tf.random.stateless_normal([6, 3], seed).numpy()
    real, fake = special.expit(prior @ weights), special.expit(codes @ weights)
    np.testing.assert_allclose(terms["prior_loss"], -np.log(fake).mean(), rtol=1e-4)
    judged = -np.log(real).mean() - np.log(1 - fake).mean()
    np.testing.assert_allclose(terms["discriminator_loss"], judged, rtol=1e-4)
    np.testing.assert_allclose(terms["penalty"], np.sum(np.square(weights)), rtol=1e-5)
    total = 0.3 * terms["global_loss"] + 0.6 * terms["local_loss"] + 0.2 * terms["prior_loss"]
    np.testing.assert_allclose(terms["loss"], total, rtol=1e-5)


@pytest.mark.parametrize(("measure", "perfect"), [("jsd", -2 * math.log(2)), ("info_nce", 0.0)])
def test_scores_that_separate_have_the_least_loss(measure, perfect):
    separating = 50.0 * (2 * tf.eye(4)[..., tf.newaxis] - 1) * tf.ones([4, 4, 3])
    loss = MEASURES[measure](*objectives.split_pairs(separating))
    np.testing.assert_allclose(loss, perfect, atol=1e-6)
    equal = MEASURES[measure](*objectives.split_pairs(tf.zeros([4, 4, 3])))
    np.testing.assert_allclose(equal, 0.0 if measure == "jsd" else math.log(10), rtol=1e-6)


def test_both_players_step_on_the_same_features():
    """Plain gradient descent: the encoder on L with D as it was, D on its loss with the penalty."""
    trainer, twin = _trainer(), _trainer()
    trainer.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2))
    for a, b in zip(twin.trainable_variables, trainer.trainable_variables, strict=True):
        a.assign(b)
    x = tf.constant(_images())
    with tf.GradientTape(persistent=True) as tape:
        terms = twin.objective(x, training=True)
        penalised = terms["discriminator_loss"] + terms["penalty"]
    players = twin.players()
    for loss, name, rate in (
        (terms["loss"], "optimizer", 0.1),
        (penalised, "discriminator_optimizer", 0.2),
    ):
        gradients = tape.gradient(loss, players[name])
        for variable, gradient in zip(players[name], gradients, strict=True):
            variable.assign_sub(rate * gradient)
    trainer.fit(tf.data.Dataset.from_tensors(x), steps_per_epoch=1, verbose=0)
    for a, b in zip(trainer.trainable_variables, twin.trainable_variables, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-6)


def test_the_published_encoder():
    encoder = networks.deep_info_max((32, 32, 3))
    assert encoder.get_layer("local").output.shape == (None, 8, 8, 128)
    assert encoder.get_layer("conv").output.shape == (None, 4, 4, 256)
    assert encoder.get_layer("fc").output.shape == (None, 1024)
    assert encoder.output_shape == (None, 64)
    # Convolutions without biases, gamma and beta of each normalisation, dense layers.
    kernels = 16 * (3 * 64 + 64 * 128 + 128 * 256) + 4096 * 1024 + 1024 * 64 + 64
    assert sum(map(np.size, encoder.trainable_variables)) == kernels + 2 * (64 + 128 + 256 + 1024)
    whole = networks.map_embedding(encoder, 7)
    assert whole.input_shape == (None, 8, 8, 128) and whole.output_shape == (None, 7)
    own = {id(variable) for variable in encoder.variables}
    assert not own & {id(variable) for variable in whole.variables}


def test_an_embedding_treats_every_place_alike_and_starts_near_the_identity():
    embedding = networks.pair_embedding((2, 2, 3), 6)
    places = np.random.default_rng(0).normal(size=(4, 2, 2, 3)).astype(np.float32)
    out = embedding(places).numpy()
    assert out.shape == (4, 2, 2, 6)
    np.testing.assert_allclose(embedding(places[:, ::-1]), out[:, ::-1], atol=1e-6)
    kernels = [w for w in embedding.trainable_variables if tuple(w.shape) == (3, 6)]
    assert len(kernels) == 2 and any(np.array_equal(k, np.eye(3, 6)) for k in kernels)
    np.testing.assert_allclose(out.mean(axis=-1), 0, atol=1e-6)  # the last layer normalises


@pytest.mark.long
def test_what_all_places_share_is_what_the_features_learn():
    """Patches of strong noise, over which a weak pattern of one of four kinds is laid."""
    rng = np.random.default_rng(0)
    kinds = np.arange(800) % 4
    pattern = np.tile(rng.normal(size=(4, 4, 4)), (1, 2, 2))[..., None]
    images = 0.5 + 0.12 * rng.normal(size=(800, *SHAPE)) + 0.05 * pattern[kinds]
    images = np.clip(images, 0, 1).astype(np.float32)

    def accuracy(trainer):
        features = trainer.predict(images, verbose=0)
        probe = LogisticRegression(max_iter=1000).fit(features[:400], kinds[:400])
        return probe.score(features[400:], kinds[400:])

    small = {"discriminator": networks.prior_discriminator(3, hidden=(16,))}
    trainer = _trainer(_encoder(size=3, channels=16), embedding=16, **small)
    trainer.compile(keras.optimizers.Adam(3e-3), steps_per_execution=50)
    before = accuracy(trainer)
    trainer.fit(data.from_arrays(images).train(50), steps_per_epoch=400, verbose=0)
    after = accuracy(trainer)
    assert after > 0.9 > before + 0.15, (before, after)


@pytest.mark.long
@pytest.mark.parametrize("prior", ["uniform", "gaussian"])
def test_features_are_brought_to_the_prior(prior):
    def distance(trainer):
        """The largest gap between the quantiles of the features and those of the prior."""
        features, samples = trainer.shaped(tf.constant(trainer.predict(images, verbose=0)), [0, 1])
        levels = np.linspace(0.05, 0.95, 10)
        gaps = np.quantile(features, levels, axis=0) - np.quantile(samples, levels, axis=0)
        return np.abs(gaps).max()

    images = _images(600)
    encoder = _encoder(size=2, channels=16)
    encoder.layers[-1].bias.assign([3.0, -3.0])
    discriminator = networks.prior_discriminator(2, hidden=(256,))
    options = {"prior": prior, "local_weight": 0.01, "prior_weight": 5.0}
    trainer = _trainer(encoder, discriminator=discriminator, **options)
    rates = (3e-3, 1e-2)
    trainer.compile(*(keras.optimizers.Adam(rate) for rate in rates), steps_per_execution=50)
    before = distance(trainer)
    batches = data.from_arrays(images).train(100)
    trainer.fit(batches, steps_per_epoch=400, verbose=0)
    assert distance(trainer) < 0.5 * before


def test_batches_of_unknown_size_are_trained_on_and_evaluated():
    trainer = _trainer(global_weight=1.0)
    trainer.compile()
    rest = tf.data.Dataset.from_tensor_slices(_images(11)).batch(6)  # 6 images, then 5
    trainer.fit(rest, verbose=0)
    found = trainer.evaluate(rest, return_dict=True, verbose=0)
    assert int(trainer.step) == 2 and all(map(math.isfinite, found.values()))


def test_one_image_has_no_other_to_be_told_from():
    with pytest.raises(tf.errors.InvalidArgumentError, match="two examples or more, received 1"):
        _trainer().objective(tf.constant(_images(1)), training=False)


def test_wrong_arguments_are_refused():
    for options, message in (
        ({"local_weight": 0.0}, "must be positive, received zero twice"),
        ({"prior_weight": -1.0}, "prior_weight must not be negative, received -1.0"),
        ({"measure": "kl"}, r"measure must be one of \['jsd', 'dv', 'info_nce'\], received 'kl'"),
        ({"prior": "sphere"}, r"prior must be one of \['uniform', 'gaussian'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            _trainer(**options)
    inputs = keras.Input(SHAPE)
    flat = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(inputs)))
    with pytest.raises(ValueError, match="a layer called 'local'"):
        _trainer(flat)
    with pytest.raises(ValueError, match="multiples of 8, received"):
        networks.deep_info_max((30, 32, 3))
