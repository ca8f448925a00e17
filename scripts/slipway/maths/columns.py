"""One column of a batch, made ready for counting: what is missing is counted apart, what is left is rounded."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

SIGNIFICANT_DIGITS = 6
_LARGEST_POWER = 300
_POWERS_OF_TEN = np.array([float(f"1e{power}") for power in range(-_LARGEST_POWER, _LARGEST_POWER + 1)])
_LARGEST = float(_POWERS_OF_TEN[-1])
_EXACT_POWER = 22  # 10**0 to 10**22 are exact in float64
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
    ordered = _sorted(column)
    below, above, end = np.searchsorted(ordered, (-_LARGEST, np.nextafter(_LARGEST, np.inf), np.nan)).tolist()
    counters = Counters(
        rows=column.size + null,
        null=null,
        nan=ordered.size - end,
        positive_inf=end - above,
        negative_inf=below,
    )
    return round_sorted(ordered[below:above], digits=digits), counters


def _sorted(column: npt.NDArray[Any]) -> FloatArray:
    """As float64, NaN last. Narrow numbers are sorted as they are, which is faster, and float64 keeps their order."""
    narrow = column.dtype in (np.float32, np.int32, np.int16, np.int8, np.uint32, np.uint16, np.uint8)
    return np.sort(column).astype(np.float64) if narrow else np.sort(column.astype(np.float64))


def round_sorted(ordered: FloatArray, *, digits: int) -> FloatArray:
    """Keep so many significant decimal digits of sorted values, which stay sorted; |ordered| must be at most 1e300.

    Sorted values lie in runs of one power of ten, so that no value needs a logarithm. Powers come from a table, and
    10**0 to 10**22 are exact in float64, so that for numbers of everyday size the result is the float nearest to the
    rounded decimal, on every machine.
    """
    rounded = np.zeros_like(ordered)
    first, last = np.searchsorted(ordered, 0.0, side="left"), np.searchsorted(ordered, 0.0, side="right")
    exact = _round_positive(ordered[last:], digits=digits, into=rounded[last:])
    exact &= _round_positive(-ordered[:first][::-1], digits=digits, into=rounded[:first][::-1])
    np.negative(rounded[:first], out=rounded[:first])
    rounded += 0.0  # turns -0.0 into 0.0
    return rounded if exact else np.sort(rounded)  # inexact powers can round two neighbours past each other


def _round_positive(ascending: FloatArray, *, digits: int, into: FloatArray) -> bool:
    """Round; whether every power of ten on the way was exact."""
    if ascending.size == 0:
        return True
    lowest, highest = np.searchsorted(_POWERS_OF_TEN, ascending[[0, -1]], side="right").tolist()
    cuts = [0, *np.searchsorted(ascending, _POWERS_OF_TEN[lowest:highest]).tolist(), ascending.size]
    exact = True
    for number, (start, end) in enumerate(itertools.pairwise(cuts)):
        places = min(digits - (lowest + number - _LARGEST_POWER), _LARGEST_POWER)
        scale, run = _POWERS_OF_TEN[_LARGEST_POWER + abs(places)], into[start:end]
        there, back = (np.multiply, np.divide) if places >= 0 else (np.divide, np.multiply)
        there(ascending[start:end], scale, out=run)
        np.rint(run, out=run)
        back(run, scale, out=run)
        exact &= abs(places) <= _EXACT_POWER
    return exact


@dataclass(frozen=True, slots=True)
class CountedWords:
    """A column of text whose equal values were counted before, which a reader of files does faster than Python."""

    names: Mapping[str, int]
    null: int = 0

    @classmethod
    def of(cls, values: Iterable[Any], counts: Iterable[int]) -> Self:
        """Of values and how often each stands there. The empty text is a category, None and NaN are none.

        Anything that is no text is counted under its `str()`, bytes as UTF-8.
        """
        names: Counter[str] = Counter()
        null = 0
        for value, count in zip(values, counts, strict=True):
            if value is None or value != value:  # noqa: PLR0124 - true of NaN alone, of any type
                null += count
            else:
                names[_name(value)] += count
        return cls(names, null)


def read_categories(values: npt.ArrayLike | CountedWords) -> tuple[Counter[str], int]:
    """Count the categories of a column, shape (N,) or (N, 1), and its nulls: see `CountedWords.of`."""
    if not isinstance(values, CountedWords):
        counted = Counter(one_dimensional(values).tolist())
        values = CountedWords.of(counted.keys(), counted.values())
    return Counter(values.names), values.null


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
