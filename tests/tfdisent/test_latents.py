import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tfdisent import likelihoods
from tfdisent.latents import Categorical, Gaussian, Latents, Point, Uniform

tfd = tfp.distributions

ALPHA = np.array([0.1, 0.2, 0.3, 0.4])
LOGITS = np.log(ALPHA).astype(np.float32)
DRAWS = 20_000


def categorical():
    """A group and its posterior with the class probabilities ALPHA."""
    group = Categorical(4)
    return group, group.posterior(LOGITS)


def assert_frequencies_are_alpha(z):
    counts = np.bincount(np.argmax(z, axis=-1), minlength=4)
    assert stats.chisquare(counts, len(z) * ALPHA).pvalue > 0.001


# Columns.


def test_every_width_follows_from_the_groups():
    latents = Latents(
        Categorical(3),
        Gaussian(2),
        Gaussian(4, name="noise", inference=None),
        Categorical(5, name="kind", inference="search"),
    )
    assert latents.names == ("discrete", "continuous", "noise", "kind")
    assert latents.sizes == (3, 2, 4, 5)
    assert latents.size == 14
    assert latents.parameter_size == 3 + 2 * 2
    assert [group.name for group in latents.amortised] == ["discrete", "continuous"]
    assert [group.name for group in latents.inferred] == ["discrete", "continuous", "kind"]
    assert latents.searched.name == "kind"
    assert latents.permutation_blocks == (3, 1, 1, 1, 1, 1, 1, 5)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 5)), min_size=1, max_size=5),
    st.sampled_from([(), (3,), (2, 3)]),
)
def test_join_undoes_split(groups, batch_shape):
    latents = Latents(
        *[
            (Categorical if is_discrete else Gaussian)(size, name=f"group{i}")
            for i, (is_discrete, size) in enumerate(groups)
        ]
    )
    shape = (*batch_shape, latents.size)
    z = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    values = latents.split(z)
    assert [value.shape[-1] for value in values.values()] == [size for _, size in groups]
    np.testing.assert_array_equal(latents.join(values), z)


def test_join_orders_by_group_and_not_by_the_dictionary():
    latents = Latents(Gaussian(2, name="a"), Categorical(1, name="b"))
    z = latents.join({"b": tf.constant([[3.0]]), "a": tf.constant([[1.0, 2.0]])})
    np.testing.assert_array_equal(z, [[1, 2, 3]])


def test_the_representation_is_means_then_class_probabilities_whatever_the_order_of_groups():
    latents = Latents(Categorical(2), Gaussian(1), Categorical(3, name="kind"), Gaussian(1, "more"))
    logits, more_logits = [[0.0, math.log(3)]], [[0.0, 0.0, math.log(2)]]
    parameters = tf.concat([logits, [[5.0, 0.0]], more_logits, [[7.0, 0.0]]], axis=-1)
    codes = latents.codes(latents.posterior(parameters))
    np.testing.assert_allclose(codes, [[5, 7, 0.25, 0.75, 0.25, 0.25, 0.5]], rtol=1e-6)
    assert latents.discrete_columns == ((2, 3), (4, 5, 6))


def test_noise_is_no_part_of_the_representation():
    latents = Latents(Gaussian(4, name="noise", inference=None), Gaussian(1), Categorical(2))
    codes = latents.codes(latents.posterior(tf.constant([[5.0, 0.0, 0.0, 0.0]])))
    np.testing.assert_allclose(codes, [[5, 0.5, 0.5]])
    assert latents.discrete_columns == ((1, 2),)
    assert list(latents.posterior(tf.zeros([1, 4]))) == ["continuous", "discrete"]
    assert list(latents.prior()) == ["noise", "continuous", "discrete"]


def test_an_unknown_group_is_a_key_error_that_lists_the_known_ones():
    with pytest.raises(KeyError, match=r"'shape'.*'continuous'"):
        Latents(Gaussian(2)).group("shape")


@pytest.mark.parametrize("names", [["continuous"], ["continuous", "discrete", "style"]])
def test_join_refuses_missing_and_unknown_groups(names):
    latents = Latents(Gaussian(2), Categorical(2))
    with pytest.raises(ValueError, match=r"expected groups \['continuous', 'discrete'\]"):
        latents.join({name: tf.zeros([1, 2]) for name in names})


# Gaussian groups.


