"""The whole story of one release, as the ledger and git tell it: what `slipway explain` answers.

Its shape is what `--json` prints; a test holds it. Moments are ISO 8601 with their time zone, days are days.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from slipway.domain.incident import IncidentKind, Outcome
from slipway.domain.origin import Origin
from slipway.domain.pages import Body, File, Frozen
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Image, JobResult, VoidWaiver, WaiverUsed
from slipway.domain.tag import Bump
from slipway.domain.verdict import Finding, Verdict


class FoundAs(StrEnum):
    """What the thing that was asked for is of the release."""

    TAG = "its tag"
    IMAGE = "its image"
    LAYER = "the layer of its image"
    ONNX = "its ONNX file"
    PULL = "a pull request that proposes it"
    WAY_BACK = "a pull request that leads back from it"
    ISSUE = "an issue about it"


class Asking(Frozen):
    """`where` is the ledger's path of the page that told, empty where a tag was asked for by name."""

    text: str
    found_as: FoundAs
    where: str = ""


class Tagging(Frozen):
    """As the release recorded it. `at` is None where the tag is not in this clone, `moved_to` where it names now."""

    tag: str
    object_id: str
    by: str
    message: str
    at: str | None
    moved_to: str | None = None


class Code(Frozen):
    """`tooling` is the commit whose Slipway released it, None where its pages do not tell; `slipway` is its version."""

    commit: str
    committed_at: str
    tooling: str | None
    slipway: str
    run_url: str | None


class Data(Frozen):
    """`source` is the digest of the model's source at the tagged commit; `origin` tells where else it came from."""

    source: str
    samples: File
    origin: Origin | None
    onnx: File | None


class Judged(Frozen):
    """The newest verdicts; `earlier` are the older ones, which later policies, waivers or rows replaced."""

    verdict: Verdict
    at: str
    findings: tuple[Finding, ...]
    waivers: tuple[WaiverUsed, ...]
    void_waivers: tuple[VoidWaiver, ...]
    policies_digest: str
    earlier: tuple[Verdict, ...] = ()

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """Those that keep it from passing."""
        return tuple(one for one in self.findings if one.verdict is not Verdict.PASS and not one.audit)


class Adopted(Frozen):
    """What a person said of a version that ran before Slipway came; it stands in place of verdicts.

    `onnx` is None where the image is known by its digest alone.
    """

    environment: str
    by: str
    at: str
    image: str | None
    onnx: str | None
    note: str


class Merge(Frozen):
    """The commit that brought an image into deploy/, by who made it.

    Of a merge commit the author is who merged. `is_merge` is False of a squash, a rebase or a direct commit: git then
    knows only who wrote the change. `by_slipway` is a commit that Slipway made itself, on this machine or a way back.
    """

    commit: str
    by: str
    at: str
    subject: str
    is_merge: bool
    by_slipway: bool
    canary: bool = False


class Stay(Frozen):
    """A time in which it answered: `until` is the day of the next one there, None as long as there is none."""

    since: date
    until: date | None = None
    followed_by: str | None = None
    canary: bool = False
    remained: bool = True


class Standing(StrEnum):
    """What a release is in an environment, today."""

    RUNS = "runs"
    CANARY = "runs as a canary"
    MERGED = "merged, not verified"
    FAILED = "merged, and failed"
    RAN = "ran"
    WAS_FAILED = "failed, and was taken out"
    WAS_MERGED = "merged, and taken out before it was verified"
    PROPOSED = "proposed"


class Place(Frozen):
    """One environment. `instead_of` is the version that it replaces, or would; None where nothing ran before.

    `runs_now` is the version that the manifest names today.
    """

    environment: str
    standing: Standing
    runs_now: str | None
    instead_of: str | None = None
    stays: tuple[Stay, ...] = ()
    merges: tuple[Merge, ...] = ()
    pulls: tuple[int, ...] = ()

    @property
    def last_stay(self) -> Stay | None:
        return self.stays[-1] if self.stays else None


class IncidentTold(Frozen):
    """`name` is what commands call it; `pull` leads or led back to `back_to`. Closed with its issue."""

    name: str
    environment: str
    day: date
    about: IncidentKind
    outcome: Outcome | None
    is_open: bool
    issue: int | None
    problem: str = ""
    back_to: str | None = None
    pull: int | None = None


class Way(Frozen):
    """What to paste to leave it, or to come back to it; `command` is empty where there is `why_not`."""

    environment: str
    to: str | None
    command: str
    why_not: str = ""


class Moment(StrEnum):
    """What can happen to a release, in the order of its life: a way back is proposed before it takes anything out."""

    TAGGED = "tagged"
    ADOPTED = "adopted"
    BROKE_OFF = "broke off"
    JUDGED = "judged"
    PROPOSED = "proposed"
    MERGED = "merged"
    WENT_LIVE = "went live"
    CANARY_JUDGED = "canary judged"
    WITHDRAWN = "withdrawn"
    INCIDENT = "incident"
    WAY_BACK = "way back"
    ISSUE = "issue"
    TAKEN_OUT = "taken out"


class Event(Frozen):
    """One line of the story: `version` is the other one of a change, `said` the words of the page, or empty.

    `at` is when it was written down, `day` the one from which it counts, where its page names one.
    """

    at: str
    what: Moment
    environment: str | None = None
    by: str | None = None
    version: str | None = None
    number: int | None = None
    commit: str | None = None
    canary: bool = False
    day: date | None = None
    said: str = ""


def in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    """Oldest first. Git counts in seconds: what happened in one second is in the order of a release's life."""
    life = list(Moment)
    return tuple(
        sorted(events, key=lambda one: (datetime.fromisoformat(one.at).replace(microsecond=0), life.index(one.what)))
    )


class RefSeen(Frozen):
    """A branch as it was read: `ref` is its full name in git."""

    ref: str
    commit: str
    at: str


class LedgerSeen(RefSeen):
    """Which state of the ledger answered. `fetched_at` is when this clone asked its remote last, None if it is its own.

    `stale` says, for each sign that it is not the newest, which.
    """

    fetched_at: str | None = None
    stale: tuple[str, ...] = ()
    mend: str = ""


class Explanation(Body):
    """All that is known of one release; an empty tuple or None says that nothing is, and `unknown` says why.

    `attempts` are runs that brought it to no end, how each of their jobs ended. `adopted` stands in place of `judged`
    for what ran before Slipway came, the newest of `adoptions`, of which each environment has one. `manifests` is the
    branch whose deploy/ and history were read, None without one.
    """

    kind: ClassVar[str] = "explanation"

    asked: Asking
    release: str
    model: str
    version: str
    bump: Bump | None
    compared_with: str | None
    tag: Tagging | None
    code: Code | None
    data: Data | None
    judged: Judged | None
    adopted: Adopted | None
    image: Image | None
    rebased_from: str | None
    attempts: tuple[dict[str, JobResult], ...]
    places: tuple[Place, ...]
    incidents: tuple[IncidentTold, ...]
    quarantine: tuple[QuarantineEntry, ...]
    ways: tuple[Way, ...]
    story: tuple[Event, ...]
    ledger: LedgerSeen
    manifests: RefSeen | None
    unknown: tuple[str, ...] = ()
    adoptions: tuple[Adopted, ...] = ()

    @property
    def open_incidents(self) -> tuple[IncidentTold, ...]:
        return tuple(one for one in self.incidents if one.is_open)
