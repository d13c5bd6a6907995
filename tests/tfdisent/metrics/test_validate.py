"""Checks that every score makes on its arrays."""

import numpy as np
import pytest

from tfdisent.metrics import _validate


@pytest.fixture
def factors():
    return np.array([[0, 4], [1, 4], [2, 4]])


def test_factors_with_one_value_are_dropped(factors):
    data = _validate.check_data(factors, np.zeros((3, 1)))
    assert data.kept_factors == (0,)
    assert data.factors.tolist() == [[0], [1], [2]]


def test_groups_become_one_label_after_the_continuous_columns():
    codes = np.array([[0.1, 5.0, 0.9, 2.0], [0.8, 6.0, 0.2, 1.0]])
    units = _validate.check_codes(codes, ((0, 2), (3,)))
    assert units.continuous.tolist() == [[5.0], [6.0]]
    assert [label.tolist() for label in units.labels] == [[1, 0], [2, 1]]
    assert units.columns == ((1,), (0, 2), (3,))
    assert len(units) == 3


def test_features_are_one_hot_per_group():
    units = _validate.check_codes(np.array([[7.0, 2.5], [3.0, 0.5], [7.0, 1.5]]), ((0,),))
    features, owner = units.features()
    assert features.tolist() == [[2.5, 0, 1], [0.5, 1, 0], [1.5, 0, 1]]
    assert owner.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("codes", "columns", "message"),
    [
        (np.zeros((3, 2)), ((2,),), r"must be in 0\.\.1, received 2"),
        (np.zeros((3, 2)), ((-1,),), r"must be in 0\.\.1, received -1"),
        (np.zeros((3, 2)), ((0, 1), (1,)), "disjoint"),
        (np.zeros((3, 2)), ((),), "non-empty column tuples"),
        (np.zeros((3, 2)), (0, 1), "non-empty column tuples"),
        (np.full((3, 1), 0.5), ((0,),), "integer labels"),
        (np.full((3, 1), np.nan), (), "3 NaN or infinite"),
        (np.array([[0.0], [np.inf], [1.0]]), (), "1 NaN or infinite"),
        (np.full((3, 1), 1e200), (), "magnitude 1e[+]200"),
        (np.zeros(3), (), r"shape \[N, D\], received \[3\]"),
        (np.zeros((0, 2)), (), "not be empty"),
        (np.zeros((3, 0)), (), "not be empty"),
        (np.zeros((2, 2)), (), "equal length, received 3 and 2"),
    ],
)
def test_wrong_codes_raise(factors, codes, columns, message):
    with pytest.raises(ValueError, match=message):
        _validate.check_data(factors, codes, columns)


@pytest.mark.parametrize(
    ("factors", "error", "message"),
    [
        (np.zeros((3, 2), int), ValueError, "at least one factor must have two values"),
        (np.array([[1, 2]]), ValueError, "at least one factor must have two values"),
        (np.zeros(3, int), ValueError, r"shape \[N, K\]"),
        (np.zeros((0, 2), int), ValueError, "not be empty"),
        (np.zeros((3, 2)), TypeError, "integer classes, received dtype float64"),
    ],
)
def test_wrong_factors_raise(factors, error, message):
    with pytest.raises(error, match=message):
        _validate.check_data(factors, np.zeros((len(factors), 1)))


def test_complex_codes_raise():
    with pytest.raises(TypeError, match="real numbers, received dtype complex128"):
        _validate.check_matrix(np.zeros((2, 2), complex))


@pytest.mark.parametrize("rows", [[], [0.5], [[0]], [3], [-1]])
def test_wrong_rows_raise(rows):
    with pytest.raises(ValueError, match="train"):
        _validate.check_rows(rows, 3, "train")


@pytest.mark.parametrize("value", [0, 2.0, True, "3"])
def test_wrong_counts_raise(value):
    with pytest.raises(ValueError, match="bins must be an integer >= 1"):
        _validate.check_positive_int(value, "bins")


def test_labels_beyond_int64_stay_different():
    label = np.array([[1e20], [2e20], [-3e20], [1e20]])
    assert _validate.check_codes(label, ((0,),)).labels[0].tolist() == [1, 2, 0, 1]
    label = np.array([[2.0**62], [-(2.0**63)], [0.0]])
    assert _validate.check_codes(label, ((0,),)).labels[0].tolist() == [2, 0, 1]


def test_varying_data_keep_the_names_of_their_factors():
    factors = np.array([[7, 0, 1, 3], [7, 0, 2, 4], [7, 1, 1, 3]])
    data = _validate.check_data(factors, np.zeros((3, 1)))
    assert data.kept_factors == (1, 2, 3)
    some = data.take([0, 1]).varying()
    assert some.kept_factors == (2, 3)
    assert some.factors.tolist() == [[1, 3], [2, 4]]
    with pytest.raises(ValueError, match=r"3 factor\(s\) with one value over 1 drawn row\(s\)"):
        data.take([0]).varying("drawn ")
