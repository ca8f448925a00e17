"""The one text that a reviewer needs to merge, to refuse, or to go back."""

from __future__ import annotations

import pytest
from slipway.domain.release import Evidence, Identity, Rehearsal, Released, Verdicts, WaiverUsed
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict
from slipway.reports.cutting import LONGEST_BODY
from slipway.reports.marker import read_marker
from slipway.reports.pull_request import pull_request_body, pull_request_title
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import tables_of, text_outside_of_code


def body(
    identity: Identity,
    evidence: Evidence,
    rehearsal: Rehearsal,
    *,
    waiver: WaiverUsed | None = None,
    built: bool = True,
) -> str:
    verdicts = pages.verdicts(identity, evidence, rehearsal, waiver=waiver)
    return body_of(identity, evidence, rehearsal, verdicts, built=built)


def body_of(identity: Identity, evidence: Evidence, rehearsal: Rehearsal, verdicts: Verdicts, *, built: bool) -> str:
    return pull_request_body(
        identity=identity,
        conversion=pages.conversion(),
        evidence=evidence,
        rehearsal=rehearsal,
        verdicts=verdicts,
        image=pages.image(identity.version) if built else None,
        environment="production",
        opened_by="slipway on this machine" if built else None,
        deployed=identity.deployed["production"],
    )


def few_positives() -> Evidence:
    return pages.evidence(metrics=pages.metrics(positives=61, rows=301, days=2))


def test_a_minor_version_that_passes(markdown_file: SnapshotAssertion) -> None:
    """The usual case: the verdict first, each number with its limit, the way back as a line to paste."""
    text = body(pages.identity(), pages.evidence(traffic=pages.traffic()), pages.rehearsal())
    assert text == markdown_file


def test_a_first_release(markdown_file: SnapshotAssertion) -> None:
    """There is nothing to compare with and nothing to go back to, and the text says so instead of leaving gaps."""
    text = body(pages.first_identity(), pages.evidence(comparison=None), pages.nothing_to_rehearse())
    assert text == markdown_file


def test_a_major_version_says_what_breaks(markdown_file: SnapshotAssertion) -> None:
    """A reviewer who merges it must know whose requests fail tomorrow."""
    text = body(pages.major_identity(), pages.breaking_evidence(stated=True), pages.rehearsal())
    assert text == markdown_file


def test_a_draft_says_how_many_rows_are_missing(markdown_file: SnapshotAssertion) -> None:
    """Not enough evidence is neither good nor bad news; what settles it must stand there."""
    assert body(pages.identity(), few_positives(), pages.rehearsal()) == markdown_file


def test_a_waiver_is_told_with_its_reason(markdown_file: SnapshotAssertion) -> None:
    """A release that passes by a waiver must not read like one that passed."""
    assert body(pages.identity(), few_positives(), pages.rehearsal(), waiver=pages.waiver()) == markdown_file


def test_a_check_of_the_working_tree_renders_a_failure(markdown_file: SnapshotAssertion) -> None:
    """`slipway check` shows a developer what a reviewer would read, before there is a tag or an image."""
    identity = pages.identity(tag_object="", tagger="", message="")
    evidence = pages.evidence(outputs=pages.evidence().outputs.model_copy(update={"not_finite": {"p_late": 12}}))
    assert body(identity, evidence, pages.rehearsal(), built=False) == markdown_file


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


@pytest.mark.parametrize(
    ("rehearsal", "deployed", "sentence"),
    [
        (
            pages.rehearsal(loaded=False, problem="unknown operator"),
            "v1.3.0",
            "not possible as rehearsed: unknown operator",
        ),
        (pages.nothing_to_rehearse(), "v1.3.0", "not rehearsed; production runs v1.3.0"),
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
            built=True,
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
    assert read_marker(text) == {"kind": "release", "tag": "flight-delay@v1.4.0", "environment": "production"}


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
        built=True,
    )


def test_an_endless_text_is_cut_and_still_found_again() -> None:
    """GitHub drops a body above 65,536 characters without a word."""
    judged = pages.verdicts(pages.identity(), pages.evidence(), pages.rehearsal())
    many = judged.model_copy(update={"findings": judged.findings * 200})
    text = body_of(pages.identity(), pages.evidence(), pages.rehearsal(), many, built=True)
    assert len(text) <= LONGEST_BODY
    assert "The whole: branch `ledger`, folder `flight-delay/v1.4.0/`" in text
    assert read_marker(text)["tag"] == "flight-delay@v1.4.0"
