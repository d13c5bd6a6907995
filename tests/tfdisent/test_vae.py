import json
import math
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import special, stats

from tfdisent import likelihoods
from tfdisent.latents import Categorical, Gaussian, Latents
from tfdisent.vae import VAE

tfd = tfp.distributions

KINDS = ("gaussian", "mixed", "searched", "noise")


def set_kernel_rows(layer, rows, value):
    kernel = layer.kernel.numpy()
    kernel[rows] = value
    layer.kernel.assign(kernel)


def first_dense(model):
    return next(layer for layer in model.layers if isinstance(layer, keras.layers.Dense))


# From images to codes and back.


def test_every_method_has_the_documented_shape(make_vae, images, seeds):
    vae = make_vae("mixed")
    assert vae.image_shape == (8, 8, 1)
    posterior = vae.posterior(images)
    assert list(posterior) == ["discrete", "continuous"]
    assert posterior["discrete"].event_shape == (3,)
    assert posterior["continuous"].event_shape == (2,)
    assert all(q.batch_shape == (6,) for q in posterior.values())
    z = vae.sample(posterior, seeds(1)[0])
    assert z.shape == (6, 5) and z.dtype == tf.float32
    likelihood = vae.likelihood(z)
    assert likelihood.batch_shape == (6,) and likelihood.event_shape == (8, 8, 1)
    assert vae.encode(images).shape == (6, 5)
    assert vae.decode(z).shape == (6, 8, 8, 1)
    assert vae.reconstruct(images).shape == (6, 8, 8, 1)


def test_the_posterior_is_made_of_the_encoder_output(vae, images):
    parameters = vae.encoder(images).numpy().astype(np.float64)
    posterior = vae.posterior(images)["continuous"]
    np.testing.assert_allclose(posterior.mean(), parameters[:, :3], rtol=1e-6)
    np.testing.assert_allclose(posterior.stddev(), np.log1p(np.exp(parameters[:, 3:])), rtol=1e-5)
    assert np.ptp(parameters, axis=0).min() > 1e-3


def test_the_prior_is_standard_in_every_group(make_vae):
    prior = make_vae("mixed").prior()
    assert list(prior) == ["discrete", "continuous"]
    np.testing.assert_allclose(prior["discrete"].probs_parameter(), [1 / 3] * 3, rtol=1e-6)
    np.testing.assert_array_equal(prior["continuous"].mean(), [0, 0])
    np.testing.assert_array_equal(prior["continuous"].stddev(), [1, 1])


