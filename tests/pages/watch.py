"""Windows of production, and what the watch makes of them."""

from __future__ import annotations

from datetime import date, timedelta

from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import (
    FeatureDrift,
    IncidentKind,
    IncidentVerdicts,
    Outcome,
    PreviousEvidence,
    Reversion,
    Window,
    WindowEvidence,
)
from slipway.domain.verdict import Estimate, worst
from slipway.gates import WINDOW_GATES

from tests.pages.release import LIMITS, MODEL, digest, metrics


def feature_drift(name: str, low: float, **changes: object) -> FeatureDrift:
    words = name in ("carrier", "origin", "dest")
    drift = FeatureDrift(
        feature=name,
        measure="TV" if words else "KS",
        low=low,
        high=low if words else low + 0.003,
        wasserstein=None if words else round(1.3 * low, 3),
        null_rate_change=0.0,
    )
    return drift.model_copy(update=changes)


def window(number: int = 0, *, version: str = "v1.3.0", f1: float | None = 0.48, **changes: object) -> Window:
    """The week `number` weeks after the first Friday of August 2013; `f1` None means no labelled days yet."""
    start = date(2013, 8, 2) + timedelta(weeks=number)
    shift = 0.01 * (number % 3)
    seen = Window(
        start=start,
        end=start + timedelta(days=6),
        version=version,
        rows=6_240 + 31 * number,
        labelled=6_020 + 17 * number,
        drift=(
            feature_drift("hour", 0.021 + shift),
            feature_drift("distance", 0.018),
            feature_drift("dow", 0.044),
            feature_drift("carrier", 0.031),
            feature_drift("dest", 0.052 + shift, unseen=("ANC",)),
        ),
        schema_breaks=(),
        trailing=None if f1 is None else trailing(f1),
        previous=None,
    )
    return seen.model_copy(update=changes)


def trailing(f1: float) -> MetricsEvidence:
    """Of 28 labelled days."""
    return metrics(
        rows=24_910,
        positives=5_130,
        days=28,
        metrics={
            "f1": around(f1, 0.036),
            "precision": around(0.8 * f1, 0.031),
            "recall": around(min(1.0, 1.3 * f1), 0.029),
        },
        always_positive_f1=round(0.85 * f1, 3) if f1 > 0.2 else 0.412,
        auc=0.651,
    )


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=round(max(0.0, value - half), 4), high=round(min(1.0, value + half), 4))


def previous(difference: float, *, version: str = "v1.2.0", f1: float = 0.47) -> PreviousEvidence:
    return PreviousEvidence(
        version=version,
        rows=6_020,
        deployed=around(f1, 0.04),
        previous=around(f1 + difference, 0.04),
        difference=Estimate(value=difference, low=difference - 0.014, high=difference + 0.014),
    )


def window_evidence(windows: tuple[Window, ...], **changes: object) -> WindowEvidence:
    seen = WindowEvidence(
        model=MODEL,
        environment="production",
        digest=digest("v1.3.0"),
        window=windows[-1],
        earlier=windows[:-1],
        at_release=dict(metrics().metrics),
        back_to="v1.2.0",
        back_to_digest=digest("v1.2.0"),
        open_incident=None,
    )
    return seen.model_copy(update=changes)


def falling_f1() -> WindowEvidence:
    """The world changed: the version before it is no better."""
    f1 = (None, None, None, 0.521, 0.498, 0.455, 0.402, 0.377)
    return window_evidence(
        tuple(window(number, f1=one, previous=previous(-0.021)) for number, one in enumerate(f1)),
    )


def stuck_input() -> WindowEvidence:
    """An input went stuck in the last two windows, and the version before it, which does not ask it, does better."""
    stuck = (feature_drift("dep_delay", 0.551), feature_drift("hour", 0.024), feature_drift("carrier", 0.03))
    healthy = tuple(window(number, version="v2.0.0", f1=0.69) for number in range(4))
    broken = tuple(
        window(number, version="v2.0.0", f1=0.36 - 0.05 * number / 4, drift=stuck, previous=previous(0.276, f1=0.0))
        for number in (4, 5)
    )
    return window_evidence((*healthy, *broken))


def moved_input() -> WindowEvidence:
    """An input moved, and the metrics are as they were."""
    moved = (feature_drift("carrier", 0.31, unseen=("ua", "aa", "b6")), feature_drift("hour", 0.02))
    calm = tuple(window(number, f1=0.53, previous=previous(-0.05)) for number in range(4))
    return window_evidence(
        (*calm, *(window(number, f1=0.53, drift=moved, previous=previous(-0.05)) for number in (4, 5)))
    )


def reversion(**changes: object) -> Reversion:
    going_back = Reversion(
        model=MODEL,
        environment="production",
        incident="2013-09-12-metric",
        version="v2.0.0",
        back_to="v1.2.0",
        back_to_digest=digest("v1.2.0"),
        branch="slipway/revert/flight-delay/production/v2.0.0",
        pull=7,
        commit="4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2",
        reason="v1.2.0 does better on the same rows",
    )
    return going_back.model_copy(update=changes)


def calm() -> WindowEvidence:
    return window_evidence(tuple(window(number, f1=0.53, previous=previous(-0.05)) for number in range(4)))


def incident_verdicts(seen: WindowEvidence, outcome: Outcome) -> IncidentVerdicts:
    """What the real gates find; `outcome` is what the step makes of it."""
    findings = tuple(
        finding for name, gate in WINDOW_GATES.items() for finding in gate.judge_window(seen, LIMITS[name])
    )
    kind = IncidentKind.DRIFT if outcome is Outcome.WATCH else IncidentKind.METRIC
    return IncidentVerdicts(
        verdict=worst(finding.verdict for finding in findings),
        kind_of_incident=None if outcome is Outcome.QUIET else kind,
        incident=None if outcome is Outcome.QUIET else f"{seen.window.end}-{kind}",
        outcome=outcome,
        findings=findings,
        policies_digest=digest("policies"),
    )


def months() -> tuple[Window, ...]:
    """Three versions, one of which comes back."""
    stuck = (feature_drift("dep_delay", 0.551), feature_drift("hour", 0.024), feature_drift("carrier", 0.03))
    first = tuple(window(number, version="v1.0.0", f1=0.51 if number > 2 else None) for number in range(6))
    falling = tuple(window(number, f1=0.52 - 0.018 * (number - 6)) for number in range(6, 14))
    better = tuple(window(number, version="v2.0.0", f1=0.69) for number in range(14, 18))
    broken = tuple(window(number, version="v2.0.0", f1=0.32, drift=stuck) for number in (18, 19))
    back = tuple(window(number, f1=0.44) for number in (20, 21, 22))
    return (*first, *falling, *better, *broken, *back)
