"""What was measured of a version, one class a question; no limit stands here, and nothing is judged."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from slipway.domain.behaviour import GoldenRequest
from slipway.domain.calibration import Calibration
from slipway.domain.pages import Body, File, Frozen
from slipway.domain.signature import Signature
from slipway.domain.unlabelled import UnlabelledCheck
from slipway.domain.verdict import Estimate
from slipway.maths.named_metrics import DecisionKind


def _are_profiles(told: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    from slipway.maths.profile import profiles_from_json  # noqa: PLC0415  # with numpy, which no help text waits for

    try:
        profiles_from_json(told)
    except (KeyError, TypeError) as error:
        raise ValueError(f"a column is told as no profile: {error}") from error
    return told


class ProbesEvidence(Frozen):
    """Rows at the splits of trees, asked of both: `different` rows differ at all.

    `differences` are the largest of these differences, a row, largest first, at most 1,000; one that is infinite (a
    number against none, or other words) is told as the largest number there is.
    """

    rows: int
    different: int
    differences: tuple[float, ...]
    splits: int
    probed: int
    problem: str = ""


class RefusedEvidence(Frozen):
    """Edge rows that the source refuses; `answered` of them the ONNX file answers, `finite` with numbers only."""

    rows: int
    answered: int
    finite: int


class FidelityEvidence(Frozen):
    """The ONNX file against its source, on the same rows.

    `unlike_rows` counts rows where one answers with a number and the other with none; `flip_margins` tells how
    far the source's score lies from the threshold where the two decide differently, largest first, at most 1,000.
    `probes` is None where there are no trees, and with `refused` on pages from before these were measured.
    """

    rows: int
    edge_rows: int
    largest_difference: float
    unlike_rows: int
    largest_output: float
    noise_floor: float
    flips: int
    flip_margins: tuple[float, ...]
    worst_rows: tuple[int, ...]
    probes: ProbesEvidence | None = None
    refused: RefusedEvidence | None = None


class OutputsEvidence(Frozen):
    rows: int
    not_finite: dict[str, int]
    wrong_shapes: tuple[str, ...]


class MetricsEvidence(Frozen):
    """Of the rows that count (held out of training). A metric that is undefined on them is None.

    `positives` are the rows that labels are counted by: those with a positive label where the model decides yes or
    no, and all rows of another `kind`. `groups` is how many groups were drawn from, None where that were days.
    """

    rows: int
    positives: int
    days: int
    metrics: dict[str, Estimate | None]
    always_positive_f1: float | None
    auc: float | None
    kind: DecisionKind = DecisionKind.YES_OR_NO
    groups: int | None = None


class Slice(Frozen):
    column: str
    value: str
    rows: int
    flips: int


class ClassChange(Frozen):
    """Rows that were decided to be `before`, and are `after` now; an empty name is no class at all."""

    before: str
    after: str
    rows: int


class NumberMoves(Frozen):
    """By how much numbers move that move noticeably: `up` and `down` are rows, the rest is in the answer's unit.

    `median` and `largest` are None where none does; one that became no number has no size.
    """

    noticeable: float
    up: int
    down: int
    median: float | None
    largest: float | None


class ComparisonEvidence(Frozen):
    """The candidate against a version before it, on the rows that both can answer.

    `differences` is candidate minus before, a metric, on the same labelled rows, resampled together; `before` is that
    metric of the version before, where a difference says something only beside it. `rows` is 0 where the version
    before asks for an input that the samples lack, and `back` tells what such a version lacks, or could not read, if
    it were asked what the candidate is asked.

    How decisions flip stands, by `kind`, in `now_positive` and `now_negative`, in `changes` (the commonest), or in
    `moves`; `flipped` counts them all, None on pages from before there were other kinds than yes or no.
    """

    version: str
    signature_changes: tuple[str, ...]
    rows: int
    largest_difference: float
    unlike_rows: int
    tolerance: float
    now_positive: int
    now_negative: int
    slices: tuple[Slice, ...]
    differences: dict[str, Estimate | None]
    kind: DecisionKind = DecisionKind.YES_OR_NO
    flipped: int | None = None
    changes: tuple[ClassChange, ...] = ()
    moves: NumberMoves | None = None
    before: dict[str, Estimate | None] = Field(default_factory=dict)
    back: tuple[str, ...] = ()

    @property
    def flips(self) -> int:
        return self.now_positive + self.now_negative if self.flipped is None else self.flipped


class MovedRow(Frozen):
    """A served row that two versions answer otherwise: with scores (None is no number), or with classes.

    `inputs` tells what was asked, as text and cut: a record holds no more of a row than its reader needs.
    """

    inputs: dict[str, str]
    before: float | str | None
    after: float | str | None
    flips: bool


class TrafficEvidence(Frozen):
    """The last served window, replayed: what users would have noticed. `moved` begins with what moves most.

    `rows` were chosen from as many as `of`, None on pages from before that was told. `slices` tells by the values of
    words where a canary decides otherwise; the evidence of a release has none here.
    """

    since: str
    until: str
    version: str
    rows: int
    flips: int
    moved: tuple[MovedRow, ...] = ()
    of: int | None = None
    slices: tuple[Slice, ...] = ()


class SliceEvidence(Frozen):
    """Rows of one value of a column: the metric on them, and how much it differs from that of all rows.

    `positives` is counted as in `MetricsEvidence`.
    """

    column: str
    value: str
    rows: int
    positives: int
    value_of: Estimate | None
    against_all: Estimate | None


class GapEvidence(Frozen):
    """Two groups of a column: the metric of `other` minus that of `one`; `positives` of the smaller of the two.

    `criterion` is one of fairness, by what that compares; empty where groups are compared by the metric of all slices.
    """

    column: str
    one: str
    other: str
    positives: int
    difference: Estimate | None
    criterion: str = ""


class SlicesEvidence(Frozen):
    """By `metric`, on rows that count. `too_many_values` are columns that were asked for and left out."""

    metric: str
    overall: Estimate | None
    slices: tuple[SliceEvidence, ...]
    gaps: tuple[GapEvidence, ...]
    columns: tuple[str, ...]
    too_many_values: tuple[str, ...] = ()


class Golden(Frozen):
    """A few rows with their answers, to ask a served model whether it is the one that was judged.

    Each tensor is flattened row by row; null stands for NaN.
    """

    rows: int
    inputs: dict[str, list[float | int | bool | str | None]]
    outputs: dict[str, list[float | int | bool | str | None]]


class ChangedEvidence(Frozen):
    """Sample rows asked again with one input changed: `rows` were changed by it, `violations` behave otherwise.

    `asked` is the sentence of the expectation, `share` that of the violations, None where no row was changed; `example`
    tells the violation that moves most. The changed rows are of so many `days`, and whole ones were drawn; or so many
    `groups`, where the samples have some. Both are None on pages from before, where rows were taken as independent.
    """

    name: str
    asked: str
    rows: int
    violations: int
    share: Estimate | None
    example: str = ""
    days: int | None = None
    groups: int | None = None


class GoldenEvidence(Frozen):
    """A golden request as it was declared then, and what it was answered; `problem` where it could not be asked."""

    request: GoldenRequest
    answered: str = ""
    kept: bool = False
    problem: str = ""


class TeamTest(Frozen):
    """One function of tests/models/<name>/behaviour*.py; `message` says why it failed."""

    name: str
    passed: bool
    message: str = ""


class BehaviourEvidence(Frozen):
    """`tests` is None where the team has no functions of its own."""

    changed: tuple[ChangedEvidence, ...] = ()
    golden: tuple[GoldenEvidence, ...] = ()
    tests: tuple[TeamTest, ...] | None = None


class RebaseEvidence(Frozen):
    """What the runtime image of a revision changes: the recorded golden answers against those of its onnxruntime.

    `unlike_rows` are those where one is a number and the other none, or other text; the others are `largest_difference`
    apart at most. `metrics_moved` is by how much each metric on all sample rows differs from what was recorded, None
    where only one of the two is defined.
    """

    rows: int
    unlike_rows: int
    largest_difference: float
    metrics_moved: dict[str, float | None]


class Evidence(Body):
    """`calibration` and `behaviour` are None on pages that were written before they were measured.

    `rebase` is None but for a revision whose version has golden answers. `output_profile` tells by name what the model
    answered to the samples, None on pages from before it was kept: it lies here and in no image, since other processors
    round an answer otherwise.
    """

    kind: ClassVar[str] = "evidence"

    onnx_signature: Signature
    break_is_stated: bool
    fidelity: FidelityEvidence
    outputs: OutputsEvidence
    metrics: MetricsEvidence
    comparison: ComparisonEvidence | None
    traffic: TrafficEvidence | None
    input_profile: File
    golden: Golden
    calibration: Calibration | None = None
    against_deployed: dict[str, ComparisonEvidence] = Field(default_factory=dict)
    behaviour: BehaviourEvidence | None = None
    slices: SlicesEvidence | None = None
    rebase: RebaseEvidence | None = None
    output_profile: Annotated[dict[str, dict[str, Any]], AfterValidator(_are_profiles)] | None = None
    unlabelled: UnlabelledCheck | None = None