def test_the_likelihood_is_bernoulli_of_the_decoder_output(vae, images):
    z = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    logits = vae.decoder(z).numpy().astype(np.float64)
    expected = (images * logits - np.logaddexp(0, logits)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(vae.likelihood(z).log_prob(images), expected, rtol=1e-5)
    np.testing.assert_allclose(vae.decode(z), special.expit(logits), rtol=1e-5)


def test_codes_are_means_then_class_probabilities(make_vae, images):
    vae = make_vae("mixed")
    parameters = vae.encoder(images).numpy()
    expected = np.concatenate(
        [parameters[:, 3:5], special.softmax(parameters[:, :3], axis=-1)], axis=-1
    )
    np.testing.assert_allclose(vae.encode(images), expected, rtol=1e-5)
    assert vae.latents.discrete_columns == ((2, 3, 4),)


def test_the_reconstruction_is_decoded_from_means_and_most_probable_classes(make_vae, images):
    vae = make_vae("mixed")
    codes = vae.encode(images).numpy()
    z = np.concatenate([np.eye(3)[codes[:, 2:].argmax(axis=-1)], codes[:, :2]], axis=-1)
    np.testing.assert_allclose(vae.point(vae.posterior(images)), z, rtol=1e-6)
    expected = vae.decode(z.astype(np.float32))
    for reconstruction in (vae.reconstruct(images), vae(images)):
        np.testing.assert_allclose(reconstruction, expected, rtol=1e-5)
    np.testing.assert_allclose(vae.predict(images, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_codes_do_not_depend_on_the_rest_of_the_batch(make_vae, images, kind):
    vae = make_vae(kind)
    together = vae.encode(images)
    alone = tf.concat([vae.encode(images[i : i + 1]) for i in range(6)], axis=0)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


# Samples.


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_fixes_the_sample(make_vae, images, seeds, kind):
    vae = make_vae(kind)
    posterior = vae.posterior(images)
    first, second = seeds(2)
    z = vae.sample(posterior, first).numpy()
    np.testing.assert_array_equal(vae.sample(posterior, first), z)
    drawn = np.abs(z).sum(axis=0) > 0  # a searched group has no class yet
    assert (z != vae.sample(posterior, second).numpy())[:, drawn].any(axis=0).all()
    assert (z != vae.sample(posterior).numpy())[:, drawn].any(axis=0).all()


def test_a_seed_gives_the_same_sample_in_a_graph(make_vae, images, seeds):
    vae = make_vae("noise")
    (seed,) = seeds(1)
    compiled = tf.function(lambda x, seed: vae.sample(vae.posterior(x), seed))
    expected = vae.sample(vae.posterior(images), seed)
    np.testing.assert_allclose(compiled(images, seed), expected, rtol=1e-5)
    # A seed of Keras's generator is int64.
    np.testing.assert_allclose(compiled(images, tf.cast(seed, tf.int64)), expected, rtol=1e-5)


def test_unseeded_samples_in_a_graph_are_drawn_anew_at_each_call(vae, images):
    compiled = tf.function(lambda x: vae.sample(vae.posterior(x)))
    assert (compiled(images).numpy() != compiled(images).numpy()).all()


def test_groups_have_noise_of_their_own(seeds):
    latents = Latents(
        Gaussian(4, name="a"),
        Gaussian(4, name="b"),
        Gaussian(4, name="c", inference=None),
        Gaussian(4, name="d", inference=None),
    )
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=4)
    standard = tfd.Independent(tfd.Normal(tf.zeros([5000, 4]), 1.0), 1)
    z = vae.sample({"a": standard, "b": standard}, seeds(1)[0]).numpy()
    correlations = np.corrcoef(z.T)[np.triu_indices(16, k=1)]
    # Of 120 correlations with standard error 1 / sqrt(5000) none lies beyond 4.5 of them.
    assert np.abs(correlations).max() < 4.5 / math.sqrt(5000)


def test_missing_noise_is_drawn_from_its_prior(seeds):
    latents = Latents(
        Gaussian(1),
        Gaussian(2, name="noise", inference=None),
        Categorical(3, name="style", inference=None),
    )
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=4)
    posterior = {"continuous": tfd.Independent(tfd.Normal(tf.zeros([6000, 1]), 1.0), 1)}
    values = {
        name: value.numpy()
        for name, value in latents.split(vae.sample(posterior, seeds(1)[0])).items()
    }
    assert stats.kstest(values["noise"].ravel(), "norm").pvalue > 0.001
    assert set(np.unique(values["style"])) == {0, 1}
    assert stats.chisquare(values["style"].sum(axis=0)).pvalue > 0.001


def test_a_searched_group_is_zero_until_a_class_is_chosen(make_vae, images, seeds):
    vae = make_vae("searched")
    posterior = vae.posterior(images)
    assert list(posterior) == ["continuous"]
    (seed,) = seeds(1)
    z = vae.sample(posterior, seed)
    np.testing.assert_array_equal(z[:, 2:], np.zeros([6, 4]))
    classes = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0, 1]]
    chosen = vae.sample(posterior, seed, given={"discrete": classes})
    np.testing.assert_array_equal(chosen[:, 2:], classes)
    np.testing.assert_array_equal(chosen[:, :2], z[:, :2])


def test_given_values_replace_draws(make_vae, images, seeds):
    vae = make_vae("mixed")
    given = np.full([6, 2], 7, np.float32)
    z = vae.sample(vae.posterior(images), seeds(1)[0], given={"continuous": given})
    np.testing.assert_array_equal(z[:, 3:], given)
    np.testing.assert_allclose(tf.reduce_sum(z[:, :3], axis=-1), np.ones(6), rtol=1e-5)


