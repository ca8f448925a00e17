"""The issue that somebody reads who was not looking for trouble."""

from __future__ import annotations

import pytest
from slipway.domain.incident import Outcome, WayBack, WindowEvidence
from slipway.domain.unlabelled import LabelArrival
from slipway.domain.verdict import Estimate
from slipway.reports.incident_issue import incident_body, incident_title
from slipway.reports.marker import read_marker
from syrupy.assertion import SnapshotAssertion

from tests import pages
from tests.unit.reports.github import tables_of, text_outside_of_code

STORIES = [
    (pages.falling_f1(), Outcome.RETRAIN),
    (pages.stuck_input(), Outcome.REVERT),
    (pages.moved_input(), Outcome.WATCH),
    (pages.falling_f1(), Outcome.UNCLEAR),
    (pages.calm(), Outcome.QUIET),
]


def body(seen: WindowEvidence, outcome: Outcome, *, reverted: bool = False) -> str:
    verdicts = pages.incident_verdicts(seen, outcome)
    return incident_body(seen, verdicts, reversion=pages.reversion() if reverted else None)


@pytest.mark.parametrize(("seen", "outcome"), STORIES, ids=[outcome for _, outcome in STORIES])
def test_each_outcome_has_its_text(seen: WindowEvidence, outcome: Outcome, markdown_file: SnapshotAssertion) -> None:
    """The first sentence says what to do; a reader at night reads no second one."""
    title = incident_title(seen, pages.incident_verdicts(seen, outcome))
    assert f"# {title}\n\n{body(seen, outcome, reverted=outcome is Outcome.REVERT)}" == markdown_file


@pytest.mark.parametrize(("seen", "outcome"), STORIES, ids=[outcome for _, outcome in STORIES])
def test_retraining_is_never_promised_to_mend(seen: WindowEvidence, outcome: Outcome) -> None:
    """On the example's data it does not: the fall is mostly a lower share of late flights."""
    text = body(seen, outcome).lower()
    for promise in ("retraining will", "retraining mends", "retraining repairs", "mend:", "will mend"):
        assert promise not in text
    assert ("is a candidate" in text) is (outcome is Outcome.RETRAIN)


def test_a_constant_answer_stands_beside_the_model() -> None:
    """An F1 of 0.38 sounds bad until one reads what answering "late" to everything would have."""
    text = body(pages.falling_f1(), Outcome.RETRAIN)
    assert "Answering “positive” to every row has F1 0.32; the model has 0.38 [0.34, 0.41]" in text


def test_an_answer_of_a_gate_in_audit_is_marked_and_asks_for_nothing(markdown_file: SnapshotAssertion) -> None:
    """Whoever reads `yes` at night looks for what was done about it; of a gate in audit nothing was, and on purpose."""
    seen = pages.falling_f1()
    told = pages.incident_verdicts(seen, Outcome.WATCH)
    audited = tuple(one.model_copy(update={"audit": one.gate == "metrics"}) for one in told.findings)
    text = incident_body(seen, told.model_copy(update={"findings": audited}), reversion=None)

    assert "| yes (audit) |" in text
    assert text == markdown_file


def test_what_is_open_says_what_would_settle_it() -> None:
    """Whoever is woken by `unclear` asks first what it would take to know."""
    unsure = pages.previous(0.03).model_copy(update={"difference": Estimate(value=0.03, low=-0.01, high=0.07)})
    seen = pages.falling_f1()
    seen = seen.model_copy(update={"window": seen.window.model_copy(update={"previous": unsure})})
    text = body(seen, Outcome.UNCLEAR)

    needed = "about 91,000 labelled rows more, some 106 days like these"
    assert f"Needed to tell: {needed}.**" in text.splitlines()[0]
    assert f"| not known yet: {needed} |" in text


def test_how_long_labels_take_is_told_beside_how_many_there_are() -> None:
    """Ninety of a hundred are few after a month, and many after a day."""
    arrival = LabelArrival(days=(), median_days=2.0, ninety_days=5.5)
    late = pages.window_evidence((pages.window(arrival=arrival),))

    told = "of them labelled (96.5 %); half of the labels came within 2.0 days, nine of ten within 5.5."
    assert told in body(late, Outcome.WATCH)


def test_where_nothing_can_come_back_the_first_sentence_says_so() -> None:
    """A reader at night would try to go back first."""
    lacks = WayBack(lacks=("it does not answer `odds` (float32)",))
    better = pages.stuck_input().model_copy(update={"way_back": lacks})
    alone = pages.window_evidence((pages.window(),), back_to=None, way_back=WayBack(held=("v1.2.0 is quarantined",)))

    assert "v1.2.0 would do better than v2.0.0" in incident_title(
        better, pages.incident_verdicts(better, Outcome.UNCLEAR)
    )
    assert body(better, Outcome.UNCLEAR).startswith(
        "**Somebody has to look: v1.2.0 does better on the same rows, and there is no way back to it.**"
    )
    assert body(alone, Outcome.UNCLEAR).startswith(
        "**Somebody has to look: something is wrong, and there is no way back.**"
    )


