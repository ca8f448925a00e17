"""Weeks in which it is known what is wrong: made up ones, and real ones of flights that something is done to.

A story is three weeks as they were at the release, then four in which something is otherwise. What is wrong decides
what is right: a feature that only the new version needs and that is lost is a reason to go back, a world in which both
versions are bad is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from slipway.domain.verdict import Estimate

from tests.benchmarks.alarms import flights
from tests.benchmarks.revert_rules import AFTER, BEFORE, Bools, Week, f1

Numbers = npt.NDArray[np.float64]
_Generator = np.random.Generator
LOST = "a feature is lost that only the new version uses"
BOTH_LOST = "a feature is lost that both use"
CHANGED = "the world changed, both are bad"
UNEQUAL = "the world changed, and one says yes more often"
FEW = "the new version learnt from few rows"
FLIPPED = "the new version learnt from flipped labels"
NOTHING = "nothing changed"
RIGHT = frozenset({LOST})  # where going back is right
WRONG = frozenset({BOTH_LOST, CHANGED, NOTHING})  # where it is wrong; of the others it is a matter of how much worse


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """`told` says which one it is, so that it can be looked at again."""

    told: str
    weeks: tuple[Week, ...]
    at_release: Estimate


# --- made up -------------------------------------------------------------------------------------------------------

_FEATURES, _NOISE = 6, 10  # numbers that tell something, and that tell nothing
_WEIGHTS = np.array([0.8, -0.8, 0.6, -0.6, 0.9, 1.4] + [0.0] * _NOISE)
_OTHERWISE = np.array([-0.8, 0.8, 0.6, -0.6, -0.2, 0.4] + [0.0] * _NOISE)
_MEANS = np.array([0.0] * 5 + [3.0] + [0.0] * _NOISE)  # the last that tells something is 3 on average, and 0 when lost
_MANY_ROWS, _FEW_ROWS, _SHARE_FLIPPED = 5_000, 100, 0.35
_OF_A_DAY = 0.4  # standard deviation of what a day does to all of its rows
_THRESHOLD, _LOWER_THRESHOLD = 0.35, 0.30
SIMULATED = (LOST, CHANGED, UNEQUAL, FEW, FLIPPED, NOTHING)


def simulated(scenario: str, *, rows: int, repetition: int) -> Story:
    """Two logistic regressions that learnt each from rows of its own, and so many labels a week."""
    random = np.random.default_rng([rows, repetition, SIMULATED.index(scenario)])
    threshold = _LOWER_THRESHOLD if scenario == UNEQUAL else _THRESHOLD
    before = _learnt(random, _MANY_ROWS, without_last=scenario == LOST, threshold=threshold)
    after = _learnt(
        random, _FEW_ROWS if scenario == FEW else _MANY_ROWS, flipped=_SHARE_FLIPPED if scenario == FLIPPED else 0.0
    )
    if scenario in (FEW, FLIPPED):  # bad from its first day
        weeks = [_made_up(random, rows, after, before) for _ in range(BEFORE + AFTER)]
    else:
        change = _CHANGES[scenario]
        weeks = [_made_up(random, rows, after, before) for _ in range(BEFORE)]
        weeks += [_made_up(random, rows, after, before, **change) for _ in range(AFTER)]
    at_release = f1([_made_up(random, _MANY_ROWS, after, before) for _ in range(4)])
    assert at_release is not None
    return Story(f"repetition {repetition}", tuple(weeks), at_release)


_CHANGES: Mapping[str, Mapping[str, Any]] = {
    LOST: {"lost": True},
    CHANGED: {"weights": _OTHERWISE},
    UNEQUAL: {"weights": _OTHERWISE},
    NOTHING: {},
}
_Answer = Callable[[Numbers], Bools]


def _learnt(
    random: _Generator,
    rows: int,
    *,
    without_last: bool = False,
    flipped: float = 0.0,
    threshold: float = _THRESHOLD,
) -> _Answer:
    inputs, labels, _ = _drawn(random, rows, _WEIGHTS)
    labels ^= random.random(rows) < flipped
    used = np.ones(len(_WEIGHTS), np.bool_)
    used[_FEATURES - 1] = not without_last
    fitted = LogisticRegression(C=10.0, solver="newton-cholesky").fit(inputs[:, used], labels)
    return lambda asked: np.asarray(fitted.predict_proba(asked[:, used])[:, 1] >= threshold)


def _drawn(random: _Generator, rows: int, weights: Numbers) -> tuple[Numbers, Bools, npt.NDArray[np.int64]]:
    inputs = random.normal(size=(rows, len(weights))) + _MEANS
    days = random.integers(7, size=rows)
    logits = (inputs - _MEANS) @ weights - 1.2 + random.normal(scale=_OF_A_DAY, size=7)[days]
    return inputs, random.random(rows) < 1 / (1 + np.exp(-logits)), days


def _made_up(
    random: _Generator,
    rows: int,
    deployed: _Answer,
    previous: _Answer,
    *,
    weights: Numbers = _WEIGHTS,
    lost: bool = False,
) -> Week:
    inputs, labels, days = _drawn(random, rows, weights)
    if lost:
        inputs[:, _FEATURES - 1] = 0.0
    return Week(days, labels, deployed(inputs), previous(inputs))


# --- real weeks ----------------------------------------------------------------------------------------------------

_LATE = 15  # minutes
_LEARNT_UNTIL, _BEFORE_UNTIL = 90, 59  # days of 2013: the end of March, and of February
_TIMETABLE = ("sched_dep_time", "distance", "dow", "carrier", "origin", "dest")
_AT_TAKE_OFF = (*_TIMETABLE, "dep_delay")
_WEEKS = (365 - _LEARNT_UNTIL) // 7
STARTS = range(BEFORE, _WEEKS - AFTER + 1)
LATER_BY, NOISE = "all land 20 minutes later", "30 % of the outcomes are of chance"
WORDS = ("carrier", "origin", "dest")
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """A real scenario: what it is an example of, the versions it is about, and what is done to weeks from one on."""

    scenario: str
    name: str
    deployed: str
    previous: str
    change: Callable[[Columns, _Generator], Columns]


def _stuck(rows: Columns, _: _Generator) -> Columns:
    return {**rows, "dep_delay": np.zeros_like(rows["dep_delay"])}


def _all_later(rows: Columns, _: _Generator) -> Columns:
    return {**rows, "arr_delay": rows["arr_delay"] + 20}


def _by_chance(rows: Columns, random: _Generator) -> Columns:
    """The outcomes of some flights are those of other flights of the year."""
    chosen, arrived = random.random(len(rows["arr_delay"])) < 0.3, rows["arr_delay"]
    return {**rows, "arr_delay": np.where(chosen, random.permutation(arrived), arrived)}


def _as_it_was(rows: Columns, _: _Generator) -> Columns:
    return rows


CASES = (
    Case(LOST, "departure delay stuck at 0", "departure", "timetable", _stuck),
    Case(BOTH_LOST, "departure delay stuck at 0", "departure", "departure, to February", _stuck),
    Case(CHANGED, LATER_BY, "departure", "departure, to February", _all_later),
    Case(CHANGED, NOISE, "departure", "departure, to February", _by_chance),
    Case(CHANGED, f"{LATER_BY}, timetable alone", "timetable", "timetable, to February", _all_later),
    Case(FEW, "300 flights", "departure, 300 flights", "departure, to February", _as_it_was),
    Case(FLIPPED, "35 % of the labels", "departure, 35 % flipped", "departure, to February", _as_it_was),
    Case(NOTHING, "at take-off", "departure", "departure, to February", _as_it_was),
    Case(NOTHING, "timetable alone", "timetable", "timetable, to February", _as_it_was),
)


@dataclass(frozen=True, slots=True, eq=False)
class Flights:
    """Weeks from April 2013 on, and versions that learnt from the days before."""

    weeks: Sequence[Columns]
    held_out: Sequence[Columns]
    answers: Mapping[str, Callable[[Columns], Bools]]

    @classmethod
    def of_2013(cls) -> Flights:
        columns, days = flights()
        arrived = ~np.isnan(columns["arr_delay"])
        rows = {name: _as_numbers(name, column)[arrived] for name, column in columns.items()}
        rows |= {"day": days[arrived], "dow": (days[arrived] % 7).astype(np.float64)}
        held_out = (rows["day"] < _LEARNT_UNTIL) & (rows["day"] % 5 == 4)
        weeks = [chosen(rows, (rows["day"] - _LEARNT_UNTIL) // 7 == week) for week in range(_WEEKS)]
        parts = [chosen(rows, held_out & (rows["day"] // 7 == week)) for week in range(_LEARNT_UNTIL // 7)]
        return cls(weeks, parts, _versions(chosen(rows, ~held_out)))

    def stories(self, case: Case, *, rows: int | None, draws: int) -> Iterator[Story]:
        """One a week from which on it is otherwise and a draw of rows; all rows of each week where `rows` is None."""
        release = f1([self._asked(case, one) for one in self.held_out])
        assert release is not None
        for start in STARTS:
            for draw in range(draws):
                random = np.random.default_rng([start, draw, rows or 0, CASES.index(case)])
                weeks = [self._week(case, start + number, rows, random, number) for number in range(-BEFORE, AFTER)]
                yield Story(f"from week {start + 1} after March, draw {draw}", tuple(weeks), release)

    def _week(self, case: Case, week: int, rows: int | None, random: _Generator, number: int) -> Week:
        served = self.weeks[week]
        if rows is not None:
            served = chosen(served, random.choice(len(served["day"]), rows, replace=False))
        return self._asked(case, case.change(served, random) if number >= 0 else served)

    def _asked(self, case: Case, rows: Columns) -> Week:
        deployed, previous = (self.answers[name](rows) for name in (case.deployed, case.previous))
        return Week(rows["day"], rows["arr_delay"] > _LATE, deployed, previous)


def _as_numbers(name: str, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Words by their place in the alphabet."""
    return np.unique(column.astype(str), return_inverse=True)[1].astype(np.float64) if name in WORDS else column


