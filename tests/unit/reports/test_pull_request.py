"""The one text that a reviewer needs to merge, to refuse, or to go back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from slipway.domain.behaviour import BehaviourLimit
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.cost import Cost, Times
from slipway.domain.evidence import BehaviourEvidence, ChangedEvidence, Evidence, GoldenEvidence
from slipway.domain.identity import Identity, Released
from slipway.domain.release import Rehearsal, Rollout, Verdicts, WaiverUsed
from slipway.domain.rollout_limit import CanaryLimit
from slipway.domain.tag import Bump
from slipway.domain.verdict import Estimate, Verdict, verdict_of
from slipway.reports.cutting import LONGEST_BODY
from slipway.reports.marker import marker, read_marker
from slipway.reports.pull_request import (
    Opening,
    Superseded,
    proposes_canary,
    proposes_tag_object,
    pull_request_body,
    pull_request_title,
    superseded_comment,
    supersedes_of,
)
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import tables_of, text_outside_of_code

OPENING = Opening(
    opened_by="the GitHub App: checks start by themselves",
    tooling="0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    web="https://github.com/acme/models",
)

COST = pages.cost()


def body(
    identity: Identity,
    evidence: Evidence,
    rehearsal: Rehearsal,
    *,
    waiver: WaiverUsed | None = None,
    opening: Opening = OPENING,
    cost: Cost | None = COST,
) -> str:
    verdicts = pages.verdicts(identity, evidence, rehearsal, waiver=waiver)
    return body_of(identity, evidence, rehearsal, verdicts, opening=opening, cost=cost)


def body_of(
    identity: Identity,
    evidence: Evidence,
    rehearsal: Rehearsal,
    verdicts: Verdicts,
    *,
    opening: Opening = OPENING,
    environment: str = "production",
    before: Rollout | None = None,
    cost: Cost | None = COST,
    canary: CanaryLimit | None = None,
    shown: CanaryVerdicts | None = None,
) -> str:
    return pull_request_body(
        identity=identity,
        conversion=pages.conversion(),
        evidence=evidence,
        rehearsal=rehearsal,
        verdicts=verdicts,
        image=pages.image(identity.version) if opening.opened_by else None,
        environment=environment,
        opening=opening,
        cost=cost,
        before=before,
        canary=canary,
        shown=shown,
    )


def few_positives() -> Evidence:
    return pages.evidence(metrics=pages.metrics(positives=61, rows=301, days=2))


def test_a_minor_version_that_passes(markdown_file: SnapshotAssertion) -> None:
    """The usual case: the verdict first, each number with its limit, the way back as a line to paste."""
    text = body(pages.identity(), pages.evidence(traffic=pages.traffic()), pages.rehearsal())
    assert text == markdown_file


def test_a_share_of_the_traffic_says_how_much_how_long_and_what_decides(markdown_file: SnapshotAssertion) -> None:
    """Whoever merges it says yes to that and to no more; the rest is asked again."""
    identity, evidence, rehearsal = pages.identity(), pages.evidence(), pages.rehearsal()
    canary = CanaryLimit(share=0.25, hours=36, rows=2000)
    verdicts = pages.verdicts(identity, evidence, rehearsal)

    text = body_of(identity, evidence, rehearsal, verdicts, canary=canary)

    assert text == markdown_file
    assert proposes_canary(text)
    assert not proposes_canary(body(identity, evidence, rehearsal))
    assert pull_request_title(identity, "production", canary=canary) in text.replace(
        "flight-delay v", "flight-delay: v"
    )


def test_all_of_the_traffic_after_a_share_says_what_the_canary_showed(markdown_file: SnapshotAssertion) -> None:
    """It is the one thing that is new since the last pull request of that version."""
    identity, evidence, rehearsal = pages.identity(), pages.evidence(), pages.rehearsal()
    shown = CanaryVerdicts(
        model="flight-delay",
        environment="production",
        version="v1.4.0",
        digest=f"sha256:{'1' * 64}",
        commit="2" * 40,
        stable="v1.3.0",
        stable_digest=f"sha256:{'0' * 64}",
        seen=date(2026, 11, 3),
        since=datetime(2026, 11, 1, 12, tzinfo=UTC),
        verdict=Verdict.PASS,
        findings=(),
        rows=41_180,
        rows_needed=2000,
        hours=37.25,
        hours_needed=36,
        policies_digest=f"sha256:{'3' * 64}",
    )

    text = body_of(identity, evidence, rehearsal, pages.verdicts(identity, evidence, rehearsal), shown=shown)

    assert text == markdown_file
    assert not proposes_canary(text)


@pytest.mark.parametrize(
    ("of", "told"),
    [
        (1_204_331, "to 2026-11-01 (41,180 of 1,204,331 rows) would have been others"),
        (41_180, "to 2026-11-01 would have been others"),
        (None, "to 2026-11-01 would have been others"),
    ],
)
def test_traffic_says_of_how_many_rows_it_knows(of: int | None, told: str) -> None:
    """A reviewer must not take a sample for a week; an older page does not tell."""
    text = body(pages.identity(), pages.evidence(traffic=pages.traffic(of=of)), pages.rehearsal())

    assert told in text


def test_a_first_release(markdown_file: SnapshotAssertion) -> None:
    """There is nothing to compare with and nothing to go back to, and the text says so instead of leaving gaps."""
    evidence = pages.evidence(comparison=None, calibration=pages.calibration(weeks=13))
    text = body(pages.first_identity(), evidence, pages.nothing_to_rehearse(), cost=pages.cost(ratios=()))
    assert text == markdown_file


def test_a_major_version_says_what_breaks(markdown_file: SnapshotAssertion) -> None:
    """A reviewer who merges it must know whose requests fail tomorrow."""
    evidence = pages.breaking_evidence(stated=True).model_copy(update={"calibration": pages.calibration(stormy=True)})
    text = body(pages.major_identity(), evidence, pages.rehearsal())
    assert text == markdown_file


def test_a_draft_says_how_many_rows_are_missing(markdown_file: SnapshotAssertion) -> None:
    """Not enough evidence is neither good nor bad news; what settles it must stand there."""
    assert body(pages.identity(), few_positives(), pages.rehearsal()) == markdown_file


def test_a_waiver_is_told_with_its_reason(markdown_file: SnapshotAssertion) -> None:
    """A release that passes by a waiver must not read like one that passed."""
    assert body(pages.identity(), few_positives(), pages.rehearsal(), waiver=pages.waiver()) == markdown_file


def test_a_version_that_costs_too_much_and_behaves_otherwise_says_both(markdown_file: SnapshotAssertion) -> None:
    """Good metrics hide both: the row that fails must give its number, its limit and how sure it is."""
    twice = Times(ratio=around(2.6, 0.1), more=around(0.004, 0.0005))
    larger = Times(ratio=around(2.0, 0.3), more=around(9e8, 2e8))
    cost = pages.cost(ratios=(COST.ratios[0].model_copy(update={"p50": 2.6, "memory": 2.0, **_times(twice, larger)}),))
    identity, rehearsal = pages.identity(), pages.rehearsal()
    evidence = pages.evidence(behaviour=_MISBEHAVIOUR)

    verdicts = pages.verdicts(identity, evidence, rehearsal, taken=cost, expected=_EXPECTED)

    assert verdicts.verdict is Verdict.FAIL
    assert body_of(identity, evidence, rehearsal, verdicts, cost=cost) == markdown_file


def around(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def _times(latency: Times, memory: Times) -> dict[str, Times]:
    return {"p50_times": latency, "memory_times": memory}


_EXPECTED = BehaviourLimit.model_validate(
    {
        "invariances": [{"name": "case", "input": "carrier", "text": "lower-case"}],
        "directions": [
            {
                "name": "later",
                "input": "dep_delay",
                "add": 10,
                "output": "p_late",
                "must": "not-fall",
                "violations": 0.01,
            }
        ],
        "golden": [{"name": "evening", "inputs": {"hour": 20}, "answers": {"p_late": 0.5}}],
    }
)
_MISBEHAVIOUR = BehaviourEvidence(
    changed=(
        ChangedEvidence(
            name="case",
            asked=_EXPECTED.invariances[0].sentence,
            rows=20_000,
            violations=4_786,
            share=around(0.2393, 0.031),
            example="sample row 17: carrier DL → dl moves p_late 0.2 → 0.4",
            days=365,
        ),
        ChangedEvidence(
            name="later",
            asked=_EXPECTED.directions[0].sentence,
            rows=20_000,
            violations=180,
            share=around(0.009, 0.004),
            example="sample row 9: dep_delay 3 → 13 moves p_late 0.5 → 0.4",
            days=365,
        ),
    ),
    golden=(GoldenEvidence(request=_EXPECTED.golden[0], answered="p_late 0.7"),),
)


def test_a_gate_in_audit_is_counted_and_its_verdict_marked(markdown_file: SnapshotAssertion) -> None:
    """It stops nothing, and a reviewer sees what it would have said."""
    identity, evidence, rehearsal = pages.identity(), few_positives(), pages.rehearsal()
    blocking = pages.verdicts(identity, evidence, rehearsal)
    findings = tuple(one.model_copy(update={"audit": one.gate == "metrics"}) for one in blocking.findings)
    verdicts = blocking.model_copy(update={"findings": findings, "verdict": verdict_of(findings)})

    assert body_of(identity, evidence, rehearsal, verdicts) == markdown_file


def test_a_check_of_the_working_tree_renders_a_failure(markdown_file: SnapshotAssertion) -> None:
    """`slipway check` shows a developer what a reviewer would read, before there is a tag or an image."""
    identity = pages.identity(tag_object="", tagger="", message="")
    outputs = pages.evidence().outputs.model_copy(update={"not_finite": {"p_late": 12}})
    evidence = pages.evidence(outputs=outputs, calibration=None)  # as pages of an earlier Slipway are
    assert body(identity, evidence, pages.rehearsal(), opening=Opening(), cost=None) == markdown_file


def test_a_request_that_supersedes_another_links_to_it(markdown_file: SnapshotAssertion) -> None:
    """A reviewer who had begun to read the older one must find what became of it, from either side."""
    opening = replace(OPENING, supersedes=(Superseded(9, "v1.3.0"), Superseded(12, "v1.3.1")))
    text = body(pages.identity(), pages.evidence(traffic=pages.traffic()), pages.rehearsal(), opening=opening)
    assert text == markdown_file
    assert " Supersedes #9 (v1.3.0), #12 (v1.3.1), closed." in text
    assert supersedes_of(text) == opening.supersedes
    assert superseded_comment(pages.identity(), "production", by=14) == (
        "Superseded by #14: flight-delay: v1.3.0 → v1.4.0 (minor), production"
    )


def test_the_next_environment_carries_its_evidence_over(markdown_file: SnapshotAssertion) -> None:
    """From staging to production nothing is measured again; the text says where the version runs already."""
    deployed = {"staging": pages.released("v1.3.1"), "production": pages.released("v1.3.0")}
    identity = pages.identity(deployed=deployed)
    verdicts = pages.verdicts(identity, pages.evidence(), pages.rehearsal())
    before = pages.rollout(environment="staging")
    assert body_of(identity, pages.evidence(), pages.rehearsal(), verdicts, before=before) == markdown_file
    ended = before.model_copy(update={"stays": False})
    told = body_of(identity, pages.evidence(), pages.rehearsal(), verdicts, before=ended)
    assert "\nWas verified in staging on 2013-08-02: 50 of 50 golden answers." in told


def test_what_a_person_made_of_a_marker_is_no_number() -> None:
    """Whoever may edit a body may write anything into it."""
    for told in ("", "x=v1", "12", "0=v1.0.0", "12=<b>", "-1=v1.0.0", "9" * 4_000 + "=v1.0.0"):
        assert supersedes_of(f"words{marker(supersedes=told)}") == ()
    assert supersedes_of("words") == ()


@pytest.mark.parametrize(
    ("identity", "title"),
    [
        (pages.identity(), "flight-delay: v1.3.0 → v1.4.0 (minor), production"),
        (pages.first_identity(), "flight-delay: v1.0.0 (first release), production"),
        (pages.major_identity(), "flight-delay: v1.3.0 → v2.0.0 (major), production"),
    ],
)
def test_a_title_tells_what_changes_where(identity: Identity, title: str) -> None:
    """A reviewer's inbox shows titles only."""
    assert pull_request_title(identity, "production") == title


