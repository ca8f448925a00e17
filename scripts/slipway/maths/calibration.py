"""How far calendar blocks of the reference are from the whole: what a window does when nothing is wrong.

Resampled rows would say that almost nothing moves: real days of flights differ up to 13 times more than samples of
independent rows, because weather and schedules come in blocks. So the null is what real days or weeks did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.maths.absence import Absent
from slipway.maths.columns import one_dimensional
from slipway.maths.distances import distance, missing_rate
from slipway.maths.profile import ColumnProfile, sketch

ENOUGH_BLOCKS = 20  # with fewer, a 99 % quantile says less than the policy does
_QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class BlockDistance:
    """How far one day or week of the reference is from the whole reference."""

    block: str
    distance: float


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
