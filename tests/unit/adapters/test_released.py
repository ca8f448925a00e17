"""Versions that passed before, brought into a record."""

from __future__ import annotations

from datetime import date

import pyarrow.parquet as pq
import pytest
from slipway.adapters import released
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile

from tests.team import ENVIRONMENT, Team, Tip, days_from

_NEXT = ReleaseTag.parse("tip@v1.1.0")


def test_the_highest_lower_version_comes_with_model_and_golden_answers(team: Team) -> None:
    """The jobs that measure hold no token: all that they compare with must lie in the record."""
    record = team.record("tip@v1.1.0")

    found = released.compared_with(_NEXT, record, team.workplace)

    assert found is not None
    assert found.onnx is not None
    assert found.golden is not None
    assert (found.version, found.problem) == ("v1.0.0", "")
    assert record.path(found.onnx).read_bytes() == Tip().onnx()
    assert found.declaration is not None
    assert found.declaration.name == "tip"


def test_below_the_first_version_there_is_nothing(team: Team) -> None:
    """Only lower versions count."""
    assert released.compared_with(ReleaseTag.parse("tip@v0.9.0"), team.record("tip@v0.9.0"), team.workplace) is None


def test_an_image_that_is_gone_is_told_and_not_raised(team: Team) -> None:
    """It is a finding about the way back, judged with the others."""
    team.lose_images()

    found = released.compared_with(_NEXT, team.record("tip@v1.1.0"), team.workplace)

    assert found is not None
    assert found.onnx is None
    assert found.golden is not None
    assert found.problem


def test_a_release_that_was_cut_off_before_its_image_says_how_to_go_on(team: Team) -> None:
    """Its verdict is in the ledger, and nothing was pushed."""
    team.publish("tip@v1.1.0", Tip(weight=0.0201))
    team.up_to_verdicts("tip@v1.1.0")
    team.record_pages("tip@v1.1.0")

    with pytest.raises(BadFile) as caught:
        released.compared_with(ReleaseTag.parse("tip@v1.2.0"), team.record("tip@v1.2.0"), team.workplace)

    assert caught.value.problem == "the ledger has no image of tip@v1.1.0"
    assert caught.value.mend == "run the release of tip@v1.1.0 again: it goes on from there"


def test_the_last_served_week_is_kept_with_the_inputs_alone(team: Team) -> None:
    """Of the version that runs; nobody's request ids travel into a record."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 10), rows=20)
    team.serve("v0.9.0", days_from(date(2026, 3, 11), 2), rows=20)
    record = team.record("tip@v1.1.0")
    deployed = released.deployed("tip", record, team.workplace)

    served = released.last_served("tip", deployed, record, team.workplace)

    assert served is not None
    assert (served.since, served.until, served.rows, served.of) == ("2026-03-04", "2026-03-10", 140, 140)
    assert pq.read_table(record.path(served.file)).column_names == ["bill", "kitchen"]


def test_of_a_busy_week_rows_of_each_day_are_kept_and_it_is_told_of_how_many(team: Team) -> None:
    """A week of millions fits no memory, and its last minute alone is no week."""
    days = days_from(date(2026, 3, 1), 7)
    team.serve("v1.0.0", days, rows=4_000, labelled=False)
    record = team.record("tip@v1.1.0")
    deployed = released.deployed("tip", record, team.workplace)

    served = released.last_served("tip", deployed, record, team.workplace)
    again = released.last_served("tip", deployed, team.record("tip@v1.2.0"), team.workplace)

    assert served is not None
    assert served == again
    assert (served.rows, served.of) == (20_000, 28_000)
    assert len(pq.read_table(record.path(served.file))) == 20_000


def test_nothing_deployed_or_nothing_served_is_no_window(team: Team) -> None:
    """A first release has neither."""
    record = team.record("tip@v1.1.0")

    assert released.last_served("tip", {ENVIRONMENT: None}, record, team.workplace) is None
    assert released.last_served("tip", released.deployed("tip", record, team.workplace), record, team.workplace) is None


def test_a_version_that_production_was_sent_back_from_promises_nothing(team: Team) -> None:
    """Its successor is held against the one that was good, as users know it."""
    team.release(team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    assert released.highest_passed("tip", team.workplace) == ReleaseTag.parse("tip@v1.1.0")
    team.write("deploy/quarantine.yaml", "entries:\n  - {model: tip, version: v1.1.0, reason: a leak, by: Ada}\n")
    team.commit("Hold it")

    assert released.highest_passed("tip", team.workplace) == ReleaseTag.parse("tip@v1.0.0")