def test_sample_hands_temperature_and_hardness_to_the_groups(make_vae, images, seeds):
    vae = make_vae("mixed")
    posterior = vae.posterior(images)
    (seed,) = seeds(1)
    hard = vae.sample(posterior, seed, hard=True).numpy()
    assert set(np.unique(hard[:, :3])) == {0, 1}
    hot = vae.sample(posterior, seed, temperature=1e4).numpy()
    np.testing.assert_allclose(hot[:, :3], np.full([6, 3], 1 / 3), atol=1e-2)
    # The temperature is a tensor where a schedule gives it.
    np.testing.assert_array_equal(vae.sample(posterior, seed, temperature=tf.constant(1e4)), hot)


@pytest.mark.parametrize("kind", ["gaussian", "mixed", "noise"])
def test_gradients_reach_every_weight_of_the_encoder_through_the_sample(
    make_vae, images, seeds, kind
):
    vae = make_vae(kind)
    with tf.GradientTape() as tape:
        z = vae.sample(vae.posterior(images), seeds(1)[0])
        loss = -tf.reduce_mean(vae.likelihood(z).log_prob(images))
    gradients = tape.gradient(loss, vae.trainable_variables)
    assert len(gradients) == len(vae.encoder.weights) + len(vae.decoder.weights)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)
    head = gradients[len(vae.encoder.weights) - 1].numpy()  # bias of the encoder's last layer
    assert (head != 0).all()


def test_the_mean_of_samples_is_the_point_of_a_gaussian_posterior(vae, images, seeds):
    posterior = vae.posterior(np.repeat(images[:1], 4000, axis=0))
    z = vae.sample(posterior, seeds(1)[0]).numpy()
    error = z.mean(axis=0) - vae.point(posterior)[0]
    standard_error = posterior["continuous"].stddev()[0] / math.sqrt(4000)
    assert np.abs(error / standard_error).max() < 4


@pytest.mark.parametrize(
    "names", [["continous"], []], ids=["a name that no group has", "nothing at all"]
)
def test_sample_refuses_distributions_of_no_group(vae, images, names):
    (q,) = vae.posterior(images).values()
    with pytest.raises(ValueError, match=r"expected groups \['continuous'\], received"):
        vae.sample({name: q for name in names})


# Searched groups.


def costs_one_by_one(vae, images, continuous):
    """-log p(x | z, class) with one decoding per image and class, in float64 NumPy."""
    costs = np.zeros([len(images), 4])
    for i, image in enumerate(images):
        for k in range(4):
            z = np.concatenate([continuous[i], np.eye(4)[k]])[None].astype(np.float32)
            logits = vae.decoder(z).numpy()[0].astype(np.float64)
            costs[i, k] = -(image * logits - np.logaddexp(0, logits)).sum()
    return costs


def test_search_costs_are_the_distortions_of_separate_decodings(make_vae, images):
    vae = make_vae("searched")
    continuous = np.random.default_rng(5).normal(size=(6, 2)).astype(np.float32)
    costs = vae.search_costs(images, {"continuous": continuous})
    expected = costs_one_by_one(vae, images, continuous)
    assert costs.shape == (6, 4)
    np.testing.assert_allclose(costs, expected, rtol=1e-5)
    assert np.ptp(expected, axis=1).min() > 0.1


def test_the_searched_posterior_is_the_softmax_of_minus_the_distortions(make_vae, images):
    vae = make_vae("searched")
    posterior = vae.infer(images)
    means = vae.posterior(images)["continuous"].mean()
    expected = special.softmax(-costs_one_by_one(vae, images, means), axis=-1)
    np.testing.assert_allclose(posterior["discrete"].probs_parameter(), expected, rtol=1e-3)
    np.testing.assert_allclose(
        vae.encode(images), np.concatenate([means, expected], axis=-1), rtol=1e-3
    )
    assert vae.latents.discrete_columns == ((2, 3, 4, 5),)


def test_the_reconstruction_has_the_least_distortion_of_all_classes(make_vae, images):
    vae = make_vae("searched")
    continuous = vae.posterior(images)["continuous"].mean().numpy()
    best = costs_one_by_one(vae, images, continuous).argmin(axis=1)
    z = np.concatenate([continuous, np.eye(4)[best]], axis=-1).astype(np.float32)
    np.testing.assert_allclose(vae.reconstruct(images), vae.decode(z), rtol=1e-5)


