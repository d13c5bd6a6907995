import json
import math
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfdisent.trainers import Estimate, estimates


def rows_of(samples):
    """The kept, validation and test rows, each row known by its first column's rank."""
    kept = samples.train(3000, tf.constant([0, 1])).numpy()
    return kept, samples.validation, np.concatenate(list(samples.test))


def test_arrays_are_split_in_three_without_overlap():
    z = np.arange(101.0, dtype=np.float32)[:, None]
    kept, validation, test = rows_of(estimates.from_arrays(z, seed=0))
    assert len(validation) == len(test) == 20
    parts = [set(part.ravel().tolist()) for part in (kept, validation, test)]
    assert len(parts[0]) == 61 and len(set.union(*parts)) == 101
    _, other, _ = rows_of(estimates.from_arrays(z, seed=1))
    assert not np.array_equal(validation, other)


def test_pairs_stay_pairs():
    x = np.random.default_rng(0).normal(size=(50, 1)).astype(np.float32)
    samples = estimates.from_arrays((x, 3 * x + 1), seed=0)
    batches = [samples.train(9, tf.constant([0, 0])), samples.validation, *samples.test]
    for ours, theirs in batches:
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(3 * samples.deviations[0], samples.deviations[1], rtol=1e-5)


def test_columns_are_scaled_by_the_training_rows_and_constant_ones_are_kept():
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(5, 100, size=5000), np.full(5000, 7.0)]).astype(np.float32)
    kept, validation, test = rows_of(estimates.from_arrays(z, seed=0))
    for part in (kept, validation, test):
        assert abs(part[:, 0].mean()) < 0.1 and abs(part[:, 0].std() - 1) < 0.1
        np.testing.assert_array_equal(part[:, 1], 0)


def test_a_sampler_draws_every_part_anew():
    def draw(count, seed):
        return 5 + 100 * tf.random.stateless_normal([count, 2], seed)

    samples = estimates.from_sampler(draw, evaluation_size=25_000, seed=3)
    test = list(samples.test)
    assert [len(chunk) for chunk in test] == [10_000, 10_000, 5_000]
    first = np.concatenate([*test, samples.validation, samples.train(100, tf.constant([3, 0]))])
    assert len(np.unique(first[:, 0])) > 0.999 * len(first)
    assert abs(first.mean()) < 0.03 and abs(first.std() - 1) < 0.03


def test_no_part_of_the_evaluation_is_a_single_sample():
    samples = estimates.from_sampler(
        lambda count, seed: tf.random.stateless_normal([count, 1], seed), 10_001, seed=0
    )
    assert [len(chunk) for chunk in samples.test] == [9_999, 2]


class Descent(keras.Model):
    """Its training loss falls for ever, its validation loss rises after two steps."""

    def __init__(self):
        super().__init__()
        self.weight = self.add_weight(shape=(), initializer="zeros", name="weight")
        self.tracker = keras.metrics.Mean(name="loss")
        self.built = True

    def train_step(self, data):
        self.weight.assign_add(1.0)
        return {"loss": -self.weight}

    def test_step(self, data):
        self.tracker.update_state(tf.abs(self.weight - 2.0))
        return {"loss": self.tracker.result()}

    @property
    def metrics(self):
        return [self.tracker]


def test_the_weights_of_the_best_validation_are_kept_and_training_stops_early():
    samples = estimates.from_arrays(np.random.normal(size=(50, 1)).astype(np.float32), seed=0)
    trainer, seen = Descent(), []
    train_step = trainer.train_step
    trainer.train_step = lambda data: seen.append(1) or train_step(data)
    options = {"batch_size": 4, "validation_batch_size": 5, "learning_rate": 0.1, "seed": 0}
    assert estimates.fit(trainer, samples, steps=20, **options) == 2
    assert float(trainer.weight) == 2.0


# Errors.


def test_the_jackknife_error_of_a_mean_is_the_textbook_one():
    values = np.random.default_rng(0).normal(size=40)
    value, error = estimates.with_error(np.mean, values)
    assert value == pytest.approx(values.mean())
    assert error == pytest.approx(values.std(ddof=1) / math.sqrt(40))


def test_the_error_is_the_scatter_over_fresh_samples():
    def bound(joint, marginal):
        return joint.mean() - np.log(np.exp(marginal).mean())

    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        x, noise = rng.normal(size=(2, 1000))
        y = 0.8 * x + 0.6 * noise
        # The optimal critic, on pairs drawn together and, as in training, on rolled ones.
        scores = (-(0.64 * (x**2 + z**2) - 1.6 * x * z) / 0.72 for z in (y, np.roll(y, 1)))
        found.append(estimates.with_error(bound, *scores))
    values, errors = np.transpose(found)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(values.std(), rel=0.15)


def test_what_is_not_finite_is_refused():
    with pytest.raises(FloatingPointError, match="received -inf nats: training diverged"):
        estimates.with_error(np.mean, np.full(10, -np.inf))


# Results.


def test_results_become_json():
    estimate = Estimate(0.5, math.nan, 10, "ksg")
    assert json.loads(json.dumps(estimate.to_dict(), allow_nan=False)) == {
        "value": 0.5,
        "standard_error": None,
        "num_samples": 10,
        "method": "ksg",
        "cap": None,
        "steps": 0,
    }


def test_only_an_estimate_near_its_cap_warns():
    near = Estimate(3.0, 0.1, 128, "info_nce", cap=math.log(128))
    with pytest.warns(UserWarning, match="info_nce gives 3.00 nats, near its limit of B = 4.85"):
        assert estimates.warn_if_capped(near, "B") is near
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimates.warn_if_capped(near._replace(value=2.0), "B")
        estimates.warn_if_capped(near._replace(value=200.0, cap=math.inf), "B")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 2)), r"N >= 5 and D >= 1, received shape \[4, 2\]"),
        (np.zeros((9, 2, 1)), "expected x to be samples"),
        (np.full((9, 2), np.inf), "expected finite samples x"),
    ],
)
def test_bad_samples_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        estimates.check_rows(array, "x", min_rows=5)


def test_digits_do_not_depend_on_where_samples_lie():
    z = np.random.default_rng(0).normal(size=(100, 2))
    here = estimates.check_rows(z, "z", min_rows=5)
    np.testing.assert_allclose(here, z - z.mean(axis=0), atol=1e-6)
    far = estimates.check_rows(z + 1e8, "z", min_rows=5)
    np.testing.assert_allclose(far, here, atol=1e-6)


def test_a_vector_is_one_column():
    assert estimates.check_rows(np.zeros(9), "x", min_rows=5).shape == (9, 1)
