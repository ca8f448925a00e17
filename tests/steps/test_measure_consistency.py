"""What is measured of a candidate: against its source, the version before, labelled rows, and yesterday's traffic."""

from __future__ import annotations

import json
from datetime import date

import pytest
from slipway.adapters.records import Record
from slipway.domain.evidence import Evidence
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile
from slipway.maths.profile import NumericProfile, profiles_from_json
from slipway.steps import measure_consistency, resolve_tag

from tests.team import DAYS, MODEL, ROWS_A_DAY, Team, Tip, days_from


def evidence_of(team: Team, tag: str) -> tuple[Record, Evidence]:
    record = team.record(tag)
    resolve_tag.run(tag, workplace=team.workplace)
    team.convert(record)
    return record, measure_consistency.run(record, policies=team.workplace.repository.policies()).body


def test_a_first_version_is_measured_against_its_source_and_its_labels(team: Team) -> None:
    """There is nothing else yet."""
    team.tag("tip@v1.0.0")

    record, evidence = evidence_of(team, "tip@v1.0.0")

    rows = DAYS * ROWS_A_DAY
    assert (evidence.fidelity.rows, evidence.fidelity.largest_difference, evidence.fidelity.flips) == (rows, 0.0, 0)
    assert evidence.fidelity.unlike_rows == 0
    assert (evidence.metrics.rows, evidence.metrics.days) == (rows, DAYS)
    assert (evidence.comparison, evidence.traffic) == (None, None)
    assert evidence.golden.rows == 50
    profile = json.loads(record.path(evidence.input_profile).read_bytes())
    assert profile.keys() == {"bill", "kitchen"}


def test_what_a_version_answers_is_profiled_in_its_page(live: Team) -> None:
    """The ledger keeps it, and no image: another processor may round an answer into the next cell."""
    released = live.workplace.history.page(ReleaseTag.parse("tip@v1.0.0"), Evidence)

    assert released is not None
    assert released.body.output_profile is not None
    profiles = profiles_from_json(released.body.output_profile)
    assert profiles.keys() == {feature.name for feature in live.workplace.repository.model(MODEL).outputs}
    (answers,) = profiles.values()
    assert isinstance(answers, NumericProfile)
    assert (sum(answers.counts), answers.counters.rows) == (DAYS * ROWS_A_DAY, DAYS * ROWS_A_DAY)


def test_a_later_version_is_compared_on_the_same_rows(live: Team) -> None:
    """Users see differences between versions, so they are counted row by row."""
    live.publish("tip@v1.1.0", Tip(weight=0.03))

    _, evidence = evidence_of(live, "tip@v1.1.0")

    assert evidence.comparison is not None
    assert evidence.comparison.version == "v1.0.0"
    assert evidence.comparison.signature_changes == ()
    assert evidence.comparison.rows == DAYS * ROWS_A_DAY
    assert evidence.comparison.now_positive > 100
    assert evidence.comparison.now_negative == 0
    assert {one.column for one in evidence.comparison.slices} == {"kitchen"}


def test_the_last_served_window_is_replayed(live: Team) -> None:
    """`Merged yesterday, so many answers would have differed` is what a reviewer understands at once."""
    live.publish("tip@v1.1.0", Tip(weight=0.03))
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 3))

    _, evidence = evidence_of(live, "tip@v1.1.0")

    assert evidence.traffic is not None
    assert (evidence.traffic.version, evidence.traffic.rows, evidence.traffic.of) == ("v1.0.0", 360, 360)
    assert 0 < evidence.traffic.flips < 360


def test_a_candidate_that_asks_for_more_than_was_logged_replays_nothing(live: Team) -> None:
    """Yesterday's clients did not send it: no number is better than a made-up one."""
    live.publish("tip@v2.0.0", Tip(inputs=("bill", "kitchen", "guests")), breaks="v2.0.0")
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 3))

    _, evidence = evidence_of(live, "tip@v2.0.0")

    assert evidence.traffic is None
    assert evidence.break_is_stated
    assert evidence.comparison is not None
    assert evidence.comparison.signature_changes == ("input `guests` (float32) is new",)


