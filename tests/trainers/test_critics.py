import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from tfdisent import information, networks, objectives
from tfdisent.trainers import FusedAdam, MutualInformationTrainer
from tfdisent.trainers.critics import BOUNDS

TABLE = np.array([[0.3, 0.02, 0.05], [0.03, 0.1, 0.1], [0.05, 0.3, 0.05]])


def correlated(count=64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 2))
    y = 0.8 * x[:, :1] + 0.6 * rng.normal(size=(count, 1))
    return x.astype(np.float32), y.astype(np.float32)


def trainer_of(bound, seed=1, **options):
    keras.utils.set_random_seed(seed)
    if bound == "barber_agakov":
        critic = networks.ConditionalGaussian(2, 1, hidden=8)
    else:
        critic = networks.SeparableCritic(2, 1, hidden=8)
    return MutualInformationTrainer(critic, bound, **options)


def compiled(bound, run_eagerly=False, **options):
    trainer = trainer_of(bound, **options)
    trainer.compile(FusedAdam(1e-2), run_eagerly=run_eagerly)
    return trainer


@pytest.mark.parametrize("bound", BOUNDS)
def test_every_bound_trains_with_fit_and_evaluates(bound):
    trainer = compiled(bound)
    before = trainer.critic.get_weights()
    x, y = correlated()
    history = trainer.fit(x, y, batch_size=16, epochs=2, validation_data=(x, y), verbose=0).history
    names = MutualInformationTrainer.metric_names
    assert set(history) == {*names, *(f"val_{name}" for name in names)}
    assert np.isfinite([history[name] for name in history]).all()
    after = trainer.critic.get_weights()
    assert all((old != new).any() for old, new in zip(before, after, strict=True))
    assert int(trainer.step) == 8


class Table(keras.Model):
    """A critic of one-hot x and y that looks its scores up; as log q(y | x) if `is_conditional`."""

    def __init__(self, is_conditional=False):
        super().__init__()
        self.is_conditional = is_conditional
        self.scores = self.add_weight(shape=TABLE.shape, initializer="zeros", name="scores")
        self.built = True

    def call(self, pair):
        return tf.reduce_sum(pair[0] @ self._table() * pair[1], axis=-1)

    def all_pairs(self, x, y):
        return x @ self._table() @ tf.transpose(y)

    def _table(self):
        return tf.nn.log_softmax(self.scores.value) if self.is_conditional else self.scores.value


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_table_of_scores_converges_to_the_information(bound):
    cells = np.random.default_rng(0).choice(9, size=4000, p=TABLE.ravel())
    x, y = (np.eye(3, dtype=np.float32)[index] for index in divmod(cells, 3))
    exact = information.plugin_mutual_information(*divmod(cells, 3), base=math.e)
    frequencies = y.mean(axis=0)
    entropy = special.entr(frequencies).sum()
    trainer = MutualInformationTrainer(
        Table(bound == "barber_agakov"), bound, negatives=3, entropy=entropy, clip=20.0
    )
    batches = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(4000, seed=0).repeat().batch(500)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 200)
    trainer.compile(FusedAdam(schedule), steps_per_execution=200)
    trainer.fit(batches, steps_per_epoch=200, verbose=0, shuffle=False)
    estimate = trainer.estimate([(x, y)])
    assert abs(estimate.value - exact) < 0.03
    assert abs(estimate.value - exact) < 4 * estimate.standard_error


def test_mine_keeps_its_average_and_nobody_else_does():
    x, y = correlated()
    trainer = compiled("mine")
    joint, marginal = trainer.scores(x, y)
    trainer.train_on_batch(x, y)
    # Differences of float32 numbers of about 4.
    expected = objectives.mine_loss(joint, marginal, -math.inf)[1]
    np.testing.assert_allclose(trainer.log_average, expected, atol=1e-5)
    np.testing.assert_allclose(expected, objectives.log_mean_exp(marginal), atol=1e-5)
    other = compiled("dv")
    other.train_on_batch(x, y)
    assert float(other.log_average) == -math.inf


def test_a_batch_that_leaves_nothing_apart_is_refused():
    x, y = correlated(33)
    with pytest.raises(tf.errors.InvalidArgumentError, match="negatives must be below the batch"):
        compiled("dv").evaluate(x, y, batch_size=32, verbose=0)


@pytest.mark.parametrize("bound", ["nwj", "barber_agakov"])
def test_samples_of_any_precision_are_taken(bound):
    trainer = trainer_of(bound)
    x, y = (np.asarray(values, np.float64) for values in correlated(16))
    expected = trainer.estimate([(x.astype(np.float32), y.astype(np.float32))])
    assert trainer.estimate([(x, y)]).value == pytest.approx(expected.value, rel=1e-4, abs=1e-5)


