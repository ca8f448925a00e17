"""A version that gets a share of an environment's traffic: what it answered, and whether it may have all of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar

from pydantic import Field

from slipway.domain.calibration import Calibration
from slipway.domain.evidence import SlicesEvidence, TrafficEvidence
from slipway.domain.incident import WayBack, Window, WindowEvidence
from slipway.domain.pages import Body
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.maths.named_metrics import DecisionKind

CANARY_GATE = "canary"  # asks for rows and hours, and holds until they are there; other gates hold nobody


class CanaryEvidence(Body):
    """What a canary answered since `since`, the moment at which its rollout was verified, until `hours` later.

    `window` is that of the canary: its `rows` are those that it answered, its `previous` the stable version on the
    labelled ones of them. `stable_rows` is what the stable version answered on the same days, None where nobody
    counted. `not_finite` counts by output the answers that are no numbers, `stable_not_finite` those of the stable
    version on the same days. `replayed` puts the rows to both versions, and `not_replayed` says why it could not.
    `slices` are of the answers that users got, `stable_slices` of those of the stable version to the same rows.
    `same_answers` tells whether its number promises the answers of the stable version.
    """

    kind: ClassVar[str] = "canary"

    model: str
    environment: str
    version: str
    digest: str
    commit: str
    stable: str
    stable_digest: str
    since: datetime
    hours: float
    window: Window
    at_release: dict[str, Estimate | None]
    decision: DecisionKind = DecisionKind.YES_OR_NO
    stable_rows: int | None = None
    not_finite: dict[str, int] = Field(default_factory=dict)
    stable_not_finite: dict[str, int] = Field(default_factory=dict)
    replayed: TrafficEvidence | None = None
    not_replayed: str = ""
    slices: SlicesEvidence | None = None
    stable_slices: SlicesEvidence | None = None
    same_answers: bool = False
    calibration: Calibration | None = None

    @property
    def as_window(self) -> WindowEvidence:
        """As the gates of the watch read it: the stable version is the one that could run instead."""
        return WindowEvidence(
            model=self.model,
            environment=self.environment,
            digest=self.digest,
            window=self.window,
            earlier=(),
            at_release=self.at_release,
            back_to=self.stable,
            back_to_digest=self.stable_digest,
            open_incident=None,
            decision=self.decision,
            calibration=self.calibration,
            way_back=WayBack(),
        )

    @property
    def answered(self) -> int:
        """Rows of which the log has the answer: what servers only counted shows nothing about a version."""
        return self.window.rows - self.window.counted

    @property
    def share(self) -> float | None:
        """Of what both answered; None where nothing was, or nobody counted."""
        if self.stable_rows is None or self.window.rows + self.stable_rows == 0:
            return None
        return self.window.rows / (self.window.rows + self.stable_rows)


class CanaryVerdicts(Body):
    """What follows: all of the traffic after `pass`, none after `fail`, and else it goes on.

    `rows` and `hours` are what it has, `rows_needed` and `hours_needed` what its policy asks for; `since`, `labelled`
    and `share` are as in the evidence, 0 and None on pages from before they were told.
    """

    kind: ClassVar[str] = "canary-verdicts"

    model: str
    environment: str
    version: str
    digest: str
    commit: str
    stable: str
    stable_digest: str
    seen: date
    since: datetime
    verdict: Verdict
    findings: tuple[Finding, ...]
    rows: int
    rows_needed: int
    hours: float
    hours_needed: float
    policies_digest: str
    labelled: int = 0
    share: float | None = None

    @property
    def earliest(self) -> datetime:
        """The first moment at which it may have run long enough."""
        return self.since + timedelta(hours=self.hours_needed)

    @property
    def open_yet(self) -> tuple[Finding, ...]:
        """What it waits for: rows, hours, or both."""
        return tuple(one for one in self.findings if one.gate == CANARY_GATE and one.verdict is not Verdict.PASS)

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.verdict is Verdict.FAIL and not one.audit)


# By the name in their files, in the order in which they are written.
CANARY_PAGES: dict[str, type[Body]] = {body.kind: body for body in (CanaryEvidence, CanaryVerdicts)}
