"""What is due: computed from tags, ledger and manifests, so that no lost event stays lost."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import ClassVar, Self

from slipway.domain.incident import Window
from slipway.domain.pages import Body, Frozen
from slipway.domain.promotion import Wait
from slipway.domain.verdict import Verdict
from slipway.maths.named_metrics import foremost


class MovedTag(Frozen):
    tag: str
    recorded: str
    now: str


class MissedHeartbeat(Frozen):
    """`last` is the end of the newest window, None where a deployed version was never watched."""

    model: str
    environment: str
    last: date | None


class RewrittenPage(Frozen):
    """A file of the ledger that does not say any more what was written first, and the commit that changed it."""

    path: str
    commit: str


class StoppedWorkflow(Frozen):
    """A workflow that runs each day, and did last on `last`."""

    workflow: str
    last: date


class Unknown(Frozen):
    """What could not be looked at: a model, a manifest."""

    subject: str
    problem: str
    mend: str


class DueRollout(Frozen):
    """A rollout that was merged and never begun, or that may go on to the next environment by now."""

    model: str
    environment: str


class OutdatedCheck(Frozen):
    """The `run` that checked the manifests of a pull request before a freeze began, or while one held that ended."""

    pull: int
    run: int


class Reconciliation(Body):
    """What is to be done, and by whom.

    Releases: `due` are started now, `waiting` on a later day, and those `under_way` are queued or running. `stuck`
    ended in errors until nobody tries any more. `too_old` are tags from before the first page of their model: they
    are listed, never released. `rollouts` are started as well, and `checks` run again.
    """

    kind: ClassVar[str] = "reconciliation"

    due: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    too_old: tuple[str, ...] = ()
    moved: tuple[MovedTag, ...] = ()
    deleted: tuple[str, ...] = ()
    rewritten: tuple[RewrittenPage, ...] = ()
    missed: tuple[MissedHeartbeat, ...] = ()
    stopped: tuple[StoppedWorkflow, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    rollouts: tuple[DueRollout, ...] = ()
    checks: tuple[OutdatedCheck, ...] = ()

    @property
    def needs_a_person(self) -> bool:
        """A stuck release has an issue of its own."""
        return any((self.moved, self.deleted, self.rewritten, self.missed, self.stopped, self.unknown))


class OnItsWay(Frozen):
    """A version that is to come: `pull` proposes it, or it waits; neither where the next run of rollout proposes it.

    A `canary` is there already, and what is to come is all of the traffic.
    """

    version: str
    pull: int | None = None
    wait: Wait | None = None
    canary: bool = False


class Approval(Frozen):
    """Who let in what runs: the author of the commit that brought it to the default branch, and when they did.

    `pull` is the number of its pull request, None where the commit's words name none. Of one that was `squashed`, `by`
    wrote it, and git does not know who merged it.
    """

    by: str
    commit: str
    pull: int | None
    at: datetime
    squashed: bool = False


class OpenIncident(Frozen):
    """What is open about a place, by its id, and the number of its issue; None where none was filed yet."""

    incident: str
    outcome: str
    issue: int | None


class LastWindow(Frozen):
    """What the watch saw last of the version that runs.

    `drift` is the largest distance of a feature, by its lower end, and `feature` which one that was; `value` is that of
    the foremost metric among the labelled rows of the days before. None where nothing was measured.
    """

    start: date
    end: date
    rows: int
    labelled: int
    drift: float | None
    feature: str | None
    metric: str | None
    value: float | None

    @classmethod
    def of(cls, window: Window) -> Self:
        largest = max(window.drift, key=lambda one: one.low, default=None)
        metric = None if window.trailing is None else foremost(window.trailing.kind).name
        value = None if window.trailing is None or metric is None else window.trailing.metrics.get(metric)
        return cls(
            start=window.start,
            end=window.end,
            rows=window.rows,
            labelled=window.labelled,
            drift=None if largest is None else largest.low,
            feature=None if largest is None else largest.feature,
            metric=metric if value is not None else None,
            value=None if value is None else value.value,
        )


class Adopted(Frozen):
    """That a person said what runs, in place of verdicts; `when` is ISO 8601."""

    by: str
    when: str
    note: str


class StatusRow(Frozen):
    """What one environment runs of one model, and how it is; `incident` is the number of its open issue.

    `verdict` is the newest one of the version that runs, with `passed` of its `findings`; None where the ledger has
    none. `adopted` then may say that a person recorded it as what ran before Slipway came.

    `in_audit` counts the findings of its release that would refuse it if their policies said `enforce: block`; None
    where nothing is deployed, or the ledger has no verdicts of it. `runtime` is the digest of the runtime image below
    the model, None where the ledger does not tell.
    """

    model: str
    environment: str
    version: str | None
    digest: str | None
    since: str | None
    outcome: str | None
    incident: int | None
    quarantined: tuple[str, ...] = ()
    in_audit: int | None = None
    runtime: str | None = None
    on_its_way: tuple[OnItsWay, ...] = ()
    approved: Approval | None = None
    verdict: Verdict | None = None
    passed: int | None = None
    findings: int | None = None
    adopted: Adopted | None = None
    window: LastWindow | None = None
    incidents: tuple[OpenIncident, ...] = ()


class Status(Frozen):
    """All places at one moment; `on` is the day that was asked about, None for now.

    `heartbeats` tells by workflow the day on which it ran last, and `stopped` which of them are late.
    """

    on: date | None
    rows: tuple[StatusRow, ...]
    heartbeats: dict[str, date]
    stopped: tuple[str, ...] = ()


class ManifestProblem(Frozen):
    path: str
    problem: str
    mend: str


class ManifestReport(Body):
    """`checked` counts the manifests that deploy something."""

    kind: ClassVar[str] = "manifest-report"

    checked: int
    problems: tuple[ManifestProblem, ...]


MOST_SHARDS = 8


def shards_for(places: int) -> int:
    """How many machines look at so many models: two each or more, since to set one up takes as long as to look."""
    return min(MOST_SHARDS, (places + 1) // 2)


def shard_of(environment: str, model: str, *, shards: int) -> int:
    """Which of 1 to `shards` looks at a model in an environment.

    By the name alone: what is merged between two jobs of a run takes no other model from the one that looks at it.
    """
    digest = hashlib.sha256(f"{environment}/{model}".encode()).digest()
    return int.from_bytes(digest[:8]) % shards + 1
