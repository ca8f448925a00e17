"""What is known of a window before its labels are there: when they come, and what the scores let expect."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from slipway.domain.evidence import Evidence
from slipway.domain.incident import Outcome, Window
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile
from slipway.maths.classification import confusion

from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from
from tests.tip import guests_of

_MARCH, _UNTIL = date(2026, 3, 1), date(2026, 3, 7)
_WEEK = days_from(_MARCH, 7)
_CHANCE = Tip(as_chance=True)


@pytest.fixture
def likely(team: Team) -> Team:
    """A model whose score is how likely a tip is."""
    team.release(team.publish("tip@v1.0.0", _CHANCE))
    team.go_live("tip@v1.0.0", on=_MARCH)
    return team


def window(team: Team) -> Window:
    return team.look_only(_UNTIL)[0].body.window


def arrive(team: Team, *, after: timedelta, share: float = 1.0, days: list[date] = _WEEK) -> None:
    """Labels say that they came so long after their rows; of `days` no more than a share is there."""
    folder = team.workplace.served_log(MODEL, ENVIRONMENT).labels_folder
    rows = team.workplace.served_log(MODEL, ENVIRONMENT).rows_folder
    for day in _WEEK:
        path = folder / f"date={day}" / "labels.parquet"
        table = pq.read_table(path, partitioning=None)
        (asked,) = (rows / f"date={day}").glob("*.parquet")
        came = pc.add(pq.read_table(asked, partitioning=None)["time"], pa.scalar(after, pa.duration("us")))
        kept = int(len(table) * share) if day in days else len(table)
        pq.write_table(table.append_column("labelled_at", came).slice(0, kept), path)


def test_a_window_without_labels_has_an_estimate_that_is_near_the_truth(likely: Team) -> None:
    """It takes weeks until labels are there; it says what it assumes, and how far it was off at release."""
    likely.serve("v1.0.0", _WEEK, tip=_CHANCE, labelled=False)

    evidence, verdicts = likely.look_only(_UNTIL)

    estimated = evidence.body.window.estimated
    asked = [guests_of(day, 120) for day in _WEEK]
    labels = [label for day in asked for label in day["tip"]]
    decisions = [
        score >= 0.5
        for day in asked
        for score in _CHANCE.answers({name: day[name].reshape(-1, 1) for name in ("bill", "kitchen")})["score"].ravel()
    ]
    true = confusion(labels, decisions).f1
    assert estimated is not None
    assert true is not None
    f1 = estimated.metrics["f1"]
    assert f1 is not None
    assert f1.value == pytest.approx(true, abs=0.03)
    finding = next(one for one in verdicts.body.findings if one.gate == "metrics")
    assert finding.notice.startswith("estimate without labels: F1 0.9")
    assert (
        "assumes that the model's scores mean today what they meant at release, where it was off by" in finding.notice
    )
    assert verdicts.body.outcome is Outcome.QUIET


def test_an_estimate_that_falls_decides_nothing(likely: Team) -> None:
    """It is no measure: a person can look, and nobody is woken or sent back by it."""
    likely.serve("v1.0.0", _WEEK, tip=Tip(as_chance=True, weight=0.0, bias=0.46), labelled=False)

    evidence, verdicts = likely.look_only(_UNTIL)

    estimated = evidence.body.window.estimated
    assert estimated is not None
    f1 = estimated.metrics["f1"]
    assert f1 is not None
    assert f1.value < 0.85
    assert verdicts.body.outcome is Outcome.QUIET


def test_scores_that_are_no_probabilities_give_no_estimate(live: Team) -> None:
    """Of the first model a score can be 1.1: nothing is made up from that."""
    live.serve("v1.0.0", _WEEK, labelled=False)

    released = live.history.page(ReleaseTag.parse("tip@v1.0.0"), Evidence)

    assert released is not None
    assert released.body.unlabelled is None
    assert window(live).estimated is None


def test_an_answer_that_is_not_logged_gives_no_estimate(likely: Team) -> None:
    """The log of an own server may hold inputs alone."""
    likely.serve("v1.0.0", _WEEK, tip=_CHANCE, labelled=False)
    for path in likely.workplace.served_log(MODEL, ENVIRONMENT).rows_folder.glob("*/*.parquet"):
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.drop_columns(["score"]), path)

    assert window(likely).estimated is None


def test_coverage_is_told_by_day_and_delay_where_labels_say_when_they_came(live: Team) -> None:
    """Whoever reads a metric asks first of how many rows, and whether more are to come."""
    live.serve("v1.0.0", _WEEK)
    without = window(live).arrival
    arrive(live, after=timedelta(days=2, hours=12))

    arrival = window(live).arrival

    assert without is not None
    assert without.median_days is None
    assert arrival is not None
    assert [(one.day, one.rows, one.labelled) for one in arrival.days] == [(day, 120, 120) for day in _WEEK]
    assert (arrival.median_days, arrival.ninety_days) == (2.5, 2.5)


def test_days_whose_labels_are_to_come_are_told_beside_the_metric(live: Team) -> None:
    """Late labels are often the bad ones: a complaint, a default, a flight that is hours late."""
    live.edit("policies/metrics.yaml", "positives: 100", "positives: 100\n  window_days: 7")
    live.commit("Look back on a week")
    live.serve("v1.0.0", _WEEK)
    arrive(live, after=timedelta(days=1), share=0.4, days=_WEEK[-2:])

    verdicts = live.look_only(_UNTIL)[1].body

    notice = next(one.notice for one in verdicts.findings if one.gate == "metrics")
    assert notice == (
        "the labels of 2 days are not complete yet (2026-03-06 has 40% of 120 rows, the best day 100%): what is "
        "measured leans to labels that come fast"
    )


def test_a_time_of_labels_that_is_none_is_refused_by_its_name(live: Team) -> None:
    """Numbers of seconds or milliseconds are guessed by nobody."""
    live.serve("v1.0.0", _WEEK)
    folder = live.workplace.served_log(MODEL, ENVIRONMENT).labels_folder
    for path in folder.glob("*/*.parquet"):
        table = pq.read_table(path, partitioning=None)
        pq.write_table(table.append_column("labelled_at", pa.array(["soon"] * len(table))), path)

    with pytest.raises(BadFile, match="column `labelled_at` is string, no time") as caught:
        live.look_only(_UNTIL)

    assert caught.value.mend == (
        "store in `labelled_at` when the label was known, as a timestamp, or leave the column out"
    )
