"""How often does the watch go back when that helps nobody, and does it go back when it should?

    python -m tests.benchmarks.reverts                 measure, and write docs/benchmarks/reverts.json
    python -m tests.benchmarks.reverts --draw          write docs/benchmarks/reverts.md from that file

A story is seven weeks of a deployed version and the one before it; from the fourth on something is wrong, and each of
the last four is judged as the watch judges it. Stories are made up (`revert_worlds.simulated`), or weeks of the flights
that left New York in 2013, from each week on in which something can be broken. What of them is wrong is known, and so
is what going back is worth.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
from slipway.maths.intervals import share_interval

from tests.benchmarks.revert_rules import AFTER, OURS, RULES, Judged, Rules
from tests.benchmarks.revert_worlds import (
    CASES,
    NOTHING,
    RIGHT,
    SIMULATED,
    UNEQUAL,
    WRONG,
    Flights,
    Story,
    simulated_stories,
)

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "benchmarks"
_SIZES = (200, 1_000, 5_000)
_REPETITIONS = 600
_DRAWS = {200: 5, 1_000: 3, None: 1}  # of rows of the real weeks, by labels a week; None is all of them
_DRAWS_OF_A_PROMISE = 20  # where 99 % are promised, which few stories could not show
_WINDOWS = 2  # that the policy asks for: no rule of it is quicker
_MOST_WRONG, _LEAST_RIGHT, _LEAST_RIGHT_AT = 0.05, 0.99, 200


def measured() -> dict[str, Any]:
    """Each kind of story by a process of its own: none waits for another, and all are the same in any order."""
    made_up = [(scenario, rows) for scenario in SIMULATED for rows in _SIZES]
    real = [(place, rows) for place in range(len(CASES)) for rows in _DRAWS]
    with ProcessPoolExecutor() as pool:
        simulated = pool.map(_made_up, *zip(*made_up, strict=True))
        flights = pool.map(_real, *zip(*real, strict=True))
        return {"simulated": list(simulated), "real": list(flights)}


def _made_up(scenario: str, rows: int) -> dict[str, Any]:
    stories = simulated_stories(scenario, rows=rows, repetitions=_REPETITIONS)
    return tally(Rules.of_repository(), stories, scenario, "", rows)


def _real(place: int, rows: int | None) -> dict[str, Any]:
    case = CASES[place]
    promised = case.scenario in RIGHT and rows == _LEAST_RIGHT_AT
    stories = _flights().stories(case, rows=rows, draws=_DRAWS_OF_A_PROMISE if promised else _DRAWS[rows])
    return tally(Rules.of_repository(), stories, case.scenario, case.name, rows)


@functools.cache
def _flights() -> Flights:
    return Flights.of_2013()


def tally(rules: Rules, stories: Iterable[Story], scenario: str, name: str, rows: int | None) -> dict[str, Any]:
    """Of stories of one kind: in how many there is an alarm, in how many each rule goes back, and what it got wrong."""
    click.echo(f"{scenario}{', ' if name else ''}{name}: {rows or 'all'} labels a week", err=True)
    found = [(story.told, rules.judged(story.weeks, at_release=story.at_release)) for story in stories]
    gains = [week.gain.value for _, weeks in found for week in weeks if week.gain is not None]
    return {
        "scenario": scenario,
        "name": name,
        "labels": rows,
        "stories": len(found),
        "alarms": sum(any(week.alarm for week in weeks) for _, weeks in found),
        "reverts": {rule: sum(_reverts(weeks, rule) for _, weeks in found) for rule in RULES},
        "at once": sum(_reverts(weeks[:_WINDOWS], OURS) for _, weeks in found),
        "gain": round(float(np.mean(gains)), 3),
        "misses": [f"{told}: {_numbers(weeks)}" for told, weeks in found if _is_missed(scenario, weeks)],
        "late": [f"{told}: {_numbers(weeks)}" for told, weeks in found if _is_late(scenario, weeks)],
    }


def _reverts(weeks: Sequence[Judged], rule: str) -> bool:
    return any(rule in week.reverts for week in weeks)


def _is_missed(scenario: str, weeks: Sequence[Judged]) -> bool:
    return _reverts(weeks, OURS) if scenario in WRONG else scenario in RIGHT and not _reverts(weeks, OURS)


def _is_late(scenario: str, weeks: Sequence[Judged]) -> bool:
    return scenario in RIGHT and _reverts(weeks, OURS) and not _reverts(weeks[:_WINDOWS], OURS)


def _numbers(weeks: Sequence[Judged]) -> str:
    return "; ".join(f"week {number} {week.told()}" for number, week in enumerate(weeks, start=1))


# --- the page ------------------------------------------------------------------------------------------------------


def drawn(found: Mapping[str, Any]) -> str:
    parts = [_HEAD, _SIMULATED_HEAD, _of_kind(found["simulated"]), _REAL_HEAD, _of_kind(found["real"])]
    return "\n\n".join([*parts, _promises(found), _weak_spot(found), _listed(found)]) + "\n"


_HEAD = f"""# When the watch goes back, and when it should not
Written by `python -m tests.benchmarks.reverts --draw` from [reverts.json](reverts.json), which
`python -m tests.benchmarks.reverts` measures. A story is seven weeks of a deployed version and the one before it, and
something is otherwise in the last {AFTER}; each of these is judged as the watch judges it, by `policies/metrics.yaml`
and `policies/previous-version.yaml` as they are for any model. *Ours* goes back when the version before wins by more
than `gain` of F1, days resampled for both together, in two windows in a row. Beside it: the same rule after one window;
going back whenever the metric alarms; and going back on the alarm when McNemar's exact test of the newest week says
p < 0.05. An alarm is a story in which F1 over four weeks fails. *Gain* is what going back wins on average, in F1."""
_SIMULATED_HEAD = """## Made up
Two logistic regressions, each with rows of its own; six numbers that tell something, ten that do not, and days that
differ. Stories in which a rule goes back:"""
_REAL_HEAD = """## Flights
Gradient-boosted trees that learnt from January to March 2013, or to February; asked at take-off (with the departure
delay), or from the timetable. Broken from each week from the fourth after March on, with so many flights of each week
drawn. Stories in which a rule goes back:"""


def _of_kind(told: Sequence[Mapping[str, Any]]) -> str:
    head = ["what is wrong", "labels a week", "gain", "stories", "with an alarm", *RULES, "ours, at the second window"]
    return _table(head, [_row(one) for one in told])


def _row(one: Mapping[str, Any]) -> list[str]:
    what = f"{one['scenario']}{': ' if one['name'] else ''}{one['name']}"
    counts = [one["stories"], one["alarms"], *(one["reverts"][rule] for rule in RULES), one["at once"]]
    return [what, _labels(one), f"{one['gain']:+.3f}", *map(str, counts)]


def _labels(one: Mapping[str, Any]) -> str:
    return f"{one['labels']:,}" if one["labels"] else "all, about 6,000"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def wrong_share(one: Mapping[str, Any]) -> tuple[int, int]:
    """Reverts of ours, and alarms; where nothing changed, stories, since there may be no alarm at all."""
    return one["reverts"][OURS], one["stories"] if one["scenario"] == NOTHING else one["alarms"]


def broken(found: Mapping[str, Any]) -> list[str]:
    """What is promised and was not kept, a sentence each."""
    told = [*found["simulated"], *found["real"]]
    wrong = [one for one in told if one["scenario"] in WRONG and _too_often(*wrong_share(one))]
    seldom = [one for one in told if _is_asked(one) and one["reverts"][OURS] < _LEAST_RIGHT * one["stories"]]
    return [f"{_row(one)[0]} at {_labels(one)} labels" for one in (*wrong, *seldom)]


def _too_often(reverts: int, of: int) -> bool:
    return reverts > _MOST_WRONG * of


def _is_asked(one: Mapping[str, Any]) -> bool:
    return one["scenario"] in RIGHT and one["labels"] == _LEAST_RIGHT_AT


def _promises(found: Mapping[str, Any]) -> str:
    missed = broken(found)
    kept = "Both promises are kept" if not missed else "PROMISES ARE BROKEN: " + "; ".join(missed)
    lines = [_promised("made up", found["simulated"]), _promised("flights", found["real"])]
    return (
        f"## What follows\n{kept}: at most {_MOST_WRONG:.0%} wrong reverts an alarm, and at least {_LEAST_RIGHT:.0%} "
        f"right ones at {_LEAST_RIGHT_AT} labels a week.\n\n" + "\n".join(lines)
    )


def _weak_spot(found: Mapping[str, Any]) -> str:
    told = [one for one in found["simulated"] if one["scenario"] == UNEQUAL]
    counts = ", ".join(f"{one['reverts'][OURS]} of {one['stories']} at {_labels(one)} labels" for one in told)
    return (
        "**No part of the promise:** where the world changed and one version says yes more often than the other, F1 "
        "prefers it, though both are bad: F1 rewards a yes by chance. Going back helps by that metric alone. "
        f"Ours goes back in {counts}; a larger `gain` keeps it from that, and only a new training ends it."
    )


def _promised(name: str, told: Sequence[Mapping[str, Any]]) -> str:
    wrong = [wrong_share(one) for one in told if one["scenario"] in WRONG and one["scenario"] != NOTHING]
    right = [one for one in told if _is_asked(one)]
    reverted, stories = (sum(one["reverts"][OURS] for one in right), sum(one["stories"] for one in right))
    return (
        f"- {name}: wrong reverts {_share(sum(one for one, _ in wrong), sum(of for _, of in wrong))} alarms; "
        f"right ones {_share(reverted, stories)} stories, {sum(one['at once'] for one in right)} of them at the second "
        "window, which is the first that can"
    )


def _share(part: int, whole: int) -> str:
    found = share_interval(part, whole)
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}], {part} of {whole:,}"


def _listed(found: Mapping[str, Any]) -> str:
    """Each by itself: a share tells nobody what to look at."""
    missed, late = ([_each(one, kind) for one in _all(found) if one[kind]] for kind in ("misses", "late"))
    return "\n\n".join(
        [
            "Each with its weeks: a gain with its interval, and F1 of what is deployed.",
            f"<details><summary>Misses: {_counted(found, 'misses')}</summary>",
            "\n".join(missed) or "None.",
            "</details>",
            f"<details><summary>Right, and later than at the second window: {_counted(found, 'late')}</summary>",
            "\n".join(late) or "None.",
            "</details>",
        ]
    )


def _counted(found: Mapping[str, Any], kind: str) -> int:
    return sum(len(one[kind]) for one in _all(found))


def _all(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*found["simulated"], *found["real"]]


def _each(one: Mapping[str, Any], kind: str) -> str:
    return "\n".join(f"- {_row(one)[0]}, {_labels(one)} labels, {told}" for told in one[kind])


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    path = _DOCS / "reverts.json"
    if not parser.parse_args(arguments).draw:
        path.write_text(json.dumps(measured(), indent=1) + "\n", encoding="utf-8")
    page = drawn(json.loads(path.read_text(encoding="utf-8")))
    (_DOCS / "reverts.md").write_text(page, encoding="utf-8")
    click.echo(page)


if __name__ == "__main__":
    main(sys.argv[1:])
