"""Every measure of one table, by the names that textbooks print."""

from __future__ import annotations

from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from tfdisent.information.entropy import conditional_entropy, entropy, joint_entropy
from tfdisent.information.huffman import HuffmanCode, huffman
from tfdisent.information.mutual_information import (
    conditional_mutual_information,
    mutual_information,
    specific_information,
)
from tfdisent.information.pid import pid
from tfdisent.information.synergy import i_min, s_max, whole_minus_sum
from tfdisent.information.tables import check_base, check_table, clip_negative, marginal
from tfdisent.information.total_correlation import dual_total_correlation, total_correlation
from tfdisent.information.union_information import union_information


class TableSummary(NamedTuple):
    """What a joint table says, in units of `base`.

    Attributes:
        base: base of the logarithm.
        measures: group -> name -> value. The groups are "entropy", "conditional entropy", "mutual
            information", "conditional mutual information", "all variables", "specific
            information", "synergy" and "partial information"; those that need more variables
            than there are, or fewer, are left out.
        codes: name of a variable -> Huffman code of its values in their order; the names of all
            variables, separated by commas -> that of the positions in the flattened table.
        code_entropies: the same names -> entropy in digits of the codes.
        synergy_gap: certified error of S_VK and I_VK; 0 if they are left out.
    """

    base: float
    measures: dict[str, dict[str, float]]
    codes: dict[str, HuffmanCode]
    code_entropies: dict[str, float]
    synergy_gap: float


def table_summary(p, variables=None, values=None, base: float = 2) -> TableSummary:
    """Computes every measure that applies to a table, the target on the last axis.

    With three variables or more, conditional quantities are given for pairs and for all the others;
    synergy asks for two predictors or more, partial information for two or three. Huffman codes
    have `base` digits, or two if `base` is not whole.

    >>> xor = [[[0.25, 0], [0, 0.25]], [[0, 0.25], [0.25, 0]]]
    >>> round(table_summary(xor).measures["synergy"]["S_VK"], 9)
    1.0

    Args:
        p: joint table, one axis per variable.
        variables: names of the variables, all different; None for X1, X2, ... and Y.
        values: names of the target's values, all different; None for 0, 1, ...
        base: base of the logarithm.

    Returns:
        A `TableSummary`.

    Raises:
        ValueError: if `p` is not a probability table, or names are missing or occur twice.
        RuntimeError: if floating-point arithmetic cannot certify the union information.
    """
    check_base(base)
    p = check_table(p, min_axes=1)
    if variables is None:
        variables = [*(f"X{i + 1}" for i in range(p.ndim - 1)), "Y" if p.ndim > 1 else "X"]
    values = range(p.shape[-1]) if values is None else values
    if len(variables) != p.ndim or len(values) != p.shape[-1]:
        raise ValueError(
            f"expected names of {p.ndim} variables and of {p.shape[-1]} values of the last, "
            f"received {len(variables)} and {len(values)}."
        )
    _check_different(variables, "variables")
    _check_different(values, "values")
    table = _Named(p, list(variables), base)
    measures = {"entropy": table.entropies()}
    gap = 0.0
    if p.ndim > 1:
        measures["conditional entropy"] = table.conditional_entropies()
        measures["mutual information"] = table.mutual_informations()
    if p.ndim > 2:
        measures["conditional mutual information"] = table.conditional_mutual_informations()
    if p.ndim > 1:
        measures["all variables"] = {
            "total correlation": total_correlation(p, base),
            "dual total correlation": dual_total_correlation(p, base),
        }
        measures["specific information"] = table.specific_informations(values)
    if p.ndim > 2:
        measures["synergy"], gap = table.synergies()
    if p.ndim in (3, 4):
        measures["partial information"] = table.atoms()
    arity = int(base) if base == int(base) else 2
    symbols = {name: marginal(p, (i,)) for i, name in enumerate(variables)}
    if p.ndim > 1:
        symbols[", ".join(variables)] = p.reshape(-1)
    codes = {name: huffman(q, arity) for name, q in symbols.items()}
    code_entropies = {name: entropy(q, arity) for name, q in symbols.items()}
    return TableSummary(base, measures, codes, code_entropies, gap)


