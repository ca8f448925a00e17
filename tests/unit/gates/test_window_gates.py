"""What the watch makes of its windows: one strange week is none, a pattern is."""

from __future__ import annotations

from typing import Any

import pytest
from slipway.domain.calibration import Calibration, FeatureCalibration, SmallerWindows
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import SELF_TEST, PreviousEvidence, SelfTest, WayBack, Window, WindowEvidence
from slipway.domain.limits import DriftLimit, PreviousVersionLimit
from slipway.domain.metric_limits import MetricLimit, MetricsLimit
from slipway.domain.unlabelled import LabelArrival, LabelledDay, UnlabelledEstimate
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.gates import drift, metrics, previous_version

from tests import pages

_PASS, _FAIL, _OPEN = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE


def week(number: int, **changes: Any) -> Window:
    return pages.window(number).model_copy(update={"rows": 5_000, **changes})


def seen(*windows: Window) -> WindowEvidence:
    return pages.window_evidence(windows)


# --- drift --------------------------------------------------------------------------------------------------


def drift_of(*largest: float, **newest: Any) -> Finding:
    """Windows whose feature `hour` lies so far from its reference."""
    windows = [week(number, drift=(pages.feature_drift("hour", low),)) for number, low in enumerate(largest)]
    windows[-1] = windows[-1].model_copy(update=newest)
    (finding,) = drift.judge_window(seen(*windows), DriftLimit())
    return finding


@pytest.mark.parametrize(
    ("largest", "verdict"),
    [
        ((0.15,), _PASS),
        ((0.151,), _OPEN),
        ((0.2, 0.2), _FAIL),
        ((0.2, 0.1, 0.2), _FAIL),
        ((0.2, 0.1, 0.1, 0.2), _OPEN),
        ((0.2, 0.2, 0.1), _PASS),
    ],
)
def test_two_of_the_last_three_windows_make_an_incident(largest: tuple[float, ...], verdict: Verdict) -> None:
    """The limit itself is allowed; a single week beyond it happens about once a quarter."""
    assert drift_of(*largest).verdict is verdict


def test_drift_names_feature_distance_and_how_often() -> None:
    """So that somebody knows which pipe to look at."""
    finding = drift_of(0.2, 0.31)

    assert finding.problem == "`hour` moved by KS 0.310, beyond 0.15 in 2 of the last 3 windows (2 make an incident)"
    assert finding.mend == "look at the feature where it is made: a sensor, a join, a unit or a default"
    assert (finding.measured, finding.allowed, finding.margin) == ("hour KS 0.310, the largest", "≤ 0.15", "-0.160")


def test_two_features_that_exceed_in_turn_are_no_pattern() -> None:
    """It must be the same input twice: two strange weeks of different inputs are chance."""
    windows = (
        week(0, drift=(pages.feature_drift("hour", 0.2), pages.feature_drift("distance", 0.0))),
        week(1, drift=(pages.feature_drift("hour", 0.0), pages.feature_drift("distance", 0.2))),
    )

    assert drift.judge_window(seen(*windows), DriftLimit())[0].verdict is _OPEN


@pytest.mark.parametrize(("change", "exceeds"), [(0.03, False), (0.031, True), (-0.031, True)])
def test_missing_values_count_by_themselves(change: float, exceeds: bool) -> None:
    """Kolmogorov-Smirnov does not see a third of all rows turn into NaN."""
    window = week(0, drift=(pages.feature_drift("hour", 0.0, null_rate_change=change),))

    assert drift.judge_window(seen(window), DriftLimit())[0].verdict is (_OPEN if exceeds else _PASS)


@pytest.mark.parametrize(("rows", "later"), [(500, _FAIL), (499, _OPEN)])
def test_too_few_rows_are_an_open_question(rows: int, later: Verdict) -> None:
    """However far they lie; and they count in no later window either."""
    first, second = (week(number, drift=(pages.feature_drift("hour", 0.9),)) for number in range(2))
    first = first.model_copy(update={"rows": rows})

    assert drift.judge_window(seen(first), DriftLimit())[0].verdict is _OPEN
    assert drift.judge_window(seen(first, second), DriftLimit())[0].verdict is later


def test_a_schema_break_is_an_incident_at_once() -> None:
    """No second week is needed to know that a column is gone."""
    finding = drift_of(0.0, rows=10, schema_breaks=("`hour` is missing in what production was asked",))

    assert (finding.verdict, finding.problem) == (_FAIL, "`hour` is missing in what production was asked")


