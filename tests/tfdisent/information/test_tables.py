import math

import numpy as np
import pytest

from tfdisent import information
from tfdisent.information.tables import (
    check_axes,
    check_base,
    check_channel,
    check_count,
    check_table,
    clip_negative,
)

TABLE_FUNCTIONS = [
    information.entropy,
    information.joint_entropy,
    information.conditional_entropy,
    information.mutual_information,
    information.specific_information,
    information.total_correlation,
    information.dual_total_correlation,
    information.s_max,
    information.whole_minus_sum,
    information.s_vk,
    information.i_vk,
    information.i_min,
    information.union_information,
    information.proposition_1,
]


@pytest.mark.parametrize(
    ("entry", "message"),
    [(-0.25, r"p\[1, 0\] must not be negative"), (math.nan, r"p\[1, 0\] must be finite")],
)
@pytest.mark.parametrize("function", TABLE_FUNCTIONS, ids=lambda f: f.__name__)
def test_invalid_entry_is_named(function, entry, message):
    with pytest.raises(ValueError, match=message):
        function([[0.5, 0.25], [entry, 0.5]])


@pytest.mark.parametrize("function", TABLE_FUNCTIONS, ids=lambda f: f.__name__)
def test_wrong_sum_is_reported(function):
    with pytest.raises(ValueError, match=r"p must sum to 1 within 1e-06, received 0\.9"):
        function([[0.5, 0.2], [0.1, 0.1]])


@pytest.mark.parametrize(
    "function", [information.mutual_information, information.s_vk, information.i_min]
)
def test_missing_axis_is_reported(function):
    with pytest.raises(ValueError, match=r"at least 2 axes, one per variable, received .*\(2,\)"):
        function([0.5, 0.5])


def test_infinite_entry_of_a_vector_is_named():
    with pytest.raises(ValueError, match=r"p\[2\] must be finite, received inf"):
        check_table([0.5, 0.5, math.inf])


def test_complex_numbers_and_text_are_refused():
    with pytest.raises(TypeError, match="real numbers, received dtype complex128"):
        check_table(np.array([0.5, 0.5j]))
    with pytest.raises(TypeError, match="real numbers"):
        check_table(["0.5", "0.5"])


def test_empty_table_is_refused():
    with pytest.raises(ValueError, match=r"at least one entry, received shape \(2, 0\)"):
        check_table(np.zeros((2, 0)))


def test_sum_within_tolerance_is_divided_out():
    table = check_table(np.float32([1 / 3, 1 / 3, 1 / 3]) * (1 + 5e-7))
    assert table.dtype == np.float64
    assert table.sum() == pytest.approx(1.0, abs=1e-15)


def test_input_is_not_changed():
    p = np.array([0.5, 0.5 + 1e-7])
    check_table(p)
    assert p[1] == 0.5 + 1e-7


def test_channel_names_the_row_that_does_not_sum():
    with pytest.raises(ValueError, match=r"channel\[1\] must sum to 1 .* received 0\.8"):
        check_channel([[0.5, 0.5], [0.4, 0.4]])
    with pytest.raises(ValueError, match=r"channel\[0, 1\] must not be negative"):
        check_channel([[1.5, -0.5]])
    with pytest.raises(ValueError, match="must have 3 rows, received 1"):
        check_channel([[1.0]], num_inputs=3)
    with pytest.raises(ValueError, match="matrix"):
        check_channel([0.5, 0.5])


@pytest.mark.parametrize("base", [1.0, 0.5, -2.0, math.nan, math.inf])
def test_base_must_exceed_one(base):
    with pytest.raises(ValueError, match="base"):
        check_base(base)


def test_base_must_be_a_number():
    with pytest.raises(TypeError, match="base"):
        check_base("2")


def test_axes_are_sorted_and_may_count_from_the_end():
    assert check_axes([-1, 0], 3) == (0, 2)
    assert check_axes(1, 3) == (1,)
    with pytest.raises(ValueError, match="distinct"):
        check_axes([0, -3], 3)
    with pytest.raises(ValueError, match="received 3"):
        check_axes([3], 3)
    with pytest.raises(TypeError, match="integers"):
        check_axes([0.5], 3)


def test_count_must_be_a_whole_number_from_the_minimum():
    assert check_count(np.int64(3), "n") == 3
    with pytest.raises(TypeError, match="n must be an integer"):
        check_count(2.0, "n")
    with pytest.raises(ValueError, match="n must be at least 2, received 1"):
        check_count(1, "n", minimum=2)


def test_rounding_below_zero_is_clipped_and_nan_is_not():
    assert [clip_negative(value) for value in (-1e-17, 0.0, 0.5)] == [0.0, 0.0, 0.5]
    assert clip_negative(math.inf) == math.inf
    assert math.isnan(clip_negative(math.nan))


def test_every_public_name_exists():
    assert len(set(information.__all__)) == len(information.__all__)
    for name in information.__all__:
        assert hasattr(information, name)
