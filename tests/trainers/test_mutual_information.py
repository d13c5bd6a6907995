import math

import numpy as np
import pytest
import tensorflow as tf

from tfdisent import information, networks
from tfdisent.trainers import estimate_mutual_information
from tfdisent.trainers.mutual_information import METHODS

SMALL = {"steps": 200, "batch_size": 64, "hidden": 16, "learning_rate": 1e-2}


def correlated(rho, size=1):
    """A function that draws pairs of columns of correlation rho."""

    def draw(count, seed):
        x, noise = tf.unstack(tf.random.stateless_normal([2, count, size], seed))
        return x, rho * x + math.sqrt(1 - rho**2) * noise

    return draw


def arrays(rho, count=3000, size=1):
    return tuple(a.numpy() for a in correlated(rho, size)(count, tf.constant([1, 2])))


# The bars: MINE on 200,000 fresh samples.


@pytest.mark.long
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_mine_finds_the_information_of_two_gaussians(rho):
    truth = -0.5 * math.log(1 - rho**2)
    options = {"hidden": 64, "steps": 3000, "evaluation_size": 200_000}
    estimate = estimate_mutual_information(correlated(rho), **options)
    assert estimate.num_samples == 200_000
    assert abs(estimate.value - truth) <= max(0.05 * truth, 0.02)


@pytest.mark.long
def test_mine_finds_the_information_of_twenty_dimensions():
    truth = -10 * math.log(1 - 0.5**2)  # 2.877 nats
    estimate = estimate_mutual_information(correlated(0.5, size=20), evaluation_size=200_000)
    assert abs(estimate.value - truth) <= 0.1 * truth


@pytest.mark.long
def test_an_invertible_map_leaves_the_estimate_nearly_as_it_is():
    def cubed(count, seed):
        x, y = correlated(0.9)(count, seed)
        return x**3, y

    truth = -0.5 * math.log(1 - 0.9**2)
    options = {"hidden": 64, "steps": 3000, "learning_rate": 5e-3}
    estimate = estimate_mutual_information(cubed, **options)
    # The joint density of x^3 and y is infinite along a line: harder for a network, 4 % below.
    assert abs(estimate.value - truth) <= 0.1 * truth


# Every method.


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_what_two_columns_share(method):
    x, y = arrays(0.8)
    if method in ("plug_in", "ross"):
        y = (y > 0).astype(int)
    if method == "plug_in":
        x = (x > 0).astype(int)
    # Signs share log 2 less the entropy of agreeing, of probability 1/2 + asin(rho) / pi.
    agree = 0.5 + math.asin(0.8) / math.pi
    signs = math.log(2) + agree * math.log(agree) + (1 - agree) * math.log(1 - agree)
    truth = {"plug_in": signs, "ross": None}.get(method, -0.5 * math.log(1 - 0.8**2))
    estimate = estimate_mutual_information(x, y, method, **SMALL)
    assert estimate.method == method
    if method == "ross":
        assert signs < estimate.value < math.log(2)
    else:
        # 600 held-out rows: a standard error of about 0.05.
        assert abs(estimate.value - truth) < 0.15
    has_error = estimate.steps > 0
    assert estimate.num_samples >= (500 if has_error else 3000)
    assert math.isfinite(estimate.standard_error) == has_error


def test_equal_seeds_give_equal_estimates():
    x, y = arrays(0.5, count=300)
    options = {**SMALL, "steps": 20}
    first = estimate_mutual_information(x, y, **options)
    assert estimate_mutual_information(x, y, **options) == first
    assert estimate_mutual_information(x, y, **options, seed=1) != first


def test_a_critic_that_has_learned_its_rows_by_heart_is_not_what_is_reported():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 150, 5))
    options = {**SMALL, "steps": 1000, "hidden": 64, "method": "nwj", "learning_rate": 1e-3}
    estimate = estimate_mutual_information(x, y, **options)
    assert estimate.steps < 500
    assert -0.5 < estimate.value < 0.5


def test_a_sampler_is_evaluated_on_as_many_samples_as_asked_for():
    options = {**SMALL, "steps": 20, "evaluation_size": 12_345}
    assert estimate_mutual_information(correlated(0.5), **options).num_samples == 12_345
    gaussian = estimate_mutual_information(correlated(0.5), method="gaussian", **options)
    assert gaussian.num_samples == 12_345
    assert abs(gaussian.value + 0.5 * math.log(0.75)) < 0.03


def test_the_entropy_of_barber_agakov_is_that_of_y_as_it_was_given():
    x, y = arrays(0.8, count=5000)
    options = {**SMALL, "method": "barber_agakov"}
    known = information.differential_entropy(covariance=100.0)
    given = estimate_mutual_information(x, 10 * y, entropy=known, **options)
    assert abs(given.value + 0.5 * math.log(0.36)) < 0.1
    found = estimate_mutual_information(x, 10 * y, **options)
    assert abs(found.value - given.value) < 0.1


@pytest.mark.parametrize("critic", ["joint", "separable", networks.SeparableCritic(1, 1, hidden=8)])
def test_the_critic_can_be_chosen(critic):
    x, y = arrays(0.8, count=500)
    estimate = estimate_mutual_information(x, y, critic=critic, **{**SMALL, "steps": 20})
    assert math.isfinite(estimate.value)


# Limits.


def test_info_nce_warns_near_the_logarithm_of_its_batch():
    x = np.random.default_rng(0).normal(size=(1000, 3))
    options = {**SMALL, "batch_size": 8}
    with pytest.warns(UserWarning, match="info_nce .* the logarithm of the batch = 2.08"):
        estimate = estimate_mutual_information(x, x, "info_nce", **options)
    assert estimate.value <= estimate.cap == math.log(8)


def test_the_number_of_samples_caps_the_others():
    x = np.random.default_rng(0).normal(size=(500, 1))
    with pytest.warns(UserWarning, match="the logarithm of the number of samples = 6.21"):
        estimate_mutual_information(x, x + 1e-6 * x[::-1], "ksg")
    with pytest.warns(UserWarning, match="the logarithm of the number of samples = 4.61"):
        estimate_mutual_information(x, x, "dv", **{**SMALL, "steps": 400})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "method must be one of"),
        ({"critic": "guess"}, "critic must be 'joint', 'separable' or a Keras model"),
        ({"steps": 0}, "at least 1 step and a batch of 2, received 0 and 256"),
        ({"batch_size": 1}, "at least 1 step and a batch of 2"),
        ({"x": correlated(0.5), "y": None, "evaluation_size": 1}, "evaluation_size must be"),
        ({"y": None}, "either samples x and y, or one function"),
        ({"x": correlated(0.5)}, "either samples x and y, or one function"),
        ({"x": np.zeros((5, 1))}, "expected x to be samples"),
        ({"y": np.zeros((30, 1))}, "as many rows, received 20 and 30"),
        ({"y": np.full((20, 1), np.nan)}, "expected finite samples y"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        estimate_mutual_information(**{"x": np.zeros((20, 1)), "y": np.zeros((20, 1)), **options})


@pytest.mark.parametrize("critic", ["joint", "separable"])
def test_a_score_is_no_density_for_barber_agakov(critic):
    x = np.random.default_rng(0).normal(size=(50, 1))
    with pytest.raises(ValueError, match=f"must be a density .*, received '{critic}'"):
        estimate_mutual_information(x, x, method="barber_agakov", critic=critic, steps=1)