def calibrated(usual: float, *, weeks: int = 26, **fields: Any) -> Calibration:
    """A reference whose `hour` moves by so much by itself in every window."""
    days = 7 * weeks - 6
    feature = FeatureCalibration(distances=(usual,) * days, **fields)
    return pages.calibration(rows=(900,) * days, features={"hour": feature})


def judged(usual: float, *largest: float, weeks: int = 26, **changes: Any) -> Finding:
    windows = [week(number, drift=(pages.feature_drift("hour", low, **changes),)) for number, low in enumerate(largest)]
    evidence = seen(*windows).model_copy(update={"calibration": calibrated(usual, weeks=weeks)})
    return drift.judge_window(evidence, DriftLimit())[0]


@pytest.mark.parametrize(
    ("largest", "verdict"), [((0.30, 0.30), _PASS), ((0.31, 0.31), _FAIL), ((0.31,), _OPEN), ((0.31, 0.1, 0.31), _FAIL)]
)
def test_a_feature_is_held_to_what_it_does_by_itself(largest: tuple[float, ...], verdict: Verdict) -> None:
    """Delays move by 0.3 with the weather; only beyond that are they news."""
    assert judged(0.3, *largest).verdict is verdict


def test_the_limit_that_holds_is_told() -> None:
    """A reader must see that it is not the policy's."""
    finding = judged(0.3, 0.31, 0.31)

    assert (finding.allowed, finding.margin) == ("≤ 0.30 (99 % of its own windows)", "-0.010")
    assert "beyond 0.30 in 2 of the last 3 windows" in finding.problem
    assert judged(0.05, 0.31, 0.31).allowed == "≤ 0.15"


def test_of_few_weeks_the_policy_holds_and_the_finding_says_so() -> None:
    """Nobody may believe that a limit was looked at when it was not."""
    finding = judged(0.3, 0.2, 0.2, weeks=13)

    assert finding.verdict is _FAIL
    assert finding.allowed == "≤ 0.15 (uncalibrated: 12 of 20 calendar blocks)"


def test_unusual_and_allowed_is_a_notice_and_no_incident() -> None:
    """A small shift of a steady input is worth a line, and no night's sleep."""
    finding = judged(0.05, 0.1, 0.1)

    assert (finding.verdict, finding.problem) == (_PASS, "")
    assert finding.notice == (
        "`hour` moved by KS 0.100 in 2 of the last 3 windows, more than by itself (0.050, 0.0% missing) and within "
        "its limit (0.15, 3.0%)"
    )


def answering(number: int, low: float, **changes: Any) -> Window:
    moved = pages.feature_drift("p_late", low, **changes.pop("drift", {}))
    return week(number, drift=(pages.feature_drift("hour", 0.0),), outputs=(moved,), **changes)


def test_answers_that_moved_are_a_notice_and_never_an_alarm() -> None:
    """They move with the world as well as with a fault; whether going back helps is asked of labels."""
    finding = drift.judge_window(seen(answering(0, 0.21), answering(1, 0.21)), DriftLimit())[0]

    assert (finding.verdict, finding.problem) == (_PASS, "")
    assert finding.notice == "answers moved: `p_late` KS 0.210 from what it answered at release"


@pytest.mark.parametrize(
    "windows",
    [
        (answering(0, 0.15), answering(1, 0.15)),
        (answering(0, 0.0), answering(1, 0.9)),
        (answering(0, 0.9), answering(1, 0.0)),
        (answering(0, 0.9), answering(1, 0.9, rows=1_000, counted=501)),
        (week(0), week(1)),
    ],
)
def test_answers_that_stayed_or_moved_once_or_on_few_rows_are_not_worth_a_line(windows: tuple[Window, ...]) -> None:
    """Nor what an older Slipway did not look at."""
    assert drift.judge_window(seen(*windows), DriftLimit())[0].notice == ""


def test_a_notice_tells_how_many_answers_it_knows_nothing_of() -> None:
    """A server that may log no rows counts inputs alone."""
    counted = {"rows": 2_000, "counted": 1_200, "drift": {"null_rate_change": 0.05}}
    finding = drift.judge_window(seen(*(answering(number, 0.0, **counted) for number in (0, 1))), DriftLimit())[0]

    assert finding.notice == (
        "answers moved: `p_late` KS 0.000, +5.0% missing from what it answered at release "
        "(1,200 of 2,000 rows are counts of inputs: outputs not counted there)"
    )