def test_what_is_compared_and_what_is_deployed_may_differ() -> None:
    """A version is held against the highest that passed; users notice the change from what runs."""
    identity = pages.identity(deployed={"production": pages.released("v1.2.0")})
    text = body(identity, pages.evidence(), pages.rehearsal(to=pages.released("v1.2.0")))
    assert "Compared with v1.3.0, the highest lower version that passed; production runs v1.2.0." in text
    assert "--to v1.2.0`" in text


def test_a_version_that_was_adopted_is_told_as_one_that_nobody_judged() -> None:
    """A reviewer who reads `compared with v1.3.0` believes that v1.3.0 once passed."""
    compared = pages.released("v1.3.0").model_copy(update={"adopted": True})
    told = [
        body(pages.identity(compared=compared, deployed=deployed), pages.evidence(), pages.rehearsal())
        for deployed in ({"production": compared}, {"production": None})
    ]

    assert "Compared with v1.3.0, adopted as it ran and judged by nobody, deployed now." in told[0]
    assert "Compared with v1.3.0, adopted as it ran and judged by nobody; nothing runs in production yet." in told[1]


@pytest.mark.parametrize(
    ("rehearsal", "deployed", "sentence"),
    [
        (
            pages.rehearsal(loaded=False, problem="unknown operator"),
            "v1.3.0",
            "not possible as rehearsed: unknown operator",
        ),
        (pages.nothing_to_rehearse(), "v1.3.0", "not rehearsed; production runs v1.3.0"),
        (pages.rehearsal(), "v1.2.0", "not rehearsed; production runs v1.2.0, and v1.3.0 was tried"),
        (pages.nothing_to_rehearse(), None, "nothing runs in production yet"),
    ],
)
def test_no_way_back_is_promised_that_was_not_tried(rehearsal: Rehearsal, deployed: str | None, sentence: str) -> None:
    """A command that was never rehearsed is worse than none, at three in the morning."""
    running: Released | None = pages.released(deployed) if deployed else None
    text = body(pages.identity(deployed={"production": running}), pages.evidence(), rehearsal)
    assert f"**Go back:** {sentence}" in text
    assert "slipway rollback" not in text


