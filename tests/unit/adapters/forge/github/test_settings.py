"""Every request of a look and of a write goes wrong once, in every way: nothing crashes, nothing is made twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from slipway.adapters.forge.github.settings import GitHubSettings
from slipway.adapters.forge.settings import ForgeSettings
from slipway.domain.checkup.seen import Environment, Names, SeenForge, Unseen, Why
from slipway.domain.labels import Label
from slipway.errors import SlipwayError

from tests.github_stand_in import switches
from tests.github_stand_in.faults import Fault
from tests.unit.adapters.conftest import AT_ONCE, TOKEN
from tests.unit.adapters.forge.github.conftest import World
from tests.unit.adapters.forge.github.test_faults import FAULTS

RULESET = {
    "name": "ledger",
    "target": "branch",
    "enforcement": "active",
    "conditions": {"ref_name": {"include": ["refs/heads/ledger"], "exclude": []}},
    "rules": [{"type": "deletion"}],
    "bypass_actors": [],
}


def settings_of(world: World, *, token: str | None = TOKEN) -> GitHubSettings:
    pace = replace(AT_ONCE, attempts=2)
    return GitHubSettings(world.hosted.name, api=world.github.url, token=token, pace=pace)


@pytest.fixture
def settled(world: World) -> Iterator[World]:
    """An organisation's repository in which something of every kind is set."""
    there = world.hosted.switches
    there.of_organisation, there.actions_open_pulls = True, True
    only = {"protected_branches": False, "custom_branch_policies": True}
    inside = switches.Environment(only, [("branch", "main")], variables={"IN"}, secrets={"KEY"})
    there.environments["slipway"] = inside
    there.variables, there.organisation_variables = {"OWN"}, {"ORGANISATIONS"}
    there.secrets, there.organisation_secrets = {"OPEN"}, {"EVERYBODYS"}
    settings_of(world).create_ruleset(RULESET)
    yield world
    world.github.faults.waiting.clear()


def test_a_look_sees_what_is_set(settled: World) -> None:
    """Each from where GitHub keeps it: repository, organisation, environment, workflow files."""
    seen = settings_of(settled).look("slipway")

    assert (seen.hosted.role, seen.hosted.of_organisation, seen.hosted.default_branch) == ("admin", True, "main")
    assert (seen.login, seen.actions_open_pulls) == ("slipway[bot]", True)
    assert isinstance(seen.labels, frozenset) and "slipway" in seen.labels
    assert isinstance(seen.rulesets, tuple) and [one.name for one in seen.rulesets] == ["ledger"]
    assert seen.environment == Environment(("branch main",))
    assert seen.workflows == {"release.yml": "active"}
    assert seen.variables == Names(frozenset({"IN"}))
    assert seen.open_variables == Names(frozenset({"OWN", "ORGANISATIONS"}))
    assert (seen.secrets, seen.open_secrets) == (Names(frozenset({"KEY"})), Names(frozenset({"OPEN", "EVERYBODYS"})))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_look_is_healed_or_told_and_changes_no_other_answer(settled: World, fault: str) -> None:
    """A value that is wrong for once would be told as a problem, and mended by a person who believes it."""
    before = len(settled.github.faults.asked)
    whole = settings_of(settled).look("slipway")
    for number in range(len(settled.github.faults.asked) - before):
        settled.github.faults.waiting[:] = [replace(FAULTS[fault], skip=number)]
        try:
            seen = settings_of(settled).look("slipway")
        except SlipwayError as error:
            assert error.mend
            assert TOKEN not in str(error)
            continue
        finally:
            assert not settled.github.faults.waiting, "no request was disturbed"
        assert [name for name in different(seen, whole) if not is_unseen(getattr(seen, name))] == []


def different(one: SeenForge, other: SeenForge) -> list[str]:
    names = [field.name for field in fields(SeenForge)]
    return [name for name in names if getattr(one, name) != getattr(other, name)]


def is_unseen(value: object) -> bool:
    return isinstance(value, Unseen) or (isinstance(value, Names) and value.unseen is not None)


def make_label(settings: ForgeSettings) -> None:
    settings.create_label(Label("release: major", "cf222e", "May break its clients"))


def make_ruleset(settings: ForgeSettings) -> None:
    settings.create_ruleset({**RULESET, "name": "tags"})


def change_ruleset(settings: ForgeSettings) -> None:
    settings.update_ruleset(1, {**RULESET, "enforcement": "disabled"})


WRITES: Mapping[str, Callable[[ForgeSettings], None]] = {
    write.__name__: write for write in (make_label, make_ruleset, change_ruleset)
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("write", WRITES)
def test_a_fault_in_a_write_ends_as_if_there_was_none(settled: World, write: str, fault: str) -> None:
    """At the latest when `doctor --fix` is run again."""
    settled.github.faults.waiting[:] = [replace(FAULTS[fault], verb="POST|PUT")]
    try:
        WRITES[write](settings_of(settled))
    except SlipwayError as error:
        assert error.mend
        assert TOKEN not in str(error)
        WRITES[write](settings_of(settled))

    assert not settled.github.faults.waiting
    made = {one["name"]: one["enforcement"] for one in settled.hosted.switches.rulesets}
    wanted: dict[str, Any] = {
        "make_label": {"ledger": "active"},
        "make_ruleset": {"ledger": "active", "tags": "active"},
        "change_ruleset": {"ledger": "disabled"},
    }
    assert (made, len(settled.hosted.switches.rulesets)) == (wanted[write], len(wanted[write]))
    assert ("release: major" in settled.hosted.labels) == (write == "make_label")


def test_each_right_that_is_missing_is_named(settled: World) -> None:
    """A token of a workflow can be given none of them."""
    settled.hosted.switches.withheld = {"administration", "actions", "variables", "secrets", "environments"}
    seen = settings_of(settled).look("slipway")

    assert seen.actions_open_pulls == Unseen(Why.RIGHT, "administration: read")
    assert seen.environment == Unseen(Why.RIGHT, "actions: read")
    assert seen.open_variables.has("OWN") == Unseen(Why.RIGHT, "variables: read")
    assert seen.secrets.has("KEY") == Unseen(Why.RIGHT, "environments: read")
    assert isinstance(seen.rulesets, tuple) and "bypass_actors" not in seen.rulesets[0].content


def test_an_answer_that_never_comes_is_told_as_silence(settled: World) -> None:
    """It is neither a missing right nor a setting."""
    settled.github.faults.waiting[:] = [Fault(stall=1.5, path="/labels$") for _ in range(2)]
    pace = replace(AT_ONCE, attempts=2, silence=1)
    silent = GitHubSettings(settled.hosted.name, api=settled.github.url, token=TOKEN, pace=pace)

    labels = silent.look("slipway").labels

    assert isinstance(labels, Unseen) and labels.why is Why.SILENCE