@pytest.mark.parametrize(
    ("usual", "largest", "weeks"),
    [
        (0.05, (0.05, 0.05), 26),
        (0.05, (0.1,), 26),
        (0.05, (0.1, 0.04), 26),
        (0.05, (0.2, 0.2), 26),
        (0.05, (0.1, 0.1), 13),
    ],
    ids=["usual", "once", "over", "an incident", "uncalibrated"],
)
def test_no_notice_cries_wolf(usual: float, largest: tuple[float, ...], weeks: int) -> None:
    """One strange week is none, as of incidents; and what is an incident is told once."""
    assert judged(usual, *largest, weeks=weeks).notice == ""


def test_values_that_begin_to_miss_are_noticed_first() -> None:
    """Where none was missing, two of a hundred are news; one in a thousand is not."""
    assert "+2.0% missing" in judged(0.05, 0.0, 0.0, null_rate_change=0.02).notice
    assert judged(0.05, 0.0, 0.0, null_rate_change=0.009).notice == ""


def test_missing_values_beyond_their_limit_are_told_with_it() -> None:
    """The distance is fine there, and a reader would look for the wrong thing."""
    assert "beyond 3.0% missing more or less in 2 of" in judged(0.05, 0.0, 0.0, null_rate_change=-0.04).problem


def test_a_season_and_few_rows_are_allowed_for_window_by_window() -> None:
    """A window of 600 rows is held to another limit than its neighbour of 5,000."""
    thin = (SmallerWindows(rows=500, distances=(0.4,) * 25),)
    measured = calibrated(0.05, smaller=thin)
    few, many = (week(0, rows=rows, drift=(pages.feature_drift("hour", 0.3),)) for rows in (600, 5_000))

    found = [seen(window).model_copy(update={"calibration": measured}) for window in (few, many)]

    assert [drift.judge_window(one, DriftLimit())[0].verdict for one in found] == [_PASS, _OPEN]


# --- metrics ------------------------------------------------------------------------------------------------


def labelled(low: float, high: float, *, positives: int = 500) -> MetricsEvidence:
    estimate = Estimate(value=(low + high) / 2, low=low, high=high)
    return pages.metrics(metrics={"f1": estimate}, positives=positives)


def metric_of(*trailing: MetricsEvidence | None, drop: float | None = 0.05) -> tuple[Finding, ...]:
    windows = tuple(week(number, trailing=one) for number, one in enumerate(trailing))
    at_release = {"f1": Estimate(value=0.65, low=0.63, high=0.67)}
    evidence = seen(*windows).model_copy(update={"at_release": at_release})
    return metrics.judge_window(evidence, MetricsLimit(f1=MetricLimit(floor=0.60, drop=drop)))


_GOOD, _BAD, _UNSURE = labelled(0.60, 0.70), labelled(0.50, 0.599), labelled(0.55, 0.65)


@pytest.mark.parametrize(
    ("trailing", "verdict"),
    [
        ((_GOOD,), _PASS),
        ((_BAD,), _OPEN),
        ((_BAD, _BAD), _FAIL),
        ((_BAD, _GOOD, _BAD), _OPEN),
        ((_BAD, _UNSURE), _OPEN),
        ((_BAD, None), _OPEN),
        ((None,), _OPEN),
        ((labelled(0.50, 0.59, positives=99),) * 2, _OPEN),
    ],
)
def test_a_metric_fails_when_two_windows_in_a_row_miss_the_limit(
    trailing: tuple[MetricsEvidence | None, ...], verdict: Verdict
) -> None:
    """The limit is what it reached at its release, less the drop; one bad window is often weather."""
    assert metric_of(*trailing)[0].verdict is verdict


def test_a_metric_in_production_is_held_against_its_own_release() -> None:
    """One absolute limit cannot serve both."""
    (finding,) = metric_of(_BAD, _BAD)

    assert finding.allowed == "≥ 0.60 (0.65 at release − drop 0.05)"
    assert finding.measured == "0.549 [0.500, 0.599], 2 windows below in a row"
    assert finding.problem == "F1 over 28 days is 0.549 [0.500, 0.599], allowed is 0.60 (0.65 at release − drop 0.05)"


def test_a_metric_without_a_drop_is_asked_at_release_only() -> None:
    """The policy decides what the watch looks at."""
    assert metric_of(_BAD, _BAD, drop=None) == ()


