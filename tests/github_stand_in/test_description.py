"""Holding an exchange against GitHub's description finds what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.github_stand_in.description import Exchange, answer_schema, fill, template_of, violations

_LABELS = "/repos/{owner}/{repo}/labels"


def exchange(**changes: Any) -> Exchange:
    schema = answer_schema(_LABELS, "POST", 201)
    assert schema is not None
    answer = fill(schema, {"name": "drift", "color": "ededed"})
    good = Exchange("POST", "/repos/team/flights/labels", "", {"name": "drift"}, 201, answer)
    return replace(good, **changes)


def test_a_good_exchange_has_no_violation() -> None:
    """Else the next test would show nothing."""
    assert violations(exchange()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"body": {"name": "drift", "colour": "ededed"}},
        {"body": {"color": "ededed"}},
        {"body": {"name": 1}},
        {"body": None},
        {"query": "perpage=100"},
        {"status": 299},
        {"answer": {"name": "drift"}},
    ],
)
def test_a_wrong_exchange_is_found(changes: dict[str, Any]) -> None:
    """A misspelt field is ignored by GitHub without a word: only this test sees it."""
    assert violations(exchange(**changes)) != []


def test_an_answer_with_a_field_that_github_lacks_is_never_written() -> None:
    """A stand-in that gives more than GitHub lets code pass that GitHub then breaks."""
    schema = answer_schema(_LABELS, "POST", 201)
    assert schema is not None
    with pytest.raises(AssertionError, match="colour"):
        fill(schema, {"colour": "ededed"})


def test_a_path_finds_its_operation() -> None:
    """Names of branches hold slashes, and the longest template is meant."""
    assert template_of("/repos/a/b/git/refs/heads/r/1") == "/repos/{owner}/{repo}/git/refs/{ref}"
    assert template_of("/repos/a/b/pulls/1/merge") == "/repos/{owner}/{repo}/pulls/{pull_number}/merge"
    assert template_of("/graphql") is None
