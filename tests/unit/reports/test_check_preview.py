"""What a pull request's run shows of a model: the release, before there is one."""

from __future__ import annotations

from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.tag import Bump
from slipway.reports.check_preview import check_preview
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import tables_of

_PULL = "**Safe to merge.**\n\n| Gate | Verdict |\n|---|---|\n| F1 | pass |\n"


def preview(identity: Identity, evidence: Evidence) -> str:
    verdicts = pages.verdicts(identity, evidence, pages.rehearsal())
    return check_preview(identity, verdicts, pull_request=_PULL)


def test_a_model_that_passes(markdown_file: SnapshotAssertion) -> None:
    """Which number, what to paste, the gates, and the text that its reviewer would get."""
    assert preview(pages.identity(), pages.evidence()) == markdown_file


def test_a_model_whose_break_is_not_stated(markdown_file: SnapshotAssertion) -> None:
    """What to mend comes before the table: that is why the run is red."""
    identity = pages.major_identity("v1.5.0").model_copy(update={"bump": Bump.MINOR})
    assert preview(identity, pages.breaking_evidence(stated=False)) == markdown_file


def test_the_text_of_the_pull_request_stays_markdown() -> None:
    """Escaped once more, it would be a preview of nothing."""
    assert tables_of(preview(pages.identity(), pages.evidence()))[-1] == [["Gate", "Verdict"], ["F1", "pass"]]
