"""A private repository on GitHub of which nothing is told but variables and secrets."""

from __future__ import annotations

from typing import Any

from slipway.domain.checkup.seen import Hosted, Names, SeenForge, Unseen, Why

NOTHING = Names(frozenset())


def names(*found: str) -> Names:
    return Names(frozenset(found))


def hidden(right: str) -> Names:
    """Names that this token may not see."""
    return Names(frozenset(), Unseen(Why.RIGHT, right))


def seen(
    *,
    variables: Names = NOTHING,
    secrets: Names = NOTHING,
    open_variables: Names = NOTHING,
    open_secrets: Names = NOTHING,
    private: bool = True,
) -> SeenForge:
    nothing: Any = frozenset()
    return SeenForge(
        hosted=Hosted("acme/waiters", private=private, of_organisation=True, default_branch="main", role="admin"),
        login="ada",
        actions_open_pulls=True,
        labels=nothing,
        rulesets=(),
        environment=None,
        workflows={},
        variables=variables,
        secrets=secrets,
        open_variables=open_variables,
        open_secrets=open_secrets,
    )
