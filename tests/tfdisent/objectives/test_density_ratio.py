import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tfdisent import objectives

SEED = (7, 20260)
COVARIANCE = np.array([[1.0, 0.5], [0.5, 2.0]])
TOTAL_CORRELATION = 0.0667657  # nats, of N(0, COVARIANCE)


def permute(z, blocks=None, seed=SEED):
    return objectives.permute_dims(
        tf.convert_to_tensor(z), blocks, seed=tf.constant(seed, tf.int32)
    ).numpy()


# permute_dims.


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 9),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.integers(0, 2**31 - 1),
)
def test_blocks_of_rows_are_permuted_whole(batch, blocks, seed):
    # Each number says where it comes from: 100 * row + column.
    z = 100 * np.arange(batch)[:, None] + np.arange(sum(blocks))
    permuted = permute(z.astype(np.float32), blocks, seed=(seed, 1))
    np.testing.assert_array_equal(permuted % 100, z % 100)
    rows = permuted // 100
    for column, size in zip(np.cumsum([0, *blocks]), blocks, strict=False):
        block = rows[:, column : column + size]
        np.testing.assert_array_equal(block, np.repeat(block[:, :1], size, axis=1))
    np.testing.assert_array_equal(np.sort(rows, axis=0), z // 100)


def test_every_column_moves_alone_by_default():
    z = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    permuted = permute(z)
    np.testing.assert_array_equal(np.sort(permuted, axis=0), np.sort(z, axis=0))
    np.testing.assert_array_equal(permuted, permute(z, [1, 1, 1]))
    rows = [
        np.argsort(z[:, j])[np.searchsorted(np.sort(z[:, j]), permuted[:, j])] for j in range(3)
    ]
    assert not np.array_equal(rows[0], rows[1]) and not np.array_equal(rows[1], rows[2])


def test_one_hot_groups_stay_one_hot():
    random = np.random.default_rng(0)
    classes = np.eye(3)[random.integers(3, size=100)]
    z = np.concatenate([random.normal(size=(100, 2)), classes], axis=1).astype(np.float32)
    permuted = permute(z, [1, 1, 3])[:, 2:]
    np.testing.assert_array_equal(permuted.sum(axis=1), 1)
    np.testing.assert_array_equal(permuted.sum(axis=0), classes.sum(axis=0))
    assert not np.array_equal(permuted, classes)


def test_permuting_destroys_correlations():
    batch = 4096
    z = np.repeat(np.random.default_rng(0).normal(size=(batch, 1)), 5, axis=1).astype(np.float32)
    assert np.corrcoef(z.T).min() > 0.999
    correlations = np.corrcoef(permute(z).T)[np.triu_indices(5, k=1)]
    assert np.abs(correlations).max() < 4 / math.sqrt(batch)
    assert np.abs(correlations).min() > 0


def test_all_permutations_of_a_column_are_equally_likely():
    columns = 12_000
    permuted = permute(np.repeat([[0.0], [1.0], [2.0]], columns, axis=1).astype(np.float32))
    codes = np.int64([9, 3, 1]) @ permuted.astype(np.int64)  # one number a permutation
    kinds, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    assert len(kinds) == 6
    assert stats.chisquare(counts).pvalue > 0.001
    # Neighbouring columns are permuted independently: all 36 pairs are equally likely.
    pairs = np.bincount(6 * inverse[::2] + inverse[1::2], minlength=36)
    assert stats.chisquare(pairs).pvalue > 0.001


def test_all_permutations_are_equally_likely_from_seed_to_seed():
    column = tf.constant([[0.0], [1.0], [2.0]])

    @tf.function
    def permutations(seeds):
        return tf.map_fn(lambda seed: objectives.permute_dims(column, seed=seed), seeds, tf.float32)

    seeds = tf.stack([tf.fill([6000], 3), tf.range(6000)], axis=1)
    codes = np.int64([9, 3, 1]) @ permutations(seeds).numpy()[:, :, 0].T.astype(np.int64)
    kinds, counts = np.unique(codes, return_counts=True)
    assert len(kinds) == 6
    assert stats.chisquare(counts).pvalue > 0.001


def test_a_seed_fixes_the_permutation():
    z = np.arange(40, dtype=np.float32).reshape(20, 2)
    np.testing.assert_array_equal(permute(z), permute(z))
    assert not np.array_equal(permute(z), permute(z, seed=(7, 20261)))


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.xla)])
def test_without_a_seed_every_call_permutes_anew(jit_compile):
    z = np.arange(40, dtype=np.float32).reshape(20, 2)
    compiled = tf.function(objectives.permute_dims, jit_compile=jit_compile)
    assert not np.array_equal(compiled(z), compiled(z))


