"""What is known of a version that was merged and does not run: it alone decides whether to go back."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

from slipway.domain.incident import IncidentKind
from slipway.domain.pages import Body, Frozen
from slipway.domain.verdict import Finding

MOST_LINES = 10
LONGEST_LINE = 300  # characters
LONGEST_WORDS = 500


class RolloutProblem(StrEnum):
    """What the version did. That nobody could look is none of these, and no incident."""

    NEVER_READY = "never ready"
    WRONG_ANSWERS = "wrong answers"
    FELL_OVER = "fell over"
    WORSE = "worse on live answers"  # as a canary alone: it runs, and what it answers was judged


class RolledOut(Frozen):
    """A rollout of the same environment that was verified, or an incident of one that was not, on its day."""

    version: str
    day: date
    failed: bool = False


class RolloutFailure(Body):
    """`commit` brought `digest` into the manifest; with the environment they say which failure it is, whenever seen.

    `said` are the words of what runs it, `log` the last lines of the server, oldest first: both bounded, one line each
    and without control characters. `golden_equal` is None where it could not be asked. `serves` is the version that
    answers in the environment since, None where none does or nobody can say.

    `back_to` is what was verified last before it, along what was proposed in place of what; None where nothing was.
    `put_back_after` is the version that the manifest named before, where no release of this one was proposed in its
    place: the way back from that one led here, or a person did. `history` has the newest first.

    A `canary` had a share of the traffic, and `back_to` answers the rest: the way back is to withdraw it. `findings`
    are what its answers were judged to be, of a canary that runs and is worse: of `rows` answers since the day `since`,
    `labelled` of them.
    """

    kind: ClassVar[str] = "rollout-failure"

    model: str
    environment: str
    version: str
    digest: str
    commit: str
    incident: str
    seen: date
    problem: RolloutProblem
    said: str
    log: tuple[str, ...]
    golden_rows: int
    golden_equal: int | None
    serves: str | None
    back_to: str | None
    back_to_digest: str | None
    put_back_after: str | None
    history: tuple[RolledOut, ...] = ()
    canary: bool = False
    findings: tuple[Finding, ...] = ()
    since: date | None = None
    rows: int = 0
    labelled: int = 0

    @property
    def name(self) -> str:
        """As commands call it: `flight-delay/production/2026-08-31-rollout-failed-v1.4.0`."""
        return f"{self.model}/{self.environment}/{self.incident}"


def incident_id(day: date, version: str) -> str:
    return f"{day.isoformat()}-{IncidentKind.ROLLOUT_FAILED}-{version}"
