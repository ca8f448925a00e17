"""The pages of a release, in the order in which its steps write them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import ClassVar

from slipway.domain.calibration import FalseAlarms
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity, Released
from slipway.domain.origin import Source
from slipway.domain.pages import Body, Frozen, Page
from slipway.domain.tag import Bump
from slipway.domain.verdict import Finding, Verdict


class Rehearsal(Body):
    """Going back, tried out; `to` is None where nothing is deployed yet."""

    kind: ClassVar[str] = "rehearsal"

    to: Released | None
    fetched: bool
    loaded: bool
    golden_rows: int
    golden_equal: int
    onnxruntime: str
    problem: str = ""


class WaiverUsed(Frozen):
    gate: str
    reason: str
    by: str
    until: str


class VoidWaiver(Frozen):
    """One that names this version and lets nothing through; `why` begins with `a waiver of`."""

    gate: str
    why: str


class Verdicts(Body):
    """`smallest_bump` is the smallest promise that this evidence would keep; None where none would.

    `false_alarms` is told, and no part of the verdict; None where the evidence does not tell.
    """

    kind: ClassVar[str] = "verdicts"

    verdict: Verdict
    findings: tuple[Finding, ...]
    waivers: tuple[WaiverUsed, ...]
    smallest_bump: Bump | None
    policies_digest: str
    false_alarms: FalseAlarms | None = None
    void_waivers: tuple[VoidWaiver, ...] = ()


class Image(Body):
    """`signed_by` is the public key whose pair signed it, as `sha256:` of its file; None where no key is set."""

    kind: ClassVar[str] = "image"

    repository: str
    tag: str
    digest: str
    layer_digest: str
    layer_size: int
    runtime_digest: str
    signed_by: str | None = None


class Proposal(Body):
    """`pull` is None where nothing is proposed: the manifest names this image already, or a person decided.

    `decided` is then the number of the one that was closed, or merged and changed since, for this tag object.
    `replaces` is the version deployed before. `canary` is the share of the traffic that is proposed, None where it is
    all of it.
    """

    kind: ClassVar[str] = "proposal"

    environment: str
    branch: str
    pull: int | None
    title: str
    draft: bool
    replaces: str | None
    decided: int | None = None
    canary: float | None = None


class Rollout(Body):
    """`commit` is the one that changed the manifest, `live_since` the day from which the watch counts windows.

    `stays` is False where what was verified ended with the run that verified it. A `canary` got a share of the traffic
    by that commit, and all of it by a later one, if at all.
    """

    kind: ClassVar[str] = "rollout"

    environment: str
    version: str
    digest: str
    commit: str
    live_since: date
    golden_rows: int
    golden_equal: int
    stays: bool = True
    canary: bool = False


class Withdrawal(Body):
    """That a canary runs no more: what brought it to life was asked again, and it was in no manifest by then."""

    kind: ClassVar[str] = "withdrawal"

    environment: str
    version: str
    digest: str
    commit: str


class Announcement(Body):
    """What the world was told of a rollout: `deployment` and `release` are None where nothing was.

    `deployment` is the name under which the forge lists it, `release` where a person reads its notes.
    """

    kind: ClassVar[str] = "announcement"

    environment: str
    version: str
    digest: str
    commit: str
    deployment: str | None
    release: str | None


def replaced_by(version: str, proposals: Iterable[Proposal], *, environment: str) -> str | None:
    """The version that an environment ran before `version`, as the proposals of `version` tell."""
    told = [one.replaces for one in proposals if one.environment == environment and one.replaces != version]
    return told[-1] if told else None


class JobResult(StrEnum):
    """How a job ended, in GitHub's words."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Attempt(Body):
    """How a run ended that brought no release to its end: the result of each job.

    What it read names the run and its attempt, and what the release would have been held to.
    """

    kind: ClassVar[str] = "attempt"

    jobs: dict[str, JobResult]


def came_to_its_end(verdicts: Page[Verdicts] | None, proposals: Iterable[Page[Proposal]]) -> bool:
    """Whether a release has a verdict, and what follows from it: nothing from a failure, or else a proposal."""
    if verdicts is None:
        return False
    return verdicts.body.verdict is Verdict.FAIL or any(one.reads.get("verdicts") == verdicts.key for one in proposals)


# By the name in their files, in the order in which they are written; an attempt comes from any moment.
RELEASE_PAGES: dict[str, type[Body]] = {
    body.kind: body
    for body in (
        Source,
        Identity,
        Conversion,
        Evidence,
        Rehearsal,
        Verdicts,
        Image,
        Proposal,
        Rollout,
        Withdrawal,
        Announcement,
        Attempt,
    )
}
