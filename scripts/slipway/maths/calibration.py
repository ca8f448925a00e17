"""How far calendar blocks of the reference are from the whole: what a window does when nothing is wrong.

Resampled rows would say that almost nothing moves: real days of flights differ up to 13 times more than samples of
independent rows, because weather and schedules come in blocks. So the null is what real days or weeks did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.columns import FloatArray, one_dimensional, read_numbers
from slipway.maths.profile import CategorySketch, ColumnProfile, NumericProfile, NumericSketch, sketch

ENOUGH_BLOCKS = 20  # with fewer, a 99 % quantile says less than the policy does
_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class WindowDistance:
    """How far a window of the reference is from the rest of it; None where it has no value, or there is no rest."""

    distance: float | None
    missing_rate: float


@dataclass(frozen=True, slots=True)
class Limit:
    """Above which distance a window counts as moved; `usual` is the 99 % quantile of the null, None: not known."""

    value: float
    usual: float | None = None

    @property
    def calibrated(self) -> bool:
        return self.usual is not None


def rolling_windows(days: npt.ArrayLike, *, length: int, most: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first day and the number of rows of each window of `length` days, a window a day, of the newest `most`.

    Args:
        days: of the rows, as integers, shape (N,).
    """
    column = one_dimensional(days)
    if column.size == 0:
        return (), ()
    first = int(column.min())
    ends = np.append(0, np.cumsum(np.bincount(column - first)))
    rows = ends[length:] - ends[:-length]
    starts = range(first, first + len(rows))
    return tuple(starts)[-most:], tuple(rows.tolist())[-most:]


def window_distances(
    profile: ColumnProfile, values: npt.ArrayLike, days: npt.ArrayLike, *, starts: Sequence[int], length: int
) -> tuple[WindowDistance, ...]:
    """Measure each window of the reference against the rest of it, every day of either side counting the same.

    Samples often hold all rows of some days and few of others, which production does not. Compared with
    the whole, a window would be compared with itself in part, and look too near.

    Args:
        profile: of all the values.
        values: the reference's column, shape (N,) or (N, 1).
        days: of its rows, as integers, shape (N,).
        starts: the first day of each window, ascending by one.

    Returns:
        One a window: Kolmogorov-Smirnov at the edges of the profile, or total variation over what it lists.
    """
    if not starts:
        return ()
    by_day = _sketches(profile, values, days)
    return _apart(by_day, by_day, starts=starts, length=length)


