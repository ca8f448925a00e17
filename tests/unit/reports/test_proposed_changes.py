"""The lines that a pull request's run begins with."""

from __future__ import annotations

from slipway.domain.proposed import ProposedChanges
from slipway.reports.proposed_changes import proposed_changes


def test_each_thing_to_look_at_has_its_line() -> None:
    """A name that somebody chose stays in its own, or it would be a command of the workflow."""
    changes = ProposedChanges(models=("bill", "tip"), removed=("old",), misnamed=("a\n::error::b",), policies=True)

    assert proposed_changes(changes).splitlines() == [
        "to check: bill",
        "to check: tip",
        "removed: old; what runs of it stays until its manifest goes",
        "no model's name: a ::error::b",
        "policies change: all that is deployed is judged again",
    ]


def test_nothing_to_look_at_is_said() -> None:
    """An empty page would look like a run that broke."""
    changes = ProposedChanges(models=(), removed=(), misnamed=(), policies=False)

    assert proposed_changes(changes) == "no model and no policy changes"
