import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

from tfdisent import VAE, Categorical, Gaussian, JointVAEGMMTrainer, Latents, metrics
from tfdisent.trainers import FusedAdam, joint_vae_gmm, recipes
from tfdisent.trainers.checkpoints import Checkpoints


def _trainer(*groups, hidden=12, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(*(groups or (Gaussian(2), Categorical(3))))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=hidden)
    options = {"warmup_steps": 4, "warmup_capacity": 3.0, "mixture_rows": 24, **options}
    trainer = JointVAEGMMTrainer(vae, seed=2, **options)
    trainer.compile(keras.optimizers.Adam(1e-3))
    return trainer


def _images(count=40):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _batches(skip=0):
    return tf.data.Dataset.from_tensor_slices(_images()).repeat().batch(8).skip(skip)


def _clusters(count=300, seed=0):
    """(points around three centres, the centre of each)."""
    rng = np.random.default_rng(seed)
    centres = np.array([[2.0, 0.0], [-1.0, 2.0], [-1.0, -2.0]])
    labels = rng.integers(3, size=count)
    return centres[labels] + 0.3 * rng.normal(size=(count, 2)), labels


def test_capacities_wait_for_the_classes_and_then_go_to_theirs_along_a_line():
    trainer = _trainer(continuous_capacity=1.0, discrete_capacity=0.9, capacity_steps=10)
    for step in (0, 3, 1000):
        np.testing.assert_allclose(trainer.capacities(tf.constant(step)), [3.0, 0.0])
    trainer.start_step.assign(100)
    trainer.start_rate.assign(0.4)
    for step, expected in ((99, [3, 0.4]), (104, [2, 0.65]), (109, [1, 0.9]), (999, [1, 0.9])):
        np.testing.assert_allclose(trainer.capacities(tf.constant(step)), expected, rtol=1e-6)


def test_discrete_capacity_is_never_above_the_entropy_of_the_classes():
    trainer = _trainer(discrete_capacity=50.0, capacity_steps=5)
    trainer.start_step.assign(0)
    np.testing.assert_allclose(trainer.capacities(tf.constant(50))[1], np.log(3), rtol=1e-6)


def test_the_classifier_is_the_logistic_regression_of_scikit_learn():
    points, labels = _clusters()
    weights, biases = joint_vae_gmm._nearest_linear_classifier(points, np.eye(3)[labels])
    peer = LogisticRegression(C=1 / (joint_vae_gmm._RIDGE * len(points)), tol=1e-10, max_iter=1000)
    peer.fit(points, labels)
    np.testing.assert_allclose(weights.T, peer.coef_, atol=2e-3)
    shift = biases.mean() - peer.intercept_.mean()  # no one sees a constant in all logits
    np.testing.assert_allclose(biases - shift, peer.intercept_, atol=2e-3)


def test_a_class_that_no_point_is_in_gets_none():
    points, labels = _clusters()
    weights, biases = joint_vae_gmm._nearest_linear_classifier(points, np.eye(4)[labels])
    assert set(np.argmax(points @ weights + biases, axis=1)) == {0, 1, 2}


@pytest.mark.parametrize(
    ("logits", "expected"),
    [(np.zeros((5, 4)), 0.0), (1e3 * np.eye(4), np.log(4)), ([[0.0, np.log(3)]], 0.130812)],
)
def test_rate_of_logits(logits, expected):
    np.testing.assert_allclose(joint_vae_gmm._rate(np.asarray(logits)), expected, atol=1e-6)


def test_classes_become_the_clusters_of_the_means():
    trainer = _trainer(mixture_rows=300)
    points, labels = _clusters()
    trainer.recent_rows.assign(points.astype(np.float32))
    trainer.num_recent.assign(300)
    trainer.start_classes()

    # The encoder's last layer: its logits are a linear function of its means.
    features = np.random.default_rng(1).normal(size=(50, 12))
    kernel, bias = (weight.numpy() for weight in trainer.vae.encoder.layers[-1].weights)
    parameters = features @ kernel + bias  # 2 means, 2 scales, 3 logits
    responsibilities = joint_vae_gmm._responsibilities(points.astype(np.float32), 3, seed=2)
    weights, biases = joint_vae_gmm._nearest_linear_classifier(points, responsibilities)
    expected = parameters[:, :2] @ weights + biases
    np.testing.assert_allclose(parameters[:, 4:], expected, rtol=1e-3, atol=1e-3)

    classes = np.argmax(points @ weights + biases, axis=1)
    assert metrics.class_accuracy(labels, classes, rule="matching") == 1.0
    rate = joint_vae_gmm._rate(points @ weights + biases)
    np.testing.assert_allclose(trainer.start_rate, rate, rtol=1e-4)


def test_groups_may_come_in_any_order():
    trainer = _trainer(Categorical(3), Gaussian(2), mixture_rows=300)
    points, _ = _clusters()
    trainer.recent_rows.assign(points.astype(np.float32))
    trainer.num_recent.assign(300)
    before = [weight.numpy() for weight in trainer.vae.encoder.layers[-1].weights]
    trainer.start_classes()
    for a, b in zip(before, trainer.vae.encoder.layers[-1].weights, strict=True):
        assert np.all(a[..., 3:] == b.numpy()[..., 3:])  # means and scales
        assert not np.any(a[..., :3] == b.numpy()[..., :3])  # logits


def test_the_last_means_are_kept_oldest_first():
    trainer = _trainer(mixture_rows=5)
    for first in range(0, 9, 3):
        trainer._remember(
            tf.constant(np.arange(first, first + 3)[:, None] * [1.0, -1.0], "float32")
        )
        trainer.step.assign_add(1)
    np.testing.assert_array_equal(trainer.recent_rows[:, 0], [4, 5, 6, 7, 8])
    assert int(trainer.num_recent) == 5
    trainer._remember(tf.reshape(tf.range(14.0), [7, 2]))  # more than there is room for
    np.testing.assert_array_equal(trainer.recent_rows[:, 0], [4, 6, 8, 10, 12])