def _check_different(names, what: str) -> None:
    """Raises if two names are written alike: a measure of one would replace that of the other."""
    seen = set()
    for name in map(str, names):
        if name in seen:
            raise ValueError(f"{what} must have different names, received {name!r} twice.")
        seen.add(name)


class _Named:
    """A table whose variables have names: measures by the way they are written."""

    def __init__(self, p: np.ndarray, variables: list[str], base: float):
        self.p, self.variables, self.base = p, variables, base
        self.axes = range(p.ndim)
        self.target = p.ndim - 1
        self.predictors = tuple(range(self.target))

    def write(self, axes) -> str:
        return ", ".join(self.variables[axis] for axis in axes)

    def others(self, *axes) -> tuple[int, ...]:
        return tuple(axis for axis in self.axes if axis not in axes)

    def part(self, *axes) -> np.ndarray:
        """The table of some variables in the order asked for."""
        kept = sorted(axes)
        return np.transpose(marginal(self.p, axes), [kept.index(axis) for axis in axes])

    def entropies(self) -> dict[str, float]:
        """Of each variable, of pairs, of all predictors and of all variables."""
        sets = [(axis,) for axis in self.axes]
        if self.p.ndim > 2:
            sets += combinations(self.axes, 2)
        sets += [self.predictors, tuple(self.axes)]
        return {
            f"H({self.write(axes)})": joint_entropy(self.p, axes, self.base)
            for axes in dict.fromkeys(filter(None, sets))
        }

    def conditional_entropies(self) -> dict[str, float]:
        """Of each variable given any other one, and given all of them."""
        pairs = [(a, (b,)) for a, b in permutations(self.axes, 2)]
        pairs += [(axis, self.others(axis)) for axis in self.axes]
        return {
            f"H({self.write((a,))} | {self.write(given)})": conditional_entropy(
                self.part(*given, a), base=self.base
            )
            for a, given in dict.fromkeys(pairs)
        }

    def mutual_informations(self) -> dict[str, float]:
        """Of pairs, and of all predictors with the target."""
        found = {
            f"I({self.write((a,))}; {self.write((b,))})": mutual_information(
                self.part(a, b), self.base
            )
            for a, b in combinations(self.axes, 2)
        }
        whole = f"I({self.write(self.predictors)}; {self.write((self.target,))})"
        return {**found, whole: mutual_information(self.p, self.base)}

    def conditional_mutual_informations(self) -> dict[str, float]:
        """Of pairs given all the others."""
        found = {}
        for a, b in combinations(self.axes, 2):
            given = self.others(a, b)
            name = f"I({self.write((a,))}; {self.write((b,))} | {self.write(given)})"
            found[name] = conditional_mutual_information(
                self.part(*given, a, b), range(len(given)), self.base
            )
        return found

    def specific_informations(self, values) -> dict[str, float]:
        """Of all predictors about each value of the target."""
        target = self.variables[self.target]
        return {
            f"I({self.write(self.predictors)}; {target} = {value})": float(information)
            for value, information in zip(
                values, specific_information(self.p, base=self.base), strict=True
            )
        }

    def synergies(self) -> tuple[dict[str, float], float]:
        """WMS, S_VK and S_max with the redundancy I_min, and the certified error of S_VK."""
        union = union_information(self.p, self.base)
        whole = mutual_information(self.p, self.base)
        found = {
            "WMS": whole_minus_sum(self.p, self.base),
            "S_VK": clip_negative(whole - union.value),
            "S_max": s_max(self.p, base=self.base),
            "I_VK": union.value,
            "I_min": i_min(self.p, base=self.base),
        }
        return found, union.gap

    def atoms(self) -> dict[str, float]:
        """The atoms of the partial information decomposition, as {X1}{X2} or {X1 X2}."""
        return {
            "".join(
                "{" + " ".join(self.variables[i] for i in source) + "}" for source in node
            ): atom
            for node, atom in pid(self.p, self.base).atoms.items()
        }
