"""The report of a window: what a person opens who was sent from the issue, or who looks at a quiet week."""

from __future__ import annotations

import re

import pytest
from slipway.domain.incident import HeldTo, IncidentVerdicts, IssueAction, IssueFiled, Outcome, SelfTest, WindowEvidence
from slipway.reports.window_report import WindowReport, window_html

from tests import pages
from tests.unit.reports.test_story import outline


def judged(seen: WindowEvidence, outcome: Outcome) -> IncidentVerdicts:
    """As they are written today: with what each feature and the metric were held to."""
    limits = tuple(
        HeldTo(feature=one.feature, distance=0.21 if one.feature == "dest" else 0.15, null_rate=0.03, usual=0.123)
        for one in seen.window.drift
    )
    verdicts = pages.incident_verdicts(seen, outcome)
    return verdicts.model_copy(update={"limits": limits, "metric_limit": 0.48})


def with_copies(seen: WindowEvidence) -> WindowEvidence:
    """With the two copies that the watch judges."""
    moved = tuple(one.model_copy(update={"low": 0.5}) for one in seen.window.drift)
    return seen.model_copy(
        update={"self_test": SelfTest(rows=2_000, moved=0.5, clean=seen.window.drift, drifted=moved)}
    )


STORIES = [
    (pages.falling_f1(), Outcome.RETRAIN),
    (pages.stuck_input(), Outcome.REVERT),
    (pages.moved_input(), Outcome.WATCH),
    (pages.calm(), Outcome.QUIET),
]


@pytest.mark.parametrize(("seen", "outcome"), STORIES, ids=[outcome for _, outcome in STORIES])
def test_each_outcome_has_a_whole_page_with_the_verdict_first(seen: WindowEvidence, outcome: Outcome) -> None:
    """Nobody scrolls for the answer; an element that is left open would swallow what follows."""
    filed = IssueFiled(incident=None, number=12, action=IssueAction.UPDATED, title="")
    html = window_html(
        WindowReport(with_copies(seen), judged(seen, outcome), issue=filed, measured_at="2013-10-01T05:17:00+00:00")
    )
    read = outline(html)

    assert read.open == []
    words = " ".join(" ".join(read.text).split())
    assert words.index(str(outcome)) < words.index("What was asked") < words.index("Windows, the newest first")
    for told in ("What was asked", "How well it answers", "Whether the watch can be trusted", "Issue 12", "Measured"):
        assert told in words
    assert ("How far inputs moved" in words) == bool(seen.window.drift)


def test_each_feature_stands_beside_its_own_limit() -> None:
    """0.15 is not what a feature is held to that moves by 0.2 in every week of its reference."""
    seen = pages.moved_input()
    verdicts = judged(seen, Outcome.WATCH)
    verdicts = verdicts.model_copy(
        update={"limits": tuple(one.model_copy(update={"distance": 0.321}) for one in verdicts.limits)}
    )
    html = window_html(WindowReport(seen, verdicts))

    assert html.count("0.321") >= len(seen.window.drift)
    assert "<strong>0.310</strong>" not in html
    assert "<strong>0.310</strong>" in window_html(WindowReport(seen, judged(seen, Outcome.WATCH)))


def test_a_window_that_was_judged_before_limits_were_kept_is_told_without_them() -> None:
    """A page of the ledger is written once, and read for years."""
    seen = pages.calm()
    read = outline(window_html(WindowReport(seen, pages.incident_verdicts(seen, Outcome.QUIET))))
    assert read.open == []
    assert "Whether the watch can be trusted" not in read.text


def test_it_asks_no_network_and_runs_nothing() -> None:
    """It is mailed, kept, and opened on a train."""
    seen = with_copies(pages.falling_f1())
    html = window_html(WindowReport(seen, judged(seen, Outcome.RETRAIN)))
    addresses = set(re.findall(r"https?://[^\"' <]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in html
    assert "default-src 'none'" in html


def test_words_of_users_are_words() -> None:
    """The name of a column comes from whoever made the table."""
    drift = (pages.feature_drift(pages.HOSTILE, 0.5, unseen=(pages.HOSTILE,)),)
    seen = with_copies(pages.window_evidence((pages.window(0, drift=drift), pages.window(1, drift=drift))))
    told = judged(seen, Outcome.WATCH)
    bad = told.model_copy(
        update={"findings": tuple(one.model_copy(update={"problem": pages.HOSTILE}) for one in told.findings)}
    )
    read = outline(window_html(WindowReport(seen, bad)))

    assert "script" not in read.tags
    assert not [value for name, value in read.attributes if name.startswith("on") or "javascript:" in value]
    assert read.open == []
