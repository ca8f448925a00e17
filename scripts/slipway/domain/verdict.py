"""What a gate answers: three verdicts, and what they were read from."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from slipway.maths.absence import Absent
from slipway.maths.named_metrics import metric_called

if TYPE_CHECKING:
    from slipway.maths.intervals import MetricEstimate


_MISSED = 0.05  # by all intervals together


class Verdict(StrEnum):
    """`fail` says that it is bad, `not enough evidence` that nobody knows yet. Neither is an error."""

    PASS = "pass"  # noqa: S105  # a verdict, no password
    FAIL = "fail"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 10, Verdict.NOT_ENOUGH_EVIDENCE: 11}


class Estimate(BaseModel):
    """A number and its 95 % interval, both in the unit of the number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


class Finding(BaseModel):
    """One row of the table that a reviewer reads; one of a gate in `audit` is told, and decides nothing.

    A `notice` is worth knowing beside what the verdict says, and changes nothing about it. `needed` is what would
    settle a question that is open, as far as that can be told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: str
    title: str
    verdict: Verdict
    measured: str
    allowed: str
    margin: str = "–"
    problem: str = ""
    mend: str = ""
    audit: bool = False
    notice: str = ""
    needed: str = ""

    @property
    def would_refuse(self) -> bool:
        """Whether it is told only, and would stop a release if its policy said `enforce: block`."""
        return self.audit and self.verdict is not Verdict.PASS

    @property
    def in_words(self) -> str:
        """`fail`, or `fail (audit)` where nothing follows from it."""
        return f"{self.verdict} (audit)" if self.audit else str(self.verdict)


def told_beside(findings: Iterable[Finding], why: str) -> tuple[Finding, ...]:
    """What is wrong with the world and not with the canary: told with the reason, and nothing follows from it."""
    return tuple(_told_beside(finding, why) for finding in findings)


def _told_beside(finding: Finding, why: str) -> Finding:
    if finding.verdict is not Verdict.FAIL:
        return finding
    notice = "; ".join(filter(None, [finding.notice, f"{finding.problem}; {why}"]))
    return finding.model_copy(update={"verdict": Verdict.PASS, "problem": "", "mend": "", "notice": notice})


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """What findings come to; those in audit do not count."""
    return worst(finding.verdict for finding in findings if not finding.audit)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """One failed gate fails the release; one open question leaves it open."""
    seen = set(verdicts)
    for verdict in (Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE):
        if verdict in seen:
            return verdict
    return Verdict.PASS


def estimate_of(measured: MetricEstimate | Absent) -> Estimate | None:
    """Rounded to what a page should hold: the seventh digit depends on the machine."""
    if isinstance(measured, Absent):
        return None
    return Estimate(value=round(measured.value, 6), low=round(measured.low, 6), high=round(measured.high, 6))


def widened(estimate: Estimate, *, among: int) -> Estimate:
    """The interval that holds with all of `among` together at 95 %: half-widths times z(1 - 0.025/n) / z(0.975)."""
    factor, value = _wider(among), estimate.value
    return Estimate(
        value=value,
        low=value - factor * (value - estimate.low),
        high=value + factor * (estimate.high - value),
    )


@cache
def _wider(among: int) -> float:
    normal = NormalDist()
    return normal.inv_cdf(1 - _MISSED / (2 * max(1, among))) / normal.inv_cdf(1 - _MISSED / 2)


def enclosing(one: Estimate | None, other: Estimate | None) -> Estimate | None:
    """The value of `one`, in an interval that is no narrower at either end than that of `other`; None without both."""
    if one is None or other is None:
        return None
    return Estimate(value=one.value, low=min(one.low, other.low), high=max(one.high, other.high))


def at_least(estimate: Estimate, limit: float) -> Verdict:
    """The whole interval must clear the limit to pass, or miss it to fail."""
    if estimate.low >= limit:
        return Verdict.PASS
    return Verdict.FAIL if estimate.high < limit else Verdict.NOT_ENOUGH_EVIDENCE


def at_most(estimate: Estimate, limit: float) -> Verdict:
    """As `at_least`, where less is better."""
    if estimate.high <= limit:
        return Verdict.PASS
    return Verdict.FAIL if estimate.low > limit else Verdict.NOT_ENOUGH_EVIDENCE


def more_needed(more: int, counted: str, *, seen: int, days: int) -> str:
    """How much more, of which so much was seen in so many days; in two digits, for nobody knows it more exactly."""
    scale = 10 ** max(0, len(str(more)) - 2)
    rounded, like_these = math.ceil(more / scale) * scale, math.ceil(days * more / max(1, seen))
    return f"about {rounded:,} {counted} more, some {like_these:,} {'day' if like_these == 1 else 'days'} like these"


def metric_title(name: str) -> str:
    metric = metric_called(name)
    return metric.title if metric else name.capitalize()
