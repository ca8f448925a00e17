"""What a variable of GitHub switches on, and what it needs beside it to be more than switched on."""

from __future__ import annotations

import pytest
from slipway.domain.checkup import Finding, State
from slipway.domain.checkup.seen import SeenForge
from slipway.domain.checkup.switched_on import MLFLOW, PAGES, PASSWORD, TOKEN, USER, judge_switched_on

from tests.unit.domain.checkup.seen import NOTHING, hidden, names, seen


def only(forge: SeenForge) -> Finding:
    (finding,) = judge_switched_on(forge)
    return finding


def test_what_is_off_is_not_spoken_of() -> None:
    """Most teams have neither."""
    assert list(judge_switched_on(seen())) == []


@pytest.mark.parametrize("secrets", [(TOKEN,), (USER, PASSWORD)])
def test_an_mlflow_that_is_named_with_credentials_is_well(secrets: tuple[str, ...]) -> None:
    """Whether the server takes them is seen by the first rollout alone."""
    assert only(seen(open_variables=names(MLFLOW), secrets=names(*secrets))).state is State.OK


def test_an_mlflow_without_credentials_may_take_everybody() -> None:
    """One inside of a company's network often does, so nothing is called wrong."""
    told = only(seen(open_variables=names(MLFLOW)))

    assert (told.state, told.mend) == (State.UNKNOWN, f"gh secret set {TOKEN} --env slipway --repo acme/waiters")


@pytest.mark.parametrize(("there", "lacks"), [(USER, PASSWORD), (PASSWORD, USER)])
def test_half_of_a_login_is_none(there: str, lacks: str) -> None:
    """The server answers 401, nothing fails, and the versions there stay without a word for ever."""
    told = only(seen(open_variables=names(MLFLOW), secrets=names(there)))

    assert (told.state, f"{there} is there without {lacks}" in told.text) == (State.PROBLEM, True)
    assert f"gh secret set {lacks} --env slipway" in told.mend


def test_a_server_that_the_environment_alone_names_is_told_nothing() -> None:
    """Whether a job starts is decided before it is in its environment."""
    told = only(seen(variables=names(MLFLOW), secrets=names(TOKEN)))

    assert (told.state, f"gh variable set {MLFLOW} --repo acme/waiters" in told.mend) == (State.PROBLEM, True)


def test_pages_of_a_private_repository_are_said_to_be_public() -> None:
    """They name people, models and metrics; and the variable that writes them looks harmless."""
    private, public = (only(seen(open_variables=names(PAGES), private=is_so)) for is_so in (True, False))

    assert (private.state, public.state) == (State.UNKNOWN, State.OK)
    assert "are public, unless its plan has access control" in private.text
    assert f"gh variable delete {PAGES}" in private.mend


def test_what_this_token_may_not_see_is_neither_good_nor_bad() -> None:
    """A workflow's token sees no variable, and that is no news to mend."""
    blind = seen(open_variables=hidden("variables: read"))
    assert {one.state for one in judge_switched_on(blind)} == {State.UNKNOWN}

    half_blind = seen(open_variables=names(MLFLOW), secrets=hidden("secrets: read"), open_secrets=NOTHING)
    assert "`secrets: read`" in only(half_blind).text
