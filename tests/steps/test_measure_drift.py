"""What a window of production shows: inputs against the profile, labels, and the version before on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from slipway.adapters import deploy_tree
from slipway.adapters.registry.pull import pull_model_layer
from slipway.domain.evidence import Evidence
from slipway.domain.incident import IncidentKind, Outcome, WindowEvidence
from slipway.domain.release import Image
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import NotReleasable
from slipway.steps import record_pages

from serving.log_sketches import Sketches
from serving.served import Served
from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

_MARCH, _APRIL = date(2026, 3, 1), date(2026, 4, 1)


def measured(team: Team, until: date) -> WindowEvidence:
    return team.look_only(until)[0].body


def test_a_quiet_window_says_so(live: Team) -> None:
    """Most weeks are like this; they must cost nobody's attention."""
    live.serve("v1.0.0", days_from(_MARCH, 7))

    evidence, verdicts, issue = live.look(date(2026, 3, 7))

    window = evidence.body.window
    assert (window.start, window.end, window.rows, window.labelled) == (_MARCH, date(2026, 3, 7), 840, 840)
    assert max(one.low for one in window.drift) < 0.1
    assert window.schema_breaks == ()
    assert (verdicts.body.outcome, verdicts.body.incident) == (Outcome.QUIET, None)
    assert issue.body.number is None


def test_a_window_carries_what_its_reference_did_by_itself(live: Team) -> None:
    """It is judged again from its page alone, by the limits that its release was told to have."""
    live.serve("v1.0.0", days_from(_MARCH, 7))

    released = live.workplace.history.page(ReleaseTag.parse("tip@v1.0.0"), Evidence)

    assert released is not None
    assert released.body.calibration is not None
    assert measured(live, date(2026, 3, 7)).calibration == released.body.calibration


def count_instead(team: Team, days: Sequence[date]) -> None:
    """What the log would hold if the server counted, in files of a few rows each, and kept no row."""
    image = team.workplace.history.page(ReleaseTag.parse("tip@v1.0.0"), Image)
    assert image is not None
    files = pull_model_layer(team.workplace.registry, MODEL, image.body.digest, team.workplace.layers)
    counting = Sketches.open(files["profile.json"].parent, version="v1.0.0")
    for day in days:
        folder = team.workplace.served_log(MODEL, ENVIRONMENT).rows_folder / f"date={day}"
        (path,) = folder.glob("*.parquet")
        table = pq.read_table(path)
        path.unlink()
        for number, part in enumerate((table.slice(0, 50), table.slice(50))):
            times = part["time"].cast(pa.int64()).to_pylist()
            values = {name: part[name].to_numpy().reshape(-1, 1) for name in ("bill", "kitchen")}
            (file,) = counting.encode([Served("a", times, values)]).files
            (folder / f"{number}.sketch.json").write_bytes(file.content)


def test_counts_say_the_same_of_drift_as_the_rows(live: Team) -> None:
    """Only what needs the rows themselves is missing: labels, the version before, Wasserstein, names nobody listed."""
    days = days_from(_MARCH, 7)
    live.serve("v1.0.0", days, change={"kitchen": "airship"})
    of_rows = measured(live, date(2026, 3, 7)).window
    count_instead(live, days)
    of_counts = measured(live, date(2026, 3, 7)).window

    left_out = {"wasserstein": None, "wasserstein_high": None, "unseen": ()}
    assert of_counts.drift == tuple(one.model_copy(update=left_out) for one in of_rows.drift)
    assert (of_counts.rows, of_counts.counted, of_counts.labelled) == (840, 840, 0)
    assert (of_counts.trailing, of_counts.previous, of_counts.schema_breaks) == (None, None, ())
    assert of_rows.drift != of_counts.drift


def test_rows_and_counts_of_one_window_are_put_together(live: Team) -> None:
    """A team that changes the mode on a Wednesday has both in one week."""
    days = days_from(_MARCH, 7)
    live.serve("v1.0.0", days, change={"bill": 30.0})
    of_rows = measured(live, date(2026, 3, 7)).window
    count_instead(live, days[:3])
    of_both = measured(live, date(2026, 3, 7)).window

    assert [(one.feature, one.low, one.high) for one in of_both.drift] == [
        (one.feature, one.low, one.high) for one in of_rows.drift
    ]
    assert (of_both.rows, of_both.counted, of_both.labelled) == (840, 360, 480)


def test_answers_are_held_against_those_at_release(live: Team) -> None:
    """The rows that are read for the inputs tell that, too; a file of counts alone does not."""
    days = days_from(_MARCH, 7)
    live.serve("v1.0.0", days)

    (answer,) = measured(live, date(2026, 3, 7)).window.outputs
    assert answer.feature == live.workplace.repository.model(MODEL).decision.output
    assert (answer.low < 0.1, answer.null_rate_change) == (True, 0.0)

    count_instead(live, days)
    assert measured(live, date(2026, 3, 7)).window.outputs == ()