def test_a_log_that_lacks_a_column_does_not_stop_a_release(live: Team) -> None:
    """The watch tells about it; the candidate has done nothing wrong."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 3), logged=["kitchen"])

    _, evidence = evidence_of(live, "tip@v1.1.0")

    assert evidence.traffic is None


def test_a_version_before_that_is_gone_from_the_registry_is_not_taken_for_equal(live: Team) -> None:
    """Zero rows that differ, of zero rows, is no agreement."""
    live.publish("tip@v1.0.1", Tip(weight=0.03))
    live.lose_images()

    _, evidence = evidence_of(live, "tip@v1.0.1")

    assert evidence.comparison is not None
    assert evidence.comparison.rows == 0


def test_a_nan_is_counted_and_ends_nothing(team: Team) -> None:
    """It is a verdict that stops a release, not an accident of a step in between."""
    team.publish("tip@v1.0.0", Tip(nan_above=40.0))

    _, evidence = evidence_of(team, "tip@v1.0.0")

    assert evidence.outputs.not_finite["score"] > 100
    assert evidence.fidelity.unlike_rows == 0


def test_what_it_costs_is_told_beside_the_version_that_runs(live: Team) -> None:
    """Outside of what is compared: the clock of another run says something else."""
    live.publish("tip@v1.1.0", Tip(weight=0.03))

    record, evidence = evidence_of(live, "tip@v1.1.0")

    page = record.page(Evidence, written_by="measure-consistency")
    cost = page.circumstances.cost
    assert cost is not None
    assert [one.version for one in cost.ratios] == ["v1.0.0"]
    assert cost.candidate.p50 is not None
    assert cost.ratios[0].p50 is not None
    assert "p50" not in evidence.model_dump_json()


def test_a_first_version_costs_what_it_costs(team: Team) -> None:
    """There is nothing that it could be a multiple of."""
    record, _ = evidence_of(team, team.tag("tip@v1.0.0"))

    cost = record.page(Evidence, written_by="measure-consistency").circumstances.cost
    assert cost is not None
    assert cost.ratios == ()


def test_the_reference_is_cut_into_windows_as_long_as_the_policys(team: Team) -> None:
    """Another length is measured anew; another limit is not, since no limit was looked at."""
    record, weeks = evidence_of(team, team.tag("tip@v1.0.0"))
    team.edit("policies/drift.yaml", "distance: 0.15", "distance: 0.05")
    stricter = measure_consistency.run(record, policies=team.workplace.repository.policies())
    team.edit("policies/drift.yaml", "distance: 0.05", "distance: 0.05, window_days: 1")
    days = measure_consistency.run(record, policies=team.workplace.repository.policies())

    assert weeks.calibration is not None
    assert days.body.calibration is not None
    assert (stricter.number, days.number) == (1, 2)
    assert (weeks.calibration.window_days, len(weeks.calibration.rows)) == (7, DAYS - 6)
    assert (days.body.calibration.window_days, len(days.body.calibration.rows)) == (1, DAYS)
    assert weeks.calibration.features.keys() == {"bill", "kitchen"}
    assert days.body.input_profile == weeks.input_profile


def test_run_twice_it_measures_once(live: Team) -> None:
    """The same inputs have the same page, in this record and in that of another checkout."""
    live.publish("tip@v1.1.0", Tip(weight=0.0201))
    _, first = evidence_of(live, "tip@v1.1.0")

    page = measure_consistency.run(live.record("tip@v1.1.0"), policies=live.workplace.repository.policies())
    _, elsewhere = evidence_of(live.clone("elsewhere"), "tip@v1.1.0")

    assert (page.number, page.body) == (1, first)
    assert elsewhere.golden == first.golden
    assert elsewhere.fidelity == first.fidelity
    assert elsewhere.calibration == first.calibration


def test_what_is_expected_of_its_behaviour_is_asked_of_the_model_itself(team: Team) -> None:
    """The kitchen matters to this model, and a larger bill never makes a tip less likely."""
    team.expect(
        invariances=[{"name": "kitchen", "input": "kitchen", "replace": {"salads": "noodles"}}],
        directions=[{"name": "bill", "input": "bill", "add": 5, "output": "score", "must": "not-fall"}],
        golden=[{"name": "feast", "inputs": {"bill": 40, "kitchen": "grill"}, "answers": {"score": 0.85}}],
    )
    team.tag("tip@v1.0.0")

    _, evidence = evidence_of(team, "tip@v1.0.0")

    assert evidence.behaviour is not None
    kitchen, bill = evidence.behaviour.changed
    assert 20 < kitchen.violations < kitchen.rows < DAYS * ROWS_A_DAY / 2
    assert (bill.rows, bill.violations) == (DAYS * ROWS_A_DAY, 0)
    assert [one.kept for one in evidence.behaviour.golden] == [True]


def test_an_expectation_of_an_input_that_the_model_lacks_is_an_error_and_no_verdict(team: Team) -> None:
    """It names the file, the expectation and the nearest name."""
    team.expect(invariances=[{"name": "kitchen", "input": "kitchn", "text": "lower-case"}])
    team.tag("tip@v1.0.0")

    with pytest.raises(BadFile, match=r"`kitchen`: input: `kitchn` is no input of tip") as caught:
        evidence_of(team, "tip@v1.0.0")

    assert caught.value.mend.startswith("did you mean `kitchen`?")


def test_another_expectation_measures_again_and_another_limit_does_not(team: Team) -> None:
    """A limit is judged again in milliseconds."""
    team.tag("tip@v1.0.0")
    one: dict[str, object] = {"name": "bill", "input": "bill", "add": 5, "output": "score", "must": "not-fall"}
    team.expect(directions=[one])
    first = evidence_of(team, "tip@v1.0.0")[0].pages(Evidence)[-1]

    team.expect(directions=[{**one, "violations": 0.5, "rows": 7}])
    assert evidence_of(team, "tip@v1.0.0")[0].pages(Evidence)[-1] == first
    team.expect(directions=[{**one, "add": 6}])
    assert evidence_of(team, "tip@v1.0.0")[0].pages(Evidence)[-1].number == first.number + 1
