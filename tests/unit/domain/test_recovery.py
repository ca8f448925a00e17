"""An incident ends by what is shown, never by silence, and one that comes back is found again."""

from __future__ import annotations

import pytest
from slipway.domain.incident import IncidentVerdicts, Outcome
from slipway.domain.recovery import is_back, is_over
from slipway.domain.verdict import Finding, Verdict

from tests import pages

_CALM = pages.calm()
_DRIFT, _METRIC = "2013-08-16-drift", "2013-08-16-metric"
_BEFORE = "2013-07-01-metric"  # of a version that ran before the first of these windows


def judged(**verdicts: Verdict) -> IncidentVerdicts:
    """What each gate says of the newest window."""
    findings = tuple(
        Finding(gate=gate, title="", verdict=verdict, measured="", allowed="") for gate, verdict in verdicts.items()
    )
    found = pages.incident_verdicts(_CALM, Outcome.QUIET)
    return found.model_copy(update={"findings": findings})


@pytest.mark.parametrize(
    ("opened_as", "drift", "metrics", "is_it"),
    [
        (_DRIFT, Verdict.PASS, Verdict.PASS, True),
        (_DRIFT, Verdict.PASS, Verdict.NOT_ENOUGH_EVIDENCE, True),  # drift was what was wrong
        (_DRIFT, Verdict.FAIL, Verdict.PASS, False),
        (_DRIFT, Verdict.NOT_ENOUGH_EVIDENCE, Verdict.PASS, False),
        (_METRIC, Verdict.PASS, Verdict.PASS, True),
        (_METRIC, Verdict.PASS, Verdict.NOT_ENOUGH_EVIDENCE, False),
        (_METRIC, Verdict.PASS, Verdict.FAIL, False),
        (_BEFORE, Verdict.PASS, Verdict.FAIL, True),  # of a version that runs no more
        ("", Verdict.PASS, Verdict.FAIL, True),  # a person took the marker out
    ],
)
def test_it_is_over_when_what_was_wrong_passes(opened_as: str, drift: Verdict, metrics: Verdict, is_it: bool) -> None:
    """A lack of rows would else close the issue about a model that is still wrong."""
    assert is_over(_CALM, judged(drift=drift, metrics=metrics), opened_as=opened_as) is is_it


def test_the_page_knows_better_than_the_issue_which_incident_is_open() -> None:
    """People edit issues."""
    evidence = _CALM.model_copy(update={"open_incident": _METRIC})

    assert not is_over(evidence, judged(metrics=Verdict.FAIL), opened_as=_DRIFT)


def test_the_same_kind_on_the_same_version_is_back_and_another_version_begins_anew() -> None:
    """What another version shows has another cause, and belongs into an issue of its own."""
    evidence = pages.falling_f1()
    verdicts = pages.incident_verdicts(evidence, Outcome.RETRAIN)
    running = evidence.window.version

    assert is_back(evidence, verdicts, opened_as=_METRIC, version=running)
    assert not is_back(evidence, verdicts, opened_as=_METRIC, version="v0.9.0")
    assert not is_back(evidence, verdicts, opened_as=_DRIFT, version=running)
    assert is_back(evidence, verdicts, opened_as=verdicts.incident or "", version=None)  # closed before it was over