def estimated(f1: float = 0.62) -> UnlabelledEstimate:
    return UnlabelledEstimate(
        rows=5_000,
        days=7,
        metrics={"f1": Estimate(value=f1, low=f1 - 0.02, high=f1 + 0.02)},
        error={"f1": 0.031},
        blocks=8,
    )


def noticed(trailing: MetricsEvidence | None, **fields: Any) -> Finding:
    evidence = seen(week(0, trailing=trailing, **fields)).model_copy(update={"at_release": {}})
    (finding,) = metrics.judge_window(evidence, MetricsLimit(f1=MetricLimit(floor=0.60, drop=0.05)))
    return finding


@pytest.mark.parametrize("trailing", [None, labelled(0.50, 0.59, positives=99)])
def test_where_labels_lack_the_scores_are_told_with_what_they_assume(trailing: MetricsEvidence | None) -> None:
    """Beside the verdict, which they never touch: not even an estimate far below the limit."""
    assert noticed(trailing, estimated=estimated()).notice == (
        "estimate without labels: F1 0.620 [0.600, 0.640] on 5,000 rows; assumes that the model's scores mean today "
        "what they meant at release, where it was off by at most 0.031 on 8 parts of the samples"
    )
    assert noticed(trailing, estimated=estimated(0.1)).verdict is _OPEN
    assert noticed(trailing, estimated=estimated(0.9)).verdict is _OPEN


def test_where_labels_are_there_they_are_believed_instead() -> None:
    """Two numbers for one question would be chosen from."""
    assert noticed(_GOOD, estimated=estimated()).notice == ""


def test_labels_that_are_to_come_are_told_beside_a_metric_of_those_that_came() -> None:
    """A pass on the quick ones alone is worth less than it looks."""
    days = (
        LabelledDay(day=week(0).start, rows=800, labelled=780),
        LabelledDay(day=week(0).end, rows=800, labelled=300),
    )

    assert noticed(_GOOD, arrival=LabelArrival(days=days)).notice.startswith("the labels of 1 day are not complete yet")
    assert noticed(_GOOD, arrival=LabelArrival(days=days[:1])).notice == ""
    assert noticed(None, arrival=LabelArrival(days=days)).notice == ""


@pytest.mark.parametrize(
    ("trailing", "needed"),
    [
        (_GOOD, ""),
        (labelled(0.52, 0.64, positives=280), "about 2,300 labelled positives more, some 225 days like these"),
        (labelled(0.50, 0.90, positives=40), "about 60 labelled positives more, some 42 days like these"),
        (labelled(0.50, 0.70), ""),
        (_BAD, "1 window more like this"),
    ],
    ids=["settled", "inside", "few positives", "on the limit", "once"],
)
def test_an_open_metric_says_what_would_settle_it(trailing: MetricsEvidence, needed: str) -> None:
    """Half an interval of 0.06 must shrink to the 0.02 that lie between value and limit: nine times the positives."""
    days = trailing.model_copy(update={"days": 28})

    assert metric_of(days)[0].needed == needed


def test_an_open_metric_says_where_more_comes_from() -> None:
    """A window of fixed length holds no more by waiting."""
    (finding,) = metric_of(labelled(0.52, 0.64, positives=280).model_copy(update={"days": 28}))

    assert finding.problem == (
        "F1 over 28 days is 0.580 [0.520, 0.640]: 0.60 (0.65 at release − drop 0.05) lies inside the interval"
    )
    assert finding.mend == (
        "label about 2,300 labelled positives more, some 225 days like these; or look back on more days, by "
        "`window_days` in policies/metrics.yaml"
    )


def test_before_any_label_nothing_is_calculated() -> None:
    """There is no interval whose width could say anything."""
    (finding,) = metric_of(None)

    assert (finding.problem, finding.mend, finding.needed) == ("", "", "")


# --- the version before -------------------------------------------------------------------------------------


def replayed(low: float, high: float, *, version: str = "v1.0.0") -> PreviousEvidence:
    difference = Estimate(value=(low + high) / 2, low=low, high=high)
    return PreviousEvidence(version=version, rows=840, deployed=None, previous=None, difference=difference)


def previous_of(*previous: PreviousEvidence | None) -> Finding:
    windows = tuple(week(number, previous=one) for number, one in enumerate(previous))
    evidence = seen(*windows).model_copy(update={"back_to": "v1.0.0"})
    (finding,) = previous_version.judge_window(evidence, PreviousVersionLimit())
    return finding


_WIN, _EVEN = replayed(0.021, 0.10), replayed(-0.05, 0.02)


