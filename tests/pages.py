"""Pages as steps would write them, for tests of what reads pages.

The numbers are invented; the findings are those of the real gates under the schema's default limits, but for the
example's floor of F1. Each builder takes changed fields by name.
"""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256

from slipway.domain.case import ReleaseCase
from slipway.domain.incident import (
    FeatureDrift,
    IncidentKind,
    IncidentVerdicts,
    IssueAction,
    IssueFiled,
    Outcome,
    PreviousEvidence,
    Reversion,
    Window,
    WindowEvidence,
)
from slipway.domain.model import Decision, Feature, Framework, Model, Samples
from slipway.domain.pages import File
from slipway.domain.policy import (
    DriftLimit,
    FidelityLimit,
    MetricLimit,
    MetricsLimit,
    OutputsLimit,
    PreviousVersionLimit,
    PromiseLimit,
    SignatureLimit,
    WayBackLimit,
)
from slipway.domain.release import (
    ComparisonEvidence,
    Conversion,
    Evidence,
    FidelityEvidence,
    Golden,
    Identity,
    Image,
    MetricsEvidence,
    OutputsEvidence,
    Rehearsal,
    Released,
    Rollout,
    Slice,
    TrafficEvidence,
    Verdicts,
    WaiverUsed,
)
from slipway.domain.signature import DataType
from slipway.domain.tag import Bump
from slipway.domain.verdict import Estimate, Finding, Verdict, worst
from slipway.gates import RELEASE_GATES, WINDOW_GATES, promise
from slipway.reports.story import Document, EnvironmentChapter, IncidentChapter, ReleaseChapter, Story

MODEL = "flight-delay"
METRICS = MetricsLimit(
    f1=MetricLimit(floor=0.40, drop=0.05),
    precision=MetricLimit(floor=0.30),
    recall=MetricLimit(floor=0.45),
)
_LIMITS = {
    "promise": PromiseLimit(),
    "fidelity": FidelityLimit(),
    "metrics": METRICS,
    "signature": SignatureLimit(),
    "outputs": OutputsLimit(),
    "way_back": WayBackLimit(),
    "previous_version": PreviousVersionLimit(),
    "drift": DriftLimit(),
}


def digest(text: str) -> str:
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def file(name: str, *, size: int = 24_310) -> File:
    return File(name=name, sha256=sha256(name.encode()).hexdigest(), size=size)


def released(version: str) -> Released:
    return Released(version=version, digest=digest(version))


def feature(name: str, dtype: DataType = DataType.FLOAT32) -> Feature:
    return Feature(name=name, dtype=dtype, meaning=f"The {name} of a flight")


def model(*, more_inputs: tuple[Feature, ...] = ()) -> Model:
    numbers = tuple(feature(name) for name in ("hour", "minute", "distance", "dow"))
    words = tuple(feature(name, DataType.STRING) for name in ("carrier", "origin", "dest"))
    return Model(
        name=MODEL,
        summary="Will a flight arrive more than 15 minutes late?",
        framework=Framework.TENSORFLOW,
        source="source",
        owners=("@flight-team",),
        inputs=(*numbers, *words, *more_inputs),
        outputs=(feature("p_late"),),
        decision=Decision(output="p_late", threshold=0.24),
        samples=Samples(path="samples/held-out.parquet", time="time", label="late", held_out="held_out"),
    )


def identity(**changes: object) -> Identity:
    """A minor version of the example, compared with the version that production runs."""
    minor = Identity(
        tag="flight-delay@v1.4.0",
        model=MODEL,
        version="v1.4.0",
        bump=Bump.MINOR,
        tag_object="5d1f0c6f2f0f4d5a8a1f7b8b6f6f3c1e2d4a9b70",
        tagger="Ada Example <ada@example.org>",
        message="Train on two more months",
        commit="b7f0d5e0c3a94c1d8e2f6a7b9c0d1e2f3a4b5c6d",
        committed_at="2026-11-02T09:15:00+00:00",
        model_folder="tagged/models/flight-delay",
        source_digest=digest("source"),
        samples=file("samples.parquet", size=412_000),
        card=file("README.md", size=5_120),
        declaration=model(),
        compared=released("v1.3.0"),
        deployed={"production": released("v1.3.0")},
        served=None,
    )
    return minor.model_copy(update=changes)


def first_identity() -> Identity:
    return identity(
        tag="flight-delay@v1.0.0", version="v1.0.0", bump=Bump.FIRST, compared=None, deployed={"production": None}
    )


