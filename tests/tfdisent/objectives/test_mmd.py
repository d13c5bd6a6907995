import functools

import numpy as np
import pytest
import tensorflow as tf

from tfdisent import objectives

KERNELS = {
    "rbf": functools.partial(objectives.rbf_kernel, bandwidth=1.3),
    "imq": functools.partial(objectives.imq_kernel, bandwidth=1.3),
}


def _samples(count, size=3, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    return tf.constant(rng.normal(loc=shift, size=(count, size)), tf.float32)


def test_kernels_are_their_formulas():
    u, v = np.array([[0.0, 0.0], [1.0, 2.0]]), np.array([[3.0, 4.0]])
    rbf = objectives.rbf_kernel(tf.constant(u), tf.constant(v), bandwidth=5.0)
    np.testing.assert_allclose(rbf, np.exp([[-25 / 50], [-8 / 50]]), rtol=1e-6)
    imq = objectives.imq_kernel(tf.constant(u), tf.constant(v), bandwidth=5.0, scales=(0.5, 2.0))
    expected = [[25 / 50 + 100 / 125], [25 / 33 + 100 / 108]]
    np.testing.assert_allclose(imq, expected, rtol=1e-6)


def test_default_bandwidth_of_the_authors_code_is_the_documented_one():
    u, v = _samples(4, size=20), _samples(4, size=20, seed=1)
    ours = objectives.rbf_kernel(u, v, bandwidth=20 / np.sqrt(2))
    squared = ((u.numpy()[:, None] - v.numpy()) ** 2).mean(axis=-1)
    np.testing.assert_allclose(ours, np.exp(-squared / 20), rtol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_statistics_are_means_over_pairs(kernel):
    z, samples = _samples(4), _samples(5, seed=1)
    k = KERNELS[kernel]
    zz, pp, zp = (t.numpy() for t in (k(z, z), k(samples, samples), k(z, samples)))
    v = zz.mean() + pp.mean() - 2 * zp.mean()
    distinct = [m[~np.eye(len(m), dtype=bool)].mean() for m in (zz, pp)]
    u = sum(distinct) - 2 * zp.mean()
    np.testing.assert_allclose(objectives.maximum_mean_discrepancy(z, samples, k), v, atol=1e-5)
    np.testing.assert_allclose(
        objectives.maximum_mean_discrepancy(z, samples, k, unbiased=True), u, atol=1e-5
    )


@pytest.mark.parametrize(("shift", "bandwidth"), [(0.0, 1.0), (1.0, 1.0), (2.0, 0.5), (1.5, 3.0)])
def test_shifted_gaussians_have_their_closed_form(shift, bandwidth):
    squared = bandwidth**2
    exact = 2 * np.sqrt(squared / (squared + 2)) * (1 - np.exp(-(shift**2) / (2 * (squared + 2))))
    kernel = functools.partial(objectives.rbf_kernel, bandwidth=bandwidth)
    size, repeats = 100, 60
    found = {True: [], False: []}
    for seed in range(repeats):
        z = _samples(size, 1, 2 * seed, shift)
        samples = _samples(size, 1, 2 * seed + 1)
        for unbiased, values in found.items():
            values.append(float(objectives.maximum_mean_discrepancy(z, samples, kernel, unbiased)))
    error = np.std(found[True]) / np.sqrt(repeats)
    assert abs(np.mean(found[True]) - exact) < 4 * error
    # A sample's pair with itself has k = 1 in place of the mean, sqrt(h^2 / (h^2 + 2)).
    bias = 2 * (1 - np.sqrt(squared / (squared + 2))) / size
    assert abs(np.mean(found[False]) - exact - bias) < 4 * error
    if shift == 0:
        assert min(found[True]) < 0 < min(found[False])


@pytest.mark.parametrize("kernel", KERNELS)
def test_equal_samples_have_no_discrepancy(kernel):
    z = _samples(6)
    value = objectives.maximum_mean_discrepancy(z, tf.reverse(z, [0]), KERNELS[kernel])
    np.testing.assert_allclose(value, 0, atol=1e-6)


@pytest.mark.parametrize("unbiased", [False, True])
def test_gradient_pulls_codes_towards_the_prior(unbiased):
    z, samples = _samples(50, 2, shift=1.0), _samples(50, 2, seed=1)
    with tf.GradientTape() as tape:
        tape.watch(z)
        value = objectives.maximum_mean_discrepancy(z, samples, KERNELS["rbf"], unbiased)
    assert (tf.reduce_mean(tape.gradient(value, z), axis=0).numpy() > 0).all()


def test_far_codes_have_a_gradient_with_heavy_tails_alone():
    z, samples = _samples(8, 2, shift=40.0), _samples(8, 2, seed=1)
    size = {}
    for name, kernel in KERNELS.items():
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = -2 * tf.reduce_mean(kernel(z, samples))
        size[name] = float(tf.norm(tape.gradient(value, z)))
    assert size["rbf"] == 0 < 1e-6 < size["imq"]


@pytest.mark.parametrize("sizes", [(1, 1), (1, 5), (5, 1)])
def test_a_single_sample_has_no_unbiased_estimate(sizes):
    """Without a pair the U-statistic would be -2 k(z, p) alone, whatever the distributions."""
    z, samples = (_samples(size, seed=seed) for seed, size in enumerate(sizes))

    def discrepancy(unbiased):
        kernel = KERNELS["rbf"]
        return float(objectives.maximum_mean_discrepancy(z, samples, kernel, unbiased))

    assert discrepancy(unbiased=True) == 0 and discrepancy(unbiased=False) > 0
