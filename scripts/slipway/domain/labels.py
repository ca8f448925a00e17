"""The labels of pull requests and issues: few, and each answers a question that somebody filters by."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from slipway.domain.tag import Bump

_LONGEST = 50  # characters; GitHub refuses a longer name
_BLUE, _GREY, _RED, _AMBER = "1f6feb", "6e7781", "cf222e", "bf8700"
_COLOUR_OF = {Bump.FIRST: "8250df", Bump.PATCH: "2da44e", Bump.MINOR: _AMBER, Bump.MAJOR: _RED}
_PROMISE_OF = {
    Bump.FIRST: "The first version that would run",
    Bump.PATCH: "The same answers, the same signature",
    Bump.MINOR: "The same signature, no metric worse than allowed",
    Bump.MAJOR: "May break its clients",
}


@dataclass(frozen=True, slots=True)
class Label:
    """`colour` has six hexadecimal digits, as GitHub takes them."""

    name: str
    colour: str
    description: str


SLIPWAY = Label("slipway", _BLUE, "Opened by Slipway")
REFUSED = Label("release: refused", _RED, "A tag whose release failed a gate; the issue says what mends it")
STUCK = Label("release: stuck", _AMBER, "A tag whose runs end in errors, and that is not tried again")
UPKEEP = Label("slipway: upkeep", _AMBER, "What only a person can mend; the issue closes itself")
NEVER_PASSED = Label("slipway: never passed", _RED, "A digest runs that no release has that passed; it closes itself")
# Stands for GitHub's own draft where the plan or the token knows none.
NOT_ENOUGH_EVIDENCE = Label("not enough evidence", _AMBER, "Not to be merged before more rows or a waiver make it pass")


def of_model(model: str) -> Label:
    return Label(_fitting(f"model: {model}"), _GREY, f"About the model {model}")


def of_bump(bump: Bump) -> Label:
    return Label(f"release: {bump}", _COLOUR_OF[bump], _PROMISE_OF[bump])


def of_environment(model: str, environment: str) -> Label:
    """What the one open issue of a model in an environment is found by."""
    return Label(_fitting(f"slipway:{environment}/{model}"), _GREY, "What the watch found in one environment")


def of_rollout(model: str, environment: str) -> Label:
    """What the one open issue about rollouts of a model in an environment is found by."""
    return Label(_fitting(f"rollout:{environment}/{model}"), _RED, "A version that was merged and does not run")


def of_all(models: tuple[str, ...], environments: tuple[str, ...]) -> tuple[Label, ...]:
    """Every label that Slipway gives in a repository with these models and environments."""
    return (
        SLIPWAY,
        REFUSED,
        STUCK,
        UPKEEP,
        NEVER_PASSED,
        NOT_ENOUGH_EVIDENCE,
        *map(of_bump, Bump),
        *map(of_model, models),
        *(of_environment(model, environment) for environment in environments for model in models),
        *(of_rollout(model, environment) for environment in environments for model in models),
    )


def _fitting(name: str) -> str:
    """A long name is cut, and told apart by its digest."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}-{sha256(name.encode()).hexdigest()[:8]}"
