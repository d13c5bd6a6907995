import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.mixture import GaussianMixture

from tfdisent import VAE, CascadeVAEGMMTrainer, Categorical, Gaussian, Latents, metrics
from tfdisent.trainers import FusedAdam, recipes
from tfdisent.trainers.checkpoints import Checkpoints


def _trainer(size=3, classes=3, hidden=12, **options):
    keras.utils.set_random_seed(0)
    latents = Latents(Gaussian(size), Categorical(classes, inference="search"))
    vae = VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=hidden)
    schedule = {"stage_steps": 1, "switch_on": 1, "restart_step": 4, "lesson_steps": 3}
    schedule |= {"second_stage_steps": 2, "mixture_rows": 24, "balance": 0.1}
    trainer = CascadeVAEGMMTrainer(vae, seed=2, **{**schedule, **options})
    trainer.compile(keras.optimizers.Adam(1e-3))
    return trainer


def _images(count=40):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _batches(skip=0):
    return tf.data.Dataset.from_tensor_slices(_images()).repeat().batch(8).skip(skip)


def _relative_costs(vae, x):
    """Costs at the posterior means over the sums of the images' pixels, class by class."""
    means = np.array(vae.posterior(x)["continuous"].mean())
    codes = [np.repeat(np.eye(3, dtype=np.float32)[k : k + 1], len(x), axis=0) for k in range(3)]
    costs = [-vae.likelihood(np.concatenate([means, d], axis=1)).log_prob(x) for d in codes]
    return np.stack(costs, axis=1) / x.sum(axis=(1, 2, 3))[:, None]


def _fill(trainer, rows):
    trainer.recent_rows.assign(rows.astype(np.float32))
    trainer.num_recent.assign(len(rows))


def _rows(count=24):
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 3))[rng.integers(3, size=count)] + 0.1 * rng.normal(size=(count, 3))


def test_the_second_training_opens_the_dimensions_anew():
    trainer = _trainer(stage_steps=10, switch_on=2, restart_step=100, second_stage_steps=5)
    first = {0: 1, 10: 2, 20: 2, 30: 3}
    for step, is_open in first.items():
        assert int(trainer.open_dimensions(tf.constant(step))) == is_open
        assert bool(trainer.is_on(tf.constant(step))) == (step >= 20)
    trainer.start_step.assign(100)
    for since, is_open in ((0, 1), (4, 1), (5, 2), (10, 3), (99, 3)):
        assert int(trainer.open_dimensions(tf.constant(100 + since))) == is_open
        assert bool(trainer.is_on(tf.constant(100 + since)))


def test_the_lesson_is_over_after_its_steps():
    trainer = _trainer()
    assert not bool(trainer.is_lesson(tf.constant(2)))
    trainer.start_step.assign(4)
    assert [bool(trainer.is_lesson(tf.constant(step))) for step in range(4, 9)] == [1, 1, 1, 0, 0]


def test_relative_costs_at_the_posterior_means_are_remembered():
    trainer = _trainer()
    x = _images()[:8]
    trainer.fit(_batches(), steps_per_epoch=1, verbose=0)
    assert int(trainer.num_recent) == 0  # before the switch-on nothing is searched
    expected = _relative_costs(trainer.vae, _images()[8:16])
    trainer.fit(_batches(skip=1), steps_per_epoch=1, verbose=0)
    np.testing.assert_allclose(trainer.recent_rows[-8:], expected, rtol=1e-5)
    trainer.evaluate(x, verbose=0)
    assert int(trainer.num_recent) == 8  # images that are evaluated are none of the training


def test_a_black_image_counts_as_one_white_pixel():
    trainer = _trainer(switch_on=0)
    x = np.zeros((2, 8, 8, 1), np.float32)
    values = {"continuous": trainer.vae.posterior(x)["continuous"].mean()}
    costs = trainer.class_costs(tf.constant(x), values, training=True)
    np.testing.assert_allclose(trainer.recent_rows[-2:], costs, rtol=1e-6)


def test_classes_of_the_lesson_are_the_components_of_the_teachers_costs():
    trainer = _trainer()
    learned = [np.array(weight) for weight in trainer.vae.get_weights()]
    random = [np.array(weight) for weight in trainer.teacher.get_weights()]
    x = _images(300)
    rows = _relative_costs(trainer.vae, x)
    trainer = _trainer(mixture_rows=300)
    _fill(trainer, rows)
    trainer.step.assign(4)
    trainer.start_classes()
    assert int(trainer.start_step) == 4
    for now, before in ((trainer.teacher, learned), (trainer.vae, random)):
        for a, b in zip(now.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)

    scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    peer = GaussianMixture(3, n_init=10, max_iter=500, reg_covar=1e-3, random_state=2).fit(scaled)
    classes = np.array(trainer.assign_classes(tf.constant(x), {}, training=True))
    assert set(np.unique(classes)) == {0.0, 1.0} and np.all(classes.sum(axis=1) == 1)
    # float32 against float64 at the borders.
    assert np.mean(classes.argmax(axis=1) == peer.predict(scaled)) > 0.99
    assert len(np.unique(classes.argmax(axis=1))) > 1


