"""What the watch sees of production, and what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import AliasChoices, ConfigDict, Field

from slipway.domain.calibration import Calibration
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.limits import Reversion as Means
from slipway.domain.pages import Body, Frozen
from slipway.domain.unlabelled import LabelArrival, UnlabelledEstimate
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.maths.named_metrics import BY_NAME, DecisionKind

SELF_TEST = "Can the watch be trusted?"  # the one question of the watch that is answered yes where all is well


class IncidentKind(StrEnum):
    DRIFT = "drift"
    METRIC = "metric"
    ROLLOUT_FAILED = "rollout-failed"
    REQUESTED = "requested"

    def names(self, incident: str) -> bool:
        """Whether an incident is of this kind, by its id, which begins with a day."""
        return incident[11:] == self or incident[11:].startswith(f"{self}-")


def is_of_watch(incident: str) -> bool:
    """Whether the watch found it, and not a rollout or a person."""
    return not (IncidentKind.ROLLOUT_FAILED.names(incident) or IncidentKind.REQUESTED.names(incident))


class Outcome(StrEnum):
    """What to do. `quiet`: nothing. `unclear`: something is wrong, and the evidence does not say what mends it."""

    QUIET = "quiet"
    WATCH = "watch"
    RETRAIN = "retrain"
    REVERT = "revert"
    UNCLEAR = "unclear"


class FeatureDrift(Frozen):
    """How far a feature's window lies from its reference.

    `low` and `high` enclose the Kolmogorov-Smirnov distance (numbers) or are the total variation (categories),
    from 0 to 1. `wasserstein` and `wasserstein_high` enclose Wasserstein's distance in standard deviations of the
    reference; None for categories and constants, the latter also on pages from before it was kept.
    """

    feature: str
    measure: str
    low: float
    high: float
    wasserstein: float | None
    null_rate_change: float
    unseen: tuple[str, ...] = ()
    wasserstein_high: float | None = None


class PreviousEvidence(Frozen):
    """The version before, asked the same labelled rows. `difference` is previous minus deployed, in `metric`."""

    model_config = ConfigDict(populate_by_name=True)

    version: str
    rows: int
    deployed: Estimate | None = Field(validation_alias=AliasChoices("deployed", "deployed_f1"))  # as it once was called
    previous: Estimate | None = Field(validation_alias=AliasChoices("previous", "previous_f1"))
    difference: Estimate | None
    metric: str = "f1"

    @property
    def gain(self) -> Estimate | None:
        """What going back would have won: above zero is better, whichever way the metric goes."""
        if self.difference is None or not BY_NAME[self.metric].lower_is_better:
            return self.difference
        lost = self.difference
        return Estimate(value=-lost.value, low=-lost.high, high=-lost.low)


class Window(Frozen):
    """A line of the ledger a window; days are inclusive.

    `counted` of the `rows` were logged as counts alone: no label joins them, and no version is asked them again.
    `outputs` is how far answers moved from those at release, as far as rows were logged; empty on lines from before.
    `arrival` tells when labels came, `estimated` what the answers let expect before they do: None on lines from before,
    and where nothing can be said.
    """

    later: ClassVar[tuple[str, ...]] = ("outputs", "arrival", "estimated")  # than the first form of a line

    start: date
    end: date
    version: str
    rows: int
    labelled: int
    drift: tuple[FeatureDrift, ...]
    schema_breaks: tuple[str, ...]
    trailing: MetricsEvidence | None
    previous: PreviousEvidence | None
    counted: int = 0
    outputs: tuple[FeatureDrift, ...] = ()
    arrival: LabelArrival | None = None
    estimated: UnlabelledEstimate | None = None

    def to_line(self) -> dict[str, Any]:
        """As the ledger keeps it: what came later stands beside, so that an older Slipway reads the line as well."""
        told = self.model_dump(mode="json")
        later = {name: told.pop(name) for name in self.later}
        return {"window": told, "later": later}

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Self:
        """
        Raises:
            KeyError, TypeError, ValueError: it is no line of a window.
        """
        return cls.model_validate({**line["window"], **line.get("later", {})})

    @property
    def why_unlabelled(self) -> str:
        """Why no label joins any row, where the log itself forbids it; else empty."""
        if self.rows == 0 or self.counted < self.rows:
            return ""
        return "the log holds counts alone (log_mode: sketch), which no label can be joined to"


class WayBack(Frozen):
    """What stands in the way of going back, beside what the version before would answer; empty where nothing does.

    `held` tells of versions that quarantine holds, `lacks` what of today's requests the version before could not
    answer, `gone` why its image cannot be had, and `not_asked` why its rows could not be put to both versions.
    """

    held: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    gone: str = ""
    not_asked: str = ""

    @property
    def obstacle(self) -> str:
        """Why the version before must not run, however good it would be; empty where it may."""
        return self.gone or "; ".join(self.lacks)


class SelfTest(Frozen):
    """What was measured of two copies made up from the profile: one like the reference, one with the share `moved` of
    its rows elsewhere."""

    rows: int
    moved: float
    clean: tuple[FeatureDrift, ...]
    drifted: tuple[FeatureDrift, ...]
    schema_breaks: tuple[str, ...] = ()


class WindowEvidence(Body):
    """The newest window, and those of the same version before it, oldest first.

    `open_incident` is the id of what was found earlier and has not recovered yet; `back_to` is the version that
    ran before, None where there is none or where it is quarantined, and `way_back` what else is in its way, nothing on
    pages from before that was looked at. `calibration` is that of the release, so that it can be judged again from this
    page; None on pages from before it was kept.
    """

    kind: ClassVar[str] = "window"

    model: str
    environment: str
    digest: str
    window: Window
    earlier: tuple[Window, ...]
    at_release: dict[str, Estimate | None]
    back_to: str | None
    back_to_digest: str | None
    open_incident: str | None
    decision: DecisionKind = DecisionKind.YES_OR_NO
    self_test: SelfTest | None = None
    calibration: Calibration | None = None
    way_back: WayBack = WayBack()

    @property
    def can_go_back(self) -> bool:
        """Whether the version before may run again, if it is better: it is there, and answers what is asked today."""
        return self.back_to is not None and not self.way_back.obstacle

    @property
    def in_the_way(self) -> str:
        """What keeps everybody from going back, by the names of versions; empty where nothing does."""
        if self.back_to is None:
            return "; ".join(self.way_back.held)
        if self.way_back.gone:
            return f"{self.back_to} cannot be pulled: {self.way_back.gone}"
        lacks = "; ".join(self.way_back.lacks)
        return f"{self.back_to} cannot answer what is asked today: {lacks}" if lacks else ""


class HeldTo(Frozen):
    """What a feature of a window may move by, and what share of rows more or less may be missing.

    `usual` is what it does by itself in 99 of 100 windows, None where that is not known.
    """

    feature: str
    distance: float
    null_rate: float
    usual: float | None = None


class IncidentVerdicts(Body):
    """`incident` is None while all is quiet; its id begins with the day on which it was first seen.

    `limits` are what the features of the newest window were held to, and `metric_limit` is that of the foremost metric,
    None where it has none; pages from before these were kept have neither. `means` is how the policy of rollouts goes
    back, None for what the watch found.
    """

    kind: ClassVar[str] = "incident-verdicts"

    verdict: Verdict
    kind_of_incident: IncidentKind | None
    incident: str | None
    outcome: Outcome
    findings: tuple[Finding, ...]
    policies_digest: str
    limits: tuple[HeldTo, ...] = ()
    metric_limit: float | None = None
    means: Means | None = None


class IssueAction(StrEnum):
    OPENED = "opened"
    UPDATED = "updated"
    REOPENED = "reopened"
    CLOSED = "closed"
    NONE = "none"


class IssueFiled(Body):
    """`number` is None where there was nothing to say and nothing to close."""

    kind: ClassVar[str] = "issue"

    incident: str | None
    number: int | None
    action: IssueAction
    title: str


class Reversion(Body):
    """`pull` is None where the policy reverts by commit, and the default branch took it.

    `refused` is why it did not, `not_started` why the rollout of a commit did not begin by itself; else empty. Where
    there was `no_way_back`, it says why, `mend` what to do, and nothing was changed: no branch, no commit.
    """

    kind: ClassVar[str] = "reversion"

    model: str
    environment: str
    incident: str
    version: str
    back_to: str
    back_to_digest: str
    branch: str
    pull: int | None
    commit: str
    reason: str
    refused: str = ""
    not_started: str = ""
    no_way_back: str = ""
    mend: str = ""


# By the name in their files, in the order in which they are written.
WINDOW_PAGES: dict[str, type[Body]] = {
    body.kind: body for body in (WindowEvidence, IncidentVerdicts, Reversion, IssueFiled)
}