@pytest.mark.parametrize(
    ("previous", "verdict"),
    [
        ((_EVEN,), _PASS),
        ((replayed(0.02, 0.10),), _OPEN),
        ((_WIN,), _OPEN),
        ((_WIN, _WIN), _FAIL),
        ((_WIN, _EVEN, _WIN), _OPEN),
        ((_WIN, _EVEN), _PASS),
        ((_WIN, None), _OPEN),
        ((replayed(0.03, 0.1, version="v0.9.0"), _WIN), _OPEN),
    ],
)
def test_going_back_must_win_twice_in_a_row_beyond_noise(
    previous: tuple[PreviousEvidence | None, ...], verdict: Verdict
) -> None:
    """Wins of another version before, which was quarantined meanwhile, do not count for this one."""
    assert previous_of(*previous).verdict is verdict


def test_a_win_is_told_with_its_rows_and_its_mend() -> None:
    """It is the only finding that changes what runs."""
    finding = previous_of(_WIN, _WIN)

    assert finding.problem == ("v1.0.0 would have had an F1 0.06 higher on the same 840 rows, in 2 windows in a row")
    assert finding.mend == "go back to v1.0.0"


def test_without_a_version_before_there_is_nothing_to_ask() -> None:
    """The first release has no way back to be right."""
    evidence = seen(week(0, previous=None)).model_copy(update={"back_to": None})

    (finding,) = previous_version.judge_window(evidence, PreviousVersionLimit())

    assert (finding.verdict, finding.measured) == (_OPEN, "there is no version before")


@pytest.mark.parametrize(
    ("previous", "needed"),
    [
        ((replayed(-0.01, 0.03),), "about 2,600 labelled rows more, some 21 days like these"),
        ((_WIN,), "1 window more like this"),
        ((_EVEN,), ""),
        ((_WIN, _WIN), ""),
        ((None,), ""),
    ],
    ids=["open", "once", "settled", "won", "not asked"],
)
def test_an_open_comparison_says_what_would_settle_it(
    previous: tuple[PreviousEvidence | None, ...], needed: str
) -> None:
    """Twice as near needs four times as much; whoever reads `not known yet` asks how long."""
    assert previous_of(*previous).needed == needed


_LACKS = WayBack(lacks=("it asks for `fee` (float32), which is sent no more",))
_GONE = WayBack(gone="no image `sha256:00`")


def hindered(way_back: WayBack, *previous: PreviousEvidence | None, back_to: str | None = "v1.0.0") -> Finding:
    windows = tuple(week(number, previous=one) for number, one in enumerate(previous))
    evidence = seen(*windows).model_copy(update={"back_to": back_to, "way_back": way_back})
    (finding,) = previous_version.judge_window(evidence, PreviousVersionLimit())
    return finding


@pytest.mark.parametrize(
    ("way_back", "told", "mend"),
    [
        (
            _LACKS,
            "v1.0.0 cannot answer what is asked today: it asks for `fee` (float32), which is sent no more",
            (
                "release a mended version; or, where its clients can be changed back with it, "
                "slipway rollback flight-delay --environment production --to v1.0.0"
            ),
        ),
        (
            _GONE,
            "v1.0.0 cannot be pulled: no image `sha256:00`",
            "release the tag of v1.0.0 again, which restores its image; or release a mended version",
        ),
    ],
)
def test_a_win_that_leads_nowhere_says_what_is_in_the_way(way_back: WayBack, told: str, mend: str) -> None:
    """It is better, and that stays true; `go back` would be the wrong thing to do about it."""
    finding = hindered(way_back, _WIN, _WIN)

    assert finding.verdict is _FAIL
    assert finding.problem.endswith(f"in 2 windows in a row; but there is no way back: {told}")
    assert finding.mend == mend


def test_what_is_in_the_way_is_a_notice_while_nobody_wants_to_go_back() -> None:
    """After a major version it is so for months, and no reason to wake anybody."""
    finding = hindered(_LACKS, _EVEN)

    assert (finding.verdict, finding.problem, finding.mend) == (_PASS, "", "")
    assert finding.notice.startswith("there would be no way back: v1.0.0 cannot answer what is asked today: ")


@pytest.mark.parametrize(
    ("way_back", "measured"),
    [
        (_GONE, "its image is gone"),
        (_LACKS, "it cannot answer these rows"),
        (WayBack(not_asked="served log has no column `fee`"), "not asked: served log has no column `fee`"),
        (WayBack(), "no labels for this window yet"),
    ],
)
def test_a_version_that_was_not_asked_says_why(way_back: WayBack, measured: str) -> None:
    """`No labels yet` would let somebody wait for what never comes."""
    assert hindered(way_back, None).measured == measured


