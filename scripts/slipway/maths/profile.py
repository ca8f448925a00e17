"""What a column looked like when the model was released, and what a window of it looks like now.

A profile is made once, from the reference rows. A window is only counted into the profile's cells, batch by batch; such
sketches add up, and neither the order of rows nor how they were split changes any of their digits.

The edges e_0 < .. < e_m cut the numbers into the cells (-inf, e_0], (e_0, e_1], .., (e_m, inf). Quantiles of the
reference are edges; a value that many rows share (an atom) has a second edge, the float just before it, so that its
cell holds nothing else. The distribution functions of both sides are therefore known exactly at every edge.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, overload

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import (
    SIGNIFICANT_DIGITS,
    CountedWords,
    Counters,
    FloatArray,
    read_categories,
    read_numbers,
)
from slipway.maths.exact_sums import sums_of_runs, to_float

BINS = 512
LISTED_CATEGORIES = 1000


@dataclass(frozen=True, slots=True)
class NumericProfile:
    """The reference of a numeric column, from values rounded before they were counted: no training value leaks."""

    counters: Counters
    quantiles: tuple[float, ...]  # ascending; the first is the minimum, the last the maximum
    atoms: tuple[float, ...]  # those of the quantiles that have a cell of their own
    counts: tuple[int, ...]  # one a cell
    sums: tuple[float, ...]  # one a cell
    mean: float | None  # None without a finite value
    standard_deviation: float | None  # of these rows, divided by N
    digits: int = SIGNIFICANT_DIGITS

    def __post_init__(self) -> None:
        if not len(self.counts) == len(self.sums) == len(self.edges) + 1:
            raise ValueError("a profile has one count and one sum for each cell between its edges")

    @property
    def edges(self) -> FloatArray:
        """Ascending, without repeats; empty when the column held no finite value."""
        return np.union1d(np.asarray(self.quantiles, np.float64), self._before_atoms)

    @property
    def minimum(self) -> float | None:
        return self.quantiles[0] if self.quantiles else None

    @property
    def maximum(self) -> float | None:
        return self.quantiles[-1] if self.quantiles else None

    @property
    def resolution(self) -> float:
        """The largest share of the reference inside one cell: how far any Kolmogorov-Smirnov distance may be off."""
        if self.counters.finite == 0:
            return 0.0
        holds_one_value = np.append(np.isin(self.edges, self.atoms), False)
        return float(np.max(np.where(holds_one_value, 0, self.counts))) / self.counters.finite

    @property
    def _before_atoms(self) -> FloatArray:
        return np.nextafter(np.asarray(self.atoms, np.float64), -np.inf)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, lists and dicts; `from_json` gives back an equal profile, bit by bit."""
        fields = asdict(self)
        return {"kind": "numeric"} | {name: _as_list(value) for name, value in fields.items()}

    @classmethod
    def from_json(cls, page: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: this is no numeric profile.
        """
        return cls(
            counters=Counters(**page["counters"]),
            quantiles=tuple(map(float, page["quantiles"])),
            atoms=tuple(map(float, page["atoms"])),
            counts=tuple(map(int, page["counts"])),
            sums=tuple(map(float, page["sums"])),
            mean=page["mean"],
            standard_deviation=page["standard_deviation"],
            digits=page["digits"],
        )


@dataclass(frozen=True, slots=True)
class CategoryProfile:
    """The reference of a column of text: the most frequent categories, and how many rows the others have together."""

    rows: int
    null: int
    categories: tuple[tuple[str, int], ...]  # by count, then by name
    rest: int  # rows of the categories that are not listed

    def to_json(self) -> dict[str, Any]:
        categories = [[name, count] for name, count in self.categories]
        return {"kind": "category", "rows": self.rows, "null": self.null, "categories": categories, "rest": self.rest}

    @classmethod
    def from_json(cls, page: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: this is no profile of categories.
        """
        categories = tuple((str(name), int(count)) for name, count in page["categories"])
        return cls(rows=page["rows"], null=page["null"], categories=categories, rest=page["rest"])


ColumnProfile = NumericProfile | CategoryProfile


@dataclass(frozen=True, slots=True)
class NumericSketch:
    """A window of a numeric column, counted into the cells of a profile; two of the same profile can be added."""

    edges: tuple[float, ...]
    counters: Counters
    counts: tuple[int, ...]
    exact_sums: tuple[int, ...] | None  # in the units of slipway.maths.exact_sums; None where only counts were kept

    @property
    def sums(self) -> tuple[float, ...] | None:
        return None if self.exact_sums is None else tuple(map(to_float, self.exact_sums))

    def __add__(self, other: Self) -> Self:
        if self.edges != other.edges:
            raise ValueError("sketches of two different profiles cannot be added")
        mine, theirs = self.exact_sums, other.exact_sums
        return type(self)(
            self.edges,
            self.counters + other.counters,
            _added(self.counts, other.counts),
            None if mine is None or theirs is None else _added(mine, theirs),
        )


@dataclass(frozen=True, slots=True)
class CategorySketch:
    """A window of a column of text, counted by the categories of a profile; two of the same profile can be added."""

    categories: tuple[str, ...]
    rows: int
    null: int
    counts: tuple[int, ...]  # one a category of the profile
    others: int  # rows of categories that the profile does not list
    other_names: tuple[tuple[str, int], ...]  # of these, the alphabetically first, unless only counts were kept

    def __add__(self, other: Self) -> Self:
        if self.categories != other.categories:
            raise ValueError("sketches of two different profiles cannot be added")
        names = dict(self.other_names)
        for name, count in other.other_names:
            names[name] = names.get(name, 0) + count
        return type(self)(
            self.categories,
            self.rows + other.rows,
            self.null + other.null,
            _added(self.counts, other.counts),
            self.others + other.others,
            _first_names(names),
        )


def profile_of_columns(batch: Mapping[str, npt.ArrayLike], *, categories: Collection[str]) -> dict[str, ColumnProfile]:
    """Profile each column of a batch, those named in `categories` as text; in alphabetical order."""
    return {
        name: profile_of_categories(batch[name]) if name in categories else profile_of_numeric(batch[name])
        for name in sorted(batch)
    }


def profile_from_json(page: Mapping[str, Any]) -> ColumnProfile:
    """Read either kind of profile.

    Raises:
        KeyError, TypeError, ValueError: this is no profile.
    """
    kinds: dict[str, type[NumericProfile] | type[CategoryProfile]]
    kinds = {"numeric": NumericProfile, "category": CategoryProfile}
    return kinds[page["kind"]].from_json(page)


def profiles_from_json(told: Mapping[str, Mapping[str, Any]]) -> dict[str, ColumnProfile]:
    """Read the profiles of several columns, by name; raises as `profile_from_json` does."""
    return {name: profile_from_json(column) for name, column in told.items()}


def profile_of_numeric(values: npt.ArrayLike, *, bins: int = BINS) -> NumericProfile:
    """Profile the reference rows of a numeric column, shape (N,) or (N, 1).

    With at most `bins // 2` distinct values each is an atom, and every distance is exact.

    Raises:
        TypeError, ValueError: see `slipway.maths.columns.read_numbers`.
    """
    ordered, counters = read_numbers(values)
    quantiles, atoms = _quantiles_and_atoms(ordered, bins=bins)
    edges = np.union1d(quantiles, np.nextafter(atoms, -np.inf))
    counts, exact_sums = _count_cells(ordered, edges)
    mean = to_float(sum(exact_sums), shared_by=ordered.size) if ordered.size else None
    return NumericProfile(
        counters=counters,
        quantiles=tuple(quantiles.tolist()),
        atoms=tuple(atoms.tolist()),
        counts=counts,
        sums=tuple(map(to_float, exact_sums)),
        mean=mean,
        standard_deviation=None if mean is None else _standard_deviation(ordered, mean),
    )


def profile_of_categories(values: npt.ArrayLike, *, listed: int = LISTED_CATEGORIES) -> CategoryProfile:
    """Profile the reference rows of a column of text, shape (N,) or (N, 1)."""
    counts, null = read_categories(values)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(count for _, count in ranked[listed:])
    return CategoryProfile(rows=counts.total() + null, null=null, categories=tuple(ranked[:listed]), rest=rest)


@overload
def sketch(profile: NumericProfile, values: npt.ArrayLike) -> NumericSketch: ...
@overload
def sketch(profile: CategoryProfile, values: npt.ArrayLike | CountedWords) -> CategorySketch: ...
@overload
def sketch(profile: ColumnProfile, values: npt.ArrayLike | CountedWords) -> NumericSketch | CategorySketch: ...
def sketch(profile: ColumnProfile, values: npt.ArrayLike | CountedWords) -> NumericSketch | CategorySketch:
    """Count one batch of a window, shape (N,) or (N, 1), against the profile of the same column.

    Raises:
        TypeError, ValueError: a numeric profile, and values that are no numbers.
    """
    if isinstance(profile, NumericProfile):
        if isinstance(values, CountedWords):
            raise TypeError("a numeric column cannot hold text")
        return _sketch_of_numbers(profile, values)
    return _sketch_of_categories(profile, values)


def _sketch_of_numbers(profile: NumericProfile, values: npt.ArrayLike) -> NumericSketch:
    ordered, counters = read_numbers(values, digits=profile.digits)
    edges = profile.edges
    counts, exact_sums = _count_cells(ordered, edges)
    return NumericSketch(tuple(edges.tolist()), counters, counts, exact_sums)


def _sketch_of_categories(profile: CategoryProfile, values: npt.ArrayLike | CountedWords) -> CategorySketch:
    counted, null = read_categories(values)
    rows = counted.total() + null
    categories = tuple(name for name, _ in profile.categories)
    counts = tuple(counted.pop(name, 0) for name in categories)
    return CategorySketch(categories, rows, null, counts, counted.total(), _first_names(counted))


def _count_cells(ordered: FloatArray, edges: FloatArray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts and exact sums of sorted values, one a cell."""
    ends = ends_of_cells(ordered, edges)
    return tuple(np.diff(ends, prepend=0).tolist()), sums_of_runs(ordered, ends)


def ends_of_cells(ordered: FloatArray, edges: FloatArray) -> npt.NDArray[np.intp]:
    """Where each cell ends in sorted values.

    To look up the few edges among sorted values is about ten times faster than the values among the edges.
    """
    return np.append(np.searchsorted(ordered, edges, side="right"), ordered.size)


def _quantiles_and_atoms(ordered: FloatArray, *, bins: int) -> tuple[FloatArray, FloatArray]:
    """Choose the edges: real (rounded) values at equal steps of rank, and all values that fill a step alone."""
    if ordered.size == 0:
        return ordered, ordered
    distinct, counts = np.unique(ordered, return_counts=True)
    if distinct.size <= bins // 2:
        return distinct, distinct
    ranks = -(-np.arange(bins + 1) * ordered.size // bins) - 1  # ceil(i * N / bins) - 1
    atoms = distinct[(counts > 1) & (counts * bins >= ordered.size)]
    return np.union1d(ordered[np.maximum(ranks, 0)], atoms), atoms


def _standard_deviation(ordered: FloatArray, mean: float) -> float:
    """Scaled by a power of two, which is exact, so that squares of large values do not overflow."""
    scale = math.ldexp(1.0, math.frexp(max(abs(ordered[0]), abs(ordered[-1])))[1])
    squares = (ordered / scale - mean / scale) ** 2
    return scale * math.sqrt(math.fsum(squares.tolist()) / ordered.size)


def _added(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(left, right, strict=True))


def _first_names(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Keep the alphabetically first: the largest would depend on how the window was split."""
    return tuple(heapq.nsmallest(LISTED_CATEGORIES, counts.items()))


def _as_list(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
