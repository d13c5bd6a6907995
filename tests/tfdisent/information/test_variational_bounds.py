import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent.information import entropy, kl_divergence, variational_bounds


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_information_lies_between_entropy_less_distortion_and_rate(seed):
    rng = np.random.default_rng(seed)
    x, z = rng.integers(1, 6, size=2)
    p = rng.dirichlet(np.ones(x))
    encoder, decoder = rng.dirichlet(np.ones(z), size=x), rng.dirichlet(np.ones(x), size=z)
    prior = rng.dirichlet(np.ones(z))
    found = variational_bounds(p, encoder, prior, decoder)
    assert found.entropy == pytest.approx(entropy(p))
    assert found.entropy - found.distortion <= found.information + 1e-12
    assert found.information <= found.rate + 1e-12
    assert found.negative_elbo >= found.entropy - 1e-12
    excess = kl_divergence(p @ encoder, prior)
    assert found.rate - found.information == pytest.approx(excess, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_posterior_decoder_and_aggregate_prior_are_tight(seed):
    rng = np.random.default_rng(seed)
    p, encoder = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3), size=4)
    joint = p[:, None] * encoder
    found = variational_bounds(p, encoder, joint.sum(0), (joint / joint.sum(0)).T)
    assert found.rate == pytest.approx(found.information, abs=1e-12)
    assert found.entropy - found.distortion == pytest.approx(found.information, abs=1e-12)


def test_corners_of_encoding_and_decoding():
    p = [0.5, 0.25, 0.25]
    lossless = variational_bounds(p, np.eye(3), p, np.eye(3))
    assert (lossless.distortion, lossless.rate) == (0.0, pytest.approx(1.5))
    ignored = variational_bounds(p, np.full((3, 2), 0.5), [0.5, 0.5], [p, p])
    assert (ignored.rate, ignored.distortion) == (0.0, pytest.approx(1.5))


def test_excluded_events_are_infinite():
    found = variational_bounds([0.5, 0.5], np.eye(2), [1.0, 0.0], [[1.0, 0.0], [1.0, 0.0]])
    assert found.rate == math.inf
    assert found.distortion == math.inf


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"encoder must have shape \(2, 3\) .* received \(2, 2\)"):
        variational_bounds([0.5, 0.5], np.eye(2), [0.5, 0.25, 0.25], np.full((3, 2), 0.5))
    with pytest.raises(ValueError, match="decoder must have 2 rows, received 3"):
        variational_bounds([0.5, 0.5], np.eye(2), [0.5, 0.5], np.full((3, 2), 0.5))


def test_what_never_occurs_costs_nothing_even_outside_the_prior():
    encoder, decoder = [[1, 0, 0], [0.5, 0.5, 0]], [[0.5, 0.5], [0.1, 0.9]]
    prior = [0.9, 0.1, 0]
    without = variational_bounds([0.5, 0.5], encoder, prior, [*decoder, [0.5, 0.5]])
    decoder = [[0.5, 0.5, 0], [0.1, 0.9, 0], [0, 0, 1]]
    found = variational_bounds([0.5, 0.5, 0], [*encoder, [0, 0, 1]], prior, decoder)
    assert tuple(found) == pytest.approx(tuple(without))
    assert found.rate == pytest.approx(0.4445, abs=5e-5)
    assert found.information <= found.rate
    # The same row of the encoder is infinitely dear as soon as it is ever used.
    used = variational_bounds([0.5, 0.4, 0.1], [*encoder, [0, 0, 1]], prior, decoder)
    assert used.rate == math.inf
