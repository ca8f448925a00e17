"""What `slipway check MODEL` prints, where most releases are decided."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.tag import Bump
from slipway.reports.plain import width_of
from slipway.reports.release_summary import check_summary
from syrupy.assertion import SnapshotAssertion

from tests import pages


def summary(identity: Identity, evidence: Evidence, *, width: int = 100) -> str:
    return check_summary(identity, pages.verdicts(identity, evidence, pages.rehearsal()), width=width)


def test_a_model_that_passes(text_file: SnapshotAssertion) -> None:
    """It ends in two lines to paste: nobody looks up how to tag."""
    assert summary(pages.identity(), pages.evidence()) == text_file


def test_a_model_with_too_few_labels(text_file: SnapshotAssertion) -> None:
    """No lines to paste: no number makes it pass."""
    text = summary(pages.identity(), pages.evidence(metrics=pages.metrics(positives=61, rows=301, days=2)), width=80)
    assert text == text_file
    assert "git tag" not in text


def test_a_break_is_sent_to_the_model_card(text_file: SnapshotAssertion) -> None:
    """The smallest bump that passes is a major, and a major needs its sentence first."""
    identity = pages.major_identity("v1.5.0").model_copy(update={"bump": Bump.MINOR})
    assert summary(identity, pages.breaking_evidence(stated=False)) == text_file


def test_no_bump_at_all() -> None:
    """Then the text offers no number."""
    verdicts = pages.verdicts(pages.identity(), pages.evidence(), pages.rehearsal())
    text = check_summary(pages.identity(), verdicts.model_copy(update={"smallest_bump": None}))
    assert "No version number makes this pass" in text


def test_a_first_version_is_1_0_0() -> None:
    """There is nothing below it to count from."""
    text = summary(pages.first_identity(), pages.evidence(comparison=None))
    assert "git push origin flight-delay@v1.0.0" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_of_the_table_is_wider_than_the_terminal(width: int) -> None:
    """A wrapped line of a table is no table."""
    table = summary(pages.identity(), pages.evidence(), width=width).split("\n\n")[1]
    assert max(width_of(line) for line in table.splitlines()) <= width


@given(message=st.text(max_size=100) | st.sampled_from(['$(touch owned) "', "`id`", "it's", "!!", "\\", pages.HOSTILE]))
def test_the_pasted_line_runs_no_message(message: str) -> None:
    """What is pasted is run: a message of somebody else must stay one argument."""
    text = summary(pages.identity(message=message), pages.evidence())
    line = next(line for line in text.splitlines() if line.startswith("  git tag"))
    assert shlex.split(line)[:5] == ["git", "tag", "-a", "flight-delay@v1.4.0", "-m"]
    assert len(shlex.split(line)) == 6


@pytest.mark.parametrize("message", ["$(echo ran)", "`echo ran`", '"; echo ran; "', "'; echo ran; '", "a\\"])
def test_a_real_shell_passes_the_message_on(message: str) -> None:
    """The rules of quoting are the shell's, not ours."""
    text = summary(pages.identity(message=message), pages.evidence())
    line = next(line for line in text.splitlines() if line.startswith("  git tag"))
    told = subprocess.run(
        ["bash", "-c", f"git() {{ printf '%s' \"$5\"; }}; {line}"], check=True, capture_output=True, text=True
    )
    assert told.stdout == message