def test_answers_that_moved_are_told_and_wake_nobody(live: Team) -> None:
    """A server that runs another file than it says is asked the same as ever."""
    live.serve("v1.0.0", days_from(_MARCH, 14), tip=Tip(weight=0.2))
    live.look(date(2026, 3, 7))
    _, verdicts, issue = live.look(date(2026, 3, 14))

    drift = next(one for one in verdicts.body.findings if one.gate == "drift")
    assert drift.notice.startswith("answers moved: `score` KS 0.")
    assert (verdicts.body.outcome, verdicts.body.incident, issue.body.number) == (Outcome.QUIET, None, None)


def test_one_exceedance_is_no_incident(live: Team) -> None:
    """A strange week comes about once a quarter; two of three do not."""
    live.serve("v1.0.0", days_from(_MARCH, 7), change={"bill": 1.0})

    _, verdicts, issue = live.look(date(2026, 3, 7))

    drift = next(finding for finding in verdicts.body.findings if finding.gate == "drift")
    assert drift.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert drift.problem.endswith("beyond 0.15 in 1 of the last 3 windows (2 make an incident)")
    assert (verdicts.body.outcome, issue.body.number) == (Outcome.QUIET, None)


def test_two_of_three_are_an_incident(live: Team) -> None:
    """A quiet week in between does not hide a fault that comes and goes."""
    for week, change in enumerate(({"bill": 1.0}, {}, {"bill": 1.0})):
        start = date(2026, 3, 1 + 7 * week)
        live.serve("v1.0.0", days_from(start, 7), change=change)
        _, verdicts, _ = live.look(date(2026, 3, 7 + 7 * week))

    assert verdicts.body.kind_of_incident is IncidentKind.DRIFT
    assert verdicts.body.incident == "2026-03-21-drift"
    assert verdicts.body.outcome is Outcome.UNCLEAR  # 28 labelled days are not over yet


@pytest.mark.parametrize("logged", [["kitchen"], ["bill"]])
def test_a_column_that_is_gone_is_an_incident_at_once(live: Team, logged: list[str]) -> None:
    """There is no doubt that waiting could settle."""
    live.serve("v1.0.0", days_from(_MARCH, 7), logged=logged)

    evidence, verdicts, issue = live.look(date(2026, 3, 7))

    gone = ({"bill", "kitchen"} - set(logged)).pop()
    assert evidence.body.window.schema_breaks == (f"`{gone}` is missing in what production was asked",)
    assert verdicts.body.kind_of_incident is IncidentKind.DRIFT
    assert issue.body.number is not None


def logged_files(team: Team) -> list[Path]:
    return sorted(team.workplace.served_log(MODEL, ENVIRONMENT).rows_folder.glob("*/*.parquet"))


def test_words_in_the_file_of_one_day_are_an_incident_at_once(live: Team) -> None:
    """Somebody writes another type than was trained on; that the rest is as it was must not hide it."""
    live.serve("v1.0.0", days_from(_MARCH, 7))
    last = logged_files(live)[-1]
    table = pq.read_table(last, partitioning=None)
    place = table.column_names.index("bill")
    pq.write_table(table.set_column(place, "bill", table["bill"].cast(pa.string())), last)

    evidence, verdicts, _ = live.look(date(2026, 3, 7))

    window = evidence.body.window
    assert window.schema_breaks == ("`bill` cannot be compared: it holds words, and was trained on numbers",)
    assert (window.rows, window.labelled) == (840, 840)
    assert verdicts.body.kind_of_incident is IncidentKind.DRIFT


def test_a_log_in_csv_says_what_parquet_says(live: Team) -> None:
    """A team that logs by itself is watched as one that lets our server do it."""
    live.serve("v1.0.0", days_from(_MARCH, 7), change={"kitchen": "airship", "bill": 0.2})
    of_parquet = measured(live, date(2026, 3, 7)).window
    for path in logged_files(live):
        pacsv.write_csv(pq.read_table(path, partitioning=None), path.with_suffix(".csv"))
        path.unlink()

    assert measured(live, date(2026, 3, 7)).window == of_parquet


def test_too_few_rows_say_nothing(live: Team) -> None:
    """Ten rows can look like anything."""
    live.serve("v1.0.0", days_from(_MARCH, 7), rows=10, change={"bill": 1.0})

    _, verdicts = live.look_only(date(2026, 3, 7))

    drift = next(finding for finding in verdicts.body.findings if finding.gate == "drift")
    assert drift.problem == "70 rows were served; the policy asks for 500"
    assert verdicts.body.outcome is Outcome.QUIET


def test_rows_of_another_version_and_golden_rows_are_no_part_of_a_window(newer: Team) -> None:
    """On the day of a rollout both versions served; each is held against its own release."""
    newer.serve("v1.0.0", days_from(_APRIL, 1), rows=500)
    newer.serve("v1.1.0", days_from(_APRIL, 7))

    assert measured(newer, date(2026, 4, 7)).window.rows == 840