def test_the_classes_of_one_image_are_compared_under_the_same_noise(images):
    latents = Latents(
        Gaussian(2),
        Categorical(4, inference="search"),
        Gaussian(3, name="noise", inference=None),
    )
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=16)
    set_kernel_rows(first_dense(vae.decoder), slice(2, 6), 0.0)
    # The decoder ignores the class now: only different noise could tell two classes apart.
    costs = vae.search_costs(images, {"continuous": np.zeros([6, 2], np.float32)})
    np.testing.assert_allclose(costs, tf.repeat(costs[:, :1], 4, axis=1), rtol=1e-5)


def test_search_costs_need_a_searched_group(vae, images):
    with pytest.raises(ValueError, match="has inference='search'"):
        vae.search_costs(images, vae.latents.split(tf.zeros([6, 3])))


# Noise groups.


def test_noise_changes_images_and_not_codes(make_vae, images, seeds):
    vae = make_vae("noise")
    posterior = vae.posterior(images)
    assert list(posterior) == ["continuous"] and list(vae.prior()) == ["noise", "continuous"]
    np.testing.assert_array_equal(vae.encode(images), vae.encode(images))
    assert vae.encode(images).shape == (6, 3)
    first, second = (vae.join({"continuous": vae.encode(images)}, seed=seed) for seed in seeds(2))
    np.testing.assert_array_equal(first[:, 2:], second[:, 2:])
    assert (first[:, :2].numpy() != second[:, :2].numpy()).all()
    assert np.abs(vae.decode(first) - vae.decode(second)).max() > 1e-3


def test_reconstructions_are_decoded_with_noise_at_rest(make_vae, images):
    vae = make_vae("noise")
    z = vae.point(vae.posterior(images)).numpy()
    np.testing.assert_array_equal(z[:, 2:], vae.encode(images))
    noise = vae.resting_noise(6)["noise"].numpy()
    np.testing.assert_array_equal(z[:, :2], noise)
    np.testing.assert_array_equal(noise, np.repeat(noise[:1], 6, axis=0))
    assert 0 < np.abs(noise).max() < 4
    for _ in range(2):
        np.testing.assert_allclose(vae.reconstruct(images), vae.decode(z), rtol=1e-5)
    moved = vae.point(vae.posterior(images), given={"noise": noise + 1})
    np.testing.assert_array_equal(moved[:, :2], noise + 1)


def test_noise_at_rest_differs_between_groups():
    latents = Latents(
        Gaussian(2), *[Gaussian(3, name=name, inference=None) for name in ("first", "second")]
    )
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=4)
    noise = vae.resting_noise(1)
    assert (noise["first"].numpy() != noise["second"].numpy()).all()


# Construction.


@pytest.mark.parametrize(
    ("image_shape", "first_layer"),
    [((64, 64, 1), "conv2d"), ((32, 32, 3), "conv2d"), ((8, 8, 1), "flatten")],
)
def test_the_architecture_follows_from_the_images(image_shape, first_layer):
    vae = VAE.build_for(image_shape, Latents(Gaussian(2)), hidden=4)
    assert vae.image_shape == image_shape
    assert vae.encoder.layers[1].name.startswith(first_layer)
    assert vae.decoder.output_shape == (None, *image_shape)


def test_build_for_hands_options_to_the_networks(vae):
    sizes = [layer.units for layer in vae.decoder.layers if isinstance(layer, keras.layers.Dense)]
    assert sizes == [16, 16, 16, 64]


def test_learned_scales_double_the_channels_of_the_decoder(make_vae, images):
    vae = make_vae(likelihood=likelihoods.Gaussian(scale=None))
    assert vae.decoder.output_shape == (None, 8, 8, 2)
    assert vae.decode(tf.zeros([6, 3])).shape == (6, 8, 8, 1)
    assert vae.likelihood(tf.zeros([6, 3])).log_prob(images).shape == (6,)


