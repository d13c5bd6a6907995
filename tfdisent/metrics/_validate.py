"""The checks that every score makes on its arrays, and the units a representation consists of."""

import dataclasses

import numpy as np

# Squares of larger numbers leave float64, and a variance would silently become NaN.
_LARGEST = 1e150


@dataclasses.dataclass(frozen=True)
class Units:
    """A representation as units: its continuous columns in order, then one label per group.

    Attributes:
        continuous: float64 [N, C], the columns in no group, in order.
        labels: tuple of int64 [N], one per group: its argmax, or the integer label itself (its
            rank among the labels if one of them is beyond int64).
        columns: tuple of column tuples, one per unit; a continuous unit has one column.
    """

    continuous: np.ndarray
    labels: tuple
    columns: tuple

    def __len__(self):
        """The number of units D."""
        return self.continuous.shape[1] + len(self.labels)

    @property
    def num_rows(self):
        """The number of rows N."""
        return self.continuous.shape[0]

    def take(self, rows):
        """Returns the units of these rows."""
        return Units(
            self.continuous[rows], tuple(label[rows] for label in self.labels), self.columns
        )

    def features(self):
        """Returns the units as numbers for a predictor, groups as one-hot columns.

        Returns:
            Float64 [N, F], and int [F]: the unit each feature belongs to.
        """
        if not self.labels:
            return self.continuous, np.arange(len(self))
        blocks = [self.continuous]
        owner = list(range(self.continuous.shape[1]))
        for unit, label in enumerate(self.labels, start=self.continuous.shape[1]):
            blocks.append(one_hot(label))
            owner += [unit] * blocks[-1].shape[1]
        return np.concatenate(blocks, axis=1), np.asarray(owner, dtype=np.int64)


@dataclasses.dataclass(frozen=True)
class Data:
    """Checked factors and units.

    Attributes:
        factors: int64 [N, K], the factors with at least two values.
        kept_factors: tuple of the K column indices of the given factors.
        units: the representation.
    """

    factors: np.ndarray
    kept_factors: tuple
    units: Units

    @property
    def num_rows(self):
        """The number of rows N."""
        return self.factors.shape[0]

    def take(self, rows):
        """Returns the data of these rows; a factor may have one value among them."""
        return Data(self.factors[rows], self.kept_factors, self.units.take(rows))

    def varying(self, kind=""):
        """Returns the data without the factors that have one value: fixing them fixes nothing.

        Args:
            kind: what the rows are in the error message, such as "drawn ".

        Raises:
            ValueError: if no factor has two values.
        """
        kept = np.flatnonzero((self.factors != self.factors[:1]).any(axis=0))
        if kept.size == 0:
            raise ValueError(
                "at least one factor must have two values, received "
                f"{self.factors.shape[1]} factor(s) with one value over {self.num_rows} "
                f"{kind}row(s)."
            )
        kept_factors = tuple(self.kept_factors[k] for k in kept)
        return Data(self.factors[:, kept], kept_factors, self.units)


def check_data(factors, codes, discrete_columns=()):
    """Checks factors and codes and splits the codes into units.

    Args:
        factors: int [N, K].
        codes: float [N, D].
        discrete_columns: tuple of column tuples, one per discrete group.

    Returns:
        `Data`. Factors with one value are dropped.

    Raises:
        TypeError: if the factors are no integers or the codes no real numbers.
        ValueError: if shapes, lengths, values or columns are not as stated, or if no factor has
            two values.
    """
    factors = check_factors(factors)
    units = check_codes(codes, discrete_columns)
    if factors.shape[0] != units.num_rows:
        raise ValueError(
            f"factors and codes must have equal length, received {factors.shape[0]} and "
            f"{units.num_rows} rows."
        )
    return Data(factors, tuple(range(factors.shape[1])), units).varying()


def check_factors(factors):
    """Returns `factors` as int64 [N, K], or raises if they are not integer classes."""
    factors = np.asarray(factors)
    if factors.ndim != 2:
        raise ValueError(f"factors must have shape [N, K], received {list(factors.shape)}.")
    if factors.size == 0:
        raise ValueError(f"factors must not be empty, received shape {list(factors.shape)}.")
    if factors.dtype.kind not in "iub":
        raise TypeError(f"factors must be integer classes, received dtype {factors.dtype}.")
    return factors.astype(np.int64)


