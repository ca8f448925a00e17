"""How far a window is from its reference, read from a profile and a sketch, as bounds that hold for any window.

F is the distribution function of the reference and G that of the window, over the finite values, rounded as the profile
says. What is missing has a distance of its own, `missing_rate`. Bounds hold up to the rounding of float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from slipway.maths.absence import Absent
from slipway.maths.columns import FloatArray
from slipway.maths.profile import CategoryProfile, CategorySketch, ColumnProfile, NumericProfile, NumericSketch


@dataclass(frozen=True, slots=True)
class Interval:
    """The true number lies between these two, both included; alarm on `low`."""

    low: float
    high: float

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high


@dataclass(frozen=True, slots=True)
class CategoryDistance:
    """Total variation between two columns of text, and what the window holds that the profile does not list."""

    total_variation: Interval
    unseen: tuple[tuple[str, int], ...]  # name and rows, the most frequent first
    unseen_rows: int
    certain: bool  # False: the reference had more categories than it lists, these may be among them


@dataclass(frozen=True, slots=True)
class RateChange:
    """Shares of rows, each between 0 and 1."""

    reference: float
    window: float

    @property
    def change(self) -> float:
        return self.window - self.reference


def kolmogorov_smirnov(profile: NumericProfile, sketch: NumericSketch) -> Interval | Absent:
    """Bound sup |G - F|, the largest difference of the two distribution functions.

    Both are known at the edges, where they differ by D at most: D <= KS. Between two edges both only rise, G to
    no more than G(e_i) <= F(e_i) + D, F from no less than F(e_i) - p_i, where p_i is the reference's share of
    that cell: G - F <= D + p_i, and F - G likewise. So KS <= D + max p_i, which is known before any window is.
    """
    absent = _why_absent(profile, sketch)
    if absent is not None:
        return absent
    gaps = _cumulated(sketch.counts) - _cumulated(profile.counts)
    largest = float(np.max(np.abs(gaps)))
    return Interval(largest, min(1.0, largest + profile.resolution))


def wasserstein(profile: NumericProfile, sketch: NumericSketch) -> Interval | Absent:
    """Bound W1, the integral of |G - F| (Vallender 1974), in the unit of the column.

    The sums of the cells give the integral of G - F over each cell exactly; its magnitude is a lower bound, and exact
    where F and G do not cross, so also beyond both ends of the reference. See `_largest_integral` for the upper bound.
    """
    absent = _why_absent(profile, sketch)
    if absent is not None:
        return absent
    if sketch.sums is None:
        return Absent("the window was kept as counts: how far values moved inside and beyond the cells is not in them")
    edges = profile.edges
    widths = np.diff(edges)
    reference = _rise(profile.counts, profile.sums, edges)
    window = _rise(sketch.counts, sketch.sums, edges)
    outside = _beyond_the_ends(sketch.counts, sketch.sums, edges) / sketch.counters.finite
    lowest = widths * np.abs(window.mean - reference.mean)
    highest = np.maximum(lowest, widths * _largest_integral(reference, window))
    return Interval(outside + math.fsum(lowest.tolist()), outside + math.fsum(highest.tolist()))


def normalised_wasserstein(profile: NumericProfile, sketch: NumericSketch) -> Interval | Absent:
    """Bound W1 in standard deviations of the reference, so that columns of all units can be compared."""
    bounds = wasserstein(profile, sketch)
    if isinstance(bounds, Absent):
        return bounds
    if not profile.standard_deviation:
        return Absent("the reference is constant: it has no standard deviation to measure by")
    return Interval(bounds.low / profile.standard_deviation, bounds.high / profile.standard_deviation)


def category_distance(profile: CategoryProfile, sketch: CategorySketch) -> CategoryDistance | Absent:
    """Total variation, half the sum of |p - q| over all categories, and the categories that the profile does not list.

    Exact when the profile lists every category of the reference. Otherwise the unlisted ones may be the same on both
    sides (low) or have none in common (high).

    Raises:
        ValueError: the sketch was made for another profile.
    """
    if sketch.categories != tuple(name for name, _ in profile.categories):
        raise ValueError("the sketch was made for another profile")
    reference_rows, window_rows = profile.rows - profile.null, sketch.rows - sketch.null
    if reference_rows == 0 or window_rows == 0:
        return Absent(_nothing_in(reference_rows, "category"))
    listed = [
        abs(count / reference_rows - seen / window_rows)
        for (_, count), seen in zip(profile.categories, sketch.counts, strict=True)
    ]
    rest, others = profile.rest / reference_rows, sketch.others / window_rows
    bounds = (0.5 * math.fsum([*listed, abs(rest - others)]), 0.5 * math.fsum([*listed, rest, others]))
    return CategoryDistance(
        total_variation=Interval(min(1.0, bounds[0]), min(1.0, bounds[1])),
        unseen=tuple(sorted(sketch.other_names, key=lambda item: (-item[1], item[0]))),
        unseen_rows=sketch.others,
        certain=profile.rest == 0,
    )


def missing_rate(profile: ColumnProfile, sketch: NumericSketch | CategorySketch) -> RateChange | Absent:
    """Which share of the rows is null or NaN, then and now."""
    return _rate_change(_rows(profile), _missing(profile), _rows(sketch), _missing(sketch))


class _Rise(NamedTuple):
    """How a distribution function rises in the cells (e_i, e_{i+1}]; all arrays have one entry a cell."""

    start: FloatArray  # its value at e_i
    end: FloatArray  # its value at e_{i+1}
    mean: FloatArray  # its mean value in between
    share: FloatArray  # where the mean lies between start (0) and end (1)


def _rise(counts: tuple[int, ...], sums: tuple[float, ...], edges: FloatArray) -> _Rise:
    """Each value x of a cell lifts the function by 1/N on (e_{i+1} - x) of its width."""
    cumulated = _cumulated(counts)
    inside, totals = np.asarray(counts[1:-1], np.float64), np.asarray(sums[1:-1], np.float64)
    lifted = np.zeros_like(inside)
    np.divide(inside * edges[1:] - totals, inside * np.diff(edges), out=lifted, where=inside > 0)
    share = np.clip(lifted, 0.0, 1.0)  # rounding alone can leave [0, 1], as in a cell one float wide
    start, end = cumulated[:-1], cumulated[1:]
    return _Rise(start, end, start + share * (end - start), share)


def _largest_integral(reference: _Rise, window: _Rise) -> FloatArray:
    """Bound the mean of |G - F| over each cell.

    Both functions rise together, so their values are coupled as closely as they can be (the mean of a convex function
    of G - F is smallest for comonotone variables): drawn independently of one another they would be further
    apart. There |g - f| is convex in f and in g, so its mean is largest when each function takes only the values
    at its ends, in the proportion that its mean fixes: a chord in each of the two directions.
    """
    ends_of_reference = ((reference.start, 1.0 - reference.share), (reference.end, reference.share))
    ends_of_window = ((window.start, 1.0 - window.share), (window.end, window.share))
    total = np.zeros_like(reference.mean)
    for level, weight in ends_of_reference:
        for other_level, other_weight in ends_of_window:
            total += weight * other_weight * np.abs(other_level - level)
    return total


def _beyond_the_ends(counts: tuple[int, ...], sums: tuple[float, ...], edges: FloatArray) -> float:
    """The integral of |G - F| below the first and above the last edge, where the reference has no value, times rows."""
    below = counts[0] * float(edges[0]) - sums[0]
    above = sums[-1] - counts[-1] * float(edges[-1])
    return max(0.0, below) + max(0.0, above)


def _cumulated(counts: tuple[int, ...]) -> FloatArray:
    """The distribution function at each edge."""
    running: npt.NDArray[np.int64] = np.cumsum(np.asarray(counts, np.int64))
    return np.asarray(running[:-1] / running[-1], np.float64)


def _why_absent(profile: NumericProfile, sketch: NumericSketch) -> Absent | None:
    if sketch.edges != tuple(profile.edges.tolist()):
        raise ValueError("the sketch was made for another profile")
    if profile.counters.finite == 0 or sketch.counters.finite == 0:
        return Absent(_nothing_in(profile.counters.finite, "finite number"))
    return None


def _nothing_in(reference_rows: int, thing: str) -> str:
    return f"the {'window' if reference_rows else 'reference'} holds no {thing}"


def _rate_change(reference_rows: int, reference_count: int, window_rows: int, window_count: int) -> RateChange | Absent:
    if reference_rows == 0 or window_rows == 0:
        return Absent(_nothing_in(reference_rows, "row"))
    return RateChange(reference_count / reference_rows, window_count / window_rows)


def _rows(side: ColumnProfile | NumericSketch | CategorySketch) -> int:
    return side.counters.rows if isinstance(side, NumericProfile | NumericSketch) else side.rows


def _missing(side: ColumnProfile | NumericSketch | CategorySketch) -> int:
    return side.counters.missing if isinstance(side, NumericProfile | NumericSketch) else side.null
