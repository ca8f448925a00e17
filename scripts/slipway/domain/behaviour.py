"""How a team expects a model to behave, whatever it was trained on: declared in `policies/behaviour.yaml`.

Each expectation says itself, in a sentence, what is asked: pages keep the sentence, so that an answer is never held
against another question of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from slipway.domain.declared import Declared, Share, VersionName
from slipway.domain.tag import version_in

Scalar = bool | int | float | str


def _null_for_nan(given: object) -> object:
    """One word for what is missing: NaN is unequal to itself, and JSON has none."""
    if isinstance(given, list | tuple):
        return tuple(_null_for_nan(one) for one in given)
    return None if isinstance(given, float) and math.isnan(given) else given


# Of one row: a list, row by row, where the tensor has more than one value; null is a missing number.
Values = Annotated[Scalar | tuple[Scalar | None, ...] | None, BeforeValidator(_null_for_nan)]


class TextChange(StrEnum):
    LOWER = "lower-case"
    UPPER = "upper-case"
    SPACED = "spaces-around"


class Course(StrEnum):
    """What an output must not do while an input changes."""

    NOT_FALL = "not-fall"
    NOT_RISE = "not-rise"


class Expectation(Declared):
    """`since` is the first version that it holds for, `below` the first that it no longer holds for."""

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60, description="by which it is found")
    since: VersionName | None = Field(default=None, description="the first version that it holds for")
    below: VersionName | None = Field(default=None, description="the first version that it no longer holds for")

    def holds_for(self, version: str) -> bool:
        """`version` reads `v1.4.0`; a revision is held to what its version is."""
        asked = version_in(version)
        return (self.since is None or asked >= self.since[1:]) and (self.below is None or asked < self.below[1:])


class Changed(Expectation):
    """What is done to one input of every sample row: exactly one of `text`, `replace`, `add`, `multiply` and `set`.

    `violations` is the share of the changed rows that may behave otherwise, `rows` how many must have been changed.
    """

    input: str = Field(min_length=1, description="what is changed; say exactly one of the next five")
    text: TextChange | None = Field(default=None, description="words, written otherwise")
    replace: dict[str, str] | None = Field(default=None, min_length=1, description="words by other words")
    add: float | None = Field(default=None, description="to the number")
    multiply: float | None = Field(default=None, description="the number by this")
    set: Scalar | None = Field(default=None, description="the same value in each row")
    violations: Share = Field(default=0.0, description="share of the changed rows that may behave otherwise")
    rows: int = Field(default=1_000, ge=1, description="changed rows, without which nothing is shown")

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        kinds = ("text", "replace", "add", "multiply", "set")
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            told = " and ".join(given) if given else "no change"
            raise ValueError(f"{told} given; say exactly one of {', '.join(kinds)}")
        return self

    @property
    def change(self) -> str:
        if self.text is not None:
            return f"{self.input} in {self.text}" if self.text is not TextChange.SPACED else f"{self.input} with spaces"
        if self.replace is not None:
            return f"{self.input} {', '.join(f'{old} → {new}' for old, new in self.replace.items())}"
        if self.add is not None:
            return f"{self.input} {'+' if self.add >= 0 else '−'} {abs(self.add):g}"
        return f"{self.input} × {self.multiply:g}" if self.multiply is not None else f"{self.input} = {self.set}"


class Invariance(Changed):
    """The change must not matter: no decision flips or, with `tolerance`, no output moves by more than that."""

    tolerance: float | None = Field(
        default=None, ge=0, description="how far an output may move; without it, no decision may change"
    )

    @property
    def sentence(self) -> str:
        kept = "same decision" if self.tolerance is None else f"every output within {self.tolerance:g}"
        return f"{self.change}: {kept}"


class Direction(Changed):
    """The change must not move `output` the wrong way, by more than `tolerance`."""

    output: str = Field(min_length=1, description="what is looked at")
    must: Course = Field(description="what it must not do while the input changes")
    tolerance: float = Field(default=1e-6, ge=0, description="how far it may go the wrong way")

    @property
    def sentence(self) -> str:
        return f"{self.change}: {self.output} must {self.must.replace('-', ' ')} (by more than {self.tolerance:g})"


class GoldenRequest(Expectation):
    """One request by name, and what it must be answered: outputs within `tolerance`, the decision, or both."""

    inputs: dict[str, Values] = Field(
        min_length=1, description="the request, by the names of inputs; null is a missing number"
    )
    answers: dict[str, Values] = Field(
        default_factory=dict, description="what outputs must be, by their names; null is no number"
    )
    decision: Scalar | None = Field(default=None, description="what must be decided")
    tolerance: float = Field(default=1e-4, ge=0, description="how far an answer may lie from that")

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.answers and self.decision is None:
            raise ValueError("expects nothing; say `answers`, `decision`, or both")
        return self

    @property
    def expected(self) -> str:
        told = [
            f"{name} null" if value is None else f"{name} {_shown(value)} ± {self.tolerance:g}"
            for name, value in self.answers.items()
        ]
        return ", ".join([*told, *([f"decision {_shown(self.decision)}"] if self.decision is not None else [])])

    def asks_no_less_than(self, earlier: Self) -> bool:
        """Whether what an earlier version was held to is still asked: same request, same answers, no looser."""
        same = (self.inputs, self.answers, self.decision) == (earlier.inputs, earlier.answers, earlier.decision)
        return same and self.tolerance <= earlier.tolerance


ExpectationT = TypeVar("ExpectationT", bound=Expectation)


class BehaviourLimit(Declared):
    """What is expected of one model; nothing by default."""

    invariances: tuple[Invariance, ...] = Field(default=(), description="changes of an input that must not matter")
    directions: tuple[Direction, ...] = Field(
        default=(), description="changes of an input that must move an output one way only"
    )
    golden: tuple[GoldenRequest, ...] = Field(
        default=(), description="requests by name, and what they must be answered"
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in (*self.changing, *self.golden)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"`{twice}` is there twice; an expectation is found by its name")
        return self

    def for_version(self, version: str) -> Self:
        """Those that hold for it; `version` reads `v1.4.0`."""
        return self.model_copy(
            update={
                "invariances": _holding(self.invariances, version),
                "directions": _holding(self.directions, version),
                "golden": _holding(self.golden, version),
            }
        )

    @property
    def asked(self) -> str:
        """All that is asked of a model, without what is allowed: an edit of a limit alone measures nothing anew."""
        named = [f"{one.name}: {one.sentence}" for one in self.changing]
        return "\n".join([*named, *(one.model_dump_json() for one in self.golden)])

    @property
    def changing(self) -> tuple[Invariance | Direction, ...]:
        return (*self.invariances, *self.directions)


def _holding(expectations: Iterable[ExpectationT], version: str) -> tuple[ExpectationT, ...]:
    return tuple(one for one in expectations if one.holds_for(version))


def _shown(value: Values) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return f"[{', '.join(_shown(one) for one in value)}]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