def test_means_are_those_of_the_images_before_the_step():
    trainer = _trainer()
    expected = np.array(trainer.vae.posterior(_images()[:8])["continuous"].mean())
    trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
    np.testing.assert_allclose(trainer.recent_rows[-8:], expected, atol=1e-6)
    assert int(trainer.num_recent) == 8


@pytest.mark.parametrize("steps_per_execution", [1, 2, 3])
def test_fit_starts_the_classes_after_the_warm_up_once(steps_per_execution):
    trainer = _trainer()
    trainer.steps_per_execution = steps_per_execution
    trainer.fit(_batches(), steps_per_epoch=6, epochs=2, verbose=0)
    # The first return to Python at or after step 4.
    assert int(trainer.start_step) == {1: 4, 2: 4, 3: 6}[steps_per_execution]
    # Counted anew since: the optimiser is a fresh one.
    assert int(trainer.optimizer.iterations) == 12 - int(trainer.start_step)


# The start is after step 4.
@pytest.mark.parametrize("step", [pytest.param(3, marks=pytest.mark.long), 4])
def test_a_training_killed_about_the_start_ends_with_the_same_weights(step, tmp_path):
    whole = _trainer()
    whole.fit(_batches(), steps_per_epoch=8, verbose=0)

    killed = _trainer()
    killed.fit(_batches(), steps_per_epoch=step, verbose=0)
    Checkpoints(killed, tmp_path).save()
    resumed = _trainer()
    assert Checkpoints(resumed, tmp_path).restore() == step
    resumed.fit(_batches(skip=step), steps_per_epoch=8 - step, verbose=0)
    for a, b in zip(whole.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a.value), np.asarray(b.value))


def test_classes_of_three_glyphs_are_the_glyphs_and_the_decoder_draws_them(glyphs):
    trainer = _trainer(
        hidden=32,
        warmup_steps=300,
        warmup_capacity=4.0,
        continuous_capacity=1.5,
        capacity_steps=100,
        mixture_rows=1000,
    )
    trainer.compile(FusedAdam(5e-3))
    trainer.fit(glyphs.images, batch_size=32, steps_per_epoch=450, verbose=0)
    classes = np.array(trainer.vae.encode(glyphs.images))[:, 2:].argmax(axis=1)
    assert metrics.class_accuracy(glyphs.labels, classes, rule="matching") == 1.0
    glyphs.assert_drawn_by(trainer.vae, classes)


def test_no_means_no_mixture():
    with pytest.raises(ValueError, match="at least 3 images, have 0"):
        _trainer().start_classes()


@pytest.mark.parametrize(
    ("groups", "options", "message"),
    [
        ((Gaussian(2), Categorical(3), Categorical(2, "more")), {}, "one Categorical group"),
        ((Gaussian(2), Gaussian(2, "more"), Categorical(3)), {}, "one Gaussian group"),
        ((Gaussian(2), Gaussian(2, "n", inference=None), Categorical(3)), {}, "one Gaussian group"),
        ((), {"warmup_steps": 0}, "warmup_steps must be at least 1, received 0"),
        ((), {"warmup_capacity": -1.0}, "warmup_capacity must not be negative, received -1"),
        ((), {"mixture_rows": 2}, "at least the 3 classes, received 2"),
    ],
)
def test_bad_arguments_are_refused(groups, options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(*groups, **options)


_ENDS = {
    "another layer": lambda x: keras.layers.Rescaling(1.0)(keras.layers.Dense(7)(x)),
    "an operation": lambda x: keras.ops.clip(keras.layers.Dense(7)(x), -1, 1),
    "a part": lambda x: keras.layers.Dense(14)(x)[:, :7],
    "several": lambda x: keras.ops.concatenate([keras.layers.Dense(n)(x) for n in (2, 5)], axis=1),
    "an activation": lambda x: keras.layers.Dense(7, activation="tanh")(x),
    "no biases": lambda x: keras.layers.Dense(7, use_bias=False)(x),
}


@pytest.mark.parametrize("end", _ENDS)
def test_an_encoder_that_does_not_end_with_a_linear_dense_layer_is_refused(end):
    inputs = keras.Input((8, 8, 1))
    encoder = keras.Model(inputs, _ENDS[end](keras.layers.Flatten()(inputs)))
    z = keras.Input((5,))
    decoder = keras.Model(z, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z)))
    vae = VAE(encoder, decoder, Latents(Gaussian(2), Categorical(3)))
    with pytest.raises(ValueError, match="a linear dense layer of 7 units with biases"):
        JointVAEGMMTrainer(vae)


def test_classes_start_late_where_the_end_of_the_warm_up_was_missed():
    trainer = _trainer()
    for _ in range(5):
        trainer.train_on_batch(_images()[:8])
    assert int(trainer.start_step) == -1
    trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
    assert int(trainer.start_step) == 5


def test_means_that_are_not_finite_are_no_mixture():
    trainer = _trainer()
    trainer.recent_rows.assign(np.full((24, 2), np.nan, np.float32))
    trainer.num_recent.assign(24)
    with pytest.raises(FloatingPointError, match="before step 0 is not finite"):
        trainer.start_classes()


def test_a_recipe_that_ends_within_the_warm_up_is_refused():
    recipe = recipes.get("joint_vae_gmm/mnist")
    assert recipe.scaled_to(240).options["warmup_steps"] == 80
    with pytest.raises(ValueError, match="after step 8000, received a training of 6000 steps"):
        recipe.replace(steps=6000).build((32, 32, 1))