def test_a_way_back_that_there_was_not_is_told_with_what_to_do() -> None:
    """The verdict says to go back; that nothing went must not be read as forgotten."""
    seen = pages.stuck_input()
    verdicts = pages.incident_verdicts(seen, Outcome.REVERT)
    stayed = pages.reversion(pull=None, commit="", no_way_back="its image is gone", mend="release its tag again")
    text = incident_body(seen, verdicts, reversion=stayed)

    assert incident_title(seen, verdicts, reversion=stayed).endswith("and there is no way back")
    assert "Nothing was changed: its image is gone." in text
    assert "**Next:** release its tag again." in text


def test_what_was_changed_is_told() -> None:
    """Whoever is called must know whether production is as they left it."""
    seen = pages.stuck_input()
    verdicts = pages.incident_verdicts(seen, Outcome.REVERT)
    by_commit = pages.reversion(pull=None)
    assert "Nothing was changed automatically." in incident_body(seen, verdicts, reversion=None)
    assert "Pull request #7 goes back" in incident_body(seen, verdicts, reversion=pages.reversion())
    assert f"Commit `{by_commit.commit}` went back" in incident_body(seen, verdicts, reversion=by_commit)


def test_a_commit_that_was_refused_or_not_rolled_out_is_told() -> None:
    """Nobody merges what a policy promised to commit, unless somebody says so."""
    seen = pages.stuck_input()
    verdicts = pages.incident_verdicts(seen, Outcome.REVERT)
    refused = incident_body(seen, verdicts, reversion=pages.reversion(refused="422 protected"))
    waiting = incident_body(seen, verdicts, reversion=pages.reversion(pull=None, not_started="no workflow"))

    assert "The policy asks for a commit, and the default branch did not take it: 422 protected." in refused
    assert "did not start by itself (no workflow): `slipway rollout flight-delay --environment production`" in waiting


def test_going_back_without_a_pull_request_is_a_line_to_paste() -> None:
    """Where the policy never reverts by itself, the issue must still say how."""
    text = body(pages.stuck_input(), Outcome.REVERT)
    assert "`slipway rollback flight-delay --environment production --to v1.2.0`" in text


def test_without_labels_nothing_is_drawn_or_compared() -> None:
    """The first days after a release have no labels; a chart of nothing would read as zero."""
    early = pages.window_evidence((pages.window(f1=None),), back_to=None, back_to_digest=None)
    text = body(early, Outcome.QUIET)
    assert "mermaid" not in text
    assert "Answering" not in text


def test_a_long_history_is_folded() -> None:
    """A year of weeks must not bury the question that is asked today."""
    year = pages.window_evidence(tuple(pages.window(number, f1=0.5) for number in range(52)))
    text = body(year, Outcome.WATCH)
    assert "<summary>40 older windows</summary>" in text
    assert text.index("2014-07-25") < text.index("2013-08-02")


def test_the_same_incident_is_found_again() -> None:
    """A second run updates the issue; two issues about one thing are answered twice."""
    fields = read_marker(body(pages.falling_f1(), Outcome.RETRAIN))
    assert fields == {
        "kind": "incident",
        "model": "flight-delay",
        "environment": "production",
        "incident": "2013-09-26-metric",
        "version": "v1.3.0",
    }


def test_hostile_values_change_no_table_and_call_nobody() -> None:
    """A value of a category comes from whoever sends requests to the model."""
    plain, hostile = (body(_unseen(value), Outcome.WATCH) for value in ("word", pages.HOSTILE))
    shapes = [[[len(row) for row in table] for table in tables_of(text)] for text in (plain, hostile)]
    assert shapes[0] == shapes[1]
    assert "<script" not in hostile
    assert "@octocat" not in text_outside_of_code(hostile)


def _unseen(value: str) -> WindowEvidence:
    drift = (pages.feature_drift(value, 0.31, unseen=(value,) * 8),)
    return pages.window_evidence(tuple(pages.window(number, drift=drift, schema_breaks=(value,)) for number in (0, 1)))


def test_a_log_of_counts_says_what_it_cannot_tell() -> None:
    """A dash in a table looks like a defect; a sentence does not."""
    moved = pages.moved_input()
    seen = moved.model_copy(update={"window": moved.window.model_copy(update={"counted": moved.window.rows})})

    assert "the log holds counts alone (`log_mode: sketch`): no label joins them" in body(seen, Outcome.WATCH)
    assert "counts alone" not in body(moved, Outcome.WATCH)


def test_what_was_noticed_is_told_apart_from_what_is_wrong() -> None:
    """A notice is read by whoever reads the issue anyway, and asks for nothing."""
    seen = pages.moved_input()
    verdicts = pages.incident_verdicts(seen, Outcome.WATCH)
    findings = tuple(one.model_copy(update={"notice": f"`{one.gate}` moved a little"}) for one in verdicts.findings)

    text = incident_body(seen, verdicts.model_copy(update={"findings": findings}), reversion=None)

    assert "**Noticed**, and no incident by itself:\n\n- `metrics` moved a little\n- `previous_version` moved" in text
    assert "Noticed" not in incident_body(seen, verdicts, reversion=None)


def test_teams_among_the_owners_are_called_and_nobody_else() -> None:
    """Nobody can assign a team; people are assigned, and a text that is no name must call nobody."""
    seen, owners = pages.falling_f1(), ("@ada", "@acme/flights", "@acme/@everyone")
    text = incident_body(seen, pages.incident_verdicts(seen, Outcome.RETRAIN), reversion=None, owners=owners)

    assert " For @acme/flights " in text
    assert "@ada" not in text
    assert "@everyone" not in text