def test_only_a_passing_release_is_called_safe() -> None:
    """The first three words decide; they must never contradict the verdict."""
    for verdict, safe in ((Verdict.PASS, True), (Verdict.FAIL, False), (Verdict.NOT_ENOUGH_EVIDENCE, False)):
        judged = pages.verdicts(pages.identity(), pages.evidence(), pages.rehearsal())
        text = body_of(
            pages.identity(),
            pages.evidence(),
            pages.rehearsal(),
            judged.model_copy(update={"verdict": verdict}),
        )
        assert text.startswith("**Safe to merge") is safe


def test_equal_decisions_are_said_to_be_equal() -> None:
    """A patch: an empty chart would look like a missing one."""
    same = pages.comparison(now_positive=0, now_negative=0, slices=(), largest_difference=0.0)
    text = body(pages.identity(bump=Bump.PATCH), pages.evidence(comparison=same), pages.rehearsal())
    assert "nothing; no decision of 23,870 flips against v1.3.0" in text
    assert "mermaid" not in text


def test_rows_that_only_one_version_can_answer_are_not_compared() -> None:
    """Zero rows would read as zero flips."""
    unlike = pages.comparison(rows=0, now_positive=0, now_negative=0, slices=())
    text = body(pages.identity(), pages.evidence(comparison=unlike), pages.rehearsal())
    assert "not measured; no sample row can be answered by both v1.3.0 and v1.4.0" in text


