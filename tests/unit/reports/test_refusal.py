"""The text that a model developer meets most: no, why, and what mends it."""

from __future__ import annotations

import pytest
from slipway.domain.identity import Identity
from slipway.domain.release import Verdicts
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict
from slipway.reports.marker import read_marker
from slipway.reports.refusal import refusal, refused_release_issue, refused_release_title, status_description
from slipway.reports.release_words import next_number
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import tables_of, text_outside_of_code


def broken_minor() -> tuple[Identity, Verdicts]:
    identity = pages.major_identity("v1.5.0").model_copy(update={"bump": Bump.MINOR})
    return identity, pages.verdicts(identity, pages.breaking_evidence(stated=False), pages.rehearsal())


def worse_patch() -> tuple[Identity, Verdicts]:
    """A patch that answers otherwise, and is below its floor."""
    identity = pages.identity(tag="flight-delay@v1.3.1", version="v1.3.1", bump=Bump.PATCH)
    weak = pages.metrics(metrics={name: pages.around(0.2, 0.02) for name in ("f1", "precision", "recall")})
    return identity, pages.verdicts(identity, pages.evidence(metrics=weak), pages.rehearsal())


def too_few() -> tuple[Identity, Verdicts]:
    few = pages.evidence(metrics=pages.metrics(positives=61, rows=301, days=2))
    return pages.identity(), pages.verdicts(pages.identity(), few, pages.rehearsal())


def test_a_minor_version_with_a_new_input(text_file: SnapshotAssertion) -> None:
    """The example of the design: the mend can be pasted."""
    assert refusal(*broken_minor()) == text_file


def test_two_gates_are_named_in_one_sentence(text_file: SnapshotAssertion) -> None:
    """Mending one and meeting the next is a lost evening."""
    assert refusal(*worse_patch()) == text_file


def test_missing_rows_are_no_failure(text_file: SnapshotAssertion) -> None:
    """ "Bad" and "nobody knows yet" never share a word."""
    text = refusal(*too_few())
    assert text == text_file
    assert "fail" not in text


def test_a_break_that_is_not_stated() -> None:
    """A major version may break anything but must say so; "breaks the promise of a major" would say nothing."""
    identity = pages.major_identity()
    verdicts = pages.verdicts(identity, pages.breaking_evidence(stated=False), pages.rehearsal())
    assert refusal(identity, verdicts).startswith("flight-delay@v2.0.0 does not say what it breaks: fail\n")


def test_the_issue_to_the_tagger(markdown_file: SnapshotAssertion) -> None:
    """The tagger is not looking at the run; the issue must say that nothing was released."""
    identity, verdicts = broken_minor()
    assert (
        f"# {refused_release_title(identity, verdicts)}\n\n{refused_release_issue(identity, verdicts)}" == markdown_file
    )


def test_a_title_follows_the_verdict() -> None:
    """The same page names an issue that is closed when the release passes after all."""
    identity, _ = broken_minor()
    passed = pages.verdicts(pages.identity(), pages.evidence(), pages.rehearsal())
    assert refused_release_title(identity, passed) == "flight-delay@v1.5.0 passes"
    assert refused_release_title(*too_few()) == "flight-delay@v1.4.0 cannot be judged yet by F1, Precision, Recall"


def test_the_tag_can_be_copied_from_the_issue() -> None:
    """A sign of no width inside of it, put there against mentions, would make git say that it does not exist."""
    assert "`flight-delay@v1.5.0`" in refused_release_issue(*broken_minor())


def test_the_issue_is_found_again() -> None:
    """A release that is run again must not open a second issue."""
    assert read_marker(refused_release_issue(*broken_minor())) == {"kind": "refused", "tag": "flight-delay@v1.5.0"}


def test_a_message_cannot_move_the_cursor() -> None:
    """A tag's message may hold codes that rewrite what a terminal shows."""
    identity, verdicts = broken_minor()
    hostile = tuple(
        one.model_copy(update={"problem": pages.HOSTILE, "mend": pages.HOSTILE}) for one in verdicts.findings
    )
    text = refusal(identity, verdicts.model_copy(update={"findings": hostile}))
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_hostile_tagger_changes_no_table() -> None:
    """Whoever may push a tag may write into an issue."""
    identity, verdicts = broken_minor()
    hostile = verdicts.model_copy(
        update={"findings": tuple(one.model_copy(update={"problem": pages.HOSTILE}) for one in verdicts.findings)}
    )
    text = refused_release_issue(identity.model_copy(update={"tagger": pages.HOSTILE}), hostile)
    assert [len(row) for table in tables_of(text) for row in table] == [5] * (1 + len(verdicts.findings))
    assert "@octocat" not in text_outside_of_code(text)
    assert verdicts.verdict is Verdict.FAIL


def weak_minor() -> tuple[Identity, Verdicts]:
    """Below its floor, and its signature is as before: no mend names a number."""
    weak = pages.metrics(metrics={name: pages.around(0.2, 0.02) for name in ("f1", "precision", "recall")})
    identity = pages.identity()
    return identity, pages.verdicts(identity, pages.evidence(metrics=weak), pages.rehearsal())


def test_an_issue_prints_the_next_number(markdown_file: SnapshotAssertion) -> None:
    """The tag stays, so whoever mends the model and tags it again would meet `already exists`."""
    assert refused_release_issue(*weak_minor(), web="https://github.com/acme/models") == markdown_file


def test_the_terminal_prints_the_next_number_once() -> None:
    """Either with the mend, as a line to paste, or below."""
    assert refusal(*weak_minor()).endswith("\n  next:  flight-delay@v1.4.1, since this number keeps its verdict")
    assert "  next:  " not in refusal(*broken_minor())


@pytest.mark.parametrize(
    ("refused", "bump", "kept", "following"),
    [
        ("v1.4.0", Bump.MINOR, Bump.MINOR, "v1.4.1"),
        ("v1.4.0", Bump.MINOR, Bump.PATCH, "v1.4.1"),
        ("v1.4.0", Bump.MINOR, Bump.MAJOR, "v2.0.0"),
        ("v1.3.1", Bump.PATCH, Bump.MINOR, "v1.4.0"),
        ("v1.3.1", Bump.PATCH, None, "v1.3.2"),
        ("v2.0.0", Bump.MAJOR, Bump.MINOR, "v2.0.1"),
        ("v1.4.0-rc.1", Bump.MINOR, Bump.MINOR, "v1.4.0-rc.2"),
    ],
)
def test_the_next_number_is_free_and_promises_no_more_than_is_kept(
    refused: str, bump: Bump, kept: Bump | None, following: str
) -> None:
    """v1.4.1 still is a minor version against v1.3.0, which passed; and the refused number is used up."""
    identity = pages.identity(tag=f"flight-delay@{refused}", version=refused, bump=bump)
    verdicts = weak_minor()[1].model_copy(update={"smallest_bump": kept})
    assert next_number(identity, verdicts).image_tag == following


def test_a_mark_begins_with_the_verdict_and_fits() -> None:
    """GitHub cuts a description above 140 characters, and refuses it by its API."""
    assert status_description(*broken_minor(), longest=140) == (
        "fail: v1.5.0 (minor) breaks the promise of a minor version"
    )
    identity, verdicts = too_few()
    many = tuple(one.model_copy(update={"title": f"{pages.HOSTILE} {one.title}"}) for one in verdicts.findings)
    told = status_description(identity, verdicts.model_copy(update={"findings": many}), longest=140)
    assert told.startswith("not enough evidence: v1.4.0 (minor) cannot be judged yet by ")
    assert len(told) == 140
    assert "\n" not in told
