"""What was seen of a repository; nothing here says whether it is good.

What could not be looked at is a value of its own, `Unseen`: it must pass neither for good nor for bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Why(StrEnum):
    """What kept us from looking; silence is also an answer that says nothing."""

    RIGHT = "right"
    PLAN = "plan"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Unseen:
    """`said` is the right that is missing, or the answer in its own words."""

    why: Why
    said: str


@dataclass(frozen=True, slots=True)
class Hosted:
    """A repository as everybody with access sees it; `role` is what the token's owner may do in it."""

    name: str
    private: bool
    of_organisation: bool
    default_branch: str
    role: str


@dataclass(frozen=True, slots=True)
class Ruleset:
    """`id` is None where it is not the repository's own; `content` is what GitHub exports and imports."""

    id: int | None
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.content["name"])


@dataclass(frozen=True, slots=True)
class Names:
    """The names of variables or of secrets, and what of them could not be looked at."""

    found: frozenset[str]
    unseen: Unseen | None = None

    def has(self, name: str) -> bool | Unseen:
        return name in self.found or (self.unseen if self.unseen is not None else False)

    def __or__(self, other: Names) -> Names:
        return Names(self.found | other.found, self.unseen or other.unseen)


@dataclass(frozen=True, slots=True)
class Environment:
    """`open_to` are the refs whose jobs may use it, as `branch main`; None: all of them."""

    open_to: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class SeenForge:
    """The settings of a repository on GitHub. `workflows` maps a file's name to its state.

    `variables` and `secrets` are those of the environment `slipway`, which its jobs alone see, once they run;
    `open_variables` and `open_secrets` are those that a job of any branch sees, also to choose its runner.
    """

    hosted: Hosted
    login: str | Unseen
    actions_open_pulls: bool | Unseen
    labels: frozenset[str] | Unseen
    rulesets: tuple[Ruleset, ...] | Unseen
    environment: Environment | Unseen | None
    workflows: Mapping[str, str] | Unseen
    variables: Names
    secrets: Names
    open_variables: Names
    open_secrets: Names


@dataclass(frozen=True, slots=True)
class SeenImage:
    """An image that is deployed, or the runtime; `problem` and `mend` are empty where it can be fetched."""

    reference: str
    problem: str = ""
    mend: str = ""
    answered: bool = True


@dataclass(frozen=True, slots=True)
class SeenCluster:
    """The cluster of an environment; `problem` and `mend` are empty where it answered from here."""

    environment: str
    problem: str = ""
    mend: str = ""
    answered: bool = True


@dataclass(frozen=True, slots=True)
class SeenFiles:
    """Names of files. `changed` maps those of the template that are not as they came to `edited` or `deleted`.

    `changed` is None where the list that the template leaves is missing; `template` is its commit, where known.
    """

    template: str | None
    changed: Mapping[str, str] | None
    unmerged: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
