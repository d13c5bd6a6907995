import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tfdisent.information import (
    channel_capacity,
    entropy,
    kl_divergence,
    mutual_information,
    rate_at_distortion,
    rate_distortion,
    rate_distortion_curve,
)

HAMMING = 1 - np.eye(2)
few = settings(max_examples=30, deadline=None)


def h(x):
    return entropy([x, 1 - x])


class TestCapacity:
    @pytest.mark.parametrize("flip", [0.0, 0.1, 0.3, 0.5])
    def test_binary_symmetric_channel(self, flip):
        found = channel_capacity([[1 - flip, flip], [flip, 1 - flip]])
        assert found.capacity == pytest.approx(1 - h(flip), abs=1e-9)
        np.testing.assert_allclose(found.inputs, [0.5, 0.5], atol=1e-12)

    def test_binary_symmetric_channel_has_its_printed_capacity(self):
        found = channel_capacity([[0.9, 0.1], [0.1, 0.9]])
        assert found.capacity == pytest.approx(0.5310044, abs=5e-8)

    @pytest.mark.parametrize("erased", [0.0, 0.25, 0.9])
    def test_erasure_channel(self, erased):
        channel = [[1 - erased, erased, 0], [0, erased, 1 - erased]]
        assert channel_capacity(channel).capacity == pytest.approx(1 - erased, abs=1e-9)

    def test_z_channel(self):
        found = channel_capacity([[1.0, 0.0], [0.5, 0.5]])
        assert found.capacity == pytest.approx(math.log2(5 / 4), abs=1e-9)
        assert found.capacity == pytest.approx(0.3219281, abs=5e-8)
        np.testing.assert_allclose(found.inputs, [0.6, 0.4], atol=1e-5)

    def test_noiseless_and_useless_channels(self):
        assert channel_capacity(np.eye(5)).capacity == pytest.approx(math.log2(5))
        assert channel_capacity(np.full((3, 4), 0.25)).capacity == pytest.approx(0.0, abs=1e-15)
        assert channel_capacity([[0.3, 0.7]]).capacity == pytest.approx(0.0, abs=1e-15)

    def test_outputs_that_never_occur_change_nothing(self):
        found = channel_capacity([[0.9, 0.0, 0.1], [0.1, 0.0, 0.9]])
        assert found.capacity == pytest.approx(1 - h(0.1), abs=1e-9)

    def test_slow_channel_is_certified(self):
        """An unused input whose divergence equals the capacity: iterations gain only O(1/t)."""
        used = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
        outputs = used.mean(0)
        capacity = kl_divergence(used[0], outputs)

        def excess(t):
            return kl_divergence([t, t, 1 - 2 * t], outputs) - capacity

        t = brentq(excess, 1e-6, 0.44, xtol=1e-15)
        channel = np.array([*used, [t, t, 1 - 2 * t]])
        p = np.full(3, 1 / 3)
        for _ in range(2000):
            divergence = [kl_divergence(row, p @ channel, base=math.e) for row in channel]
            p *= np.exp(divergence)
            p /= p.sum()
        assert max(divergence) - p @ divergence > 1e-7  # what plain iterations leave

        found = channel_capacity(channel)
        assert found.gap <= 1e-9
        assert found.capacity == pytest.approx(capacity, abs=1e-9)

    @few
    @given(st.integers(0, 2**32 - 1))
    def test_random_channels_lie_between_their_bounds(self, seed):
        rng = np.random.default_rng(seed)
        inputs, outputs = rng.integers(1, 7, size=2)
        channel = rng.dirichlet(np.full(outputs, 0.4), size=inputs)
        found = channel_capacity(channel)
        assert 0.0 <= found.gap <= 1e-9
        joint = found.inputs[:, None] * channel
        assert found.inputs.sum() == pytest.approx(1.0)
        assert mutual_information(joint) == pytest.approx(found.capacity, abs=1e-9)
        # An independent proof of optimality: no other input distribution does better.
        for other in rng.dirichlet(np.ones(inputs), size=20):
            assert mutual_information(other[:, None] * channel) <= found.capacity + 1e-9

    def test_base_and_tolerance(self):
        nats = channel_capacity([[0.9, 0.1], [0.1, 0.9]], base=math.e)
        assert nats.capacity == pytest.approx((1 - h(0.1)) * math.log(2), abs=1e-9)
        with pytest.raises(ValueError, match="tolerance must be at least 1e-12, received -1"):
            channel_capacity(np.eye(2), tolerance=-1.0)

    def test_invalid_channel_is_named(self):
        with pytest.raises(ValueError, match=r"channel\[1\] must sum to 1"):
            channel_capacity([[1.0, 0.0], [0.5, 0.4]])