def check_matrix(codes, name="codes"):
    """Returns `codes` as float64 [N, D], or raises if they are not finite real numbers."""
    codes = np.asarray(codes)
    if codes.ndim != 2:
        raise ValueError(f"{name} must have shape [N, D], received {list(codes.shape)}.")
    if codes.size == 0:
        raise ValueError(f"{name} must not be empty, received shape {list(codes.shape)}.")
    if codes.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be real numbers, received dtype {codes.dtype}.")
    codes = codes.astype(np.float64, copy=False)
    if np.isfinite(np.vdot(codes, codes)):  # one pass, and false if any code is NaN or infinite
        return codes
    largest = max(abs(codes.min()), abs(codes.max()))
    if not largest <= _LARGEST:
        bad = int(np.sum(~np.isfinite(codes)))
        found = f"{bad} NaN or infinite" if bad else f"magnitude {largest:.3g}"
        raise ValueError(
            f"{name} must be finite and at most {_LARGEST:g} in magnitude, received {found}."
        )
    return codes


def check_codes(codes, discrete_columns=()):
    """Returns the `Units` of float codes [N, D], or raises; see `check_data`."""
    codes = check_matrix(codes)
    groups = check_discrete_columns(discrete_columns, codes.shape[1])
    grouped = {column for group in groups for column in group}
    continuous = [column for column in range(codes.shape[1]) if column not in grouped]
    labels = tuple(_labels(codes, group) for group in groups)
    columns = tuple((column,) for column in continuous) + groups
    return Units(codes[:, continuous] if grouped else codes, labels, columns)


def check_discrete_columns(discrete_columns, num_columns):
    """Returns `discrete_columns` as a tuple of int tuples: non-empty, in range, disjoint."""
    groups = []
    for group in discrete_columns:
        if np.ndim(group) != 1 or len(group) == 0:
            raise ValueError(
                "discrete_columns must be a tuple of non-empty column tuples, one per group, "
                f"received {discrete_columns!r}."
            )
        groups.append(tuple(int(column) for column in group))
    flat = [column for group in groups for column in group]
    outside = [column for column in flat if not 0 <= column < num_columns]
    if outside:
        raise ValueError(
            f"discrete columns must be in 0..{num_columns - 1}, received {outside[0]}."
        )
    if len(set(flat)) != len(flat):
        raise ValueError(f"discrete columns must be disjoint, received {discrete_columns!r}.")
    return tuple(groups)


def check_rows(rows, num_rows, name):
    """Returns row indices as int64 [n]; raises if empty, no integers or out of range."""
    rows = np.asarray(rows)
    if rows.ndim != 1 or rows.size == 0 or rows.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a non-empty vector of row indices, received shape "
            f"{list(rows.shape)} and dtype {rows.dtype}."
        )
    if rows.min() < 0 or rows.max() >= num_rows:
        raise ValueError(
            f"{name} rows must be in 0..{num_rows - 1}, received {rows.min()}..{rows.max()}."
        )
    return rows.astype(np.int64)


def check_positive_int(value, name, minimum=1):
    """Returns `value` if it is an integer of at least `minimum`, or raises."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, received {value!r}.")
    return int(value)


def encode(labels):
    """Classes of int labels [N], counted from 0 in the order of the labels.

    Returns:
        Int64 [N] classes, and int64 [C] counts of the C distinct labels.
    """
    low = int(labels.min())
    if int(labels.max()) - low > 4 * labels.size + 1000:  # too sparse to count into a table
        _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
        return classes, counts
    shifted = labels - low
    counts = np.bincount(shifted)
    return (np.cumsum(counts > 0) - 1)[shifted], counts[counts > 0]


def one_hot(labels):
    """Returns float64 [N, C] indicators of the C distinct values of int labels [N]."""
    classes, counts = encode(labels)
    return np.eye(counts.size)[classes]


def _labels(codes, group):
    """The group's code: argmax over its columns (first index at ties), or its one integer label."""
    block = codes[:, list(group)]
    if len(group) > 1:
        return block.argmax(axis=1).astype(np.int64)
    label = block[:, 0]
    if not np.array_equal(label, np.rint(label)):
        raise ValueError(
            f"a discrete group of one column must hold integer labels, received fractions in "
            f"column {group[0]}."
        )
    if np.abs(label).max() >= 2.0**63:  # beyond int64, where a cast makes all labels one
        return np.unique(label, return_inverse=True)[1]
    return label.astype(np.int64)
