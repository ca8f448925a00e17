"""The text that Prometheus reads of the watch."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import FeatureDrift, HeldTo, Outcome, Window
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.domain.watched import Watched, WatchExport
from slipway.reports.watch_metrics import watch_metrics
from syrupy.assertion import SnapshotAssertion

MADE = datetime(2026, 3, 8, 6, tzinfo=UTC)
WINDOW = Window(
    start=date(2026, 3, 1),
    end=date(2026, 3, 7),
    version="v1.4.0",
    rows=20_000,
    labelled=19_000,
    drift=(
        FeatureDrift(feature="dest", measure="TV", low=0.09, high=0.09, wasserstein=None, null_rate_change=0.0),
        FeatureDrift(feature="hour", measure="KS", low=0.21, high=0.23, wasserstein=0.6, null_rate_change=0.01),
    ),
    schema_breaks=("input `origin` is missing",),
    trailing=MetricsEvidence(
        rows=19_000,
        positives=4_000,
        days=28,
        metrics={"f1": Estimate(value=0.52, low=0.49, high=0.55), "precision": None},
        always_positive_f1=None,
        auc=None,
    ),
    previous=None,
)


def finding(gate: str, verdict: Verdict, *, audit: bool = False) -> Finding:
    return Finding(gate=gate, title=gate, verdict=verdict, measured="", allowed="", audit=audit)


FINDINGS = (
    finding("drift", Verdict.FAIL),
    finding("metrics", Verdict.PASS),
    finding("metrics", Verdict.PASS),
    finding("slices", Verdict.FAIL, audit=True),
)
DRIFTED = Watched(
    model="flight-delay",
    environment="production",
    version="v1.4.0",
    window=WINDOW,
    outcome=Outcome.WATCH,
    findings=FINDINGS,
    limits=(
        HeldTo(feature="dest", distance=0.15, null_rate=0.03),
        HeldTo(feature="hour", distance=0.19, null_rate=0.03, usual=0.19),
    ),
)
NEW = Watched(model="fraud", environment="staging", version="v2.0.0")


def text(*watched: Watched) -> str:
    return watch_metrics(WatchExport(made_at=MADE, watched=watched, heartbeats={"watch": date(2026, 3, 8)})).decode()


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def test_all_that_the_watch_said_is_told(text_file: SnapshotAssertion) -> None:
    """Rules, dashboards and whatever a team adds ask by these names; a changed one silences an alert."""
    assert text(DRIFTED, NEW) == text_file


def test_a_canary_is_told_with_its_share_its_rows_and_what_was_judged_of_it() -> None:
    """Who looks hourly sees one that got more than its share, or that nobody asks, before the watch of the next day."""
    judged = CanaryVerdicts(
        model="fraud",
        environment="staging",
        version="v2.1.0",
        digest="sha256:1",
        commit="c",
        stable="v2.0.0",
        stable_digest="sha256:0",
        seen=date(2026, 3, 8),
        since=MADE,
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        findings=(),
        rows=411,
        rows_needed=2000,
        hours=13.5,
        hours_needed=24,
        policies_digest="sha256:p",
        share=0.2,
    )
    new = NEW.model_copy(update={"canary": "v2.1.0"})
    told = samples(text(new.model_copy(update={"canary_told": judged})))
    place = frozenset({"environment": "staging", "model": "fraud", "version": "v2.1.0"}.items())

    assert [told[f"slipway_canary{name}", place] for name in ("", "_rows", "_rows_needed", "_share")] == [
        *(1.0, 411.0, 2000.0, 0.2)
    ]
    verdicts = {dict(labels)["verdict"]: value for (name, labels), value in told.items() if name.endswith("_verdict")}
    assert verdicts == {"pass": 0.0, "fail": 0.0, "not enough evidence": 1.0}
    assert {name for name, _ in samples(text(new)) if name.startswith("slipway_canary")} == {"slipway_canary"}


def test_days_are_told_as_moments_in_utc() -> None:
    """A window is stale by the end of its last day, whatever zone the machine has."""
    told = samples(text(DRIFTED))
    place = frozenset({"environment": "production", "model": "flight-delay"}.items())

    assert told["slipway_watch_window_end_timestamp_seconds", place] == MADE.timestamp() - 6 * 3600
    assert told["slipway_export_timestamp_seconds", frozenset()] == MADE.timestamp()


def test_exactly_one_outcome_holds() -> None:
    """An alert asks for one of them by name."""
    told = {
        labels: value for (name, labels), value in samples(text(DRIFTED)).items() if name == "slipway_watch_outcome"
    }

    assert len(told) == len(Outcome)
    assert [dict(labels)["outcome"] for labels, value in told.items() if value == 1] == ["watch"]


def test_what_was_not_measured_has_no_sample() -> None:
    """A zero in its place would be a distance of nothing, or an F1 that rings at night."""
    told = text(NEW)
    assert 'slipway_deployed{environment="staging",model="fraud",version="v2.0.0"} 1.0' in told
    assert "slipway_watch_" not in "".join(line for line in told.splitlines() if not line.startswith("#"))


@given(st.text())
def test_a_name_is_one_label_whatever_it_holds(name: str) -> None:
    """A column called `"} 1` would break the whole scrape, and every alert with it."""
    window = WINDOW.model_copy(update={"drift": (WINDOW.drift[0].model_copy(update={"feature": name}),)})
    limits = (DRIFTED.limits[0].model_copy(update={"feature": name}),)
    lines = text(DRIFTED.model_copy(update={"window": window, "limits": limits})).split("\n")
    (line,) = [line for line in lines if line.startswith("slipway_watch_drift_distance{")]

    assert line.endswith("} 0.09")
    assert (
        len(samples("\n".join(lines))) == len(samples(text(DRIFTED))) - 4
    )  # one feature less: low, high, missing, limit
