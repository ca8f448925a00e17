"""What a program of the team's is told of incidents, and how each attempt ended."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Self

from slipway.domain.incident import Outcome
from slipway.domain.pages import Body, Frozen
from slipway.domain.verdict import Finding, Verdict


class FindingTold(Frozen):
    """A finding as other programs are told it: fields are added, and none is taken away."""

    gate: str
    question: str
    verdict: Verdict
    measured: str
    allowed: str
    problem: str
    in_audit: bool

    @classmethod
    def of(cls, finding: Finding) -> Self:
        return cls(
            gate=finding.gate,
            question=finding.title,
            verdict=finding.verdict,
            measured=finding.measured,
            allowed=finding.allowed,
            problem=finding.problem,
            in_audit=finding.audit,
        )


class IncidentEvent(Frozen):
    """What was done about an incident, and why; `since` and `until` are the days of the window, both included."""

    model: str
    environment: str
    version: str
    incident: str
    outcome: Outcome
    title: str
    since: date
    until: date
    rows: int
    labelled: int
    back_to: str | None
    issue: int | None
    links: dict[str, str]
    findings: tuple[FindingTold, ...]


class IncidentMessage(Frozen):
    """A message of a webhook: `type` is `incident.opened`, or another action of its issue; `timestamp` is when."""

    schema_version: int = 1
    type: str
    timestamp: str
    data: IncidentEvent


class Delivery(Body):
    """A message that was posted; `event` is the same however often. `problem` says why it was not taken, else empty."""

    kind: ClassVar[str] = "delivery"

    event: str
    message: IncidentMessage
    problem: str = ""
