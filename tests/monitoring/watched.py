"""What a watch found, in two repositories: one exports it to a file, the other pushes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from slipway.domain.canary import CanaryVerdicts
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import FeatureDrift, HeldTo, Outcome, Window
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.domain.watched import Watched, WatchExport
from slipway.reports.watch_metrics import watch_metrics

DRIFTED = "flight-delay"


def text_of(model: str, *findings: Finding, outcome: Outcome = Outcome.QUIET) -> bytes:
    """Of a model whose window ended yesterday, as `slipway export-watch` would write it now."""
    now = datetime.now(UTC)
    one = Watched(
        model=model,
        environment="production",
        version="v1.4.0",
        window=_window(now),
        outcome=outcome,
        findings=findings,
        limits=(HeldTo(feature="hour", distance=0.19, null_rate=0.03, usual=0.19),),
        canary="v1.5.0",
        canary_told=_canary(model, now),
    )
    return watch_metrics(WatchExport(made_at=now, watched=(one,), heartbeats={"watch": now.date()}))


FINDINGS = tuple(
    Finding(gate=gate, title="", verdict=Verdict.FAIL, measured="", allowed="") for gate in ("drift", "metrics")
)


def _window(now: datetime) -> Window:
    yesterday = now.date() - timedelta(days=1)
    return Window(
        start=yesterday - timedelta(days=6),
        end=yesterday,
        version="v1.4.0",
        rows=20_000,
        labelled=19_000,
        drift=(FeatureDrift(feature="hour", measure="KS", low=0.2, high=0.3, wasserstein=0.6, null_rate_change=0.01),),
        schema_breaks=(),
        trailing=MetricsEvidence(
            rows=19_000,
            positives=4_000,
            days=28,
            metrics={"f1": Estimate(value=0.52, low=0.49, high=0.55)},
            always_positive_f1=None,
            auc=None,
        ),
        previous=None,
    )


def _canary(model: str, now: datetime) -> CanaryVerdicts:
    """Of a version that has a quarter of the traffic since yesterday, and not enough rows yet."""
    return CanaryVerdicts(
        model=model,
        environment="production",
        version="v1.5.0",
        digest=f"sha256:{'1' * 64}",
        commit="c0ffee" * 6,
        stable="v1.4.0",
        stable_digest=f"sha256:{'2' * 64}",
        seen=now.date(),
        since=now - timedelta(days=1),
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        findings=(),
        rows=1_200,
        rows_needed=2_000,
        hours=24.0,
        hours_needed=24.0,
        policies_digest=f"sha256:{'3' * 64}",
        share=0.25,
    )
