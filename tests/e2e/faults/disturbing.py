"""Let the requests of a step go wrong, run it again as long as it fails, and compare what is left.

In one world each address that a step writes to, or reads, goes wrong once: what ends the step ends it at each of them
in turn. What the client asks again by itself goes wrong at every second request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slipway.domain.pages import Page
from slipway.errors import SlipwayError

from tests.e2e.faults.world import Deed, HostedTeam, Worlds, state_of
from tests.github_stand_in.faults import Fault
from tests.unit.adapters.conftest import AT_ONCE, TOKEN

_STALL = 1.5  # seconds
_IMPATIENT = replace(AT_ONCE, silence=1)
EACH_WRITE: Mapping[str, Fault] = {
    "401": Fault(401),
    "403": Fault(403, retry_after="600"),  # longer than a run waits
    "404": Fault(404),
    "409": Fault(409),
    "422": Fault(422, message="Validation Failed: already_exists"),
    "500": Fault(500),
    "502 after it was done": Fault(502, after=True),
    "reset": Fault(),
    "reset after it was done": Fault(after=True),
    "silence after it was done": Fault(after=True, stall=_STALL),
}
ALIKE = (
    "404",
    "reset after it was done",
)  # of a step whose requests are also another one's, where they go wrong in all ways


@dataclass(frozen=True, slots=True)
class Step:
    """`after` is what was done before it; `run` may be a chain of steps, as a command runs them.

    `faults` are the ways in which its writes go wrong. One that `leaves_the_rest` may end well, and leave what it
    could not look at to its next run. `instead` tells whether it ended otherwise than undisturbed, and said so.
    """

    after: tuple[Deed, ...]
    run: Deed
    faults: tuple[str, ...] = tuple(EACH_WRITE)
    leaves_the_rest: bool = False
    instead: Callable[[HostedTeam, Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How a step ends when nothing goes wrong, and the requests that it takes."""

    answer: str
    state: dict[str, Any]
    asked: tuple[str, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(asked for asked in self.asked if asked.startswith("GET "))

    @property
    def writes(self) -> tuple[str, ...]:
        return tuple(asked for asked in self.asked if not asked.startswith("GET "))


@dataclass(frozen=True)
class Bench:
    """Runs steps in worlds, and remembers how each ends when nothing goes wrong."""

    worlds: Worlds
    known: dict[Step, Undisturbed] = field(default_factory=dict)

    def undisturbed(self, step: Step) -> Undisturbed:
        if step not in self.known:
            team = self.worlds.after(*step.after)
            before = len(team.github.faults.asked)
            answer = _told(step.run(team))
            self.known[step] = Undisturbed(answer, state_of(team), tuple(team.github.faults.asked[before:]))
        return self.known[step]

    def disturb(self, step: Step, faults: Sequence[Fault]) -> None:
        """All faults in one world; where a step may end otherwise, each in its own, for one would hide the next."""
        for together in [faults] if step.instead is None else [[fault] for fault in faults]:
            self._disturb(step, together)

    def _disturb(self, step: Step, faults: Sequence[Fault]) -> None:
        expected, team = self.undisturbed(step), self.worlds.after(*step.after)
        if any(fault.stall for fault in faults):
            team = replace(team, pace=_IMPATIENT)
        waiting, failures = team.github.faults.waiting, list[str]()
        waiting[:] = faults
        try:
            answer = self._until_it_ends(step, team, failures)
            assert not [f"{fault.verb} {fault.path}" for fault in waiting], "these were never asked for"
        finally:
            waiting.clear()
        if step.instead is None or not step.instead(team, answer):
            assert _told(answer) == expected.answer, failures
            assert state_of(team) == expected.state, failures

    def _until_it_ends(self, step: Step, team: HostedTeam, failures: list[str]) -> object:
        """Run again what failed; each second time on somebody else's machine."""
        waiting = team.github.faults.waiting
        for _ in range(len(waiting) + 1):
            before = len(waiting)
            try:
                answer = step.run(team)
            except SlipwayError as error:
                assert error.mend
                assert TOKEN not in str(error)
                failures.append(str(error))
            else:
                if len(waiting) == before or not step.leaves_the_rest:
                    return answer
            _let_started_runs_begin(team)
            if len(failures) % 2:
                self.worlds.on_a_new_machine(team, *step.after)
        raise AssertionError("\n".join(["it never ended:", *failures]))


def at_each(addresses: Iterable[str], fault: Fault) -> list[Fault]:
    """The fault once at each address, such as `POST /repos/…/issues`."""
    unique = (address.partition(" ") for address in dict.fromkeys(addresses))
    return [replace(fault, verb=verb, path=f"^{re.escape(path)}$") for verb, _, path in unique]


def at_each_second(reads: Sequence[str]) -> list[Fault]:
    """Silence for the first read, then one of two faults for each second, so that each is answered when it is asked
    again."""
    ways = [Fault(stall=_STALL), *([Fault(500), Fault()] * len(reads))]
    return [replace(ways[skip], verb="GET", skip=skip) for skip in range(len(reads))]


def _told(answer: object) -> str:
    """A page without what tells one run from another."""
    if isinstance(answer, Page):
        return repr((answer.kind, answer.number, answer.key, answer.body))
    return repr(answer)


def _let_started_runs_begin(team: HostedTeam) -> None:
    """GitHub shows a run under way for each that was started; the stand-in's begin here."""
    for started in team.hosted.dispatches[len(team.hosted.runs) :]:
        team.hosted.add_run(started["workflow"], title=f"release {started['inputs'].get('tag')}")
