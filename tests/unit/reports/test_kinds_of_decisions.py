"""Pull requests of models that decide one of several classes, or a number: nothing in them is `newly` anything."""

from __future__ import annotations

from typing import Any

from slipway.domain.evidence import ClassChange, ComparisonEvidence, Evidence, MovedRow, NumberMoves, TrafficEvidence
from slipway.domain.identity import Identity
from slipway.domain.release import Rehearsal
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.maths.named_metrics import DecisionKind
from slipway.reports.pull_request import Opening, pull_request_body
from syrupy.assertion import SnapshotAssertion

from tests import pages


def deciding(decision: dict[str, Any], *, shape: list[int]) -> Identity:
    told = pages.model().model_dump(mode="json")
    outputs = [{"name": "answer", "dtype": "float32", "shape": shape, "meaning": "What it answers"}]
    declaration = {**told, "outputs": outputs, "decision": {"output": "answer", **decision}}
    return pages.identity(declaration=pages.model().model_validate(declaration))


def compared(kind: DecisionKind, flipped: int, **changes: object) -> ComparisonEvidence:
    return pages.comparison(kind=kind, flipped=flipped, now_positive=0, now_negative=0, **changes)


def traffic(*moved: MovedRow, flips: int) -> TrafficEvidence:
    return TrafficEvidence(
        since="2026-10-25", until="2026-10-31", version="v1.3.0", rows=20_000, flips=flips, moved=moved
    )


def body(identity: Identity, evidence: Evidence, *measured: Finding) -> str:
    rehearsal: Rehearsal = pages.rehearsal()
    verdicts = pages.verdicts(identity, pages.evidence(), rehearsal)
    return pull_request_body(
        identity=identity,
        conversion=pages.conversion(),
        evidence=evidence,
        rehearsal=rehearsal,
        verdicts=verdicts.model_copy(update={"findings": measured, "verdict": Verdict.PASS}),
        image=None,
        environment="production",
        opening=Opening(),
        cost=None,
    )


def finding(title: str, measured: str, allowed: str, margin: str, gate: str = "metrics") -> Finding:
    return Finding(gate=gate, title=title, verdict=Verdict.PASS, measured=measured, allowed=allowed, margin=margin)


def test_a_model_of_several_classes(markdown_file: SnapshotAssertion) -> None:
    """The commonest changes from one class to another, as a small table."""
    identity = deciding({"classes": ["early", "on time", "late"]}, shape=[3])
    changes = (
        ClassChange(before="on time", after="late", rows=811),
        ClassChange(before="late", after="on time", rows=390),
        ClassChange(before="early", after="", rows=2),
    )
    evidence = pages.evidence(
        comparison=compared(DecisionKind.ONE_OF_SEVERAL, 1_203, changes=changes),
        traffic=traffic(
            MovedRow(inputs={"carrier": "HA"}, before="on time", after="late", flips=True),
            MovedRow(inputs={"carrier": "AA"}, before="late", after="late", flips=False),
            flips=411,
        ),
    )

    found = body(
        identity,
        evidence,
        finding("Macro F1 − v1.3.0, same rows", "+0.012 [+0.004, +0.020]", "≥ −0.010", "+0.014", gate="promise"),
        finding("Macro F1", "0.647 [0.631, 0.662]", "≥ 0.60", "+0.031"),
    )

    assert found == markdown_file
    assert "newly" not in found


def test_a_model_of_a_number(markdown_file: SnapshotAssertion) -> None:
    """How many answers move noticeably, which way, and by how much."""
    identity = deciding({"noticeable": 5.0}, shape=[1])
    moves = NumberMoves(noticeable=5.0, up=1_204, down=377, median=7.25, largest=61.5)
    evidence = pages.evidence(
        comparison=compared(
            DecisionKind.NUMBER,
            1_581,
            moves=moves,
            before={"mae": Estimate(value=12.1, low=11.8, high=12.5)},
            differences={"mae": Estimate(value=-0.4, low=-0.6, high=-0.2)},
        ),
        traffic=traffic(MovedRow(inputs={"carrier": "HA"}, before=12.5, after=74.0, flips=True), flips=240),
    )

    found = body(
        identity,
        evidence,
        finding("MAE − v1.3.0, same rows", "-0.400 [-0.600, -0.200]", "≤ +0.121, 0.01 of it", "+0.321", gate="promise"),
        finding("MAE", "11.712 [11.401, 12.066]", "≤ 14", "+1.934"),
    )

    assert found == markdown_file
    assert "newly" not in found


def test_no_answer_that_moves_noticeably_is_said_in_its_unit() -> None:
    """`No decision flips` would say nothing about a price."""
    identity = deciding({"noticeable": 5.0}, shape=[1])
    still = NumberMoves(noticeable=5.0, up=0, down=0, median=None, largest=None)
    evidence = pages.evidence(comparison=compared(DecisionKind.NUMBER, 0, moves=still, slices=()))

    assert "nothing; no answer of 23,870 moves by more than 5 against v1.3.0" in body(identity, evidence)


def test_users_notice_what_changes_against_what_their_environment_runs() -> None:
    """The promise is that of the highest version that passed; users have another one."""
    identity = pages.identity(deployed={"production": pages.released("v1.1.0")})
    older = pages.comparison(version="v1.1.0", now_positive=4_000, back=("it asks for `gate` (string), sent no more",))
    found = body(identity, pages.evidence(against_deployed={"v1.1.0": older}))

    assert "4,377 of 23,870 decisions flip against v1.1.0" in found
    assert "Clients that were changed for v1.4.0 would break by it" in found
