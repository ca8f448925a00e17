"""How sure is a quantile of times (or of bytes) that were taken in rounds, and by how much two that took turns differ.

What else a machine does comes in bursts, so blocks of neighbouring rounds are drawn, as in a moving block bootstrap
(Künsch 1989), and the two that took turns are drawn together: what met both of them cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_RESAMPLES = 400
_BLOCKS = 20
FEWEST_ROUNDS = 5

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A number and its 95 % interval, in the unit of what was measured, or without one for a ratio."""

    value: float
    low: float
    high: float


def quantile_of(taken: Sequence[float], share: float, *, seed: int = 0) -> Interval | None:
    """The quantile at `share` of one list, in its order of rounds; None of fewer than five."""
    if len(taken) < FEWEST_ROUNDS:
        return None
    drawn = _drawn(len(taken), seed=seed)
    return _interval(np.quantile(taken, share), _quantiles(taken, drawn, share))


def quantiles_beside(
    candidate: Sequence[float], before: Sequence[float], share: float, *, seed: int = 0
) -> tuple[Interval, Interval] | None:
    """The candidate's quantile over the other's, and minus the other's; None of fewer than five rounds.

    Args:
        candidate, before: seconds or bytes above 0, each in the order of the rounds that they took turns in.
        share: of the quantile, 0.5 for the median.
        seed: of the drawing, so that the same times give the same intervals.
    """
    rounds = min(len(candidate), len(before))
    if rounds < FEWEST_ROUNDS:
        return None
    drawn = _drawn(rounds, seed=seed)
    ours, theirs = (np.asarray(one[:rounds], dtype=np.float64) for one in (candidate, before))
    our, their = float(np.quantile(ours, share)), float(np.quantile(theirs, share))
    many, few = _quantiles(ours, drawn, share), _quantiles(theirs, drawn, share)
    return _interval(our / their, many / few), _interval(our - their, many - few)


def _drawn(rounds: int, *, seed: int) -> npt.NDArray[np.int64]:
    """Rounds of each resample, shape [resamples, about `rounds`]."""
    block = max(1, rounds // _BLOCKS)
    blocks = -(-rounds // block)
    starts = np.random.default_rng(seed).integers(0, rounds - block + 1, size=(_RESAMPLES, blocks, 1))
    return (starts + np.arange(block)).reshape(_RESAMPLES, -1)


def _quantiles(taken: Sequence[float] | FloatArray, drawn: npt.NDArray[np.int64], share: float) -> FloatArray:
    found: FloatArray = np.quantile(np.asarray(taken, dtype=np.float64)[drawn], share, axis=1)
    return found


def _interval(value: float | np.floating[Any], resampled: FloatArray) -> Interval:
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Interval(float(value), min(float(low), float(value)), max(float(high), float(value)))