@pytest.mark.xla
def test_permuting_compiles_with_xla():
    z = 100 * np.arange(64)[:, None] + np.arange(5)

    @tf.function(jit_compile=True)
    def compiled(z, seed):
        return objectives.permute_dims(z, [1, 1, 3], seed=seed)

    permuted = compiled(tf.constant(z, tf.float32), tf.constant(SEED, tf.int32)).numpy()
    rows = permuted // 100
    np.testing.assert_array_equal(permuted % 100, z % 100)
    np.testing.assert_array_equal(np.sort(rows, axis=0), z // 100)
    np.testing.assert_array_equal(rows[:, 2:], np.repeat(rows[:, 2:3], 3, axis=1))
    assert len(np.unique(rows[:, :3] - np.arange(64)[:, None])) > 10


def test_the_size_of_the_batch_may_be_unknown_while_tracing():
    compiled = tf.function(
        lambda z: objectives.permute_dims(z, [2, 1]),
        input_signature=[tf.TensorSpec([None, 3], tf.float32)],
    )
    for batch in (1, 7):
        z = tf.random.stateless_normal([batch, 3], SEED)
        np.testing.assert_array_equal(np.sort(compiled(z), axis=0), np.sort(z, axis=0))


@pytest.mark.parametrize("blocks", [[1, 1], [2, 2], []])
def test_blocks_must_add_up_to_the_columns(blocks):
    with pytest.raises(ValueError, match="must sum to the 3 columns of z, received"):
        objectives.permute_dims(tf.zeros([4, 3]), blocks)


# density_ratio_loss.


def quantiles(count=20_000):
    """The standard normal as equally likely points: means over them are integrals."""
    return stats.norm.ppf((np.arange(count) + 0.5) / count)


def loss(logits_p, logits_q):
    return objectives.density_ratio_loss(
        tf.constant(logits_p, tf.float32), tf.constant(logits_q, tf.float32)
    )


def test_a_classifier_that_knows_nothing_has_loss_log_2():
    np.testing.assert_allclose(loss(np.zeros(5), np.zeros(3)), math.log(2), rtol=1e-6)


def test_the_loss_is_the_mean_of_both_cross_entropies():
    random = np.random.default_rng(0)
    logits_p, logits_q = random.normal(size=4), random.normal(size=7)
    # Batches of any two sizes have equal weight.
    expected = -0.5 * np.log(special.expit(logits_p)).mean()
    expected -= 0.5 * np.log(1 - special.expit(logits_q)).mean()
    np.testing.assert_allclose(loss(logits_p, logits_q), expected, rtol=1e-6)


def test_the_loss_is_finite_at_extreme_logits():
    np.testing.assert_allclose(loss([1e4], [-1e4]), 0, atol=1e-6)
    np.testing.assert_allclose(loss([-1e4], [1e4]), 1e4, rtol=1e-6)


def test_at_the_true_log_ratio_the_loss_is_log_2_minus_the_jensen_shannon_divergence():
    x, width = np.linspace(-12, 13, 40_001, retstep=True)
    p, q = stats.norm.pdf(x, loc=1), stats.norm.pdf(x)
    m = 0.5 * (p + q)
    divergence = 0.5 * np.sum(special.rel_entr(p, m) + special.rel_entr(q, m)) * width
    # log N(x; 1, 1) - log N(x; 0, 1) = x - 1/2
    value = loss(quantiles() + 1 - 0.5, quantiles() - 0.5)
    np.testing.assert_allclose(value, math.log(2) - divergence, rtol=1e-5)


def test_the_loss_is_least_at_the_true_log_ratio():
    slope, offset = tf.Variable(1.0), tf.Variable(-0.5)
    sample_q = tf.constant(quantiles(), tf.float32)
    with tf.GradientTape() as tape:
        value = objectives.density_ratio_loss(
            slope * (sample_q + 1) + offset, slope * sample_q + offset
        )
    # A stationary point of a convex function of slope and offset.
    np.testing.assert_allclose(tape.gradient(value, [slope, offset]), [0, 0], atol=1e-5)
    for slope_error, offset_error in ((0.2, 0), (-0.2, 0), (0, 0.2), (0, -0.2)):
        slope, offset = 1 + slope_error, -0.5 + offset_error
        worse = loss(slope * (quantiles() + 1) + offset, slope * quantiles() + offset)
        assert worse > value + 1e-4


def test_the_mean_of_the_true_log_ratio_is_the_divergence():
    sample_p = np.random.default_rng(0).normal(loc=1, size=40_000)
    assert abs(np.mean(sample_p - 0.5) - 0.5) < 4 / math.sqrt(40_000)


def test_permuted_samples_are_samples_of_the_product_of_the_marginals():
    count = 100_000
    random = np.random.default_rng(0)
    z = random.multivariate_normal(np.zeros(2), COVARIANCE, size=count).astype(np.float32)
    precision = np.linalg.inv(COVARIANCE) - np.diag(1 / np.diag(COVARIANCE))

    def log_ratio(z):
        """log N(z; 0, S) - sum_j log N(z_j; 0, S_jj)."""
        return TOTAL_CORRELATION - 0.5 * np.einsum("bi,ij,bj->b", z, precision, z)

    np.testing.assert_allclose(
        0.5 * math.log(np.prod(np.diag(COVARIANCE)) / np.linalg.det(COVARIANCE)),
        TOTAL_CORRELATION,
        atol=1e-7,
    )
    ratios_p, ratios_q = log_ratio(z), log_ratio(permute(z))
    # Over samples of q(z) the mean is the total correlation; over permuted ones it is
    # -KL(product || q) = TC - tr(S^-1 diag S - 1) / 2.
    reverse = TOTAL_CORRELATION - 0.5 * (np.trace(precision @ np.diag(np.diag(COVARIANCE))))
    assert reverse < -0.07
    for ratios, expected in ((ratios_p, TOTAL_CORRELATION), (ratios_q, reverse)):
        assert abs(ratios.mean() - expected) < 4 * ratios.std() / math.sqrt(count)


def test_accuracy_counts_both_sides_and_takes_no_decision_for_an_error():
    accuracy = objectives.discriminator_accuracy(
        tf.constant([1.0, -2.0, 0.0]), tf.constant([-1.0, -3.0, 0.5, 0.0, -0.1])
    )
    assert float(accuracy) == 4 / 8
