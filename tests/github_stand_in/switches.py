"""What a repository is set to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Environment:
    """`policy` is None where every branch may use it, else what GitHub calls `deployment_branch_policy`."""

    policy: dict[str, bool] | None = None
    branches: list[tuple[str, str]] = field(default_factory=list)  # type and name
    variables: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Switches:
    """As in a new repository. `withheld` are rights that the tokens lack, by GitHub's names for them."""

    private: bool = False
    of_organisation: bool = False
    free_plan: bool = False
    role: str = "admin"
    withheld: set[str] = field(default_factory=set)
    actions_open_pulls: bool = False
    rulesets: list[dict[str, Any]] = field(default_factory=list)
    environments: dict[str, Environment] = field(default_factory=dict)
    workflow_states: dict[str, str] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    organisation_variables: set[str] = field(default_factory=set)
    organisation_secrets: set[str] = field(default_factory=set)
