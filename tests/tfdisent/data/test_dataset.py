"""The Dataset: order of batches, resuming, labels, factors and grids, refusals."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent.data.dataset import Dataset
from tfdisent.data.images import FloatImages

SIZES = {"a": np.arange(2), "b": np.arange(3), "c": np.arange(4)}


def numbered(size, **options):
    """A set whose image i is the number i."""
    images = np.arange(size, dtype=np.float32).reshape(size, 1, 1, 1)
    return Dataset("numbered", FloatImages(images), **options)


def take(batches, count):
    return [np.asarray(x).reshape(-1).astype(int) for x in batches.take(count)]


def test_every_row_comes_once_an_epoch_though_batches_straddle_epochs():
    rows = np.concatenate(take(numbered(10).train(4), 15))  # 60 rows: six epochs
    for epoch in rows.reshape(6, 10):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(10))


def test_one_pass_has_every_row_once_in_order():
    labels = np.arange(10) % 3
    dataset = numbered(10, labels=labels)
    for _ in range(2):  # a second pass is the first one again
        assert [batch.tolist() for batch in take(dataset.batches(4), -1)] == [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9],
        ]
    assert int(dataset.batches(4).cardinality()) == 3
    x, y = zip(*dataset.batches(4, labels=True, rows=True), strict=True)
    np.testing.assert_array_equal(np.concatenate(x), np.arange(10))
    np.testing.assert_array_equal(np.concatenate(y), labels)
    with pytest.raises(ValueError, match="labels=True needs a data set with labels"):
        numbered(10).batches(4, labels=True)
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        numbered(10).batches(0)


def test_epochs_and_seeds_have_different_orders():
    first, second = take(numbered(50).train(50), 2)
    (other_seed,) = take(numbered(50).train(50, seed=1), 1)
    assert (first != second).any()
    assert (first != other_seed).any()


@settings(max_examples=10, deadline=None)
@given(size=st.integers(1, 40), batch=st.integers(1, 70), start=st.integers(0, 30))
def test_starting_at_a_step_equals_skipping_to_it(size, batch, start):
    dataset = numbered(size)
    skipped = take(dataset.train(batch, seed=5).skip(start), 3)
    started = take(dataset.train(batch, seed=5, start_step=start), 3)
    np.testing.assert_array_equal(skipped, started)


def test_starting_far_away_reads_nothing_before():
    far = 10**12
    (rows,) = take(numbered(10).train(10, start_step=far), 1)
    np.testing.assert_array_equal(np.sort(rows), np.arange(10))


def test_a_start_that_is_a_function_is_asked_for_when_iteration_begins():
    starts = []

    def start():
        starts.append(3 + 2 * len(starts))
        return starts[-1]

    batches = numbered(10).train(4, start_step=start)
    assert starts == [] and batches.cardinality() == tf.data.INFINITE_CARDINALITY
    for step in (3, 5):
        for got, expected in zip(
            take(batches, 4), take(numbered(10).train(4, start_step=step), 4), strict=True
        ):
            np.testing.assert_array_equal(got, expected)
    assert starts == [3, 5]


def test_unshuffled_rows_come_in_their_order_without_the_rest():
    batches = numbered(7).train(3, start_step=1, shuffle=False)
    np.testing.assert_array_equal(take(batches, 3), [[3, 4, 5], [0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match="at most 7, .* received 8"):
        numbered(7).train(8, shuffle=False)


def test_a_fingerprint_tells_sets_apart():
    def fingerprint(size=100, shift=0, **options):
        images = shift + np.arange(size, dtype=np.float32).reshape(size, 1, 1, 1)
        return Dataset("numbered", FloatImages(images), **options).fingerprint()

    assert fingerprint() == fingerprint()
    assert fingerprint()["number"] == 100 and fingerprint()["shape"] == [1, 1, 1]
    labels = np.arange(100)
    others = [fingerprint(99), fingerprint(shift=1), fingerprint(labels=labels)]
    others.append(fingerprint(labels=labels[::-1]))
    found = {json.dumps(entry) for entry in (fingerprint(), *others)}
    assert len(found) == 5


def test_batches_are_infinite_and_of_fixed_shape():
    batches = numbered(10).train(4)
    assert batches.cardinality() == tf.data.INFINITE_CARDINALITY
    assert batches.element_spec == tf.TensorSpec((4, 1, 1, 1), tf.float32)
    assert not batches.options().autotune.enabled


def test_rows_number_the_images_of_the_same_batches():
    dataset = numbered(10)
    rows = dataset.train(4, seed=2, rows=True)
    assert rows.element_spec == tf.TensorSpec((4,), tf.int64)
    np.testing.assert_array_equal(take(rows, 5), take(dataset.train(4, seed=2), 5))


def test_labels_belong_to_their_images():
    dataset = numbered(10, labels=np.arange(10) * 7)
    batches = dataset.train(4, labels=True)
    assert batches.element_spec[1] == tf.TensorSpec((4,), tf.int32)
    for x, y in batches.take(5):
        np.testing.assert_array_equal(np.asarray(x).reshape(-1) * 7, y)


def test_device_source_answers_like_images():
    dataset = numbered(10)
    np.testing.assert_array_equal(
        dataset.device_source("CPU:0")(tf.constant([3, 3, 9])), dataset.images([3, 3, 9])
    )


def test_images_in_graph_can_be_traced_before_anything_was_loaded():
    dataset = numbered(10)
    traced = tf.function(dataset.images_in_graph)
    np.testing.assert_array_equal(traced(tf.constant([7])), dataset.images([7]))
    np.testing.assert_array_equal(traced(tf.constant([8])), dataset.images([8]))


def test_fit_accepts_the_batches():
    model = keras.Sequential(
        [keras.Input((1, 1, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    dataset = numbered(8, labels=np.arange(8))
    batches = dataset.train(4, labels=True)
    history = model.fit(batches, steps_per_epoch=3, epochs=2, shuffle=False, verbose=0)
    assert len(history.history["loss"]) == 2


@settings(max_examples=20, deadline=None)
@given(row=st.integers(0, 23))
def test_index_and_classes_are_inverse(row):
    dataset = numbered(24, factor_values=SIZES)
    assert dataset.index(dataset.classes(row)) == row


def test_grid_factors_are_all_combinations_last_fastest():
    dataset = numbered(24, factor_values=SIZES)
    assert dataset.is_grid
    assert (dataset.factor_names, dataset.factor_sizes) == (("a", "b", "c"), (2, 3, 4))
    expected = [[a, b, c] for a in range(2) for b in range(3) for c in range(4)]
    np.testing.assert_array_equal(dataset.factors, expected)
    np.testing.assert_array_equal(dataset.index(expected), np.arange(24))
    assert dataset.index(np.array(expected).reshape(4, 6, 3)).shape == (4, 6)


def test_given_factors_in_grid_order_make_a_grid_and_others_do_not():
    values = {"a": np.arange(2), "b": np.arange(2)}
    assert numbered(4, factor_values=values, factors=[[0, 0], [0, 1], [1, 0], [1, 1]]).is_grid
    shuffled = numbered(4, factor_values=values, factors=[[0, 0], [1, 1], [1, 0], [0, 1]])
    assert not shuffled.is_grid
    with pytest.raises(ValueError, match="every combination of its factors in order"):
        shuffled.index([[0, 0]])
    with pytest.raises(ValueError, match="every combination"):
        numbered(4).classes(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: d.images([24]), r"indices must lie in 0 .. 23, received 24 .. 24"),
        (lambda d: d.images([-1]), "indices must lie in"),
        (lambda d: d.images([0.5]), "indices must be integers, received float64"),
        (lambda d: d.images(3), r"1 dimension\(s\), received shape \(\)"),
        (lambda d: d.index([0, 0]), r"shape \[..., 3\].*received \(2,\)"),
        (lambda d: d.index([0, 3, 0]), "classes of b must lie in 0 .. 2, received 3 .. 3"),
        (lambda d: d.index([0.0, 0.0, 0.0]), "must be integers"),
        (lambda d: d.classes(24), "index must lie in 0 .. 23"),
        (lambda d: d.train(0), "batch_size must be at least 1 .* received 0"),
        (lambda d: d.train(2.5), "batch_size must be an integer, received 2.5"),
        (lambda d: d.train(2, seed=-1), "seed must be at least 0"),
        (lambda d: d.train(2, seed=2**63), r"below 2\*\*63"),
        (lambda d: d.train(2, start_step=-1), "start_step must be at least 0"),
        (lambda d: d.train(2, labels=True), "labels=True needs a data set with labels"),
    ],
)
def test_bad_calls_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(numbered(24, factor_values=SIZES))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor_values": {"a": np.arange(3)}}, r"grid of sizes \(3,\) has 3 rows, received 4"),
        (
            {"factor_values": {"a": np.arange(3)}, "factors": np.zeros((5, 1))},
            r"factors must have shape \[4, 1\], received \[5, 1\]",
        ),
        ({"labels": np.zeros(3)}, r"labels must have shape \[4\], received \[3\]"),
    ],
)
def test_parts_of_other_length_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        numbered(4, **options)


def test_an_empty_set_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        numbered(0)


def test_no_indices_give_no_images():
    assert numbered(3).images([]).shape == (0, 1, 1, 1)


def test_representation_says_what_is_inside():
    text = repr(numbered(24, factor_values=SIZES, labels=np.arange(24) % 5))
    assert "24 images of shape (1, 1, 1)" in text
    assert "a (2), b (3), c (4)" in text
    assert "5 labels" in text
