import math

import numpy as np
import pytest

from tfdisent import data, metrics


def test_true_points_reach_every_mode():
    points = data.load("synthetic:25gaussians", size=50_000)
    samples = points.images(np.arange(len(points))).reshape(-1, 2)
    score = metrics.mode_coverage(samples, points.centres, points.standard_deviation)
    assert score == 25 and score.details["modes"] == 25
    np.testing.assert_allclose(score.details["high_quality"], 1 - math.exp(-4.5), atol=0.002)
    assert score.details["kl_to_uniform"] < 0.001
    assert "3 standard deviations" in score.protocol


def test_one_mode_is_one():
    centres = np.array([[x, y] for x in range(5) for y in range(5)], np.float64)
    samples = np.random.default_rng(0).normal(centres[7], 0.01, size=(100, 2))
    score = metrics.mode_coverage(samples, centres, 0.05)
    assert score == 1 and score.details["high_quality"] == 1
    assert score.details["counts"][7] == 100
    np.testing.assert_allclose(score.details["kl_to_uniform"], math.log(25))


def test_counts_and_shares_by_hand():
    centres = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [4.0, 4.0]]
    samples = [[0.0, 0.0], [0.0, 2.9], [4.0, 1.0], [4.0, -1.0], [1.5, 0.0], [0.0, 3.1]]
    score = metrics.mode_coverage(samples, centres, 0.5, within=2, at_least=2)
    np.testing.assert_array_equal(score.details["counts"], [1, 2, 1, 0])
    assert score == 1 and score.details["high_quality"] == 4 / 6
    kl = 0.5 * math.log(2) + 2 * 0.25 * math.log(1)
    np.testing.assert_allclose(score.details["kl_to_uniform"], kl)


def test_points_far_from_all_modes():
    score = metrics.mode_coverage([[9.0, 9.0]], [[0.0, 0.0]], 0.1)
    assert score == 0 and score.details["high_quality"] == 0
    assert math.isinf(score.details["kl_to_uniform"])


@pytest.mark.parametrize(
    ("samples", "centres", "options", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 3)), {}, r"received \[3, 2\] and \[2, 3\]"),
        (np.zeros(3), np.zeros((2, 3)), {}, r"expected samples \[N, D\]"),
        (np.zeros((0, 2)), np.zeros((1, 2)), {}, "at least one sample"),
        (np.full((1, 2), np.nan), np.zeros((1, 2)), {}, "NaN"),
        (np.zeros((1, 2)), np.zeros((1, 2)), {"within": 0}, "within must be positive, received 0"),
    ],
)
def test_wrong_arguments_are_refused(samples, centres, options, message):
    with pytest.raises(ValueError, match=message):
        metrics.mode_coverage(samples, centres, **{"standard_deviation": 1.0, **options})