def sampled_window_distances(
    profile: ColumnProfile,
    values: npt.ArrayLike,
    days: npt.ArrayLike,
    *,
    starts: Sequence[int],
    length: int,
    sizes: Sequence[int],
    seed: int = 0,
) -> tuple[tuple[WindowDistance, ...], ...]:
    """As `window_distances`, of windows that hold fewer values: what chance adds where less is served.

    Drawn with putting back (a bootstrap), equally many of each day of a window: a day that serves 200 rows is a draw
    from what such a day is like, and not a part of the rows of that one. The draw is by integers, so it is the same
    on any machine.

    Args:
        sizes: values a window.

    Returns:
        One a size, with one a window.
    """
    if not starts:
        return tuple(() for _ in sizes)
    generator = np.random.default_rng(seed)
    by_day = {int(day): rows for day, rows in _rows_by_block(values, days)}
    rest = {day: sketch(profile, rows) for day, rows in by_day.items()}
    found = []
    for size in sizes:
        a_day = -(-size // length)
        drawn = {day: rows[generator.integers(len(rows), size=a_day)] for day, rows in by_day.items()}
        few = {day: sketch(profile, rows) for day, rows in drawn.items()}
        found.append(_apart(few, rest, starts=starts, length=length))
    return tuple(found)


_Sketches = Mapping[int, NumericSketch | CategorySketch]


def _sketches(profile: ColumnProfile, values: npt.ArrayLike, days: npt.ArrayLike) -> _Sketches:
    return {int(day): sketch(profile, rows) for day, rows in _rows_by_block(values, days)}


def _apart(inside: _Sketches, rest: _Sketches, *, starts: Sequence[int], length: int) -> tuple[WindowDistance, ...]:
    window, _ = _sides({day: _shares(one) for day, one in inside.items()}, starts, length)
    _, others = _sides({day: _shares(one) for day, one in rest.items()}, starts, length)
    missing, _ = _sides({day: _missing(one) for day, one in inside.items()}, starts, length)
    _, missing_others = _sides({day: _missing(one) for day, one in rest.items()}, starts, length)
    apart = window - others
    is_numeric = isinstance(next(iter(rest.values())), NumericSketch)
    found = np.abs(np.cumsum(apart, axis=1)).max(axis=1) if is_numeric else np.abs(apart).sum(axis=1) / 2
    changes = np.nan_to_num(np.abs(missing - missing_others)[:, 0])
    return tuple(
        WindowDistance(None if np.isnan(each) else min(1.0, float(each)), float(change))
        for each, change in zip(found, changes, strict=True)
    )


def _sides(by_day: Mapping[int, FloatArray], starts: Sequence[int], length: int) -> tuple[FloatArray, FloatArray]:
    """The mean of the days inside of each window, and of all others; shape (windows, K), NaN where there is no day."""
    there = {day: shares for day, shares in by_day.items() if not np.isnan(shares).any()}
    width = next(iter(by_day.values())).size
    days = np.array(sorted(there), np.int64)
    begins, ends = np.searchsorted(days, starts), np.searchsorted(days, [start + length for start in starts])
    added = np.zeros((len(days) + 1, width))
    np.cumsum([there[day] for day in days.tolist()] or np.zeros((0, width)), axis=0, out=added[1:])
    total, counts = added[ends] - added[begins], (ends - begins)[:, np.newaxis]
    with np.errstate(invalid="ignore"):  # 0 of 0 days
        return total / counts, (added[-1] - total) / (len(days) - counts)


def _shares(one: NumericSketch | CategorySketch) -> FloatArray:
    """The share of each cell, or of each category and of all others; NaN on a day without a value."""
    counts = one.counts if isinstance(one, NumericSketch) else (*one.counts, one.others)
    with np.errstate(invalid="ignore"):
        return np.asarray(counts, np.float64) / sum(counts)


def _missing(one: NumericSketch | CategorySketch) -> FloatArray:
    if isinstance(one, NumericSketch):
        return np.array([one.counters.missing / one.counters.rows])
    return np.array([one.null / one.rows])


def shifted_distances(profile: NumericProfile, values: npt.ArrayLike, *, step: float, steps: int) -> tuple[float, ...]:
    """How far the whole reference is from itself when all of it moves up by 1, 2, .. `steps` times `step`.

    The distance is what a window's lower bound would be: the largest F(e) - F(e - shift) over the edges e of the
    profile. It never falls as the shift grows.

    Args:
        values: the reference's column, shape (N,) or (N, 1).
        step: in standard deviations of the reference.

    Returns:
        Nothing for a column that is constant or holds no finite number.
    """
    ordered, _ = read_numbers(values, digits=profile.digits)
    deviation, edges = profile.standard_deviation, profile.edges
    if not deviation:
        return ()
    below = np.searchsorted(ordered, edges, side="right")
    moves = (step * each * deviation for each in range(1, steps + 1))
    left = (np.searchsorted(ordered, edges - move, side="right") for move in moves)
    return tuple(float(np.max(below - each)) / ordered.size for each in left)


def limits(policy_limit: float, nulls: Sequence[npt.ArrayLike], *, blocks: int, most: float = 1.0) -> tuple[Limit, ...]:
    """The policy's limit, or what is usual where that is more: max(policy, min(`most`, q99)), one a feature.

    Args:
        nulls: distances of windows of the reference, each of shape (features, windows); of several, what is more holds.
        blocks: of the calendar, that the windows come to; below `ENOUGH_BLOCKS` nothing is taken for usual.
        most: what calibration may raise a limit to; a policy's limit above it stands.
    """
    tables = [np.asarray(null, np.float64) for null in nulls]
    if blocks < ENOUGH_BLOCKS:
        return (Limit(policy_limit),) * len(tables[0])
    usual = np.max([np.quantile(one, _QUANTILE, axis=1) for one in tables if one.shape[1]], axis=0)
    return tuple(Limit(max(policy_limit, min(most, each)), usual=each) for each in usual.tolist())


def _rows_by_block(values: npt.ArrayLike, blocks: npt.ArrayLike) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    column, names = one_dimensional(values), one_dimensional(blocks)
    if column.size != names.size:
        raise ValueError(f"{column.size} values cannot be matched with {names.size} blocks")
    distinct, place = np.unique(names, return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=distinct.size))
    for name, rows in zip(distinct, np.split(order, ends[:-1]), strict=True):
        yield str(name), column[rows]