def test_training_reaches_the_networks(images):
    drop = keras.layers.Dropout(0.5, seed=1)
    image, z = keras.Input((8, 8, 1)), keras.Input((2,))
    encoder = keras.Model(image, keras.layers.Dense(4)(drop(keras.layers.Flatten()(image))))
    pixels = keras.layers.Dropout(0.5, seed=2)(keras.layers.Dense(64)(z))
    decoder = keras.Model(z, keras.layers.Reshape((8, 8, 1))(pixels))
    vae = VAE(encoder, decoder, Latents(Gaussian(2)))

    def means(training):
        return vae.posterior(images, training=training)["continuous"].mean().numpy()

    def zeros(training):
        logits = special.logit(vae.likelihood(tf.ones([6, 2]), training=training).mean())
        return np.mean(logits == 0)

    assert not np.allclose(means(training=True), means(training=False))
    np.testing.assert_array_equal(means(training=False), vae.encode(images))
    assert zeros(training=True) > 0.25 and zeros(training=False) == 0


@pytest.mark.parametrize("kind", ["mixed", "searched"])
def test_distributions_are_float32_under_mixed_precision(mixed_precision, make_vae, images, kind):
    vae = make_vae(kind)
    assert first_dense(vae.encoder).compute_dtype == mixed_precision.removeprefix("mixed_")
    posterior = vae.infer(images)
    z = vae.sample(posterior)
    tensors = [z, vae.encode(images), vae.decode(z), vae.likelihood(z).log_prob(images)]
    assert all(tensor.dtype == tf.float32 for tensor in tensors)
    assert all(q.dtype == tf.float32 for q in posterior.values())
    assert all(np.isfinite(tensor).all() for tensor in tensors)


@pytest.mark.parametrize(
    ("latents", "likelihood", "message"),
    [
        (Latents(Gaussian(4)), "bernoulli", "encoder output must be 8 wide, received 6"),
        (
            Latents(Gaussian(3), Gaussian(1, name="noise", inference=None)),
            "bernoulli",
            "decoder input must be 4 wide, received 3",
        ),
        (
            Latents(Gaussian(3)),
            likelihoods.Gaussian(scale=None),
            "decoder output must be 2 wide, received 1",
        ),
    ],
)
def test_networks_of_the_wrong_width_are_refused(vae, latents, likelihood, message):
    with pytest.raises(ValueError, match=message):
        VAE(vae.encoder, vae.decoder, latents, likelihood)


