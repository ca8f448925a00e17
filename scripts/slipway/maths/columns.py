"""One column of a batch, made ready for counting: what is missing is counted apart, what is left is rounded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SIGNIFICANT_DIGITS = 6
_LARGEST_POWER = 300
_POWERS_OF_TEN = np.array([float(f"1e{power}") for power in range(_LARGEST_POWER + 1)])
_NUMERIC_KINDS = "biuf"


@dataclass(frozen=True, slots=True)
class Counters:
    """How many rows a numeric column has, and how many of them hold no finite number."""

    rows: int = 0
    null: int = 0
    nan: int = 0
    positive_inf: int = 0
    negative_inf: int = 0

    @property
    def missing(self) -> int:
        """Null and NaN together: writers of Parquet and CSV turn the one into the other."""
        return self.null + self.nan

    @property
    def infinite(self) -> int:
        return self.positive_inf + self.negative_inf

    @property
    def finite(self) -> int:
        return self.rows - self.missing - self.infinite

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def read_numbers(values: npt.ArrayLike, *, digits: int = SIGNIFICANT_DIGITS) -> tuple[FloatArray, Counters]:
    """Split a column into its finite values, rounded and sorted, and the counters of its rows.

    A magnitude above 1e300 counts as infinite, one below 1e-300 as zero: sums stay inside float64.

    Args:
        values: shape (N,) or (N, 1): bool, integer or float, or objects of these with None for null.
        digits: significant decimal digits to keep.

    Raises:
        TypeError: text, dates or other things that are no number.
        ValueError: more than one value a row.
    """
    column = one_dimensional(values)
    null = 0
    if column.dtype.kind == "O":
        present = [value for value in column.tolist() if value is not None]
        null = column.size - len(present)
        column = _numbers_of_objects(present)
    if column.dtype.kind not in _NUMERIC_KINDS:
        raise TypeError(f"a numeric column cannot hold {column.dtype}")
    numbers = column.astype(np.float64)
    numbers = np.where(np.abs(numbers) > _POWERS_OF_TEN[-1], np.copysign(np.inf, numbers), numbers)
    counters = Counters(
        rows=column.size + null,
        null=null,
        nan=int(np.isnan(numbers).sum()),
        positive_inf=int((numbers == np.inf).sum()),
        negative_inf=int((numbers == -np.inf).sum()),
    )
    return np.sort(round_significant(numbers[np.isfinite(numbers)], digits=digits)), counters


def round_significant(values: FloatArray, *, digits: int) -> FloatArray:
    """Keep so many significant decimal digits; |values| must be at most 1e300.

    Powers of ten come from a table, and 10**0 to 10**22 are exact in float64, so that for numbers of everyday size the
    result is the float nearest to the rounded decimal, on every machine.
    """
    magnitude = np.abs(values)
    exponent = np.zeros_like(magnitude)
    np.log10(magnitude, out=exponent, where=magnitude > 0)
    places = np.minimum(digits - 1 - np.floor(exponent), _LARGEST_POWER).astype(np.int64)
    scale = _POWERS_OF_TEN[np.abs(places)]
    with np.errstate(over="ignore"):  # in the branch that `where` drops
        whole = np.rint(np.where(places >= 0, values * scale, values / scale))
    rounded: FloatArray = np.where(places >= 0, whole / scale, whole * scale)
    return rounded + 0.0  # turns -0.0 into 0.0


def read_categories(values: npt.ArrayLike) -> tuple[Counter[str], int]:
    """Count the categories of a column, shape (N,) or (N, 1), and its nulls (None or NaN).

    The empty text is a category. Anything that is no text is counted under its `str()`, bytes as UTF-8.
    """
    counted = Counter(one_dimensional(values).tolist())
    names: Counter[str] = Counter()
    null = 0
    for value, count in counted.items():
        if value is None or value != value:  # noqa: PLR0124 - true of NaN alone, of any type
            null += count
        else:
            names[_name(value)] += count
    return names, null


def one_dimensional(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """A column of shape (N, 1) as (N,).

    Raises:
        ValueError: more than one value a row.
    """
    column = np.asarray(values)
    if column.ndim == 2 and column.shape[1] == 1:
        return column[:, 0]
    if column.ndim != 1:
        raise ValueError(f"a column has one value a row, not the shape {column.shape}")
    return column


def _numbers_of_objects(present: list[Any]) -> npt.NDArray[Any]:
    if any(isinstance(value, str | bytes) for value in present):
        raise TypeError("a numeric column cannot hold text")  # numpy would parse "1.5" and hide a schema break
    return np.asarray([float(value) for value in present], dtype=np.float64)


def _name(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
