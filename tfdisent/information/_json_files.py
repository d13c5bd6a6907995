"""Numbers from .json files: nested lists, bare or in an object that names the variables."""

from __future__ import annotations

import json

import numpy as np

from tfdisent.information._entries import PROBABILITY, Entries, check_names


def read_json(path) -> Entries:
    """One level of lists is one variable."""
    fields = _read_fields(path, PROBABILITY, ("variables", "values"))
    p = _check_nested(fields[PROBABILITY], f"{path}, {PROBABILITY}")
    variables = check_names(fields.get("variables"), p.ndim, path)
    values = fields.get("values", [list(range(size)) for size in p.shape])
    if not isinstance(values, list) or [_length(names) for names in values] != list(p.shape):
        raise ValueError(
            f"{path}: values must hold lists of {' and '.join(map(str, p.shape))} entries, "
            f"received {json.dumps(values)}."
        )
    return Entries(
        p,
        variables,
        tuple(map(tuple, values)),
        lambda index: PROBABILITY + "".join(f"[{i}]" for i in index),
    )


def read_json_samples(path) -> tuple[tuple[str, ...], np.ndarray]:
    """(names, integers [N, variables])."""
    fields = _read_fields(path, "samples", ("variables",))
    samples = _check_nested(fields["samples"], f"{path}, samples")
    if samples.ndim != 2:
        raise ValueError(f"{path}: samples must be a list of rows, received {samples.ndim} levels.")
    for is_wrong, kind in (
        (~(np.isfinite(samples) & (samples == np.round(samples))), "an integer"),
        (np.abs(samples) >= 2.0**63, "an integer of 64 bits"),
    ):
        if is_wrong.any():
            i, j = np.argwhere(is_wrong)[0]
            raise ValueError(
                f"{path}, samples[{i}][{j}] must be {kind}, received {samples[i, j]:g}."
            )
    # From the lists: the floats lack the last digits of integers beyond 2^53.
    exact = np.array([[int(entry) for entry in row] for row in fields["samples"]], dtype=np.int64)
    return check_names(fields.get("variables"), samples.shape[1], path), exact


def _read_fields(path, wanted: str, optional: tuple[str, ...]) -> dict:
    """The fields of an object; a bare list is its field `wanted`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is no .json file: {error}.") from None
    if isinstance(content, list):
        return {wanted: content}
    known = (wanted, *optional)
    if not isinstance(content, dict) or wanted not in content or set(content) - set(known):
        received = ", ".join(content) if isinstance(content, dict) else json.dumps(content)
        raise ValueError(
            f"{path}: expected nested lists or an object with the field {wanted} and perhaps "
            f"{' and '.join(optional)}, received {received}."
        )
    return content


def _check_nested(nested, name: str) -> np.ndarray:
    """Nested lists of numbers as an array, or the name of the entry that is wrong."""
    shape, first = [], nested
    while isinstance(first, list):
        shape.append(len(first))
        first = first[0] if first else None

    def check(entry, axis, name):
        if axis < len(shape):
            if _length(entry) != shape[axis]:
                raise ValueError(
                    f"{name} must be a list of {shape[axis]} entries like the first, "
                    f"received {json.dumps(entry)}."
                )
            if not entry:
                raise ValueError(f"{name} must not be empty.")
            for i, part in enumerate(entry):
                check(part, axis + 1, f"{name}[{i}]")
        elif isinstance(entry, bool) or not isinstance(entry, (int, float)):
            raise ValueError(f"{name} must be a number, received {json.dumps(entry)}.")

    if not shape:
        raise ValueError(f"{name} must be nested lists, received {json.dumps(nested)}.")
    check(nested, 0, name)
    return np.array(nested, dtype=np.float64)


def _length(entry) -> int | None:
    return len(entry) if isinstance(entry, list) else None