def test_images_and_decodings_must_have_the_same_size(vae):
    z = keras.Input((3,))
    pixels = keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16)(z))
    with pytest.raises(ValueError, match=r"decoder output must be .*8, 8.*received .*4, 4"):
        VAE(vae.encoder, keras.Model(z, pixels), vae.latents)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "resnet"}, "architecture must be one of .*received 'resnet'"),
        ({"architecture": "conv64"}, r"conv64 takes 64 x 64 images, received .*\(8, 8, 1\)"),
        ({"likelihood": "poisson"}, "likelihood must be one of .*received 'poisson'"),
        ({"width": 3}, "width"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        VAE.build_for((8, 8, 1), Latents(Gaussian(3)), **options)


def test_a_model_needs_a_group_that_the_encoder_infers():
    with pytest.raises(ValueError, match="amortised"):
        VAE.build_for((8, 8, 1), Latents(Gaussian(3, inference=None)))


# Saving.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("likelihood", ["bernoulli", likelihoods.Gaussian(scale=None)])
def test_a_saved_model_gives_the_same_codes_and_images(
    make_vae, images, tmp_path, kind, likelihood
):
    vae = make_vae(kind, likelihood=likelihood)
    vae.save(tmp_path / "vae.keras")
    restored = keras.saving.load_model(tmp_path / "vae.keras")
    assert type(restored) is VAE
    assert restored.latents == vae.latents
    assert vars(restored.likelihood_family) == vars(vae.likelihood_family)
    np.testing.assert_array_equal(restored.encode(images), vae.encode(images))
    z = np.ones([6, vae.latents.size], np.float32)
    np.testing.assert_array_equal(restored.decode(z), vae.decode(z))


def test_a_saved_model_loads_in_a_fresh_process(make_vae, images, tmp_path, request):
    vae = make_vae("mixed")
    vae.save(tmp_path / "vae.keras")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, keras, numpy as np, tfdisent.vae\n"
        "folder = sys.argv[1]\n"
        "vae = keras.saving.load_model(folder + '/vae.keras')\n"
        "np.save(folder + '/codes.npy', vae.encode(np.load(folder + '/images.npy')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "codes.npy"), vae.encode(images), rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_configuration_is_json_and_makes_an_equal_model(make_vae, images, kind):
    vae = make_vae(kind, likelihood=likelihoods.Gaussian(scale=0.2))
    config = json.loads(json.dumps(vae.get_config()))
    copy = VAE.from_config(config)
    assert copy.latents == vae.latents and copy.name == vae.name
    assert copy.likelihood_family.scale == 0.2
    copy.set_weights(vae.get_weights())
    np.testing.assert_array_equal(copy.encode(images), vae.encode(images))


def test_weights_alone_can_be_saved(make_vae, images, tmp_path):
    vae = make_vae("mixed")
    vae.save_weights(tmp_path / "vae.weights.h5")
    other = VAE.from_config(vae.get_config())
    assert not np.allclose(other.encode(images), vae.encode(images))
    other.load_weights(tmp_path / "vae.weights.h5")
    np.testing.assert_array_equal(other.encode(images), vae.encode(images))


def test_prior_samples_are_standard_normal_and_exact_classes(make_vae):
    vae = make_vae("mixed")
    z = vae.sample_prior(4000, seed=[1, 2])
    assert z.shape == (4000, vae.latents.size)
    values = {name: value.numpy() for name, value in vae.latents.split(z).items()}
    continuous, discrete = (
        values[group.name]
        for group in sorted(vae.latents.groups, key=lambda group: group.is_discrete)
    )
    # Five standard errors of the mean and of the class frequencies.
    assert np.abs(continuous.mean(axis=0)).max() < 5 / np.sqrt(4000)
    assert np.abs(continuous.std(axis=0) - 1).max() < 5 / np.sqrt(8000)
    assert set(np.unique(discrete)) == {0.0, 1.0} and (discrete.sum(axis=1) == 1).all()
    assert np.abs(discrete.mean(axis=0) - 1 / discrete.shape[1]).max() < 5 * 0.5 / np.sqrt(4000)
    np.testing.assert_array_equal(z, vae.sample_prior(4000, seed=[1, 2]))


# Models of labels.


def _classifier(**options):
    latents = Latents(Gaussian(3))
    options = {"likelihood": likelihoods.Categorical(4), "hidden": 8, **options}
    return VAE.build_for((8, 8, 1), latents, **options)


def test_a_model_of_labels_gives_probabilities_where_others_give_images(images):
    model = _classifier()
    assert (
        model.num_classes == 4
        and VAE.build_for((8, 8, 1), Latents(Gaussian(1))).num_classes is None
    )
    given = model.predict(images, verbose=0)
    assert given.shape == (6, 4)
    np.testing.assert_allclose(given.sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.decode(model.encode(images)), given, rtol=1e-4)
    likelihood = model.likelihood(model.encode(images))
    assert likelihood.batch_shape == (6,) and likelihood.event_shape == ()
    np.testing.assert_allclose(likelihood.log_prob(2), np.log(given[:, 2]), rtol=1e-3)


def test_a_saved_model_of_labels_gives_the_same_probabilities(images, tmp_path):
    model = _classifier()
    model.save(tmp_path / "labels.keras")
    loaded = keras.saving.load_model(tmp_path / "labels.keras")
    np.testing.assert_array_equal(loaded(images), model(images))


def test_decoders_of_images_and_of_labels_are_not_confused():
    with pytest.raises(ValueError, match=r"size of the labels, \(\), received \(8, 8\)"):
        _classifier(architecture="mlp")
    with pytest.raises(ValueError, match=r"size of the images, \(8, 8\), received \(\)"):
        _classifier(likelihood="bernoulli", architecture="deep_vib")


def test_a_decoder_of_labels_cannot_search():
    model = _classifier()
    latents = Latents(Gaussian(1), Categorical(2, inference="search"))
    encoder = keras.Sequential([model.encoder, keras.layers.Dense(2)])
    encoder.build((None, 8, 8, 1))
    with pytest.raises(ValueError, match="a decoder of labels cannot search a group"):
        VAE(encoder, model.decoder, latents, likelihoods.Categorical(4))


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_images_of_any_precision_are_searched(make_vae, images, likelihood, dtype):
    vae = make_vae("searched", likelihood=likelihood)
    expected = vae.encode(images.astype(dtype).astype(np.float32))
    np.testing.assert_allclose(vae.encode(images.astype(dtype)), expected, atol=1e-5)
