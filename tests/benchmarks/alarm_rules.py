"""What of a window is looked at, and from when on each tool's rule calls it an alarm.

Evidently and NannyML are not run here: their default rules are written down again, as their documentation tells them.
Evidently 0.7: Wasserstein distance in standard deviations, and Jensen-Shannon distance for words, each above 0.1, as
with a reference of more than 1,000 rows. NannyML 0.13: Jensen-Shannon distance above 0.1, numbers in bins by Doane.
Beside it stands the threshold that NannyML has for other distances and lets one choose here: mean + 3 standard
deviations of the chunks of the reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial.distance import jensenshannon
from slipway.maths.profile import ColumnProfile
from slipway.maths.windows import ServedBatch, count_window
from slipway.measures import drift

Column = npt.NDArray[Any]
POLICY = 0.15
PEERS = 0.1
SINGLE = ("p < 0.05", "Bonferroni", "KS > 0.15", "Evidently", "NannyML", "NannyML, mean + 3 sd")


@dataclass(frozen=True, slots=True)
class Effect:
    """How far a column of a window lies from the reference, as each tool tells it."""

    low: float
    null_rate_change: float
    distance: float
    p: float
    evidently: float
    jensen_shannon: float


@dataclass(frozen=True, eq=False)
class Reference:
    """One column, prepared so that many windows can be compared with it."""

    name: str
    values: Column
    profile: ColumnProfile

    def compared(self, window: Column) -> Effect:
        seen = count_window({self.name: self.profile}, [ServedBatch(len(window), {self.name: window})])
        (ours,), _ = drift.measure({self.name: self.profile}, seen)
        told = self._words(window) if self.values.dtype.kind == "O" else self._numbers(window)
        return Effect(ours.low, ours.null_rate_change, *told)

    def _numbers(self, window: Column) -> tuple[float, float, float, float]:
        asked = _known(window)
        distance, rows = self._distance(asked), self._known.size * asked.size / (self._known.size + asked.size)
        shares = np.linspace(0, 1, 1001)
        apart = np.abs(self._quantiles - np.quantile(asked, shares)).mean() / self._known.std()
        whole, seen = (np.diff(np.searchsorted(one, self._bins)) for one in (self._known, asked))
        p = float(stats.kstwobign.sf(distance * np.sqrt(rows)))
        return distance, p, float(apart), float(jensenshannon(whole, seen, base=2))

    def _distance(self, asked: Column) -> float:
        """Kolmogorov-Smirnov: at each value of the window, and just before it."""
        theirs = [np.searchsorted(asked, asked, side=side) / asked.size for side in ("left", "right")]
        ours = [np.searchsorted(self._known, asked, side=side) / self._known.size for side in ("left", "right")]
        return float(max(np.abs(one - other).max() for one, other in zip(theirs, ours, strict=True)))

    def _words(self, window: Column) -> tuple[float, float, float, float]:
        seen = Counter(window.tolist())
        names = sorted(self._counts.keys() | seen.keys())
        whole, asked = (np.array([one[name] for name in names]) for one in (self._counts, seen))
        distance = float(np.abs(whole / whole.sum() - asked / asked.sum()).sum() / 2)
        apart = float(jensenshannon(whole, asked, base=2))
        return distance, float(stats.chi2_contingency([whole, asked]).pvalue), apart, apart

    @cached_property
    def _known(self) -> Column:
        return _known(self.values)

    @cached_property
    def _quantiles(self) -> Column:
        return np.quantile(self._known, np.linspace(0, 1, 1001))

    @cached_property
    def _bins(self) -> Column:
        edges = np.histogram_bin_edges(self._known, bins="doane")
        return np.array([-np.inf, *edges[1:-1], np.inf])

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(self.values.tolist())


def _known(values: Column) -> Column:
    return np.sort(values[~np.isnan(values)])


def alarms(rule: str, effects: Mapping[str, Effect], usual: Mapping[str, float]) -> frozenset[str]:
    """The columns of a window that a rule of one window calls moved; `usual` is mean + 3 sd of each."""
    rules: dict[str, Callable[[str, Effect], bool]] = {
        "p < 0.05": lambda name, one: one.p < 0.05,
        "Bonferroni": lambda name, one: one.p < 0.05 / 9,
        "KS > 0.15": lambda name, one: one.distance > POLICY,
        "Evidently": lambda name, one: one.evidently > PEERS,
        "NannyML": lambda name, one: one.jensen_shannon > PEERS,
        "NannyML, mean + 3 sd": lambda name, one: one.jensen_shannon > usual[name],
    }
    exceeds = rules[rule]
    return frozenset(name for name, one in effects.items() if exceeds(name, one))
