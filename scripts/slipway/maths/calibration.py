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

from slipway.maths.absence import Absent
from slipway.maths.columns import FloatArray, one_dimensional, read_numbers
from slipway.maths.distances import distance, missing_rate
from slipway.maths.profile import CategorySketch, ColumnProfile, NumericProfile, NumericSketch, sketch

ENOUGH_BLOCKS = 20  # with fewer, a 99 % quantile says less than the policy does
_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class BlockDistance:
    """How far one day or week of the reference is from the whole reference."""

    block: str
    distance: float


@dataclass(frozen=True, slots=True)
class WindowDistance:
    """How far a window of the reference is from the rest of it; None where it has no value, or there is no rest."""

    distance: float | None
    missing_rate: float


@dataclass(frozen=True, slots=True)
class Limit:
    """Above which distance a window counts as moved."""

    value: float
    calibrated: bool  # False: too few blocks to know what is usual
    blocks: int
    set_by: str | None  # the farthest block, when blocks and not the policy set the limit
    without_it: float  # the limit if this block were left out: a reviewer sees what a single storm did


def calendar_blocks(
    times: npt.NDArray[np.datetime64], *, days: int, start: np.datetime64
) -> npt.NDArray[np.datetime64]:
    """The first date of each row's block, counted in blocks of so many days from `start` in both directions.

    Args:
        times: shape (N,), any unit.
    """
    origin = start.astype("datetime64[D]")
    elapsed = (times.astype("datetime64[D]") - origin).astype(np.int64)
    first: npt.NDArray[np.datetime64] = origin + (elapsed // days * days).astype("timedelta64[D]")
    return first


def block_distances(profile: ColumnProfile, values: npt.ArrayLike, blocks: npt.ArrayLike) -> tuple[BlockDistance, ...]:
    """Measure every block of the reference against the whole, in the order of the blocks.

    A window is judged by the lower bound of its distance, so a block is too. Blocks without a value are left out.

    Args:
        profile: of all the values.
        values: the reference's column, shape (N,) or (N, 1).
        blocks: which day or week each row is of, shape (N,).
    """
    found = ((block, distance(profile, sketch(profile, rows))) for block, rows in _rows_by_block(values, blocks))
    return tuple(BlockDistance(block, bound.low) for block, bound in found if not isinstance(bound, Absent))


def block_missing_rates(
    profile: ColumnProfile, values: npt.ArrayLike, blocks: npt.ArrayLike
) -> tuple[BlockDistance, ...]:
    """By how much the share of null and NaN of every block differs from that of the whole; see `block_distances`."""
    found = ((block, missing_rate(profile, sketch(profile, rows))) for block, rows in _rows_by_block(values, blocks))
    return tuple(BlockDistance(block, abs(rate.change)) for block, rate in found if not isinstance(rate, Absent))


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
    sketches = {int(day): sketch(profile, rows) for day, rows in _rows_by_block(values, days)}
    inside, outside = _sides({day: _shares(one) for day, one in sketches.items()}, starts, length)
    missing_inside, missing_outside = _sides({day: _missing(one) for day, one in sketches.items()}, starts, length)
    apart = inside - outside
    is_numeric = isinstance(profile, NumericProfile)
    found = np.abs(np.cumsum(apart, axis=1)).max(axis=1) if is_numeric else np.abs(apart).sum(axis=1) / 2
    changes = np.nan_to_num(np.abs(missing_inside - missing_outside)[:, 0])
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


def limit(policy_limit: float, distances: Sequence[BlockDistance]) -> Limit:
    """The policy's limit, or the 99 % quantile of the blocks where that is higher: max(policy, q99)."""
    farthest = max(distances, key=lambda block: block.distance, default=None)
    value = _higher_limit(policy_limit, distances)
    others = [block for block in distances if block is not farthest]
    return Limit(
        value=value,
        calibrated=len(distances) >= ENOUGH_BLOCKS,
        blocks=len(distances),
        set_by=farthest.block if farthest is not None and value > policy_limit else None,
        without_it=_higher_limit(policy_limit, others),
    )


def _higher_limit(policy_limit: float, distances: Sequence[BlockDistance]) -> float:
    if not distances:
        return policy_limit
    usual = float(np.quantile([block.distance for block in distances], _QUANTILE))
    return max(policy_limit, usual)


def _rows_by_block(values: npt.ArrayLike, blocks: npt.ArrayLike) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    column, names = one_dimensional(values), one_dimensional(blocks)
    if column.size != names.size:
        raise ValueError(f"{column.size} values cannot be matched with {names.size} blocks")
    distinct, place = np.unique(names, return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=distinct.size))
    for name, rows in zip(distinct, np.split(order, ends[:-1]), strict=True):
        yield str(name), column[rows]
