"""Did the inputs move away from what the model was trained on?

The limit is a *distance*: 0.15 means that for some cut-off, 15 of 100 rows lie elsewhere. A p-value would
fire when nothing changed.
"""

from __future__ import annotations

from slipway.domain.incident import FeatureDrift, Window, WindowEvidence
from slipway.domain.limits import DriftLimit
from slipway.domain.verdict import Finding, Verdict


def judge_window(evidence: WindowEvidence, limit: DriftLimit) -> tuple[Finding, ...]:
    """Fail when the same feature exceeds in `windows` of the last `of_last` windows; a schema break at once."""
    window = evidence.window
    verdict, problem = _verdict(evidence, limit)
    return (
        Finding(
            gate="drift",
            title="Did inputs drift?",
            verdict=verdict,
            measured=_largest(window),
            allowed=f"≤ {limit.distance:.2f}",
            margin=_margin(window, limit),
            problem=problem,
            mend="look at the feature where it is made: a sensor, a join, a unit or a default" if problem else "",
        ),
    )


def exceeded(window: Window, limit: DriftLimit) -> frozenset[str]:
    """The features whose proven lower bound is beyond the limit; none where rows are too few to tell."""
    if window.rows < limit.rows:
        return frozenset()
    return frozenset(
        one.feature for one in window.drift if limit.exceeded_by(one.low, null_rate_change=one.null_rate_change)
    )


def _verdict(evidence: WindowEvidence, limit: DriftLimit) -> tuple[Verdict, str]:
    window = evidence.window
    if window.schema_breaks:
        return Verdict.FAIL, "; ".join(window.schema_breaks)
    if window.rows < limit.rows:
        return Verdict.NOT_ENOUGH_EVIDENCE, f"{window.rows:,} rows were served; the policy asks for {limit.rows:,}"
    times = limit.times_exceeded([exceeded(one, limit) for one in (*evidence.earlier, window)])
    red = sorted(feature for feature, count in times.items() if count >= limit.windows)
    if red:
        return Verdict.FAIL, "; ".join(_sentence(window, feature, times[feature], limit) for feature in red)
    if times:
        first = sorted(times)[0]
        return Verdict.NOT_ENOUGH_EVIDENCE, _sentence(window, first, times[first], limit)
    return Verdict.PASS, ""


def _sentence(window: Window, feature: str, times: int, limit: DriftLimit) -> str:
    one = next(drift for drift in window.drift if drift.feature == feature)
    return (
        f"`{feature}` moved by {_distance(one)}, beyond {limit.distance:.2f} in {times} of the last "
        f"{limit.of_last} windows ({limit.windows} make an incident)"
    )


def _distance(one: FeatureDrift) -> str:
    nulls = f", {one.null_rate_change:+.1%} missing" if abs(one.null_rate_change) >= 0.001 else ""
    return f"{one.measure} {one.low:.3f}{nulls}"


def _largest(window: Window) -> str:
    if not window.drift:
        return "nothing to compare"
    largest = max(window.drift, key=lambda one: (one.low, one.feature))
    return f"{largest.feature} {_distance(largest)}, the largest"


def _margin(window: Window, limit: DriftLimit) -> str:
    if not window.drift:
        return "–"
    return f"{limit.distance - max(one.low for one in window.drift):+.3f}"