def test_versions_that_quarantine_holds_are_named() -> None:
    """Else a reader looks for the version that they remember."""
    finding = hindered(WayBack(held=("v0.9.0 is quarantined by Ada: too slow",)), None, back_to=None)

    assert (finding.verdict, finding.measured) == (_OPEN, "those before are quarantined")
    assert finding.problem == "there is no way back: v0.9.0 is quarantined by Ada: too slow"


@pytest.mark.parametrize(
    ("way_back", "back_to", "can"),
    [
        (WayBack(), "v1.0.0", True),
        (WayBack(held=("v1.1.0 is quarantined by Ada: too slow",)), "v1.0.0", True),
        (WayBack(not_asked="no column `fee`"), "v1.0.0", True),
        (_LACKS, "v1.0.0", False),
        (_GONE, "v1.0.0", False),
        (WayBack(), None, False),
    ],
)
def test_going_back_needs_a_version_that_is_there_and_can_answer(
    way_back: WayBack, back_to: str | None, can: bool
) -> None:
    """Pages from before this was looked at have nothing in the way."""
    evidence = seen(week(0)).model_copy(update={"back_to": back_to, "way_back": way_back})

    assert evidence.can_go_back is can


# --- counts alone -------------------------------------------------------------------------------------------


def test_a_log_of_counts_says_why_no_label_is_there() -> None:
    """Somebody would wait for labels that can never join, and wonder for weeks."""
    windows = (week(0, trailing=None, previous=None, labelled=0, counted=5_000),)
    evidence = seen(*windows).model_copy(update={"back_to": "v1.0.0"})
    (metric,) = metrics.judge_window(evidence, MetricsLimit(f1=MetricLimit(floor=0.60, drop=0.05)))
    (before,) = previous_version.judge_window(evidence, PreviousVersionLimit())

    told = "the log holds counts alone (log_mode: sketch), which no label can be joined to"
    assert (metric.verdict, metric.measured) == (_OPEN, told)
    assert (before.verdict, before.measured) == (_OPEN, told)


def test_a_log_that_held_rows_on_some_days_waits_for_their_labels() -> None:
    """The mode was changed within the window: what has rows can still be labelled."""
    windows = (week(0, trailing=None, previous=None, counted=2_000),)
    (metric,) = metrics.judge_window(seen(*windows), MetricsLimit(f1=MetricLimit(floor=0.60, drop=0.05)))

    assert metric.measured == "no 28 labelled days since the release yet"


# --- can the watch be trusted? ------------------------------------------------------------------------------


def trust_of(
    *, clean: float = 0.001, drifted: float = 0.5, limit: float = 0.15, breaks: tuple[str, ...] = ()
) -> Finding:
    """A quiet week, and copies whose two features were found to lie so far."""
    found = [tuple(pages.feature_drift(name, low) for name in ("hour", "fee")) for low in (clean, drifted)]
    tested = SelfTest(rows=10_000, moved=0.5, clean=found[0], drifted=found[1], schema_breaks=breaks)
    evidence = seen(week(0)).model_copy(update={"self_test": tested})
    _, finding = drift.judge_window(evidence, DriftLimit(distance=limit))
    return finding


def test_a_watch_that_is_right_about_both_copies_is_trusted() -> None:
    """Silence means something only if there is something that it would not be silent about."""
    finding = trust_of()

    assert (finding.title, finding.verdict) == (SELF_TEST, _PASS)
    assert (finding.measured, finding.allowed) == ("clean copy quiet, drifted copy found", "both")


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ({"clean": 0.2}, "of a copy of the reference it says: `fee` moved by KS 0.200"),
        ({"drifted": 0.1}, "of a copy with 50% of its rows elsewhere it does not find `hour`, `fee`"),
        ({"limit": 0.6}, "of a copy with 50% of its rows elsewhere it does not find any"),
        ({"breaks": ("`hour` cannot be compared: no",)}, "`hour` cannot be compared: no"),
    ],
)
def test_a_watch_that_answers_wrongly_is_an_alarm_itself(found: dict[str, Any], problem: str) -> None:
    """A broken watch is as silent as one that has nothing to say."""
    finding = trust_of(**found)

    assert finding.verdict is _FAIL
    assert finding.problem.startswith(problem)
    assert "policies/drift.yaml" in finding.mend
