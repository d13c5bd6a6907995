import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent import VAE, CascadeVAESpectralTrainer, Categorical, Gaussian, Latents, metrics
from tfdisent.neighbors import nearest_class, spectral_classes
from tfdisent.trainers import FusedAdam, recipes
from tfdisent.trainers.checkpoints import Checkpoints


def _vae(size, classes, hidden=12):
    latents = Latents(Gaussian(size), Categorical(classes, inference="search"))
    return VAE.build_for((8, 8, 1), latents, architecture="mlp", hidden=hidden)


def _trainer(size=3, hidden=12, scout_classes=5, **options):
    keras.utils.set_random_seed(0)
    schedule = {"stage_steps": 1, "switch_on": 1, "scout_steps": 4, "lesson_steps": 3}
    schedule |= {"reference_rows": 24, "neighbors": 3, "balance": 0.1}
    schedule |= {"scout": _vae(size, scout_classes, hidden)}
    trainer = CascadeVAESpectralTrainer(_vae(size, 3, hidden), seed=2, **{**schedule, **options})
    trainer.compile(keras.optimizers.Adam(1e-3))
    return trainer


def _images(count=40):
    return np.random.default_rng(0).uniform(size=(count, 8, 8, 1)).astype(np.float32)


def _batches(skip=0):
    return tf.data.Dataset.from_tensor_slices(_images()).repeat().batch(8).skip(skip)


def _described(vae, x):
    """Costs at the posterior means over the sums of the images' pixels, class by class."""
    means = np.array(vae.posterior(x)["continuous"].mean())
    one_hot = np.eye(vae.latents.searched.size, dtype=np.float32)
    codes = [np.repeat(one, len(x), axis=0) for one in one_hot[:, None]]
    costs = [-vae.likelihood(np.concatenate([means, d], axis=1)).log_prob(x) for d in codes]
    return np.stack(costs, axis=1) / x.sum(axis=(1, 2, 3))[:, None]


def _fill(trainer, rows):
    trainer.recent_rows.assign(rows.astype(np.float32))
    trainer.num_recent.assign(len(rows))


def _values(variables):
    return [variable.value.numpy() for variable in variables]


