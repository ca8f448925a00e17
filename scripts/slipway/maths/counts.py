"""A window kept as counts alone, for those who may not keep what their model was asked.

Such a sketch holds how many rows fell into each cell of a profile and how many held no finite number. It holds no
value, no name of a category, and no sum, since in a cell with one row that would be its value. Sketches add up in any
order, and give the same Kolmogorov-Smirnov distance, total variation and rate of what is missing as the rows do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import Counters, read_numbers
from slipway.maths.profile import (
    CategoryProfile,
    CategorySketch,
    ColumnProfile,
    NumericProfile,
    NumericSketch,
    ends_of_cells,
    sketch,
)

ColumnSketch = NumericSketch | CategorySketch
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """Rows that one version served, a sketch a column; `profile` is the digest of what they were counted against."""

    version: str
    profile: str
    rows: int
    columns: Mapping[str, ColumnSketch]

    def __add__(self, other: Self) -> Self:
        if (self.version, self.profile) != (other.version, other.profile):
            raise ValueError("windows of two versions or profiles cannot be added")
        shared = {name: added(self.columns[name], other.columns[name]) for name in self.columns.keys() & other.columns}
        both = dict(sorted({**self.columns, **other.columns, **shared}.items()))
        return type(self)(self.version, self.profile, self.rows + other.rows, both)

    def to_bytes(self) -> bytes:
        """JSON with a line a column; the same counts give the same bytes."""
        head = {"format": _FORMAT, "version": self.version, "profile": self.profile, "rows": self.rows}
        columns = ",\n".join(
            f"{json.dumps(name)}: {json.dumps(to_json(self.columns[name]))}" for name in sorted(self.columns)
        )
        return f'{json.dumps(head)[:-1]}, "columns": {{\n{columns}\n}}}}\n'.encode()

    @classmethod
    def from_bytes(cls, content: bytes, profiles: Mapping[str, ColumnProfile], *, profile: str) -> Self:
        """Read what `to_bytes` wrote of rows that were counted against `profiles`, whose file has the digest `profile`.

        Raises:
            KeyError, TypeError, ValueError: it was counted against another profile, or is something else.
        """
        page = json.loads(content)
        if page["format"] != _FORMAT or page["profile"] != profile:
            raise ValueError("it was counted against another profile than the image has, or by a newer server")
        columns = {name: from_json(profiles[name], column) for name, column in page["columns"].items()}
        return cls(version=page["version"], profile=profile, rows=page["rows"], columns=columns)


def version_of(content: bytes) -> str:
    """The version that a counted window is of.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    return str(json.loads(content)["version"])


def count(profile: ColumnProfile, values: npt.ArrayLike) -> ColumnSketch:
    """Count one batch of a window, shape (N,) or (N, 1), against the profile of the same column.

    Raises:
        TypeError, ValueError: a numeric profile, and values that are no numbers.
    """
    if isinstance(profile, CategoryProfile):
        return without_values(sketch(profile, values))
    ordered, counters = read_numbers(values, digits=profile.digits)
    edges = profile.edges
    counts = np.diff(ends_of_cells(ordered, edges), prepend=0)
    return NumericSketch(tuple(edges.tolist()), counters, tuple(counts.tolist()), exact_sums=None)


def without_values(window: ColumnSketch) -> ColumnSketch:
    """What is left of a sketch when everything that could tell a value is taken out."""
    if isinstance(window, NumericSketch):
        return NumericSketch(window.edges, window.counters, window.counts, exact_sums=None)
    return CategorySketch(window.categories, window.rows, window.null, window.counts, window.others, other_names=())


def to_json(window: ColumnSketch) -> dict[str, Any]:
    """Numbers alone: a cell is told by its place in the profile, and an empty one is left out."""
    cells = {str(place): count for place, count in enumerate(window.counts) if count}
    if isinstance(window, CategorySketch):
        return {"kind": "category", "rows": window.rows, "null": window.null, "others": window.others, "cells": cells}
    counters = window.counters
    return {
        "kind": "numeric",
        "rows": counters.rows,
        "null": counters.null,
        "nan": counters.nan,
        "positive_inf": counters.positive_inf,
        "negative_inf": counters.negative_inf,
        "cells": cells,
    }


def from_json(profile: ColumnProfile, page: Mapping[str, Any]) -> ColumnSketch:
    """Read what `to_json` wrote of a window that was counted against `profile`.

    Raises:
        KeyError, TypeError, ValueError, IndexError: it was counted against another one, or is something else.
    """
    kind = "numeric" if isinstance(profile, NumericProfile) else "category"
    if page["kind"] != kind:
        raise ValueError(f"a column of kind {page['kind']} was counted, and the profile's is {kind}")
    if isinstance(profile, CategoryProfile):
        names = tuple(name for name, _ in profile.categories)
        counts = _of_cells(page["cells"], len(names))
        return _checked(CategorySketch(names, page["rows"], page["null"], counts, page["others"], other_names=()))
    edges = tuple(profile.edges.tolist())
    counters = Counters(**{name: page[name] for name in ("rows", "null", "nan", "positive_inf", "negative_inf")})
    return _checked(NumericSketch(edges, counters, _of_cells(page["cells"], len(edges) + 1), exact_sums=None))


def added(left: ColumnSketch, right: ColumnSketch) -> ColumnSketch:
    """Both together, of one profile.

    Raises:
        ValueError: one is of numbers and the other of words, or they were counted against two profiles.
    """
    if isinstance(left, NumericSketch) and isinstance(right, NumericSketch):
        return left + right
    if isinstance(left, CategorySketch) and isinstance(right, CategorySketch):
        return left + right
    raise ValueError("sketches of a number and of words cannot be added")


def _of_cells(filled: Mapping[str, int], number: int) -> tuple[int, ...]:
    counts = [0] * number
    for place, rows in filled.items():
        if not 0 <= int(place) < number or rows < 0:
            raise ValueError(f"the profile has no cell {place}, or no such number of rows in it: {rows}")
        counts[int(place)] = int(rows)
    return tuple(counts)


def _checked(window: ColumnSketch) -> ColumnSketch:
    """Its rows are in a cell, or in a counter of what has none."""
    counted = sum(window.counts)
    placed = counted + window.others if isinstance(window, CategorySketch) else counted
    expected = window.rows - window.null if isinstance(window, CategorySketch) else window.counters.finite
    if placed != expected:
        raise ValueError(f"{placed} rows lie in cells, and {expected} should")
    return window