def test_pairs_drawn_apart_are_never_pairs_drawn_together():
    x, y = correlated(6)
    trainer = trainer_of("dv")
    joint, every = trainer.scores(x, y, "all")
    assert joint.shape == (6,) and every.shape == (6, 5)
    together, rolled = trainer.scores(x, y, 5)
    np.testing.assert_allclose(together, joint, rtol=1e-5)
    np.testing.assert_allclose(np.sort(rolled), np.sort(np.ravel(every)), rtol=1e-5, atol=1e-6)
    assert trainer.scores(x, y)[1].shape == (6,)
    with pytest.raises(ValueError, match="below the batch size 6, received 6"):
        trainer.scores(x, y, 6)


@pytest.mark.parametrize("bound", ["mine", "info_nce", "barber_agakov"])
def test_ways_to_run_agree(bound):
    x, y = correlated()
    weights = []
    for options in ({"run_eagerly": True}, {}, {"steps_per_execution": 4}):
        trainer = trainer_of(bound)
        # Adam would blow up the rounding errors of gradients that are zero but for rounding.
        trainer.compile(keras.optimizers.SGD(0.1), **options)
        trainer.fit(x, y, batch_size=16, verbose=0, shuffle=False)
        weights.append(np.concatenate([np.ravel(w) for w in trainer.critic.get_weights()]))
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-5)
    np.testing.assert_allclose(weights[1], weights[2], atol=1e-5)


@pytest.mark.xla
def test_a_step_compiles_with_xla():
    x, y = correlated()
    trainer = trainer_of("mine", negatives="all")
    trainer.compile("adam", jit_compile=True)
    trainer.fit(x, y, batch_size=16, verbose=0)
    assert np.isfinite(trainer.log_average)


@pytest.mark.parametrize("bound", ["mine", "smile"])
def test_a_saved_trainer_takes_the_same_next_step(bound, tmp_path):
    x, y = correlated()
    trainer = compiled(bound, negatives=2, clip=1.5)
    trainer.fit(x, y, batch_size=16, verbose=0, shuffle=False)
    trainer.save(tmp_path / "trainer.keras")
    loaded = keras.saving.load_model(tmp_path / "trainer.keras")
    assert loaded.get_config() == trainer.get_config()
    for each in (trainer, loaded):
        each.fit(x, y, batch_size=16, verbose=0, shuffle=False)
    for ours, theirs in zip(trainer.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


class Exact(keras.Model):
    """log p(x, y) / p(x) p(y) of the first columns, of correlation 0.8."""

    def call(self, pair):
        return self._ratio(pair[0][:, 0], pair[1][:, 0])

    def all_pairs(self, x, y):
        return self._ratio(x[:, :1], y[None, :, 0])

    def _ratio(self, x, y):
        return -0.5 * math.log(0.36) - (0.64 * (x**2 + y**2) - 1.6 * x * y) / 0.72


@pytest.mark.parametrize("bound", ["mine", "dv", "jsd", "smile", "density_ratio", "info_nce"])
def test_the_exact_critic_is_estimated_within_its_error(bound):
    batches = [correlated(2000, seed) for seed in range(10)]
    estimate = MutualInformationTrainer(Exact(), bound, clip=20.0).estimate(batches)
    assert estimate.num_samples == 20_000 and estimate.method == bound
    assert 0.001 < estimate.standard_error < 0.02
    assert abs(estimate.value + 0.5 * math.log(0.36)) < 4 * estimate.standard_error
    caps = {"smile": math.inf, "density_ratio": math.inf, "info_nce": math.log(2000)}
    assert estimate.cap == caps.get(bound, math.log(20_000))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bound": "guess"}, "bound must be one of"),
        ({"negatives": 0}, "negatives must be 'all' or at least 1"),
        ({"clip": 0.0}, "clip must be positive"),
        ({"average_rate": 1.0}, r"average_rate must be in \(0, 1\)"),
        ({"seed": -1}, "seed must be"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MutualInformationTrainer(networks.JointCritic(2, 1, hidden=4), **options)


def test_all_pairs_need_a_critic_that_gives_them():
    critic = networks.ConditionalGaussian(2, 1, hidden=4)
    with pytest.raises(ValueError, match="needs a critic with a method all_pairs"):
        MutualInformationTrainer(critic, "info_nce")
    with pytest.raises(ValueError, match="needs a critic with a method all_pairs"):
        MutualInformationTrainer(critic, "dv", negatives="all")