def _equal(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_dimensions_of_the_model_open_anew():
    trainer = _trainer(
        stage_steps=10, switch_on=2, scout_steps=100, scout_beta_high=30.0, beta_high=10.0
    )
    for step, is_open in {0: 1, 10: 2, 20: 2, 30: 3}.items():
        assert int(trainer.open_dimensions(tf.constant(step))) == is_open
        assert bool(trainer.is_on(tf.constant(step))) == (step >= 20)
    np.testing.assert_array_equal(trainer.betas(tf.constant(10)), [1, 1, 30])
    trainer.start_step.assign(100)
    for step, is_open in {100: 1, 109: 1, 110: 2, 120: 3, 200: 3}.items():
        assert int(trainer.open_dimensions(tf.constant(step))) == is_open
        assert bool(trainer.is_on(tf.constant(step)))
    np.testing.assert_array_equal(trainer.betas(tf.constant(110)), [1, 1, 10])


def test_the_lesson_is_over_after_its_steps():
    trainer = _trainer()
    assert not bool(trainer.is_lesson(tf.constant(2)))
    trainer.start_step.assign(4)
    assert [bool(trainer.is_lesson(tf.constant(step))) for step in range(4, 9)] == [1, 1, 1, 0, 0]


def test_an_image_is_described_by_its_costs_a_pixel():
    trainer = _trainer()
    x = _images(6)
    np.testing.assert_allclose(trainer.describe(x), _described(trainer.scout, x), rtol=1e-5)
    black = tf.zeros([2, 8, 8, 1])
    means = trainer.scout.posterior(black)["continuous"].mean()
    costs = trainer.scout.search_costs(black, {"continuous": means})
    np.testing.assert_allclose(trainer.describe(black), costs, rtol=1e-6)


def test_the_last_images_of_the_scout_are_remembered():
    trainer = _trainer(scout_steps=6)
    trainer.fit(_batches(), steps_per_epoch=3, verbose=0)
    assert int(trainer.num_recent) == 0
    trainer.fit(_batches(skip=3), steps_per_epoch=1, verbose=0)
    assert int(trainer.num_recent) == 8  # 24 rows are the last three batches
    np.testing.assert_allclose(
        trainer.recent_rows[-8:], _described(trainer.scout, _images()[24:32]), rtol=1e-5
    )
    trainer.evaluate(_images(8), verbose=0)
    assert int(trainer.num_recent) == 8  # images that are evaluated are none of the training


def test_classes_of_the_lesson_are_those_of_the_nearest_references():
    trainer = _trainer(reference_rows=300)
    x = _images(400)
    rows = _described(trainer.scout, x)
    _fill(trainer, rows[:300])
    trainer.step.assign(4)
    trainer.start_classes()
    assert int(trainer.start_step) == 4

    scaled = (rows - rows[:300].mean(axis=0)) / rows[:300].std(axis=0)
    parts = spectral_classes(scaled[:300], 3, neighbors=3, seed=2)
    agreement = metrics.class_accuracy(parts, trainer.reference_classes.numpy(), rule="matching")
    assert agreement > 0.98  # float32 against float64 at the borders
    expected = nearest_class(scaled, scaled[:300], trainer.reference_classes.value, 3, 3)
    classes = np.array(trainer.assign_classes(trainer.vae, tf.constant(x), {}, training=True))
    assert set(np.unique(classes)) == {0.0, 1.0} and np.all(classes.sum(axis=1) == 1)
    assert np.mean(classes.argmax(axis=1) == expected) > 0.98
    assert len(np.unique(classes.argmax(axis=1))) == 3


def test_few_known_images_count_several_times():
    trainer = _trainer(reference_rows=24)
    known = np.random.default_rng(0).normal(size=(10, 5))
    trainer.recent_rows.assign(np.concatenate([np.zeros((14, 5)), known]).astype(np.float32))
    trainer.num_recent.assign(10)
    trainer.start_classes()
    np.testing.assert_allclose(trainer.recent_rows, np.resize(known, (24, 5)), rtol=1e-6)
    classes = trainer.reference_classes.numpy()
    np.testing.assert_array_equal(classes, np.resize(classes[:10], 24))


def test_evaluation_searches_during_the_lesson_too():
    trainer = _trainer()
    _fill(trainer, np.random.default_rng(0).normal(size=(24, 5)))
    trainer.start_classes()
    x = tf.constant(_images(8))
    values = {"continuous": trainer.vae.posterior(x)["continuous"].mean()}
    d = trainer.assign_classes(trainer.vae, x, values, training=False)
    costs = trainer.vae.search_costs(x, values)
    np.testing.assert_array_equal(tf.argmax(d, 1), tf.argmin(costs, 1))


def test_the_scout_trains_first_and_then_the_model_alone():
    trainer = _trainer(size=1)
    vae, scout = _values(trainer.vae.variables), _values(trainer.scout.variables)
    trainer.fit(_batches(), steps_per_epoch=4, verbose=0)
    assert int(trainer.start_step) == 4
    assert _equal(vae, _values(trainer.vae.variables))
    assert int(trainer.optimizer.iterations) == 0
    learned = _values(trainer.scout.variables)
    assert not _equal(scout, learned)
    # Of one dimension, no stage but the first: its optimiser never starts anew.
    trainer.fit(_batches(skip=4), steps_per_epoch=5, verbose=0)
    assert _equal(learned, _values(trainer.scout.variables))
    assert not _equal(vae, _values(trainer.vae.variables))
    assert int(trainer.optimizer.iterations) == 5 and int(trainer.start_step) == 4


def test_the_scouts_optimiser_is_a_copy_unless_one_is_given():
    trainer = _trainer()
    trainer.compile(FusedAdam(3e-3, beta_1=0.7))
    scout = trainer.scout_optimizer
    assert isinstance(scout, FusedAdam) and scout is not trainer.optimizer
    assert float(scout.learning_rate) == pytest.approx(3e-3) and scout.beta_1 == 0.7
    trainer.compile("adam", scout_optimizer="sgd")
    assert isinstance(trainer.scout_optimizer, keras.optimizers.SGD)


def test_the_usual_scout_is_for_the_same_images_and_dimensions():
    keras.utils.set_random_seed(0)
    latents = Latents(Gaussian(2, "place"), Categorical(3, "shape", inference="search"))
    trainer = CascadeVAESpectralTrainer(VAE.build_for((32, 32, 1), latents), scout_classes=7)
    assert trainer.scout.image_shape == (32, 32, 1)
    assert trainer.scout.latents.names == ("place", "shape")
    assert trainer.scout.latents.sizes == (2, 7)


# The model begins after step 4, its lesson is over after step 7.
@pytest.mark.parametrize("step", [pytest.param(3, marks=pytest.mark.long), 4, 7])
def test_a_killed_training_ends_with_the_same_weights(step, tmp_path):
    whole = _trainer()
    whole.fit(_batches(), steps_per_epoch=9, verbose=0)

    killed = _trainer()
    killed.fit(_batches(), steps_per_epoch=step, verbose=0)
    Checkpoints(killed, tmp_path).save()
    resumed = _trainer()
    # What is restored is not what a trainer begins with.
    resumed.scout.set_weights([1 + w for w in resumed.scout.get_weights()])
    assert Checkpoints(resumed, tmp_path).restore() == step
    resumed.fit(_batches(skip=step), steps_per_epoch=9 - step, verbose=0)
    assert _equal(_values(whole.variables), _values(resumed.variables))


def test_classes_of_three_glyphs_are_the_glyphs_and_the_decoder_draws_them(glyphs):
    trainer = _trainer(
        size=2,
        hidden=32,
        scout_classes=6,
        beta_high=10.0,
        stage_steps=50,
        scout_steps=300,
        lesson_steps=150,
        reference_rows=500,
        neighbors=10,
    )
    trainer.compile(FusedAdam(5e-3))
    trainer.fit(glyphs.images, batch_size=32, steps_per_epoch=600, verbose=0)
    classes = np.array(trainer.vae.encode(glyphs.images))[:, 2:].argmax(axis=1)
    assert metrics.class_accuracy(glyphs.labels, classes, rule="matching") > 0.98
    glyphs.assert_drawn_by(trainer.vae, classes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lesson_steps": 0}, "lesson_steps must be at least 1, received 0"),
        ({"neighbors": 0}, "neighbors must be at least 1 and at most reference_rows = 24"),
        ({"neighbors": 25}, "reference_rows = 24, received 25"),
        ({"stage_steps": 2, "switch_on": 2}, "more than the 4 steps to the switch-on, received 4"),
        ({"scout": _vae(2, 5)}, r"images \(8, 8, 1\) with 3 continuous dimensions"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        _trainer(**options)


def test_costs_that_are_not_finite_have_no_parts():
    trainer = _trainer()
    _fill(trainer, np.full((24, 5), np.nan))
    with pytest.raises(FloatingPointError, match="before step 0 is not finite"):
        trainer.start_classes()
    with pytest.raises(ValueError, match="at least 3 images, have 0"):
        _trainer().start_classes()


def test_a_shorter_training_has_shorter_parts():
    options = recipes.get("cascade_vae/dsprites-short").scaled_to(2800).options
    assert [options[part] for part in ("stage_steps", "scout_steps", "lesson_steps")] == [
        150,
        700,
        1600,
    ]
    defaults = recipes.Recipe("cascade_vae_spectral").scaled_to(30_000).options
    recipe = recipes.get("cascade_vae/dsprites-short").all_options()
    assert {name: defaults[name] for name in recipe} == recipe


def test_a_recipe_that_ends_before_the_model_begins_is_refused():
    recipe = recipes.Recipe("cascade_vae_spectral", options={"scout_steps": 100_000})
    with pytest.raises(ValueError, match="after step 100000, received a training of 90000 steps"):
        recipe.replace(steps=90_000).build((64, 64, 1))
