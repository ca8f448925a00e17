"""The stand-in keeps GitHub's rules for settings: names are given once, and rights and plans are refused apart."""

from __future__ import annotations

from typing import Any

import pytest
from github import GithubException

from tests.github_stand_in.conftest import Seen

LEDGER = {
    "name": "ledger",
    "target": "branch",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["refs/heads/ledger"], "exclude": []}},
    "rules": [{"type": "update"}, {"type": "deletion"}],
}


def ask(seen: Seen, verb: str, path: str, body: Any = None) -> Any:
    _, answer = seen.api.requester.requestJsonAndCheck(verb, f"/repos/{seen.hosted.name}{path}", input=body)
    return answer


def refused(seen: Seen, verb: str, path: str, body: Any = None) -> tuple[int, str]:
    with pytest.raises(GithubException) as caught:
        ask(seen, verb, path, body)
    return caught.value.status, str(caught.value.data)


def test_a_ruleset_has_a_name_of_its_own_and_is_told_whole_by_its_number(seen: Seen) -> None:
    """`doctor --fix` finds it by name, writes it by number, and must not make a second one."""
    made = ask(seen, "POST", "/rulesets", LEDGER)
    status, said = refused(seen, "POST", "/rulesets", LEDGER)

    assert (status, "Name must be unique" in said) == (422, True)
    assert "rules" not in ask(seen, "GET", "/rulesets")[0]
    told = ask(seen, "GET", f"/rulesets/{made['id']}")
    assert told["rules"][0] == {"type": "update", "parameters": {"update_allows_fetch_and_merge": False}}
    assert told["bypass_actors"] == []
    ask(seen, "PUT", f"/rulesets/{made['id']}", {**LEDGER, "enforcement": "disabled"})
    assert ask(seen, "GET", f"/rulesets/{made['id']}")["enforcement"] == "disabled"
    assert refused(seen, "GET", "/rulesets/99")[0] == 404


def test_who_may_not_write_a_ruleset_does_not_see_who_may_bypass_it(seen: Seen) -> None:
    """What is not shown must not be taken for nobody."""
    made = ask(seen, "POST", "/rulesets", LEDGER)
    seen.hosted.switches.withheld.add("administration")

    assert "bypass_actors" not in ask(seen, "GET", f"/rulesets/{made['id']}")
    assert refused(seen, "POST", "/rulesets", {**LEDGER, "name": "other"})[0] == 403
    assert refused(seen, "GET", "/actions/permissions/workflow")[0] == 403


def test_a_free_plan_refuses_rulesets_of_private_repositories_in_words_of_its_own(seen: Seen) -> None:
    """A 403 like that of a missing right; only its words tell the two apart."""
    seen.hosted.switches.free_plan = True
    assert ask(seen, "GET", "/rulesets") == []
    seen.hosted.switches.private = True
    status, said = refused(seen, "GET", "/rulesets")
    assert (status, "Upgrade to GitHub Pro" in said) == (403, True)


def test_no_more_than_thirty_variables_come_at_once(seen: Seen) -> None:
    """Whoever asks for a hundred and counts to a hundred sees thirty of them."""
    seen.hosted.switches.variables |= {f"A_{number}" for number in range(31)}
    answer = ask(seen, "GET", "/actions/variables?per_page=100")
    assert (answer["total_count"], len(answer["variables"])) == (31, 30)


def test_an_environment_that_is_missing_and_one_without_secrets_differ(seen: Seen) -> None:
    """Its secrets are asked for only where it is in the list."""
    assert ask(seen, "GET", "/environments")["environments"] == []
    assert refused(seen, "GET", "/environments/slipway/secrets")[0] == 404


def test_a_label_has_a_short_description(seen: Seen) -> None:
    """100 characters."""
    body = {"name": "a", "color": "ededed", "description": "x" * 100}
    assert ask(seen, "POST", "/labels", body)["description"] == "x" * 100
    assert refused(seen, "POST", "/labels", {**body, "name": "b", "description": "x" * 101})[0] == 422
