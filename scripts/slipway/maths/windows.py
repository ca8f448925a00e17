"""A window of what was served, counted while it is read.

Batches are counted one by one, columns side by side in threads, since numpy lets go of Python's lock while it sorts.
What was counted adds up: neither the order of rows, nor the size of batches, nor who counted them changes any digit.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import CountedWords, Counters
from slipway.maths.counts import ColumnSketch, added
from slipway.maths.profile import CategoryProfile, CategorySketch, ColumnProfile, NumericSketch, sketch

Values = npt.NDArray[Any] | CountedWords
_THREADS = min(8, os.cpu_count() or 1)
_OTHER_KINDS = {"M": "times", "m": "durations"}
_WORDS = "words"


@dataclass(frozen=True, slots=True, eq=False)
class ServedBatch:
    """Some rows: of each column its values, all of them missing where it is one of the `absent`."""

    rows: int
    columns: Mapping[str, Values]
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """One column of a window."""

    sketch: ColumnSketch
    absent: int = 0  # rows without the column, which count as missing in the sketch
    other_kinds: frozenset[str] = frozenset()  # what it held instead of numbers, which counts as missing, too

    def __add__(self, other: Self) -> Self:
        return type(self)(
            added(self.sketch, other.sketch), self.absent + other.absent, self.other_kinds | other.other_kinds
        )


@dataclass(frozen=True, slots=True)
class SeenWindow:
    """All columns of a profile, as so many rows showed them."""

    rows: int = 0
    columns: Mapping[str, SeenColumn] = field(default_factory=dict)

    def __add__(self, other: Self) -> Self:
        if not self.columns or not other.columns:
            return type(self)(self.rows + other.rows, self.columns or other.columns)
        columns = {name: column + other.columns[name] for name, column in self.columns.items()}
        return type(self)(self.rows + other.rows, columns)

    def to_bytes(self) -> bytes:
        """All that it tells; two windows that were counted alike give the same bytes, and others do not."""
        columns = {name: _told(column) for name, column in self.columns.items()}
        return json.dumps({"rows": self.rows, "columns": columns}, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, content: bytes, profiles: Mapping[str, ColumnProfile]) -> Self:
        """The window that `to_bytes` told, counted against `profiles`; nothing of it is lost.

        Raises:
            KeyError, TypeError, ValueError: it was counted against others, or is something else.
        """
        told = json.loads(content)
        columns = {name: _heard(profiles[name], column) for name, column in told["columns"].items()}
        return cls(told["rows"], columns)


def count_window(profiles: Mapping[str, ColumnProfile], batches: Iterable[ServedBatch]) -> SeenWindow:
    """Count batches into the cells of the profiles. While one is counted the next is read, and no more are held.

    A batch has a column for each profile.
    """
    seen, reading = SeenWindow(), iter(batches)
    with ThreadPoolExecutor(_THREADS) as pool:
        batch = next(reading, None)
        while batch is not None:
            counted = pool.map(partial(_count, profiles, batch), profiles)
            rows, batch = batch.rows, next(reading, None)
            seen += SeenWindow(rows, dict(zip(profiles, counted, strict=True)))
    return seen


def _count(profiles: Mapping[str, ColumnProfile], batch: ServedBatch, name: str) -> SeenColumn:
    profile, values = profiles[name], batch.columns[name]
    absent = batch.rows if name in batch.absent else 0
    kind = None if isinstance(profile, CategoryProfile) else _other_kind(values)
    if kind is not None or (isinstance(values, CountedWords) and not isinstance(profile, CategoryProfile)):
        values = np.full(_size(values), np.nan)
    return SeenColumn(sketch(profile, values), absent, frozenset() if kind is None else frozenset({kind}))


def _other_kind(values: Values) -> str | None:
    """What these are, if they are no numbers; a column of text without any word could be of any kind."""
    if isinstance(values, CountedWords):
        return _WORDS if values.names else None
    return None if values.dtype.kind in "biuf" else _OTHER_KINDS.get(values.dtype.kind, _WORDS)


def _size(values: Values) -> int:
    return sum(values.names.values()) + values.null if isinstance(values, CountedWords) else values.size


def _told(column: SeenColumn) -> dict[str, Any]:
    window = column.sketch
    told = {"absent": column.absent, "other kinds": sorted(column.other_kinds), "counts": window.counts}
    if isinstance(window, CategorySketch):
        return {**told, "rows": window.rows, "null": window.null, "others": window.others, "names": window.other_names}
    counters = window.counters
    missing = (counters.rows, counters.null, counters.nan, counters.positive_inf, counters.negative_inf)
    return {**told, "counters": missing, "sums": window.exact_sums}


def _heard(profile: ColumnProfile, told: Mapping[str, Any]) -> SeenColumn:
    """What `_told` said."""
    counts, absent, kinds = tuple(told["counts"]), told["absent"], frozenset(told["other kinds"])
    window: ColumnSketch
    if isinstance(profile, CategoryProfile):
        listed = tuple(name for name, _ in profile.categories)
        names = tuple((name, count) for name, count in told["names"])
        window = CategorySketch(listed, told["rows"], told["null"], counts, told["others"], names)
        cells = len(listed)
    else:
        edges = tuple(profile.edges.tolist())
        window = NumericSketch(edges, Counters(*told["counters"]), counts, tuple(told["sums"]))
        cells = len(edges) + 1
    if len(counts) != cells:
        raise ValueError(f"{len(counts)} cells were counted, and the profile has {cells}")
    return SeenColumn(window, absent, kinds)