def test_evaluation_searches_during_the_lesson_too():
    trainer = _trainer()
    _fill(trainer, _rows())
    trainer.start_classes()
    x = tf.constant(_images(8))
    values = {"continuous": trainer.vae.posterior(x)["continuous"].mean()}
    d = trainer.assign_classes(x, values, training=False)
    np.testing.assert_array_equal(
        tf.argmax(d, 1), tf.argmin(trainer.vae.search_costs(x, values), 1)
    )


@pytest.mark.parametrize("fresh_optimizer", [True, False])
def test_fit_begins_the_second_training_once_with_a_fresh_optimiser(fresh_optimizer):
    trainer = _trainer(size=1, fresh_optimizer=fresh_optimizer)
    teacher = [np.array(weight) for weight in trainer.teacher.get_weights()]
    trainer.fit(_batches(), steps_per_epoch=3, epochs=2, verbose=0)
    assert int(trainer.start_step) == 4
    assert int(trainer.optimizer.iterations) == 2
    # The teacher stays as the first training left it.
    after = [np.array(weight) for weight in trainer.teacher.get_weights()]
    assert not np.array_equal(teacher[0], after[0])
    trainer.fit(_batches(skip=6), steps_per_epoch=3, verbose=0)
    for a, b in zip(after, trainer.teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# The restart is after step 4, the lesson over after step 7.
@pytest.mark.parametrize("step", [pytest.param(3, marks=pytest.mark.long), 4, 7])
def test_a_killed_training_ends_with_the_same_weights(step, tmp_path):
    whole = _trainer()
    whole.fit(_batches(), steps_per_epoch=9, verbose=0)

    killed = _trainer()
    killed.fit(_batches(), steps_per_epoch=step, verbose=0)
    Checkpoints(killed, tmp_path).save()
    resumed = _trainer()
    # What is restored is not what a trainer begins with.
    resumed.teacher.set_weights([1 + w for w in resumed.teacher.get_weights()])
    assert Checkpoints(resumed, tmp_path).restore() == step
    resumed.fit(_batches(skip=step), steps_per_epoch=9 - step, verbose=0)
    for a, b in zip(whole.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(a.value), np.asarray(b.value))


def test_classes_of_three_glyphs_are_the_glyphs_and_the_decoder_draws_them():
    rng = np.random.default_rng(0)
    glyphs = rng.integers(2, size=(3, 8, 8, 1)).astype(np.float32)
    labels = rng.integers(3, size=600)
    brightness = rng.uniform(0.3, 1, size=(600, 1, 1, 1)).astype(np.float32)
    images = glyphs[labels] * brightness
    trainer = _trainer(
        size=2,
        hidden=32,
        stage_steps=50,
        restart_step=300,
        lesson_steps=150,
        second_stage_steps=20,
        mixture_rows=1000,
    )
    trainer.compile(FusedAdam(5e-3))
    trainer.fit(images, batch_size=32, steps_per_epoch=600, verbose=0)
    classes = np.array(trainer.vae.encode(images))[:, 2:].argmax(axis=1)
    assert metrics.class_accuracy(labels, classes, rule="matching") > 0.98
    for glyph in range(3):
        own = np.eye(3)[np.bincount(classes[labels == glyph]).argmax()]
        drawn = np.array(trainer.vae.decode(tf.constant([[0, 0, *own]], tf.float32)))[0]
        correlations = [np.corrcoef(drawn.ravel(), g.ravel())[0, 1] for g in glyphs]
        assert np.argmax(correlations) == glyph and max(correlations) > 0.8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restart_step": 0}, "restart_step must be at least 1, received 0"),
        ({"lesson_steps": 0}, "lesson_steps must be at least 1, received 0"),
        ({"second_stage_steps": 0}, "second_stage_steps must be at least 1, received 0"),
        ({"mixture_rows": 2}, "at least the 3 classes, received 2"),
        ({"stage_steps": 2, "switch_on": 2}, "after the switch-on, step 4, received 4"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(**options)


def test_costs_that_are_not_finite_are_no_mixture():
    trainer = _trainer()
    _fill(trainer, np.full((24, 3), np.nan))
    with pytest.raises(FloatingPointError, match="before step 0 are not finite"):
        trainer.start_classes()
    with pytest.raises(ValueError, match="at least 3 images, have 0"):
        _trainer().start_classes()


def test_a_recipe_that_ends_before_the_restart_is_refused():
    recipe = recipes.Recipe("cascade_vae_gmm", options={"restart_step": 100_000})
    with pytest.raises(ValueError, match="after step 100000, received a training of 90000 steps"):
        recipe.replace(steps=90_000).build((64, 64, 1))
