"""What labels say of a canary: of few days, looked at again on each, beside a version that is asked the same rows.

A good canary must not be withdrawn by noise, nor for what the world did. So intervals hold for all looks together, few
labels decide nothing, and what the stable version does as badly is told only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slipway.domain.canary import CANARY_GATE, CanaryEvidence
from slipway.domain.evidence import MetricsEvidence, SlicesEvidence
from slipway.domain.incident import PreviousEvidence
from slipway.domain.verdict import Estimate, Finding, Verdict, more_needed, told_beside, widened
from slipway.maths.named_metrics import DecisionKind


def over_all_looks(evidence: CanaryEvidence) -> CanaryEvidence:
    """With each interval as wide as it must be to hold at every look, of which there is one a day.

    The k-th look may miss with 1 / (k (k + 1)) of what one look alone may: these parts add up to 1, however long a
    canary runs (Bonferroni, unevenly).
    """
    window = evidence.window
    looks = (window.end - window.start).days + 1
    among = looks * (looks + 1)
    wider = window.model_copy(
        update={"trailing": _scored(window.trailing, among), "previous": _compared(window.previous, among)}
    )
    return evidence.model_copy(
        update={
            "window": wider,
            "slices": _sliced(evidence.slices, among),
            "stable_slices": _sliced(evidence.stable_slices, among),
        }
    )


def with_enough_labels(compared: Iterable[Finding], evidence: CanaryEvidence, *, asked: int) -> tuple[Finding, ...]:
    """That the stable version does better is believed of as many labels as a metric is, and never of a handful."""
    seen, window = _counted(evidence), evidence.window
    if seen >= asked:
        return tuple(compared)
    days = (window.end - window.start).days + 1
    yes_or_no = evidence.decision is DecisionKind.YES_OR_NO
    counted = "labelled positives" if yes_or_no else "labelled rows"
    needed = more_needed(asked - seen, counted, seen=seen, days=days)
    few = f"; that is of {seen:,} {counted}, and policies/metrics.yaml asks for {asked:,}"
    return tuple(_opened(one, f"{one.problem}{few}", needed=needed) for one in compared)


def beside_the_stable(
    scored: Sequence[Finding], compared: Sequence[Finding], evidence: CanaryEvidence
) -> tuple[Finding, ...]:
    """What a worse metric comes to: where the stable version is as bad the world is, and where that is open it waits.

    Where nobody could ask both, the metric alone decides.
    """
    verdicts = {finding.verdict for finding in compared}
    if verdicts == {Verdict.PASS}:
        return told_beside(scored, f"{evidence.stable} does no better on the same rows")
    worse = [one for one in scored if one.verdict is Verdict.FAIL and not one.audit]
    previous = evidence.window.previous
    if Verdict.FAIL in verdicts or previous is None or previous.difference is None or not worse:
        return tuple(scored)
    needed = next((one.needed for one in compared if one.needed), "") or "labels of more days"
    opened = (_opened(one, one.problem, needed=needed) if one in worse else one for one in scored)
    return (*opened, _whose_fault(previous, worse, evidence, needed=needed))


def slices_beside(of_canary: Iterable[Finding], of_stable: Iterable[Finding], stable: str) -> tuple[Finding, ...]:
    """A slice on which the stable version fails as well is the world's."""
    as_bad = {finding.title for finding in of_stable if finding.verdict is Verdict.FAIL}
    told = (told_beside([one], f"so does {stable}") if one.title in as_bad else (one,) for one in of_canary)
    return tuple(finding for one in told for finding in one)


def _whose_fault(
    previous: PreviousEvidence, worse: Iterable[Finding], evidence: CanaryEvidence, *, needed: str
) -> Finding:
    return Finding(
        gate=CANARY_GATE,
        title=f"Is it worse than {evidence.stable}, or is the world?",
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        measured=f"{previous.rows:,} labelled rows",
        allowed=f"what tells it from {evidence.stable}",
        problem="; ".join(one.problem for one in worse),
        needed=needed,
    )


def _counted(evidence: CanaryEvidence) -> int:
    """What a metric counts its labels by; the rows that were put to both where its own answers cannot be scored."""
    window = evidence.window
    if window.trailing is not None:
        return window.trailing.positives
    return window.previous.rows if window.previous else 0


def _opened(finding: Finding, problem: str, *, needed: str) -> Finding:
    if finding.verdict is not Verdict.FAIL:
        return finding
    update = {"verdict": Verdict.NOT_ENOUGH_EVIDENCE, "problem": problem, "needed": needed}
    return finding.model_copy(update=update)


def _scored(measured: MetricsEvidence | None, among: int) -> MetricsEvidence | None:
    if measured is None:
        return None
    wider = {name: _wider(estimate, among) for name, estimate in measured.metrics.items()}
    return measured.model_copy(update={"metrics": wider})


def _compared(measured: PreviousEvidence | None, among: int) -> PreviousEvidence | None:
    return measured and measured.model_copy(update={"difference": _wider(measured.difference, among)})


def _sliced(measured: SlicesEvidence | None, among: int) -> SlicesEvidence | None:
    if measured is None:
        return None
    slices = [one.model_copy(update={"against_all": _wider(one.against_all, among)}) for one in measured.slices]
    gaps = [one.model_copy(update={"difference": _wider(one.difference, among)}) for one in measured.gaps]
    return measured.model_copy(update={"slices": tuple(slices), "gaps": tuple(gaps)})


def _wider(estimate: Estimate | None, among: int) -> Estimate | None:
    return None if estimate is None else widened(estimate, among=among)