def major_identity(version: str = "v2.0.0") -> Identity:
    return identity(
        tag=f"flight-delay@{version}",
        version=version,
        bump=Bump.MAJOR,
        message="Use the delay at departure",
        declaration=model(more_inputs=(feature("dep_delay"),)),
    )


def conversion(**changes: object) -> Conversion:
    converted = Conversion(
        onnx=file("model.onnx"),
        framework="tensorflow",
        tools={"tensorflow": "2.21.0", "tf2onnx": "1.17.0", "onnx": "1.23.2"},
        edges=file("edges.npz"),
        sample_outputs=file("sample-outputs.npz"),
        edge_outputs=file("edge-outputs.npz"),
        edges_that_raised=(),
        noise_floor={"p_late": 8.9e-8},
    )
    return converted.model_copy(update=changes)


def metrics(**changes: object) -> MetricsEvidence:
    measured = MetricsEvidence(
        rows=23_870,
        positives=7_219,
        days=31,
        metrics={
            "f1": Estimate(value=0.5312, low=0.5041, high=0.5590),
            "precision": Estimate(value=0.4277, low=0.3966, high=0.4581),
            "recall": Estimate(value=0.7009, low=0.6712, high=0.7281),
        },
        always_positive_f1=0.4644,
        auc=0.684,
    )
    return measured.model_copy(update=changes)


def comparison(**changes: object) -> ComparisonEvidence:
    compared = ComparisonEvidence(
        version="v1.3.0",
        signature_changes=(),
        rows=23_870,
        largest_difference=0.218,
        unlike_rows=0,
        tolerance=1.9e-6,
        now_positive=1_204,
        now_negative=377,
        slices=(
            Slice(column="carrier", value="EV", rows=4_390, flips=402),
            Slice(column="origin", value="EWR", rows=8_713, flips=733),
            Slice(column="dest", value="ORD", rows=1_207, flips=151),
            Slice(column="origin", value="LGA", rows=7_544, flips=519),
        ),
        differences={
            "f1": Estimate(value=0.0371, low=0.0244, high=0.0502),
            "precision": Estimate(value=0.0042, low=-0.0031, high=0.0113),
            "recall": Estimate(value=0.0955, low=0.0713, high=0.1202),
        },
    )
    return compared.model_copy(update=changes)


def evidence(**changes: object) -> Evidence:
    measured = Evidence(
        onnx_signature=model().signature,
        break_is_stated=False,
        fidelity=FidelityEvidence(
            rows=23_870,
            edge_rows=212,
            largest_difference=1.6e-7,
            unlike_rows=0,
            largest_output=0.94,
            noise_floor=8.9e-8,
            flips=0,
            flip_margins=(),
            worst_rows=(17, 4_211, 9_020),
        ),
        outputs=OutputsEvidence(rows=23_870, not_finite={"p_late": 0}, wrong_shapes=()),
        metrics=metrics(),
        comparison=comparison(),
        traffic=None,
        input_profile=file("profile.json", size=118_000),
        golden=Golden(rows=50, inputs={}, outputs={}),
    )
    return measured.model_copy(update=changes)


def breaking_evidence(*, stated: bool) -> Evidence:
    """Of a candidate that asks for one input more than the version before it."""
    return evidence(
        onnx_signature=major_identity().declaration.signature,
        break_is_stated=stated,
        comparison=comparison(signature_changes=("input `dep_delay` (float32) is new",)),
    )


def traffic(**changes: object) -> TrafficEvidence:
    replayed = TrafficEvidence(since="2026-10-26", until="2026-11-01", version="v1.3.0", rows=41_180, flips=2_655)
    return replayed.model_copy(update=changes)


def rehearsal(**changes: object) -> Rehearsal:
    tried = Rehearsal(
        to=released("v1.3.0"), fetched=True, loaded=True, golden_rows=50, golden_equal=50, onnxruntime="1.32.0"
    )
    return tried.model_copy(update=changes)


def nothing_to_rehearse() -> Rehearsal:
    return rehearsal(to=None, fetched=False, loaded=False, golden_rows=0, golden_equal=0)


def image(version: str = "v1.4.0") -> Image:
    return Image(
        repository="registry.example/flight-delay",
        tag=version,
        digest=digest(f"image {version}"),
        layer_digest=digest(f"layer {version}"),
        layer_size=164_864,
        runtime_digest=digest("runtime"),
    )


