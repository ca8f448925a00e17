"""A release's pages; the findings are those of the real gates."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

from slipway.domain.behaviour import BehaviourLimit
from slipway.domain.calibration import Calibration, FeatureCalibration
from slipway.domain.case import ReleaseCase
from slipway.domain.conversion import Conversion
from slipway.domain.cost import Cost, CostRatio, ModelCost
from slipway.domain.evidence import (
    ComparisonEvidence,
    Evidence,
    FidelityEvidence,
    Golden,
    MetricsEvidence,
    MovedRow,
    OutputsEvidence,
    Slice,
    TrafficEvidence,
)
from slipway.domain.identity import Identity, Released
from slipway.domain.limits import (
    BudgetsLimit,
    DriftLimit,
    FidelityLimit,
    OutputsLimit,
    PreviousVersionLimit,
    PromiseLimit,
    SignatureLimit,
    SlicesLimit,
    WayBackLimit,
)
from slipway.domain.metric_limits import MetricLimit, MetricsLimit
from slipway.domain.model import Decision, Feature, Framework, Model, Samples
from slipway.domain.pages import File
from slipway.domain.release import Image, Rehearsal, Verdicts, WaiverUsed
from slipway.domain.signature import DataType
from slipway.domain.tag import Bump
from slipway.domain.verdict import Estimate, Finding, Verdict, worst
from slipway.gates import RELEASE_GATES, false_alarms, promise

MODEL = "flight-delay"


METRICS = MetricsLimit(
    f1=MetricLimit(floor=0.40, drop=0.05),
    precision=MetricLimit(floor=0.30),
    recall=MetricLimit(floor=0.45),
)


LIMITS = {
    "promise": PromiseLimit(),
    "fidelity": FidelityLimit(),
    "metrics": METRICS,
    "slices": SlicesLimit(),
    "behaviour": BehaviourLimit(),
    "signature": SignatureLimit(),
    "outputs": OutputsLimit(),
    "budgets": BudgetsLimit(),
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
        calibration=calibration(),
    )
    return measured.model_copy(update=changes)


def calibration(*, weeks: int = 26, stormy: bool = False, **changes: object) -> Calibration:
    """Quiet weeks; `stormy`: the delays of the third one are of a storm."""
    days = 7 * weeks - 6
    storm = tuple(0.31 if stormy and 14 <= day < 21 else 0.04 for day in range(days))
    shifted = tuple(round(0.018 * step, 4) for step in range(1, 41))
    measured = Calibration(
        window_days=7,
        since=date(2026, 1, 5),
        rows=(900,) * days,
        features={
            "dest": FeatureCalibration(distances=(0.09,) * days),
            "distance": FeatureCalibration(distances=storm, shifted=shifted),
            "hour": FeatureCalibration(distances=(0.02,) * days, shifted=tuple(one * 2 for one in shifted[:20])),
        },
    )
    return measured.model_copy(update=changes)


def cost(**changes: object) -> Cost:
    """Of the candidate, and beside the version that production runs."""
    taken = Cost(
        platform="linux/amd64",
        batch_rows=1024,
        candidate=ModelCost(size=24_310, memory=58_720_256, load=0.00491, p50=4.82e-5, p99=1.13e-4, batch=0.00213),
        ratios=(CostRatio(version="v1.3.0", size=1.004, memory=1.0, load=0.97, p50=1.02, p99=1.08, batch=0.99),),
    )
    return taken.model_copy(update=changes)


def breaking_evidence(*, stated: bool) -> Evidence:
    """Of a candidate that asks for one input more than the version before it."""
    return evidence(
        onnx_signature=major_identity().declaration.signature,
        break_is_stated=stated,
        comparison=comparison(signature_changes=("input `dep_delay` (float32) is new",)),
    )


def traffic(**changes: object) -> TrafficEvidence:
    asked = ({"hour": "7", "carrier": "EV", "dest": "ORD"}, {"hour": "21.5", "carrier": "", "dest": "Sant Joan"})
    replayed = TrafficEvidence(
        since="2026-10-26",
        until="2026-11-01",
        version="v1.3.0",
        rows=41_180,
        flips=2_655,
        moved=(
            MovedRow(inputs=asked[0], before=0.183, after=0.401, flips=True),
            MovedRow(inputs=asked[1], before=0.62, after=None, flips=False),
        ),
    )
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
    taken: Cost | None = None,
    expected: BehaviourLimit | None = None,
) -> Verdicts:
    """What the real gates find."""
    case = ReleaseCase(identity=released_now, evidence=measured, rehearsal=rehearsed, cost=taken)
    limits = {**LIMITS, "behaviour": expected or LIMITS["behaviour"]}
    findings = tuple(
        _waived(finding, waiver) for name, gate in RELEASE_GATES.items() for finding in gate.judge(case, limits[name])
    )
    return Verdicts(
        verdict=worst(finding.verdict for finding in findings),
        findings=findings,
        waivers=(waiver,) if waiver else (),
        smallest_bump=promise.smallest_bump(case, PromiseLimit()),
        policies_digest=digest("policies"),
        false_alarms=false_alarms.expected(measured.calibration, DriftLimit()) if measured.calibration else None,
    )


def _waived(finding: Finding, waiver: WaiverUsed | None) -> Finding:
    if waiver is None or finding.gate != waiver.gate or finding.verdict is Verdict.PASS:
        return finding
    told = f"{finding.problem}; waived by {waiver.by} until {waiver.until}: {waiver.reason}"
    return finding.model_copy(update={"verdict": Verdict.PASS, "problem": told, "mend": ""})


def waiver(**changes: object) -> WaiverUsed:
    used = WaiverUsed(gate="metrics", reason="labels of October come late", by="@lead", until="2026-12-01")
    return used.model_copy(update=changes)
