"""What is due: computed from tags, ledger and manifests, so that no lost event stays lost."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from slipway.domain.pages import Body, Frozen


class MovedTag(Frozen):
    tag: str
    recorded: str
    now: str


class MissedHeartbeat(Frozen):
    """`last` is the end of the newest window, None where a deployed version was never watched."""

    model: str
    environment: str
    last: date | None


class Reconciliation(Body):
    """`too_old` are tags from before the first page of their model: they are listed, never released."""

    kind: ClassVar[str] = "reconciliation"

    due: tuple[str, ...]
    moved: tuple[MovedTag, ...]
    deleted: tuple[str, ...]
    too_old: tuple[str, ...]
    missed: tuple[MissedHeartbeat, ...]


class StatusRow(Frozen):
    """What one environment runs of one model, and how it is; `incident` is the number of its open issue."""

    model: str
    environment: str
    version: str | None
    digest: str | None
    since: str | None
    outcome: str | None
    incident: int | None
    quarantined: tuple[str, ...] = ()


class ManifestProblem(Frozen):
    path: str
    problem: str
    mend: str


class ManifestReport(Body):
    """`checked` counts the manifests that deploy something."""

    kind: ClassVar[str] = "manifest-report"

    checked: int
    problems: tuple[ManifestProblem, ...]
