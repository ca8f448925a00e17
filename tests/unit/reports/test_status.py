"""One look at what runs where."""

from __future__ import annotations

from datetime import UTC, datetime

from slipway.domain.promotion import Wait
from slipway.domain.upkeep import OnItsWay, StatusRow
from slipway.reports.status import status_table
from syrupy.assertion import SnapshotAssertion

from tests import pages

LIVE = StatusRow(
    model="flight-delay",
    environment="production",
    version="v1.3.0",
    digest=pages.digest("v1.3.0"),
    since="2013-08-02",
    outcome="revert",
    incident=7,
    quarantined=("v2.0.0", "v1.9.0"),
)


def absent(model: str, environment: str) -> StatusRow:
    return StatusRow(
        model=model, environment=environment, version=None, digest=None, since=None, outcome=None, incident=None
    )


def test_rows_are_ordered_and_absence_is_said(text_file: SnapshotAssertion) -> None:
    """An empty cell could mean "none" as well as "could not look"."""
    assert status_table([LIVE, absent("flight-delay", "staging"), absent("cargo-demand", "production")]) == text_file


def test_findings_in_audit_are_counted_until_the_policy_blocks(text_file: SnapshotAssertion) -> None:
    """Nobody remembers what only a policy file says."""
    assert status_table([LIVE.model_copy(update={"in_audit": 2}), absent("flight-delay", "staging")]) == text_file


def _in(environment: str, version: str, **changes: object) -> StatusRow:
    row = absent("flight-delay", environment)
    known = {"version": version, "digest": pages.digest(version), "since": "2013-08-02", "runtime": pages.digest("r1")}
    return row.model_copy(update={**known, **changes})


def test_environments_that_agree_are_one_line_and_others_tell_what_differs(text_file: SnapshotAssertion) -> None:
    """Dev, staging and production in the order in which a release passes them, with what is on its way to each."""
    wait = Wait(until=datetime(2013, 8, 9, 6, 0, 30, tzinfo=UTC), reasons=("it has run in staging for 3 of 24 hours",))
    held = Wait(until=None, reasons=("the incident 2013-08-05-drift is open (#7)",))
    rows = [
        _in("dev", "v1.5.0", runtime=pages.digest("r2"), on_its_way=(OnItsWay(version="v1.6.0", pull=12),)),
        _in("staging", "v1.4.0", on_its_way=(OnItsWay(version="v1.5.0", wait=held),)),
        _in("production", "v1.3.0", on_its_way=(OnItsWay(version="v1.4.0", wait=wait),)),
        *(
            _in(environment, "v2.0.0", since=since).model_copy(update={"model": "cargo-demand"})
            for environment, since in (("dev", "2013-07-01"), ("staging", "2013-07-03"), ("production", "2013-07-09"))
        ),
        *(absent("ground-time", environment) for environment in ("dev", "staging")),
        absent("ground-time", "production").model_copy(update={"on_its_way": (OnItsWay(version="v0.1.0"),)}),
    ]

    assert status_table(rows) == text_file


def test_one_environment_has_no_second_table_but_for_what_is_on_its_way() -> None:
    """Most teams have one; the same again would be read by nobody."""
    assert status_table([LIVE]).count("production") == 1
    told = status_table([LIVE.model_copy(update={"on_its_way": (OnItsWay(version="v1.4.0", pull=12),)})])
    assert "v1.4.0 by pull request #12" in told


def test_before_the_first_release_it_says_how_to_release() -> None:
    """A newcomer's first `slipway status` must not print a headline over nothing."""
    assert status_table([]).startswith("No model is released yet: git tag")
