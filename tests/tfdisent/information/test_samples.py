import numpy as np
import pytest

from tfdisent.information import (
    empirical_table,
    fitted_gaussian_mutual_information,
    fitted_gaussian_total_correlation,
    gaussian_total_correlation,
    mutual_information,
    plugin_mutual_information,
)


def test_table_counts_in_sorted_order():
    table = empirical_table([1, 0, 1, 1], ["b", "a", "a", "b"])
    np.testing.assert_array_equal(table, [[0.25, 0.0], [0.25, 0.5]])


def test_rows_of_several_columns_are_one_symbol():
    pairs = [[0, 0], [0, 1], [1, 0], [1, 1]]
    parity = [0, 1, 1, 0]
    assert plugin_mutual_information(pairs, parity) == pytest.approx(1.0)
    assert plugin_mutual_information([0, 0, 1, 1], parity) == 0.0


def test_estimate_approaches_the_exact_information_from_above():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(12)).reshape(3, 4)
    errors = []
    for _ in range(200):
        cells = rng.choice(12, p=p.ravel(), size=500)
        errors.append(plugin_mutual_information(cells // 4, cells % 4) - mutual_information(p))
    bias = (3 - 1) * (4 - 1) / (2 * 500) / np.log(2)
    standard_error = np.std(errors) / np.sqrt(len(errors))
    assert np.mean(errors) == pytest.approx(bias, abs=4 * standard_error)


def test_gaussian_fits_recover_the_closed_forms():
    rng = np.random.default_rng(1)
    covariance = np.array([[1.0, 0.5, 0.3], [0.5, 2.0, 0.1], [0.3, 0.1, 1.0]])
    z = rng.multivariate_normal(np.ones(3), covariance, size=50_000)
    exact = gaussian_total_correlation(covariance)
    assert fitted_gaussian_total_correlation(z) == pytest.approx(exact, rel=0.05)
    x, y = z[:, 0], z[:, 1]
    expected = -0.5 * np.log(1 - 0.25 / 2)
    assert fitted_gaussian_mutual_information(x, y) == pytest.approx(expected, rel=0.05)


def test_gaussian_fit_is_blind_to_dependence_without_correlation():
    x = np.random.default_rng(2).normal(size=20_000)
    assert fitted_gaussian_mutual_information(x, x**2) == pytest.approx(0.0, abs=1e-2)


def test_invalid_samples_are_refused():
    with pytest.raises(TypeError, match="column 1 must be discrete, received real numbers"):
        empirical_table([0, 1], [0.5, 1.5])
    with pytest.raises(ValueError, match=r"same length, received \[2, 3\]"):
        empirical_table([0, 1], [0, 1, 1])
    with pytest.raises(ValueError, match="at least one column"):
        empirical_table()
    with pytest.raises(ValueError, match="positive definite"):
        fitted_gaussian_total_correlation(np.repeat([[0.0], [1.0], [3.0]], 2, axis=1))
    with pytest.raises(ValueError, match="2 columns"):
        fitted_gaussian_total_correlation([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="same length, received 3 and 2"):
        fitted_gaussian_mutual_information([1.0, 2.0, 3.0], [1.0, 2.0])


@pytest.mark.parametrize("seed", range(40))
def test_singular_fits_are_refused_however_they_are_rounded(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rng.integers(10, 2000))
    with pytest.raises(ValueError, match="positive definite"):
        fitted_gaussian_mutual_information(x, 2.7 * x + 1)
    with pytest.raises(ValueError, match="positive definite"):
        fitted_gaussian_total_correlation(rng.normal(size=(10, 10)))


@pytest.mark.parametrize("num", [7, 10, 100, 1000])
def test_a_column_of_one_value_has_no_gaussian(num):
    x = np.random.default_rng(0).normal(size=num)
    with pytest.raises(ValueError, match="its least eigenvalue is 0"):
        fitted_gaussian_mutual_information(x, np.full(num, 0.1))