def test_gaussian_parameters_are_means_then_raw_scales():
    parameters = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    posterior = Gaussian(3).posterior(parameters)
    assert posterior.batch_shape == (5,) and posterior.event_shape == (3,)
    np.testing.assert_array_equal(posterior.mean(), parameters[:, :3])
    softplus = np.log1p(np.exp(parameters[:, 3:]))
    np.testing.assert_allclose(posterior.stddev(), softplus, rtol=1e-6)


def test_gaussian_prior_is_standard_normal():
    value = Gaussian(3).prior().log_prob([0.0, 1.0, -2.0])
    np.testing.assert_allclose(value, -0.5 * (3 * math.log(2 * math.pi) + 1 + 4), rtol=1e-6)


def test_a_vanishing_scale_keeps_rate_and_gradients_finite():
    group = Gaussian(1)
    raw = tf.constant([[0.5, -500.0]])
    with tf.GradientTape() as tape:
        tape.watch(raw)
        kl = tfd.kl_divergence(group.posterior(raw), group.prior())
    # The floor of 1e-8: 0.5 (mu^2 + sigma^2 - 2 log sigma - 1).
    np.testing.assert_allclose(kl, [0.5 * (0.25 + 16 * math.log(10) - 1)], rtol=1e-6)
    assert np.isfinite(tape.gradient(kl, raw)).all()


