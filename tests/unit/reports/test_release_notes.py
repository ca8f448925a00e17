"""What users read of a release, also years after it went live."""

from __future__ import annotations

from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.release import Proposal, Rollout
from slipway.reports.marker import read_marker
from slipway.reports.release_notes import deployment_description, release_notes, release_title
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import text_outside_of_code


def proposal(**changes: object) -> Proposal:
    made = Proposal(
        environment="production",
        branch="release/production/flight-delay/v1.4.0",
        pull=12,
        title="flight-delay: v1.3.0 → v1.4.0 (minor), production",
        draft=False,
        replaces="v1.3.0",
    )
    return made.model_copy(update=changes)


def notes(
    identity: Identity | None = None,
    evidence: Evidence | None = None,
    rollout: Rollout | None = None,
    *proposals: Proposal,
    web: str | None = None,
) -> str:
    identity, evidence = identity or pages.identity(), evidence or pages.evidence()
    body = release_notes(
        identity=identity,
        evidence=evidence,
        verdicts=pages.verdicts(identity, evidence, pages.rehearsal()),
        image=pages.image(identity.version),
        rollout=rollout or pages.rollout(identity.version),
        proposals=proposals or (proposal(),),
        web=web,
    )
    return f"# {release_title(identity)}\n\n{body}"


def test_a_minor_version(markdown_file: SnapshotAssertion) -> None:
    """What changed for users, against what, by which image, and how to go back."""
    assert notes() == markdown_file


def test_a_first_version(markdown_file: SnapshotAssertion) -> None:
    """Nothing ran before, so nothing is compared and there is no way back."""
    identity, evidence = pages.first_identity(), pages.evidence(comparison=None)
    assert notes(identity, evidence, None, proposal(replaces=None)) == markdown_file


def test_a_major_version_says_what_breaks(markdown_file: SnapshotAssertion) -> None:
    """Clients look here for why they are refused."""
    assert notes(pages.major_identity(), pages.breaking_evidence(stated=True)) == markdown_file


def test_what_was_only_tried_is_not_said_to_run() -> None:
    """The machine of a hosted runner is gone when somebody reads this."""
    said = "Nothing serves it yet: it was tried on a runner that ended with the run."
    assert said in notes(None, None, pages.rollout(stays=False))
    assert said not in notes()


def test_the_pull_request_is_that_of_the_environment() -> None:
    """The one for staging was read by others, about something else."""
    text = notes(
        None, None, None, proposal(environment="staging", pull=11, replaces="v1.3.9"), proposal(), proposal(pull=None)
    )
    assert "pull request #12" in text
    assert "--to v1.3.0`" in text


def test_what_people_wrote_stays_text() -> None:
    """The message of a tag is anybody's, and a release notifies everybody who watches the repository."""
    text = notes(pages.identity(message=pages.HOSTILE))
    assert "<script>" not in text
    assert "@octocat" not in text_outside_of_code(text)


def test_the_record_is_linked_where_people_read_in_a_browser() -> None:
    """All evidence is one click away."""
    assert "(https://github.com/waiters/tips/tree/ledger/flight-delay/v1.4.0)" in notes(
        web="https://github.com/waiters/tips"
    )


def test_the_notes_are_found_again() -> None:
    """A program must tell its own text from a person's."""
    assert read_marker(notes()) == {"kind": "live", "tag": "flight-delay@v1.4.0", "environment": "production"}


def test_a_deployment_is_told_in_one_line() -> None:
    """GitHub shows it in a list."""
    told = deployment_description(pages.identity().release, pages.rollout())
    assert told == f"flight-delay@v1.4.0, image {pages.image().digest.removeprefix('sha256:')[:12]}"
