import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfdisent import information
from tfdisent.information import table_summary


def _h(p, *axes):
    """Entropy in bits of the variables on `axes`, written out once more."""
    q = p.sum(axis=tuple(set(range(p.ndim)) - set(axes)))
    return float(-sum(v * math.log2(v) for v in q.reshape(-1) if v > 0))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_measure_is_the_one_that_its_name_says(seed):
    p = np.random.default_rng(seed).dirichlet(np.full(12, 0.5)).reshape(2, 3, 2)
    measures = table_summary(p).measures
    names = ("X1", "X2", "Y")
    for size in (1, 2, 3):
        for axes in itertools.combinations(range(3), size):
            name = f"H({', '.join(names[a] for a in axes)})"
            assert measures["entropy"][name] == pytest.approx(_h(p, *axes), abs=1e-9)
    assert len(measures["entropy"]) == 7
    for a, b in itertools.permutations(range(3), 2):
        value = measures["conditional entropy"][f"H({names[a]} | {names[b]})"]
        assert value == pytest.approx(_h(p, a, b) - _h(p, b), abs=1e-9)
    given_both = measures["conditional entropy"]["H(X1 | X2, Y)"]
    assert given_both == pytest.approx(_h(p, 0, 1, 2) - _h(p, 1, 2), abs=1e-9)
    for a, b in itertools.combinations(range(3), 2):
        value = measures["mutual information"][f"I({names[a]}; {names[b]})"]
        assert value == pytest.approx(_h(p, a) + _h(p, b) - _h(p, a, b), abs=1e-9)
        (c,) = {0, 1, 2} - {a, b}
        value = measures["conditional mutual information"][
            f"I({names[a]}; {names[b]} | {names[c]})"
        ]
        expected = _h(p, a, c) + _h(p, b, c) - _h(p, c) - _h(p, 0, 1, 2)
        assert value == pytest.approx(expected, abs=1e-9)
    whole = _h(p, 0, 1) + _h(p, 2) - _h(p, 0, 1, 2)
    assert measures["mutual information"]["I(X1, X2; Y)"] == pytest.approx(whole, abs=1e-9)
    specific = measures["specific information"].values()
    assert p.sum((0, 1)) @ list(specific) == pytest.approx(whole, abs=1e-9)
    assert sum(measures["partial information"].values()) == pytest.approx(whole, abs=1e-9)
    synergy = measures["synergy"]
    assert synergy["I_VK"] + synergy["S_VK"] == pytest.approx(whole, abs=1e-8)
    everything = measures["all variables"]
    total = _h(p, 0) + _h(p, 1) + _h(p, 2) - _h(p, 0, 1, 2)
    assert everything["total correlation"] == pytest.approx(total, abs=1e-9)


def test_and_gate_has_the_published_values(gates):
    summary = table_summary(gates["AND"])
    synergy, atoms = summary.measures["synergy"], summary.measures["partial information"]
    assert synergy["WMS"] == pytest.approx(0.1887, abs=5e-5)
    assert synergy["S_VK"] == pytest.approx(0.5, abs=1e-8)
    assert synergy["S_max"] == pytest.approx(0.5, abs=1e-9)
    assert synergy["I_min"] == pytest.approx(0.3113, abs=5e-5)
    assert list(atoms) == ["{X1}{X2}", "{X1}", "{X2}", "{X1 X2}"]
    assert atoms["{X1 X2}"] == pytest.approx(0.5, abs=1e-9)
    assert summary.synergy_gap <= 1e-9


def test_one_variable_has_an_entropy_and_a_code():
    summary = table_summary([0.5, 0.25, 0.125, 0.125])
    assert summary.measures == {"entropy": {"H(X)": 1.75}}
    assert list(summary.codes) == ["X"] and summary.codes["X"].expected_length == 1.75


def test_two_variables_have_no_synergy_to_speak_of():
    measures = table_summary([[0.5, 0], [0, 0.5]], ["a", "b"], ["no", "yes"]).measures
    assert set(measures["entropy"]) == {"H(a)", "H(b)", "H(a, b)"}
    assert set(measures["conditional entropy"]) == {"H(a | b)", "H(b | a)"}
    assert measures["mutual information"] == {"I(a; b)": pytest.approx(1.0)}
    assert set(measures["specific information"]) == {"I(a; b = no)", "I(a; b = yes)"}
    assert "synergy" not in measures and "conditional mutual information" not in measures


def test_four_variables_have_eighteen_atoms_and_five_have_none():
    p = np.random.default_rng(0).dirichlet(np.ones(16)).reshape(2, 2, 2, 2)
    measures = table_summary(p).measures
    assert len(measures["partial information"]) == 18
    assert "I(X1; X2 | X3, Y)" in measures["conditional mutual information"]
    p = np.random.default_rng(0).dirichlet(np.ones(32)).reshape(2, 2, 2, 2, 2)
    measures = table_summary(p).measures
    assert "partial information" not in measures and "synergy" in measures


def test_base_is_only_a_unit(gates):
    bits, nats = (table_summary(gates["SUM"], base=base).measures for base in (2, math.e))
    for group, values in bits.items():
        for name, value in values.items():
            assert nats[group][name] == pytest.approx(value * math.log(2), abs=1e-8)


def test_codes_have_digits_of_a_whole_base_and_else_bits():
    p = np.full((3, 3), 1 / 9)
    trits, nats = table_summary(p, base=3), table_summary(p, base=math.e)
    assert trits.codes["X1, Y"].expected_length == pytest.approx(2.0)
    assert trits.code_entropies["X1, Y"] == pytest.approx(2.0)
    assert nats.codes["Y"].arity == 2
    assert nats.code_entropies["Y"] == pytest.approx(math.log2(3))


def test_code_of_all_variables_numbers_the_cells(gates):
    code = table_summary(gates["XOR"]).codes["X1, X2, Y"]
    cells = [np.unravel_index(symbol, (2, 2, 2)) for symbol in code.codewords]
    assert all((a ^ b) == y for a, b, y in cells) and len(cells) == 4


@pytest.mark.parametrize(
    "names", [{"variables": ["a"]}, {"variables": ["a", "b"], "values": [0, 1, 2]}]
)
def test_missing_names_are_refused(names):
    with pytest.raises(ValueError, match="expected names of 2 variables and of 2 values"):
        table_summary([[0.5, 0], [0, 0.5]], **names)


def test_what_is_no_table_is_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        information.table_summary([0.5, 0.4])
    with pytest.raises(ValueError, match="base"):
        information.table_summary([0.5, 0.5], base=1)


def test_names_that_would_replace_each_other_are_refused(gates):
    with pytest.raises(ValueError, match="variables must have different names, received 'a' twice"):
        table_summary(gates["AND"], ["a", "b", "a"])
    with pytest.raises(ValueError, match="values must have different names, received '0' twice"):
        table_summary(gates["AND"], values=[0, "0"])
