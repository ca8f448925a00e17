"""Is the model good enough: at its release against a floor, in production against its own release?"""

from __future__ import annotations

from itertools import takewhile

from slipway.domain.case import ReleaseCase
from slipway.domain.incident import WindowEvidence
from slipway.domain.policy import MetricLimit, MetricsLimit
from slipway.domain.release import MetricsEvidence
from slipway.domain.verdict import Estimate, Finding, Verdict, at_least, metric_title
from slipway.maths.absence import Absent
from slipway.maths.intervals import MetricEstimate, more_to_settle


def judge(case: ReleaseCase, limit: MetricsLimit) -> tuple[Finding, ...]:
    measured = case.evidence.metrics
    return tuple(_against_floor(name, measured, one, limit) for name, one in limit.named().items())


def judge_window(evidence: WindowEvidence, limit: MetricsLimit) -> tuple[Finding, ...]:
    """Fail when the trailing days missed the limit in `limit.windows` windows in a row.

    A metric without a `drop` is asked at release only.
    """
    return tuple(
        _in_production(name, evidence, one, one.drop, limit)
        for name, one in limit.named().items()
        if one.drop is not None
    )


def _against_floor(name: str, measured: MetricsEvidence, one: MetricLimit, limit: MetricsLimit) -> Finding:
    estimate = measured.metrics.get(name)
    allowed = f"≥ {one.floor:.2f}"
    if estimate is None or measured.positives < limit.positives:
        missing = max(1, limit.positives - measured.positives)
        return Finding(
            gate="metrics",
            title=metric_title(name),
            verdict=Verdict.NOT_ENOUGH_EVIDENCE,
            measured=f"{measured.positives:,} positives on {measured.days} days",
            allowed=f"≥ {limit.positives} positives",
            problem=f"{measured.positives:,} positive sample rows on {measured.days} days give no {metric_title(name)}",
            mend=f"add labelled sample rows: about {missing:,} positives more, on at least two days",
        )
    verdict = at_least(estimate, one.floor)
    problem, mend = _what_is_missing(name, estimate, one.floor, verdict, rows=measured.rows)
    return Finding(
        gate="metrics",
        title=metric_title(name),
        verdict=verdict,
        measured=str(estimate),
        allowed=allowed,
        margin=f"{estimate.low - one.floor:+.3f}",
        problem=problem,
        mend=mend,
    )


def _what_is_missing(name: str, estimate: Estimate, floor: float, verdict: Verdict, *, rows: int) -> tuple[str, str]:
    title = metric_title(name)
    if verdict is Verdict.PASS:
        return "", ""
    if verdict is Verdict.FAIL:
        return (
            f"{title} is {estimate} on held-out rows, below its floor {floor:.2f}",
            "train it better; the floor stands in policies/metrics.yaml and changes by a reviewed pull request only",
        )
    more = more_to_settle(MetricEstimate(estimate.value, estimate.low, estimate.high), limit=floor, seen=rows)
    asked = str(more) if isinstance(more, Absent) else f"about {more:,} labelled rows more would settle it"
    return (f"{title} is {estimate}: the floor {floor:.2f} lies inside the interval", asked)


def _in_production(name: str, evidence: WindowEvidence, one: MetricLimit, drop: float, limit: MetricsLimit) -> Finding:
    allowed, why = _limit_in_production(evidence.at_release.get(name), one.floor, drop)
    windows = (*evidence.earlier, evidence.window)
    verdicts = [_trailing_verdict(window.trailing, name, allowed, limit) for window in windows]
    failed_in_a_row = len(list(takewhile(lambda verdict: verdict is Verdict.FAIL, reversed(verdicts))))
    trailing = evidence.window.trailing
    estimate = trailing.metrics.get(name) if trailing else None
    verdict = _production_verdict(verdicts[-1], failed_in_a_row, limit.windows)
    return Finding(
        gate="metrics",
        title=f"{metric_title(name)} worse than allowed?",
        verdict=verdict,
        measured=_measured_in_production(estimate, limit, failed_in_a_row),
        allowed=f"≥ {allowed:.2f} ({why})",
        margin=f"{estimate.value - allowed:+.3f}" if estimate else "–",
        problem=f"{metric_title(name)} over {limit.window_days} days is {estimate}, allowed is {allowed:.2f} ({why})"
        if estimate and failed_in_a_row
        else "",
        mend="look at what changed since the release; retrain on newer rows as a candidate" if failed_in_a_row else "",
    )


def _limit_in_production(at_release: Estimate | None, floor: float, drop: float) -> tuple[float, str]:
    if at_release is None:
        return floor, "the floor"
    return at_release.value - drop, f"{at_release.value:.2f} at release − drop {drop:.2f}"


def _trailing_verdict(trailing: MetricsEvidence | None, name: str, allowed: float, limit: MetricsLimit) -> Verdict:
    estimate = trailing.metrics.get(name) if trailing else None
    if trailing is None or estimate is None or trailing.positives < limit.positives:
        return Verdict.NOT_ENOUGH_EVIDENCE
    return at_least(estimate, allowed)


def _production_verdict(newest: Verdict, failed_in_a_row: int, needed: int) -> Verdict:
    if newest is Verdict.FAIL and failed_in_a_row < needed:
        return Verdict.NOT_ENOUGH_EVIDENCE  # one bad window is weather, as often as not
    return newest


def _measured_in_production(estimate: Estimate | None, limit: MetricsLimit, failed_in_a_row: int) -> str:
    if estimate is None:
        return f"no {limit.window_days} labelled days since the release yet"
    return f"{estimate}, {failed_in_a_row} windows below in a row"
