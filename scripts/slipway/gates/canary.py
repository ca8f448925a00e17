"""May a canary have all of the traffic? It must have answered enough, for long enough, and nothing wrong.

What is bad is bad at once; that all is well is believed only after the rows and the hours that the policy asks for.
Questions about labels stay open for as long as labels take, and hold nobody: what they show later, the watch says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from slipway.domain.canary import CANARY_GATE, CanaryEvidence
from slipway.domain.limits import OutputsLimit
from slipway.domain.rollout_limit import CanaryLimit
from slipway.domain.verdict import Finding, Verdict
from slipway.maths.intervals import share_interval

_ODDS = 3.0  # standard deviations of a share


def judge_canary(evidence: CanaryEvidence, limit: CanaryLimit | None) -> tuple[Finding, ...]:
    """Has it answered enough, and no more than its share? Without a limit nothing is asked of it any more."""
    if limit is None:
        return ()
    return (_rows(evidence, limit), _hours(evidence, limit.hours), *_share(evidence, limit.share))


def judge_outputs(evidence: CanaryEvidence, limit: OutputsLimit) -> tuple[Finding, ...]:
    """The answers that users got; as the gate of releases, which asks sample rows."""
    if not evidence.not_finite:
        return ()
    rows = evidence.answered
    allowed = int(limit.not_finite * rows)
    over = {name: count for name, count in evidence.not_finite.items() if count > allowed}
    worlds = {name: count for name, count in over.items() if _is_as_often(name, count, evidence, rows=rows)}
    bad = {name: count for name, count in over.items() if name not in worlds}
    return (
        Finding(
            gate="outputs",
            title="Answers of the canary finite?",
            verdict=Verdict.FAIL if bad else Verdict.PASS,
            measured=f"{max(evidence.not_finite.values()):,} of {rows:,} rows not finite",
            allowed=f"{allowed:,} rows",
            problem=_not_finite(bad, rows),
            mend="find these rows in the served log, and handle them inside the model" if bad else "",
            notice=f"{_not_finite(worlds, rows)}; of {evidence.stable} as often" if worlds else "",
        ),
    )


def judge_promise(evidence: CanaryEvidence) -> tuple[Finding, ...]:
    """A number that promises the same answers is held to it on what was really asked; else flips are told."""
    title = f"Decides as {evidence.stable}, same rows?"
    replayed = evidence.replayed
    if replayed is None:
        why = evidence.not_replayed or "nothing to ask"
        return (_finding("promise", title, Verdict.NOT_ENOUGH_EVIDENCE, f"not asked: {why}", "–"),) if why else ()
    broken = evidence.same_answers and replayed.flips > 0
    told = f"{replayed.flips:,} of {replayed.rows:,} rows that it answered are decided otherwise"
    return (
        _finding(
            "promise",
            title,
            Verdict.FAIL if broken else Verdict.PASS,
            f"{replayed.flips:,} of {replayed.rows:,} rows otherwise",
            "0 rows" if evidence.same_answers else "its number allows it",
            problem=f"{told} than by {evidence.stable}, and {evidence.version} promises the same answers"
            if broken
            else "",
            mend="tag it as the next minor version, which may answer otherwise" if broken else "",
        ),
    )


def verdict_of_canary(findings: Iterable[Finding]) -> Verdict:
    """Fail where one finding fails; pass where rows and hours are there; what is in audit decides nothing."""
    deciding = [finding for finding in findings if not finding.audit]
    if any(finding.verdict is Verdict.FAIL for finding in deciding):
        return Verdict.FAIL
    waits = any(one.gate == CANARY_GATE and one.verdict is Verdict.NOT_ENOUGH_EVIDENCE for one in deciding)
    return Verdict.NOT_ENOUGH_EVIDENCE if waits else Verdict.PASS


def _is_as_often(name: str, count: int, evidence: CanaryEvidence, *, rows: int) -> bool:
    """Whether the stable version answered so on the same days, and not surely more seldom."""
    others, of = evidence.stable_not_finite.get(name, 0), evidence.stable_rows or 0
    return others > 0 and of > 0 and others / of >= share_interval(count, rows).low


def _not_finite(counts: Mapping[str, int], rows: int) -> str:
    return "; ".join(
        f"output `{name}` was NaN, infinite or empty in {count:,} of {rows:,} answers" for name, count in counts.items()
    )


def _rows(evidence: CanaryEvidence, limit: CanaryLimit) -> Finding:
    rows, asked = evidence.answered, limit.rows
    missing = asked - rows
    found = _enough(
        "Has the canary answered enough?",
        missing,
        f"{rows:,} rows",
        f"≥ {asked:,} rows",
        needed=f"{missing:,} rows more{_by_its_pace(evidence, missing)}",
    )
    if evidence.window.counted:
        return found.model_copy(update={"notice": _counted_alone(evidence)})
    is_silent = not rows and evidence.stable_rows and evidence.hours >= limit.hours
    return found.model_copy(update={"notice": _silent(evidence)}) if is_silent else found


def _counted_alone(evidence: CanaryEvidence) -> str:
    return (
        f"{evidence.window.counted:,} more rows were counted alone (log_mode: sketch): their answers are unknown, and "
        "by them it is not judged"
    )


def _silent(evidence: CanaryEvidence) -> str:
    """A server that refuses what it is asked logs no row, and waits for ever."""
    return (
        f"it answered none of the {evidence.stable_rows:,} rows of these days: look whether it refuses what it is "
        f"asked, as one that wants other inputs than {evidence.stable} does, or gets no requests at all"
    )


def _hours(evidence: CanaryEvidence, asked: float) -> Finding:
    missing = asked - evidence.hours
    return _enough(
        "Has the canary run long enough?",
        missing,
        f"{evidence.hours:g} hours",
        f"≥ {asked:g} hours",
        needed=f"{math.ceil(round(missing * 10, 6)) / 10:g} hours more",
    )


def _by_its_pace(evidence: CanaryEvidence, missing: int) -> str:
    """How long that takes, as far as it can be told from what it answered so far."""
    if evidence.answered == 0 or evidence.hours <= 0:
        return ""
    return f", some {math.ceil(missing * evidence.hours / evidence.answered):,} hours like these"


def _enough(title: str, missing: float, measured: str, allowed: str, *, needed: str) -> Finding:
    waits = missing > 0
    return _finding(
        CANARY_GATE,
        title,
        Verdict.NOT_ENOUGH_EVIDENCE if waits else Verdict.PASS,
        measured,
        allowed,
        needed=needed if waits else "",
    )


def _share(evidence: CanaryEvidence, asked: float) -> tuple[Finding, ...]:
    """More than its share is no fault of the version: it is told, and an operator looks at replicas and connections."""
    share = evidence.share
    if share is None or evidence.stable_rows is None:
        return ()
    rows = evidence.window.rows + evidence.stable_rows
    most = asked + _ODDS * math.sqrt(asked * (1 - asked) / rows)
    return (
        _finding(
            CANARY_GATE,
            "Has it no more than its share?",
            Verdict.PASS,
            f"{share:.1%} of {rows:,} rows",
            f"≤ {asked:.0%}",
            notice=_over(share, asked) if share > most else "",
        ),
    )


def _over(share: float, asked: float) -> str:
    return (
        f"the canary answered {share:.1%} of the rows, and the policy says {asked:.0%}: look at the replicas of the "
        "stable version, and at clients that keep one connection"
    )


def _finding(
    gate: str,
    title: str,
    verdict: Verdict,
    measured: str,
    allowed: str,
    *,
    problem: str = "",
    mend: str = "",
    notice: str = "",
    needed: str = "",
) -> Finding:
    return Finding(
        gate=gate,
        title=title,
        verdict=verdict,
        measured=measured,
        allowed=allowed,
        problem=problem,
        mend=mend,
        notice=notice,
        needed=needed,
    )