def test_a_program_finds_its_pull_request_again() -> None:
    """A run that was cancelled must not open a second one."""
    text = body(pages.identity(), pages.evidence(), pages.rehearsal())
    marked = {"kind": "release", "tag": "flight-delay@v1.4.0", "environment": "production", "supersedes": ""}
    assert read_marker(text) == {**marked, "tag_object": pages.identity().tag_object}
    assert proposes_tag_object(text) == pages.identity().tag_object
    assert proposes_tag_object("words of a person") is None


def test_hostile_words_change_no_table_and_call_nobody() -> None:
    """Anyone who can push a tag or send a category writes into this text; the reviewer's eyes are the last gate."""
    plain, hostile = (_with_words(word) for word in ("word", pages.HOSTILE))
    assert [[len(row) for row in table] for table in tables_of(hostile)] == [
        [len(row) for row in table] for table in tables_of(plain)
    ]
    assert hostile.count("<script") == 0
    assert "@octocat" not in text_outside_of_code(hostile)
    assert "#1" not in text_outside_of_code(hostile)
    assert read_marker(hostile)["tag"] == "flight-delay@v1.4.0"


def _with_words(word: str) -> str:
    slices = tuple(one.model_copy(update={"value": word, "column": word}) for one in pages.comparison().slices)
    identity = pages.identity(tagger=word, message=word)
    judged = pages.verdicts(identity, few_positives(), pages.rehearsal())
    findings = tuple(
        one.model_copy(update={"problem": f"input `{word}` is new", "mend": word, "measured": word})
        for one in judged.findings
    )
    return body_of(
        identity,
        pages.evidence(comparison=pages.comparison(slices=slices)),
        pages.rehearsal(),
        judged.model_copy(update={"findings": findings}),
    )


def test_an_endless_text_is_cut_and_still_found_again() -> None:
    """GitHub drops a body above 65,536 characters without a word."""
    judged = pages.verdicts(pages.identity(), pages.evidence(), pages.rehearsal())
    many = judged.model_copy(update={"findings": judged.findings * 200})
    text = body_of(pages.identity(), pages.evidence(), pages.rehearsal(), many)
    assert len(text) <= LONGEST_BODY
    ledger = "https://github.com/acme/models/tree/ledger/flight-delay/v1.4.0"
    assert f"The whole: [branch `ledger`, folder `flight-delay/v1.4.0/`]({ledger})" in text
    assert read_marker(text)["tag"] == "flight-delay@v1.4.0"
