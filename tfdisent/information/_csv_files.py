"""Numbers from .csv files: a matrix, or a line per cell under a header."""

from __future__ import annotations

import csv
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np

from tfdisent.information._entries import PROBABILITY, Entries, check_names, check_size


def read_csv(path) -> Entries:
    """Numbers alone are a matrix, or a vector if there is one row or column of them."""
    rows = _read_rows(path)
    if all(_number(cell) is not None for cell in rows[0][1]):
        return _read_matrix(path, rows)
    return _read_list(path, rows)


def read_csv_samples(path) -> tuple[tuple[str, ...], np.ndarray]:
    """(names, integers [N, variables]); the first line holds names if none of it is a number."""
    rows = _read_rows(path)
    width, names = len(rows[0][1]), None
    if all(_number(cell) is None for cell in rows[0][1]):
        (_, names), *rows = rows
        _check_not_empty(rows, path)
    samples = [
        [_check_integer(cell, f"{path}, line {line}, column {j + 1}") for j, cell in enumerate(row)]
        for line, row in rows
    ]
    return check_names(names, width, path), np.array(samples, dtype=np.int64)


def _read_rows(path) -> list[tuple[int, list[str]]]:
    """[(line number, cells)], all of the same length; empty lines and comments are skipped."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, skipinitialspace=True)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no .csv file: {error}.") from None
    rows = [(line, row) for line, row in rows if any(row) and not row[0].startswith("#")]
    if not rows:
        raise ValueError(f"{path} holds no rows.")
    first, width = rows[0][0], len(rows[0][1])
    for line, row in rows:
        if len(row) != width:
            raise ValueError(
                f"{path}, line {line}: expected {width} cells as in line {first}, "
                f"received {len(row)}."
            )
    return rows


def _check_not_empty(rows, path) -> None:
    if not rows:
        raise ValueError(f"{path} holds no rows under its header.")


def _read_matrix(path, rows) -> Entries:
    p = np.array(
        [
            [
                _check_number(cell, f"{path}, line {line}, column {j + 1}")
                for j, cell in enumerate(row)
            ]
            for line, row in rows
        ]
    )
    lines = [line for line, _ in rows]
    if 1 in p.shape:
        by_row = p.shape[0] > 1
        p = p.reshape(-1)

        def where(index):
            row, column = (index[0], 0) if by_row else (0, index[0])
            return f"line {lines[row]}, column {column + 1}"
    else:

        def where(index):
            return f"line {lines[index[0]]}, column {index[1] + 1}"

    values = tuple(tuple(range(size)) for size in p.shape)
    return Entries(p, check_names(None, p.ndim, path), values, where)


def _read_list(path, rows) -> Entries:
    (first, header), *rows = rows
    if header.count(PROBABILITY) != 1 or len(header) < 2:
        raise ValueError(
            f"{path}, line {first}: expected the names of variables and one column "
            f"{PROBABILITY}, or numbers alone, received {', '.join(header)}."
        )
    _check_not_empty(rows, path)
    at = header.index(PROBABILITY)
    variables = check_names(header[:at] + header[at + 1 :], len(header) - 1, path)
    columns = [_index([row[j] for _, row in rows]) for j in range(len(header)) if j != at]
    values = tuple(names for names, _ in columns)
    check_size([len(names) for names in values], path)
    p, lines = np.zeros([len(names) for names in values]), {}

    def cell(index):
        named = zip(variables, values, index, strict=True)
        return ", ".join(f"{name} = {names[i]}" for name, names, i in named)

    indices = zip(*(index for _, index in columns), strict=True)
    for index, (line, row) in zip(indices, rows, strict=True):
        if index in lines:
            raise ValueError(
                f"{path}, line {line}: {cell(index)} stands in line {lines[index]} already."
            )
        lines[index] = line
        p[index] = _check_number(row[at], f"{path}, line {line}: {PROBABILITY} of {cell(index)}")
    return Entries(
        p, variables, values, lambda index: f"line {lines[index]}: {PROBABILITY} of {cell(index)}"
    )


def _index(cells: list[str]) -> tuple[tuple, list[int]]:
    """The values of a column, numbers in order and words as they come, and each cell's index."""
    numbers = [_number(cell) for cell in cells]
    if all(number is not None and math.isfinite(number) for number in numbers):
        whole = [_integer(cell) for cell in cells]
        cells = [n if i is None else i for i, n in zip(whole, numbers, strict=True)]
        values = sorted(set(cells))
    else:
        values = list(dict.fromkeys(cells))
    position = {value: i for i, value in enumerate(values)}
    return tuple(values), [position[cell] for cell in cells]


def _number(cell: str) -> float | None:
    """The number in a cell, also of a fraction such as 1/3; None for anything else."""
    try:
        return float(Fraction(cell) if "/" in cell else cell)
    except (ValueError, ZeroDivisionError):
        return None


def _integer(cell: str) -> int | None:
    """The integer in a cell with all its digits; None for anything else."""
    number = _number(cell)
    if number is None or not number.is_integer():
        return None
    if abs(number) < 2.0**53:  # a float has all its digits
        return int(number)
    exact = Fraction(cell) if "/" in cell else Decimal(cell)
    whole = int(exact)
    return whole if whole == exact else None


def _check_number(cell: str, name: str) -> float:
    number = _number(cell)
    if number is None:
        raise ValueError(f"{name} must be a number, received {cell!r}.")
    return number


def _check_integer(cell: str, name: str) -> int:
    whole = _integer(cell)
    if whole is None:
        raise ValueError(f"{name} must be an integer, received {cell!r}.")
    if not -(2**63) <= whole < 2**63:
        raise ValueError(f"{name} must be an integer of 64 bits, received {cell!r}.")
    return whole