def chosen(rows: Columns, which: npt.NDArray[Any]) -> Columns:
    return {name: column[which] for name, column in rows.items()}


def _versions(rows: Columns) -> dict[str, Callable[[Columns], Bools]]:
    all_of_it = chosen(rows, rows["day"] < _LEARNT_UNTIL)
    to_february = chosen(rows, rows["day"] < _BEFORE_UNTIL)
    random = np.random.default_rng(2013)
    few = chosen(all_of_it, random.choice(len(all_of_it["day"]), 300, replace=False))
    return {
        "departure": _trained(all_of_it, _AT_TAKE_OFF),
        "departure, to February": _trained(to_february, _AT_TAKE_OFF),
        "timetable": _trained(all_of_it, _TIMETABLE),
        "timetable, to February": _trained(to_february, _TIMETABLE),
        "departure, 300 flights": _trained(few, _AT_TAKE_OFF),
        "departure, 35 % flipped": _trained(_mislabelled(all_of_it, random), _AT_TAKE_OFF),
    }


def _mislabelled(rows: Columns, random: _Generator) -> Columns:
    late, wrong = rows["arr_delay"] > _LATE, random.random(len(rows["day"])) < _SHARE_FLIPPED
    return {**rows, "arr_delay": np.where(late ^ wrong, _LATE + 1.0, 0.0)}


def _trained(rows: Columns, inputs: Sequence[str]) -> Callable[[Columns], Bools]:
    model = HistGradientBoostingClassifier(max_iter=60, random_state=7)
    labels = rows["arr_delay"] > _LATE
    model.fit(_table(rows, inputs), labels)
    threshold = best_threshold(labels, model.predict_proba(_table(rows, inputs))[:, 1])
    return lambda asked: np.asarray(model.predict_proba(_table(asked, inputs))[:, 1] >= threshold)


def best_threshold(labels: Bools, scores: Numbers) -> float:
    """The one with the best F1 on what was learnt from."""
    candidates = np.quantile(scores, np.linspace(0.05, 0.95, 19))
    return float(max(candidates, key=lambda one: f1_score(labels, scores >= one)))


def _table(rows: Columns, inputs: Sequence[str]) -> Numbers:
    return np.stack([rows[name] for name in inputs], axis=1)


def simulated_stories(scenario: str, *, rows: int, repetitions: int) -> Iterator[Story]:
    return (simulated(scenario, rows=rows, repetition=number) for number in range(repetitions))