def verdicts(
    released_now: Identity,
    measured: Evidence,
    rehearsed: Rehearsal,
    *,
    waiver: WaiverUsed | None = None,
) -> Verdicts:
    """What the real gates find."""
    case = ReleaseCase(identity=released_now, evidence=measured, rehearsal=rehearsed)
    findings = tuple(
        _waived(finding, waiver) for name, gate in RELEASE_GATES.items() for finding in gate.judge(case, _LIMITS[name])
    )
    return Verdicts(
        verdict=worst(finding.verdict for finding in findings),
        findings=findings,
        waivers=(waiver,) if waiver else (),
        smallest_bump=promise.smallest_bump(case, PromiseLimit()),
        policies_digest=digest("policies"),
    )


def _waived(finding: Finding, waiver: WaiverUsed | None) -> Finding:
    if waiver is None or finding.gate != waiver.gate or finding.verdict is Verdict.PASS:
        return finding
    told = f"{finding.problem}; waived by {waiver.by} until {waiver.until}: {waiver.reason}"
    return finding.model_copy(update={"verdict": Verdict.PASS, "problem": told, "mend": ""})


def waiver(**changes: object) -> WaiverUsed:
    used = WaiverUsed(gate="metrics", reason="labels of October come late", by="@lead", until="2026-12-01")
    return used.model_copy(update=changes)


def rollout(version: str = "v1.4.0", **changes: object) -> Rollout:
    live = Rollout(
        environment="production",
        version=version,
        digest=digest(f"image {version}"),
        commit="0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d",
        live_since=date(2013, 8, 2),
        golden_rows=50,
        golden_equal=50,
    )
    return live.model_copy(update=changes)


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
        deployed_f1=around(f1, 0.04),
        previous_f1=around(f1 + difference, 0.04),
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
        finding for name, gate in WINDOW_GATES.items() for finding in gate.judge_window(seen, _LIMITS[name])
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


def story(*, title: str = "A model from tag to production and back") -> Story:
    """Two releases, a refused one, a break; an issue, then an input that goes stuck and a way back."""
    refused = major_identity("v1.5.0").model_copy(update={"bump": Bump.MINOR})
    chapters = (
        ReleaseChapter(*_release(first_identity(), evidence(comparison=None), nothing_to_rehearse())),
        ReleaseChapter(*_release(identity(), evidence(traffic=traffic()), rehearsal())),
        ReleaseChapter(*_release(refused, breaking_evidence(stated=False), rehearsal())),
        ReleaseChapter(*_release(major_identity(), breaking_evidence(stated=True), rehearsal())),
    )
    falling, stuck = falling_f1(), stuck_input()
    production = EnvironmentChapter(
        name="production",
        windows=months(),
        rollouts=(rollout("v1.0.0"), rollout(), rollout("v2.0.0"), rollout()),
        incidents=(
            IncidentChapter(
                falling,
                incident_verdicts(falling, Outcome.RETRAIN),
                IssueFiled(incident="2013-09-26-metric", number=3, action=IssueAction.OPENED, title="It fell"),
            ),
            IncidentChapter(stuck, incident_verdicts(stuck, Outcome.REVERT), None, reversion()),
        ),
        f1_limits={"v1.3.0": 0.48, "v2.0.0": 0.64},
    )
    return Story(title=title, releases=chapters, environments=(production,), documents=(Document(title, HOSTILE),))


def _release(
    released_now: Identity, measured: Evidence, rehearsed: Rehearsal
) -> tuple[Identity, Conversion, Evidence, Rehearsal, Verdicts, Image | None]:
    judged = verdicts(released_now, measured, rehearsed)
    built = image(released_now.version) if judged.verdict is Verdict.PASS else None
    return released_now, conversion(), measured, rehearsed, judged, built


def months() -> tuple[Window, ...]:
    """Three versions, one of which comes back."""
    stuck = (feature_drift("dep_delay", 0.551), feature_drift("hour", 0.024), feature_drift("carrier", 0.03))
    first = tuple(window(number, version="v1.0.0", f1=0.51 if number > 2 else None) for number in range(6))
    falling = tuple(window(number, f1=0.52 - 0.018 * (number - 6)) for number in range(6, 14))
    better = tuple(window(number, version="v2.0.0", f1=0.69) for number in range(14, 18))
    broken = tuple(window(number, version="v2.0.0", f1=0.32, drift=stuck) for number in (18, 19))
    back = tuple(window(number, f1=0.44) for number in (20, 21, 22))
    return (*first, *falling, *better, *broken, *back)


HOSTILE = (
    "a|b`c`<script>alert(1)</script> @octocat fixes #1 [x](https://evil.example) ![i](//evil.example/i.png)\n"
    "| --- |\n# heading <!-- --> ``` </details> \x1b[31mred\u202e {{ 7*7 }} $(id) \\| **bold** ~~x~~ &lt;"
)