def test_a_window_begins_with_the_day_of_the_rollout(newer: Team) -> None:
    """Days before it belong to another version."""
    newer.serve("v1.1.0", days_from(_APRIL, 3))

    window = measured(newer, date(2026, 4, 3)).window

    assert (window.start, window.end, window.rows) == (_APRIL, date(2026, 4, 3), 360)


def test_a_window_before_the_rollout_is_refused(newer: Team) -> None:
    """It would end before it begins, be empty, and be taken for quiet."""
    with pytest.raises(NotReleasable) as caught:
        measured(newer, date(2026, 3, 31))

    assert caught.value.problem == (
        "tip@v1.1.0 is live in production since 2026-04-01: a window to 2026-03-31 holds none of its days"
    )
    assert caught.value.mend == "watch from 2026-04-01 on, when that day is over"


def test_nothing_deployed_is_nothing_to_watch(team: Team) -> None:
    """The scheduled watch of a new repository must say what it waits for."""
    with pytest.raises(NotReleasable, match="production runs no version of tip yet"):
        measured(team, date(2026, 3, 7))


def test_a_rollout_that_nobody_verified_is_not_watched(team: Team) -> None:
    """Without it nobody knows since when the version answers."""
    proposal = team.release(team.tag("tip@v1.0.0")).body
    assert proposal.pull is not None
    team.workplace.forge.merge_pull(proposal.pull)

    with pytest.raises(NotReleasable, match="was never verified") as caught:
        measured(team, date(2026, 3, 7))

    assert caught.value.mend == "slipway verify-rollout tip --environment production"


def test_both_versions_are_asked_the_same_labelled_rows(worse: Team) -> None:
    """Only that tells a bad model from a changed world."""
    worse.serve("v2.0.0", days_from(_APRIL, 7), tip=Tip(bias=0.1))

    evidence = measured(worse, date(2026, 4, 7))

    previous = evidence.window.previous
    assert evidence.back_to == "v1.0.0"
    assert previous is not None
    assert (previous.version, previous.rows) == ("v1.0.0", 840)
    assert previous.difference is not None
    assert previous.difference.low > 0.02


def test_a_version_that_does_worse_twice_is_sent_back(worse: Team) -> None:
    """Once may be weather; twice, beyond noise, on the same rows is the model."""
    worse.serve("v2.0.0", days_from(_APRIL, 14), tip=Tip(bias=0.1))

    first = worse.look(date(2026, 4, 7))[1].body
    second = worse.look(date(2026, 4, 14))[1].body

    assert (first.outcome, second.outcome) == (Outcome.QUIET, Outcome.REVERT)
    assert second.kind_of_incident is IncidentKind.METRIC


def test_a_world_that_changed_for_both_asks_for_a_new_training(newer: Team) -> None:
    """Going back would not help, and the issue must not say so."""
    newer.serve("v1.1.0", days_from(_APRIL, 35), tip=Tip(weight=0.0201), truth=Tip(bias=-0.25))

    outcomes = [newer.look(until)[1].body.outcome for until in (date(2026, 4, 28), date(2026, 5, 5))]

    assert outcomes == [Outcome.QUIET, Outcome.RETRAIN]


def test_a_way_back_in_quarantine_is_none(worse: Team) -> None:
    """What was taken back once must not come back as the mend of its successor."""
    path = worse.root / deploy_tree.QUARANTINE
    text = "entries:\n  - {model: tip, version: v1.0.0, reason: too slow, by: Ada}\n"
    path.write_text(text)
    worse.commit("Hold v1.0.0")
    worse.serve("v2.0.0", days_from(_APRIL, 7), tip=Tip(bias=0.1))

    evidence = measured(worse, date(2026, 4, 7))

    assert (evidence.back_to, evidence.window.previous) == (None, None)


def test_the_same_window_is_measured_once(live: Team) -> None:
    """Until other rows or labels are there."""
    live.serve("v1.0.0", days_from(_MARCH, 7))
    first = live.look(date(2026, 3, 7))
    again = live.look(date(2026, 3, 7))
    live.serve("v1.0.0", days_from(_MARCH, 7), rows=121)
    later = live.look(date(2026, 3, 7))

    assert again == first
    assert later[0].number == 2


def test_an_incident_stays_open_behind_a_way_back_that_a_person_asked_for(worse: Team) -> None:
    """The newest entry of the ledger is then one without an issue."""
    worse.serve("v2.0.0", days_from(_APRIL, 21), tip=Tip(bias=0.1))
    worse.look(date(2026, 4, 7))
    opened = worse.look(date(2026, 4, 14))[1].body.incident
    page = worse.go_back("v1.0.0")
    record_pages.run_on_reversion(page, ledger=worse.workplace.ledger)

    assert measured(worse, date(2026, 4, 21)).open_incident == opened