class TestRateDistortion:
    @pytest.mark.parametrize(
        ("slope", "distortion", "rate"),
        [(1, 0.268941, 0.131009), (2, 0.119203, 0.443885), (3, 0.047426, 0.695591)],
    )
    def test_bernoulli_source_at_given_slopes(self, slope, distortion, rate):
        point = rate_distortion([0.4, 0.6], HAMMING, slope)
        assert point.distortion == pytest.approx(distortion, abs=5e-7)
        assert point.distortion == pytest.approx(1 / (1 + math.exp(slope)), abs=1e-7)
        assert point.rate == pytest.approx(rate, abs=1e-6)
        assert point.rate == pytest.approx(h(0.4) - h(point.distortion), abs=1e-8)

    @pytest.mark.parametrize("target", [0.0, 1e-6, 0.01, 0.1, 0.25, 0.399, 0.4, 0.7])
    def test_bernoulli_source_at_given_distortions(self, target):
        point = rate_at_distortion([0.4, 0.6], HAMMING, target)
        expected = h(0.4) - h(target) if target < 0.4 else 0.0
        assert point.rate == pytest.approx(expected, abs=1e-9)
        assert point.gap <= 1e-9
        assert point.distortion <= target + 1e-12

    @pytest.mark.parametrize(("size", "target"), [(3, 0.2), (5, 0.1), (8, 0.5)])
    def test_uniform_source_with_hamming_distortion(self, size, target):
        found = rate_at_distortion(np.full(size, 1 / size), 1 - np.eye(size), target)
        expected = math.log2(size) - h(target) - target * math.log2(size - 1)
        assert found.rate == pytest.approx(expected, abs=1e-9)

    @pytest.mark.parametrize("target", [0.5, 0.1])
    def test_gaussian_source_with_squared_error(self, target):
        x = np.linspace(-5, 5, 101)
        p = np.exp(-(x**2) / 2)
        p /= p.sum()
        distortion = (x[:, None] - x) ** 2
        found = rate_at_distortion(p, distortion, target, tolerance=1e-6)
        assert found.rate == pytest.approx(0.5 * math.log2(1 / target), rel=0.01)

    def test_ends_of_the_curve(self):
        p = [0.2, 0.3, 0.5]
        distortion = [[0.0, 1.0, 4.0], [1.0, 0.0, 1.0], [4.0, 1.0, 0.0]]
        start, end = (rate_distortion(p, distortion, slope) for slope in (0.0, math.inf))
        largest = min(np.array(p) @ np.array(distortion))
        assert (start.rate, start.distortion) == (0.0, pytest.approx(largest))
        assert end.rate == pytest.approx(entropy(p), abs=1e-9)
        assert end.distortion == 0.0

    def test_least_rate_at_least_distortion_merges_equivalent_symbols(self):
        # The third reproduction serves the first two symbols at no cost.
        distortion = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
        point = rate_distortion([0.5, 0.5, 0.0], distortion, math.inf)
        assert point.rate == pytest.approx(0.0, abs=1e-9)

    @pytest.mark.parametrize("target", [0.0, 0.1, 0.5, 0.9, 1.0])
    def test_straight_curve_of_the_erasure_distortion(self, target):
        """R(D) = 1 - D: a single slope belongs to every D."""
        distortion = [[0.0, 1000.0, 1.0], [1000.0, 0.0, 1.0]]
        found = rate_at_distortion([0.5, 0.5], distortion, target)
        assert found.rate == pytest.approx(1 - target, abs=1e-9)
        assert found.distortion == pytest.approx(target, abs=1e-12)

    @few
    @given(st.integers(0, 2**32 - 1))
    def test_curve_is_convex_decreasing_and_certified(self, seed):
        rng = np.random.default_rng(seed)
        symbols, reproductions = rng.integers(2, 6, size=2)
        p = rng.dirichlet(np.ones(symbols))
        distortion = rng.random((symbols, reproductions)).round(1)
        curve = rate_distortion_curve(p, distortion, num_points=9, tolerance=1e-8)
        assert curve.gaps.max() <= 1e-8
        assert (np.diff(curve.distortions) <= 1e-7).all()
        assert (np.diff(curve.rates) >= -1e-7).all()
        assert curve.rates[0] == 0.0
        for slope, x, y in zip(curve.slopes, curve.distortions, curve.rates, strict=True):
            if slope < math.inf:  # every tangent lies below the whole curve
                tangent = y - slope / math.log(2) * (curve.distortions - x)
                assert (curve.rates >= tangent - 1e-7).all()

    @few
    @given(st.integers(0, 2**32 - 1))
    def test_no_test_channel_beats_the_point(self, seed):
        rng = np.random.default_rng(seed)
        p = rng.dirichlet(np.ones(3))
        distortion = rng.random((3, 4))
        slope = rng.uniform(0.1, 10)
        point = rate_distortion(p, distortion, slope, base=math.e)
        joint = p[:, None] * point.conditional
        assert mutual_information(joint, base=math.e) == pytest.approx(point.rate, abs=1e-12)
        assert (joint * distortion).sum() == pytest.approx(point.distortion, abs=1e-12)
        best = point.rate + slope * point.distortion
        for _ in range(20):
            other = p[:, None] * rng.dirichlet(np.ones(4), size=3)
            value = mutual_information(other, base=math.e) + slope * (other * distortion).sum()
            assert value >= best - point.gap - 1e-12

    @pytest.mark.parametrize("below", [0.0, 1e-16, 1e-11])
    def test_target_below_the_least_distortion_by_rounding_is_the_least(self, below):
        p, distortion = [0.1, 0.2, 0.7], [[1, 2], [1, 3], [0, 1]]  # 0.1 + 0.2 > 0.3 in floats
        found = rate_at_distortion(p, distortion, 0.3 - below)
        assert found.distortion == pytest.approx(0.3)
        assert found.rate == pytest.approx(0.0, abs=1e-9)
        with pytest.raises(ValueError, match=r"least distortion 0\.3, got 0\.29"):
            rate_at_distortion(p, distortion, 0.299999)

    def test_symbols_that_never_occur_change_nothing(self):
        distortion = np.vstack([HAMMING, [5.0, 7.0]])
        point = rate_distortion([0.4, 0.6, 0.0], distortion, 2.0)
        assert point.rate == pytest.approx(0.443885, abs=1e-6)
        np.testing.assert_allclose(point.conditional.sum(1), 1.0)
        np.testing.assert_array_equal(point.conditional[2], [1.0, 0.0])

    def test_very_large_slopes_do_not_overflow(self):
        point = rate_distortion([0.4, 0.6], HAMMING, 1e6)
        assert point.rate == pytest.approx(h(0.4), abs=1e-9)

    def test_constant_distortion_needs_no_rate(self):
        curve = rate_distortion_curve([0.4, 0.6], np.ones((2, 2)), num_points=4)
        np.testing.assert_allclose(curve.rates, 0.0, atol=1e-9)
        np.testing.assert_allclose(curve.distortions, 1.0)

    def test_invalid_arguments_are_refused(self):
        p = [0.4, 0.6]
        with pytest.raises(ValueError, match=r"distortion\[0, 1\] must not be negative"):
            rate_distortion(p, [[0.0, -1.0], [1.0, 0.0]], 1.0)
        with pytest.raises(ValueError, match=r"shape \(2, reproductions\), received \(3, 3\)"):
            rate_distortion(p, np.eye(3), 1.0)
        with pytest.raises(ValueError, match="slope must not be negative"):
            rate_distortion(p, HAMMING, -1.0)
        with pytest.raises(ValueError, match="slope must not be negative"):
            rate_distortion(p, HAMMING, math.nan)
        with pytest.raises(ValueError, match="target must be at least the least distortion 1"):
            rate_at_distortion(p, HAMMING + 1, 0.5)
        with pytest.raises(ValueError, match="one axis"):
            rate_distortion([[0.4, 0.6]], HAMMING, 1.0)