def test_gaussian_samples_are_mean_plus_scale_times_the_same_noise(seeds):
    (seed,) = seeds(1)
    group = Gaussian(3)
    loc, scale = tf.constant([[1.0, -2.0, 3.0]]), tf.constant([[0.5, 1.0, 2.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([loc, scale])
        z = group.sample(tfd.Independent(tfd.Normal(loc, scale), 1), seed)
    noise = (z - loc) / scale
    np.testing.assert_allclose(tape.gradient(z, loc), np.ones([1, 3]))
    np.testing.assert_allclose(tape.gradient(z, scale), noise, rtol=1e-5)
    assert np.abs(noise).min() > 1e-3


# Categorical groups.


def test_categorical_parameters_are_logits():
    logits = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    posterior = Categorical(4).posterior(logits)
    assert posterior.batch_shape == (5,) and posterior.event_shape == (4,)
    probabilities = special.softmax(logits, axis=-1)
    np.testing.assert_allclose(Categorical(4).codes(posterior), probabilities, rtol=1e-5)
    np.testing.assert_array_equal(
        Categorical(4).point(posterior), np.eye(4)[probabilities.argmax(axis=-1)]
    )


def test_categorical_prior_is_uniform():
    np.testing.assert_allclose(Categorical(5).prior().log_prob(np.eye(5)), [-math.log(5)] * 5)


def test_relaxed_samples_are_the_softmax_of_perturbed_logits_over_the_temperature(seeds):
    (seed,) = seeds(1)
    group, posterior = categorical()
    at_one = group.sample(posterior, seed, temperature=1.0, sample_shape=50).numpy()
    # At temperature 1, log z is log alpha + g up to a constant, g being the Gumbel noise.
    for temperature in (0.3, 0.67, 5.0):
        z = group.sample(posterior, seed, temperature=temperature, sample_shape=50)
        expected = special.softmax(np.log(at_one.astype(np.float64)) / temperature, axis=-1)
        np.testing.assert_allclose(z, expected, atol=1e-5)


def test_a_vanishing_temperature_gives_the_argmax_of_the_perturbed_logits(seeds):
    (seed,) = seeds(1)
    group, posterior = categorical()
    at_one = group.sample(posterior, seed, temperature=1.0, sample_shape=200).numpy()
    cold = group.sample(posterior, seed, temperature=1e-6, sample_shape=200)
    np.testing.assert_allclose(cold, np.eye(4)[at_one.argmax(axis=-1)], atol=1e-5)


@pytest.mark.parametrize("options", [{"temperature": 0.5}, {"temperature": 5.0}, {"hard": True}])
def test_classes_are_as_frequent_as_their_probabilities(seeds, options):
    (seed,) = seeds(1)
    group, posterior = categorical()
    # The argmax of log alpha + g is a draw from alpha at every temperature.
    assert_frequencies_are_alpha(group.sample(posterior, seed, sample_shape=DRAWS, **options))


@pytest.mark.parametrize("temperature", [1e-6, 0.1, 1, 100.0])
def test_relaxed_samples_lie_on_the_simplex(seeds, temperature):
    (seed,) = seeds(1)
    group, posterior = categorical()
    z = group.sample(posterior, seed, temperature=temperature, sample_shape=1000).numpy()
    assert (z >= 0).all()
    np.testing.assert_allclose(z.sum(axis=-1), 1, rtol=1e-5)


def test_hard_samples_are_one_hot(seeds):
    (seed,) = seeds(1)
    group, posterior = categorical()
    z = group.sample(posterior, seed, hard=True, sample_shape=100).numpy()
    assert z.dtype == np.float32
    assert set(np.unique(z)) == {0, 1}
    np.testing.assert_array_equal(z.sum(axis=-1), 1)


def test_the_temperature_of_the_group_is_the_default(seeds):
    (seed,) = seeds(1)
    group = Categorical(4, temperature=2.5)
    _, posterior = categorical()
    z = group.sample(posterior, seed)
    np.testing.assert_array_equal(z, group.sample(posterior, seed, temperature=2.5))
    assert not np.allclose(z, group.sample(posterior, seed, temperature=0.67))


def test_relaxed_samples_carry_a_gradient_to_the_logits(seeds):
    (seed,) = seeds(1)
    group = Categorical(4)
    logits = tf.constant(LOGITS)
    temperature = tf.constant(0.67)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        z = group.sample(group.posterior(logits), seed, temperature)
        first = z[0]
    # d softmax(y)_0 / d y_k = z_0 (1[k = 0] - z_k), with y = (log alpha + g) / temperature.
    expected = z[0] * (np.eye(4)[0] - z.numpy()) / temperature
    np.testing.assert_allclose(tape.gradient(first, logits), expected, atol=1e-5)


@pytest.mark.xla
@pytest.mark.parametrize("hard", [False, True])
def test_categorical_samples_compile_with_xla(seeds, hard):
    (seed,) = seeds(1)
    group = Categorical(4)

    @tf.function(jit_compile=True)
    def draw(logits, seed):
        return group.sample(group.posterior(logits), seed, hard=hard, sample_shape=DRAWS)

    z = draw(LOGITS, seed).numpy()
    np.testing.assert_allclose(z.sum(axis=-1), 1, rtol=1e-5)
    assert_frequencies_are_alpha(z)


# Serialisation and equality.

EXAMPLES = [
    Latents(Gaussian(3)),
    Latents(Categorical(3, temperature=0.5), Gaussian(2)),
    Latents(Gaussian(2), Categorical(4, inference="search")),
    Latents(Gaussian(2, name="noise", inference=None), Gaussian(3)),
]


@pytest.mark.parametrize("latents", EXAMPLES, ids=repr)
def test_serialisation_keeps_every_group(latents):
    # Both modules have a class called Gaussian; each must be found under a name of its own.
    assert likelihoods.Gaussian is not Gaussian
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(latents)))
    restored = keras.saving.deserialize_keras_object(config)
    assert isinstance(restored, Latents)
    assert [type(group) for group in restored.groups] == [type(group) for group in latents.groups]
    assert [vars(group) for group in restored.groups] == [vars(group) for group in latents.groups]
    assert restored == latents and hash(restored) == hash(latents)


@pytest.mark.parametrize(
    "other",
    [
        Latents(Categorical(3)),
        Latents(Categorical(3), Gaussian(3)),
        Latents(Gaussian(2), Categorical(3)),
        Latents(Categorical(3, name="kind"), Gaussian(2)),
        Latents(Categorical(3, inference="search"), Gaussian(2)),
        Latents(Categorical(3, temperature=0.1), Gaussian(2)),
    ],
    ids=repr,
)
def test_latents_that_differ_anywhere_are_unequal(other):
    assert Latents(Categorical(3), Gaussian(2)) != other


def test_the_representation_as_text_is_the_call_that_makes_it():
    latents = Latents(Gaussian(6), Categorical(3, inference="search"))
    assert repr(latents) == (
        "Latents(Gaussian(6, name='continuous'), "
        "Categorical(3, name='discrete', inference='search'))"
    )
    for example in EXAMPLES:
        assert eval(repr(example)) == example


# Errors.


@pytest.mark.parametrize("size", [0, -1, 2.0, True, "3", None])
@pytest.mark.parametrize("group", [Gaussian, Categorical])
def test_a_size_that_is_no_positive_integer_is_refused(group, size):
    with pytest.raises(ValueError, match="must be a positive integer, received"):
        group(size)


def test_an_unknown_inference_is_refused():
    with pytest.raises(ValueError, match="must be one of .*amortised.*received 'guess'"):
        Gaussian(2, inference="guess")


def test_only_categorical_groups_are_searched():
    with pytest.raises(ValueError, match="only a Categorical group can be searched"):
        Gaussian(2, inference="search")


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature must be positive, received"):
        Categorical(3, temperature=temperature)


def test_latents_need_a_group():
    with pytest.raises(ValueError, match="at least one latent group"):
        Latents()


def test_latents_refuse_what_is_no_group():
    with pytest.raises(TypeError, match="received int"):
        Latents(Gaussian(2), 3)


def test_latents_refuse_equal_names():
    with pytest.raises(ValueError, match=r"distinct names, received \['continuous', 'continuous'"):
        Latents(Gaussian(2), Gaussian(3))


def test_latents_refuse_two_searched_groups():
    with pytest.raises(ValueError, match=r"at most one group can be searched.*'a', 'b'"):
        Latents(
            Categorical(2, name="a", inference="search"),
            Categorical(2, name="b", inference="search"),
        )


# Point groups.


def test_point_is_its_parameters_without_spread(seeds):
    (seed,) = seeds(1)
    latents = Latents(Point(3))
    parameters = tf.constant(np.random.default_rng(0).normal(size=(5, 3)), tf.float32)
    assert latents.parameter_size == 3
    posterior = latents.posterior(parameters)["continuous"]
    group = latents.groups[0]
    for value in (posterior.mean(), group.codes(posterior), group.point(posterior)):
        np.testing.assert_array_equal(value, parameters)
    np.testing.assert_array_equal(posterior.stddev(), np.zeros((5, 3)))
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        z = group.sample(latents.posterior(parameters)["continuous"], seed)
    np.testing.assert_array_equal(z, parameters)
    np.testing.assert_array_equal(tape.gradient(z, parameters), np.ones((5, 3)))


def test_point_has_an_infinite_kl_and_a_normal_prior():
    group = Point(2)
    kl = tfd.kl_divergence(
        group.posterior(tf.zeros([4, 2])).distribution, group.prior().distribution
    )
    assert kl.shape == (4, 2) and np.isposinf(kl).all()
    np.testing.assert_allclose(group.prior().log_prob([0.0, 1.0]), -math.log(2 * math.pi) - 0.5)


def test_point_survives_serialisation_and_takes_no_other_inference():
    latents = Latents(Point(2), Gaussian(1, name="more"))
    config = keras.saving.serialize_keras_object(latents)
    assert keras.saving.deserialize_keras_object(json.loads(json.dumps(config))) == latents
    for inference in ("search", None):
        with pytest.raises(ValueError, match="Point group is what the encoder gives"):
            Point(2, inference=inference)


# Uniform groups.


def test_uniform_has_a_flat_prior_that_a_normal_posterior_leaves(seeds):
    group = Uniform(2)
    prior = group.prior()
    np.testing.assert_allclose(prior.log_prob([[0.0, 0.9]]), [-2 * math.log(2)], rtol=1e-6)
    assert np.isneginf(prior.log_prob([0.0, 1.1]))
    assert float(prior.entropy()) == pytest.approx(2 * math.log(2))
    draws = group.sample(prior, seeds(1)[0], sample_shape=[5000]).numpy()
    assert stats.kstest(draws[:, 0], "uniform", (-1, 2)).pvalue > 0.001
    posterior = group.posterior(tf.zeros([4, 4]))
    kl = tfd.kl_divergence(posterior.distribution, prior.distribution)
    assert kl.shape == (4, 2) and np.isposinf(kl).all()
    np.testing.assert_allclose(posterior.stddev(), np.full((4, 2), math.log(2)), rtol=1e-6)


def test_uniform_survives_serialisation_and_is_not_searched():
    latents = Latents(Uniform(2), Uniform(3, name="noise", inference=None))
    assert latents.parameter_size == 4
    config = keras.saving.serialize_keras_object(latents)
    assert keras.saving.deserialize_keras_object(json.loads(json.dumps(config))) == latents
    with pytest.raises(ValueError, match=r"only a Categorical.* received Uniform 'continuous'"):
        Uniform(2, inference="search")
