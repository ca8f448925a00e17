"""Going back is right where it helps, and the page about it tells what was measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import reverts
from tests.benchmarks.revert_rules import MCNEMAR, ON_ALARM, ONE_WINDOW, OURS, Rules, Week
from tests.benchmarks.revert_worlds import BOTH_LOST, CHANGED, LOST, NOTHING, Story, simulated_stories

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((_DOCS / "reverts.json").read_text(encoding="utf-8"))
    return told


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules.of_repository()


def tallied(rules: Rules, scenario: str, *, repetitions: int = 40) -> dict[str, Any]:
    return reverts.tally(
        rules, simulated_stories(scenario, rows=200, repetitions=repetitions), scenario, "tried again", 200
    )


def test_the_page_is_the_one_of_the_raw_data(found: dict[str, Any]) -> None:
    """Figures that were typed, or that are of another run, are worth nothing."""
    assert (_DOCS / "reverts.md").read_text(encoding="utf-8") == reverts.drawn(found)


def test_what_was_measured_keeps_both_promises(found: dict[str, Any]) -> None:
    """And it was measured often enough to say so, made up and on real weeks."""
    assert reverts.broken(found) == []
    assert min(one["stories"] for one in found["simulated"]) >= 600
    assert min(one["stories"] for one in found["real"]) >= 30
    assert {one["scenario"] for one in found["real"]} >= {LOST, BOTH_LOST, CHANGED, NOTHING}


def test_a_page_of_a_broken_promise_says_so(found: dict[str, Any]) -> None:
    """The sentence is computed, and not only written."""
    changed = next(one for one in found["simulated"] if one["scenario"] == CHANGED)
    lost = next(one for one in found["simulated"] if one["scenario"] == LOST and one["labels"] == 200)
    worse = {**changed, "reverts": {**changed["reverts"], OURS: changed["alarms"] // 10}}
    seldom = {**lost, "reverts": {**lost["reverts"], OURS: int(lost["stories"] * 0.98)}}
    page = reverts.drawn({**found, "simulated": [worse, seldom]})

    assert f"PROMISES ARE BROKEN: {CHANGED} at 200 labels; {LOST} at 200 labels: at most 5% wrong" in page


def test_a_lost_feature_brings_the_version_before_back(rules: Rules) -> None:
    """At the second window, which is the first that may: the rule is not sure because it never acts."""
    told = tallied(rules, LOST)

    assert (told["reverts"][OURS], told["at once"], told["misses"]) == (40, 40, [])


def test_a_changed_world_does_not_bring_it_back(rules: Rules) -> None:
    """Each alarm would without the question of the version before; two in 40 are the 5 % that are promised."""
    told = tallied(rules, CHANGED)

    assert (told["alarms"], told["reverts"][ON_ALARM]) == (40, 40)
    assert told["reverts"][OURS] <= 2
    assert len(told["misses"]) == told["reverts"][OURS]


def test_where_nothing_changed_nothing_goes_back(rules: Rules) -> None:
    """There is no alarm, and no rule that waits for one acts; ours asks without."""
    told = tallied(rules, NOTHING)

    assert (told["alarms"], told["reverts"][ON_ALARM], told["reverts"][MCNEMAR]) == (0, 0, 0)
    assert told["reverts"][OURS] == 0


def test_one_window_in_which_it_wins_is_not_enough(rules: Rules) -> None:
    """What the second window is for: the first alone would have gone back here."""
    good, bad = _weeks(won=0, number=6), _weeks(won=40, number=1)
    judged = rules.judged([*good, *bad], at_release=_release())

    assert judged[-1].reverts >= {ONE_WINDOW}
    assert OURS not in judged[-1].reverts
    again = rules.judged([*good, *bad, *bad], at_release=_release())
    assert OURS in again[-1].reverts


def test_days_of_two_weeks_are_never_one(rules: Rules) -> None:
    """A trailing interval of seven days would be twice as wide as that of 28."""
    weeks = _weeks(won=20, number=4)
    same = rules.judged(weeks, at_release=_release())
    counted = rules.judged(
        [replace(week, days=week.days + 7 * number) for number, week in enumerate(weeks)], at_release=_release()
    )

    assert same == counted


def _weeks(*, won: int, number: int) -> list[Week]:
    """200 rows a week, 100 of them late: the deployed version finds all but `won`, the one before all of them."""
    labels = np.arange(200) % 2 == 0
    deployed = labels & (np.cumsum(labels) > won)
    return [Week(np.arange(200) // 2 % 7, labels, deployed, labels.copy())] * number


def _release() -> Any:
    story: Story = next(iter(simulated_stories(NOTHING, rows=200, repetitions=1)))
    return story.at_release
