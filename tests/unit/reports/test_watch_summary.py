"""The page of a run of the watch, for who opens Actions and not the issues."""

from __future__ import annotations

from slipway.domain.incident import IssueAction, IssueFiled, Outcome
from slipway.reports.watch_summary import WatchedWindow, watch_summary
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import html_in, tables_of

WEB = "https://github.com/acme/models"


def window(outcome: Outcome, *, number: int | None) -> WatchedWindow:
    seen = pages.calm() if outcome is Outcome.QUIET else pages.falling_f1()
    action = IssueAction.NONE if number is None else IssueAction.REOPENED
    filed = IssueFiled(incident=None, number=number, action=action, title="")
    return WatchedWindow(seen, pages.incident_verdicts(seen, outcome), filed)


def test_each_model_has_a_row_and_what_was_found_has_its_questions(markdown_file: SnapshotAssertion) -> None:
    """A hundred quiet models are one table; the one that is not is read below it."""
    windows = [window(Outcome.QUIET, number=None), window(Outcome.RETRAIN, number=7)]
    text = watch_summary(windows, not_seen=[("staging", "fraud")], web=WEB)

    models, questions = tables_of(text)
    assert [row[6] for row in models[1:]] == ["quiet", "retrain", "could not be looked at"]
    assert "[#7](https://github.com/acme/models/issues/7) reopened" in text
    assert len(questions) == 1 + len(windows[1].verdicts.findings)
    assert text == markdown_file


def test_a_repository_that_deploys_nothing_says_so() -> None:
    """An empty summary looks like a run that did not happen."""
    assert watch_summary([]) == "Nothing is deployed.\n"


def test_words_of_users_break_no_table() -> None:
    """What a finding says holds names of features and values."""
    one = window(Outcome.RETRAIN, number=7)
    findings = tuple(
        finding.model_copy(update={"title": pages.HOSTILE, "measured": pages.HOSTILE})
        for finding in one.verdicts.findings
    )
    hostile = WatchedWindow(one.evidence, one.verdicts.model_copy(update={"findings": findings}))
    text = watch_summary([hostile])
    assert [len(row) for row in tables_of(text)[1]] == [4] * (1 + len(findings))
    assert not {tag for tag in html_in(text) if tag not in ("<code>", "</code>")}
