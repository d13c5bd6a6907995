import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from tfdisent import metrics
from tfdisent.neighbors import nearest_class, spectral_classes


def _rings(count=600, seed=0):
    """Two rings, one within the other, and an arc: parts that no mixture of three Gaussians is."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=count)
    angle = rng.uniform(0, np.where(labels == 2, np.pi, 2 * np.pi))
    radius = np.array([1.0, 3.0, 5.0])[labels]
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.05 * rng.normal(size=points.shape), labels


def test_parts_that_are_rings_are_found():
    from sklearn.mixture import GaussianMixture

    points, labels = _rings()
    classes = spectral_classes(points, 3)
    assert classes.dtype == np.int64 and set(classes) == {0, 1, 2}
    assert metrics.class_accuracy(labels, classes, rule="matching") == 1.0
    mixture = GaussianMixture(3, n_init=5, random_state=0).fit_predict(points)
    assert metrics.class_accuracy(labels, mixture, rule="matching") < 0.8


def test_parts_do_not_depend_on_order_or_scale():
    points, labels = _rings(300, seed=1)
    order = np.random.default_rng(2).permutation(300)
    classes = spectral_classes(1e6 * points[order], 3, seed=5)
    assert metrics.class_accuracy(labels[order], classes, rule="matching") == 1.0


def test_parts_that_a_few_points_connect_are_cut_there():
    rng = np.random.default_rng(0)
    clouds = rng.normal(size=(400, 2)) + np.repeat([[0, 0], [10, 0]], 200, axis=0)
    bridge = np.stack([np.linspace(2, 8, 9), np.zeros(9)], axis=1)
    classes = spectral_classes(np.concatenate([clouds, bridge]), 2, neighbors=5)
    labels = np.repeat([0, 1], 200)
    assert metrics.class_accuracy(labels, classes[:400], rule="matching") > 0.98


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((5, 2)), r"\[N >= 10, D\], received shape \(5, 2\)"),
        (np.zeros(20), r"received shape \(20,\)"),
        (np.full((20, 2), np.nan), "expected finite points"),
    ],
)
def test_bad_points_are_refused(points, message):
    with pytest.raises(ValueError, match=message):
        spectral_classes(points, 3)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**31 - 1), neighbors=st.integers(1, 9), size=st.integers(1, 4))
def test_nearest_class_is_the_vote_of_the_nearest(seed, neighbors, size):
    rng = np.random.default_rng(seed)
    points, references = rng.normal(size=(7, size)), rng.normal(size=(9, size))
    classes = rng.integers(3, size=9)
    nearest = np.argsort(cdist(points, references), axis=1)[:, :neighbors]
    expected = [np.bincount(classes[row], minlength=3).argmax() for row in nearest]
    found = nearest_class(points, references, tf.constant(classes), 3, neighbors)
    np.testing.assert_array_equal(found, expected)


def test_nearest_class_compiles_and_finds_far_points():
    references = tf.constant([[0.0, 1e3], [1.0, 1e3], [5.0, 1e3]])
    compiled = tf.function(nearest_class)
    found = compiled(tf.constant([[0.2, 1e3], [9.0, 1e3]]), references, [2, 2, 0], 3, 1)
    np.testing.assert_array_equal(found, [2, 0])
