"""What a reviewer reads of a runtime image: what it replaces, what changed, and the line that takes it back."""

from __future__ import annotations

import pytest
from slipway.domain.runtime import Change, RuntimeImage
from slipway.reports.marker import read_marker
from slipway.reports.runtime_request import runtime_body, runtime_title
from syrupy.assertion import SnapshotAssertion

from tests.unit.reports.github import tables_of, text_outside_of_code

_BASE, _OLD_SERVER, _SERVER = (f"sha256:{digit * 64}" for digit in "567")


def image(digit: str, *, server: str = _SERVER, base_digest: str = "", revision: str = "c" * 40) -> RuntimeImage:
    return RuntimeImage(
        reference=f"ghcr.io/acme/runtime@sha256:{digit * 64}",
        layers={_BASE: 48_200_000, server: 91_300_000},
        revision=revision,
        base_name="docker.io/library/python:3.11-slim-bookworm",
        base_digest=base_digest,
    )


NEW = image("1", base_digest=f"sha256:{'d' * 64}")
OLD = image("0", server=_OLD_SERVER, revision="b" * 40)
CHANGES = (
    Change(commit="c" * 40, subject="Answer in the order of the request"),
    Change(commit="e" * 40, subject="Take a newer orjson"),
)


def body(changes: tuple[Change, ...] | None = CHANGES, before: RuntimeImage | None = OLD) -> str:
    return runtime_body(NEW, named=OLD.reference, before=before, changes=changes, opened_by="the GitHub App")


def test_another_runtime_image(markdown_file: SnapshotAssertion) -> None:
    """The whole text, as it is read."""
    assert body() == markdown_file


def test_the_first_runtime_image(markdown_file: SnapshotAssertion) -> None:
    """Nothing to compare with, and nothing to go back to but none."""
    assert runtime_body(NEW, named=None, before=None, changes=None, opened_by="`GITHUB_TOKEN`") == markdown_file


def test_a_newer_base_alone(markdown_file: SnapshotAssertion) -> None:
    """No commit changed anything; the fixes of the base did."""
    assert body(changes=()) == markdown_file


def test_an_old_image_that_is_lost(markdown_file: SnapshotAssertion) -> None:
    """The way back is not open, and the text says so before it is needed."""
    assert body(changes=None, before=None) == markdown_file


def test_its_title_tells_images_apart() -> None:
    """As it is listed among the proposals of releases."""
    assert runtime_title(NEW) == "Runtime image 111111111111"


def test_a_program_finds_its_own() -> None:
    """A marker that people do not see says what is proposed."""
    assert read_marker(body()) == {"kind": "runtime", "reference": NEW.reference}


@pytest.mark.parametrize(
    "subject", ["@acme/everybody look", "Fixes #12", "a | b", "<img src=x>", "![x](http://x.example)"]
)
def test_the_subject_of_a_commit_changes_no_other_text(subject: str) -> None:
    """Whoever commits writes it."""
    text = body(changes=(Change(commit="c" * 40, subject=subject),))

    assert len(tables_of(text)) == 1
    assert "@acme" not in text_outside_of_code(text) and "<img" not in text and "](" not in text


def test_a_long_history_is_cut() -> None:
    """GitHub refuses a text of more than 65,536 characters."""
    many = tuple(Change(commit=f"{number:040x}", subject="x" * 300) for number in range(2_000))

    assert "and 1950 older" in body(changes=many)
    assert len(body(changes=many)) < 30_000
