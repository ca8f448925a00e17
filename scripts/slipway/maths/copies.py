"""Rows made up from nothing but a profile: as the reference lies, or with a known share of them elsewhere.

What is counted of them is known beforehand, so they tell whether those who count and compare do it right.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import CountedWords, FloatArray
from slipway.maths.profile import CategoryProfile, ColumnProfile, NumericProfile
from slipway.maths.windows import Values

_ANOTHER, _MOVED = "\0another", "\0moved"  # words that no reference lists


def has_values(profile: ColumnProfile) -> bool:
    """Whether the reference held anything that a copy could hold, too."""
    return (profile.rows > profile.null) if isinstance(profile, CategoryProfile) else profile.counters.finite > 0


def copied(profile: ColumnProfile, *, rows: int, moved: float = 0.0) -> Values:
    """So many rows in the shares of the reference, of which the share `moved` lies beyond all that it ever held.

    The Kolmogorov-Smirnov distance of the others is that of rounding, at most a cell of the profile; the total
    variation likewise. Of a copy with `moved` rows it is `moved`, within as much; where a profile does not list all
    words it is less by the share of the rarest that it lists, for the others are not told apart.
    """
    if isinstance(profile, CategoryProfile):
        return _words(profile, rows, moved)
    return _numbers(profile, rows, moved)


def _numbers(profile: NumericProfile, rows: int, moved: float) -> FloatArray:
    counters, counts = profile.counters, np.asarray(profile.counts)
    there = counts > 0
    values = np.asarray(profile.sums)[there] / counts[there]  # the mean of a cell lies in the cell
    finite = np.repeat(values, _shared_out(counts[there], round(rows * counters.finite / counters.rows)))
    finite[: math.ceil(moved * finite.size)] = _beyond(profile)
    others = {np.nan: counters.missing, np.inf: counters.positive_inf, -np.inf: counters.negative_inf}
    told = [np.full(round(rows * count / counters.rows), value) for value, count in others.items()]
    return np.concatenate([finite, *told])


def _beyond(profile: NumericProfile) -> float:
    most = profile.maximum or 0.0
    return most + max(1.0, abs(most))


def _words(profile: CategoryProfile, rows: int, moved: float) -> CountedWords:
    names = [*(name for name, _ in profile.categories), _ANOTHER]
    counts = np.array([*(count for _, count in profile.categories), profile.rest])
    told = round(rows * (profile.rows - profile.null) / profile.rows)
    away = math.ceil(moved * told)
    shared = _shared_out(counts, told - away).tolist()
    words = dict(zip(names, shared, strict=True))
    target = min(profile.categories, key=lambda one: one[1])[0] if profile.rest else _MOVED
    words[target] = words.get(target, 0) + away
    return CountedWords({name: count for name, count in words.items() if count}, null=rows - told)


def _shared_out(counts: npt.NDArray[np.int64], rows: int) -> npt.NDArray[np.int64]:
    """So many rows in the proportion of the counts; up to any place the sum is off by half a row at most."""
    ends = np.rint(np.cumsum(counts) * (rows / counts.sum()))
    shared: npt.NDArray[np.int64] = np.diff(ends, prepend=0.0).astype(np.int64)
    return shared
