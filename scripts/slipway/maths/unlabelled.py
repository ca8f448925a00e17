"""What a model's own probabilities say of its decisions where no row has a label: the confidence-based estimate.

With p the probability of a class and h whether a row is decided to be of it, Σ p·h is the expected number of true
positives, Σ h that of decisions and Σ p that of labels, so that F1 is expected to be 2 Σ p·h / (Σ h + Σ p) (ratio of
expectations; NannyML calls it CBPE). It holds as long as the probabilities mean what they meant when they were
checked: it sees that other rows are asked, and never that the same rows have other labels by now.

Sums are kept as integers, so that the order of rows and the size of batches change no digit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from slipway.maths.absence import Absent
from slipway.maths.columns import FloatArray
from slipway.maths.intervals import MetricEstimate, counts_by_day, day_bootstrap, interval_of

_ONE = 1 << 30  # a probability is counted in such parts
_SUM_APART = 1e-3  # from 1: of float16, and of many classes
Sums = npt.NDArray[np.int64]  # shape (.., 1 + 3 K): rows, then of K classes decisions, probabilities and their products


@dataclass(frozen=True, slots=True)
class Expected:
    """Sums a day, by its number; `left_out` are rows without a number. Of no class alone it counts rows."""

    by_day: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    left_out: int = 0

    def __add__(self, other: Self) -> Self:
        both = dict(self.by_day)
        for day, sums in other.by_day.items():
            there = both.get(day, (0,) * len(sums))
            both[day] = tuple(one + more for one, more in zip(there, sums, strict=True))
        return type(self)(dict(sorted(both.items())), self.left_out + other.left_out)

    @property
    def rows(self) -> int:
        return sum(sums[0] for sums in self.by_day.values())

    def estimate(self, metric: str, *, seed: int) -> MetricEstimate | Absent:
        """One of `METRICS` over all days, with the interval of whole days drawn again: how days differ, and no more.

        Raises:
            KeyError: an unknown metric.
        """
        ratio = METRICS[metric]
        if not self.by_day:
            return Absent("no row was answered with a probability")
        sums = np.array(list(self.by_day.values()), np.int64)
        drawn = ratio(day_bootstrap(sums, seed=seed))
        return interval_of(float(ratio(sums.sum(axis=0))), drawn, days=len(sums), metric=metric)

    def value(self, metric: str) -> float:
        """The same without an interval; NaN where it is undefined."""
        if not self.by_day:
            return float("nan")
        return float(METRICS[metric](np.array(list(self.by_day.values()), np.int64).sum(axis=0)))


def expected(days: npt.NDArray[np.int64], chances: npt.NDArray[Any], decisions: npt.NDArray[np.bool_]) -> Expected:
    """Count rows by day.

    Args:
        days: numbers of days, shape (N,).
        chances: from 0 to 1, shape (N, K): that of yes, or those of each class; NaN where there is no number.
        decisions: what was decided, shape (N, K).
    """
    there = np.isfinite(chances).all(axis=1)
    parts = np.rint(chances[there].astype(np.float64) * _ONE).astype(np.int64)
    yes = decisions[there]
    rows = np.concatenate([np.ones((len(parts), 1), np.int64), yes.astype(np.int64), parts, parts * yes], axis=1)
    totals = counts_by_day(days[there], rows)
    by_day = dict(zip(np.unique(days[there]).tolist(), map(tuple, totals.tolist()), strict=True))
    return Expected(by_day, int((~there).sum()))


def are_chances(chances: npt.NDArray[Any]) -> bool:
    """Whether these can be probabilities, shape (N, K): from 0 to 1, and of several classes 1 together."""
    numbers = chances[np.isfinite(chances).all(axis=1)].astype(np.float64)
    within = bool(((numbers >= 0) & (numbers <= 1)).all())
    return within and (numbers.shape[1] == 1 or bool(np.allclose(numbers.sum(axis=1), 1, atol=_SUM_APART)))


def _precision(sums: Sums) -> FloatArray:
    _, decided, _, both = _parts(sums)
    return _ratio(both, decided)[..., 0]


def _recall(sums: Sums) -> FloatArray:
    _, _, chance, both = _parts(sums)
    return _ratio(both, chance)[..., 0]


def _f1(sums: Sums) -> FloatArray:
    _, decided, chance, both = _parts(sums)
    return _ratio(2 * both, decided + chance)[..., 0]


def _f1_macro(sums: Sums) -> FloatArray:
    """The mean over the classes that are decided or expected at all."""
    _, decided, chance, both = _parts(sums)
    of_each = _ratio(2 * both, decided + chance)
    known = ~np.isnan(of_each)
    return _ratio(np.where(known, of_each, 0.0).sum(axis=-1), known.sum(axis=-1))


def _accuracy(sums: Sums) -> FloatArray:
    """Of several classes the chance of the decided one; of yes or no that of no, too."""
    rows, decided, chance, both = _parts(sums)
    right = both.sum(axis=-1)
    return _ratio(right if both.shape[-1] > 1 else rows - decided[..., 0] - chance[..., 0] + 2 * right, rows)


METRICS: Mapping[str, Callable[[Sums], FloatArray]] = MappingProxyType(
    {"accuracy": _accuracy, "f1": _f1, "f1_macro": _f1_macro, "precision": _precision, "recall": _recall}
)


def _parts(sums: Sums) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Rows, shape (..), and decisions, probabilities and products, shape (.., K)."""
    numbers = sums.astype(np.float64)
    decided, chance, both = np.split(numbers[..., 1:], 3, axis=-1)
    return numbers[..., 0], decided, chance / _ONE, both / _ONE


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, np.true_divide(part, whole), np.nan)
