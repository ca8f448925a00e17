"""What a team declares about a model in `models/<name>/model.yaml`.

A model's limits are not here but in `policies/`: nobody sets their own exam.
"""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from slipway.domain.declared import Declared
from slipway.domain.signature import DataType, Signature, Tensor
from slipway.domain.source_address import SourceAddress, is_address
from slipway.domain.tag import is_model_name
from slipway.maths.named_metrics import DecisionKind


class Framework(StrEnum):
    LIGHTGBM = "lightgbm"
    ONNX = "onnx"
    PYTORCH = "pytorch"
    SCIKIT_LEARN = "scikit-learn"
    TENSORFLOW = "tensorflow"
    XGBOOST = "xgboost"


def _inside_the_folder(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise ValueError("must be a path inside the model's folder")
    return path


def _a_place(source: str) -> str:
    return SourceAddress.parse(source).text if is_address(source) else _inside_the_folder(source)


def _a_model_name(name: str) -> str:
    if not is_model_name(name):
        raise ValueError("must have lower-case letters, digits and single dashes only, at most 63 characters")
    return name


_HOLDS_A_CLASS = (DataType.STRING, DataType.INT32, DataType.INT64)
RelativePath = Annotated[str, AfterValidator(_inside_the_folder)]


class Feature(Declared):
    """One input or output, of shape `[N, *shape]`."""

    name: str = Field(min_length=1)
    dtype: DataType
    meaning: str = Field(min_length=1)
    shape: tuple[int, ...] = (1,)

    @property
    def tensor(self) -> Tensor:
        return Tensor(name=self.name, dtype=self.dtype, shape=self.shape)


def _a_word(value: Any) -> Any:
    """YAML reads `0` as a number, and a class is called by its word."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ClassName = Annotated[
    str, BeforeValidator(_a_word), Field(min_length=1), WithJsonSchema({"type": ["string", "integer"]})
]


class Decision(Declared):
    """How a row's `output` becomes what users see: exactly one of the other three fields says so.

    `threshold`: yes where the output is at least that. `classes`: the class with the largest of as many outputs, or
    the class that an output of words or whole numbers holds itself. `noticeable`: the number itself; an answer that
    moves by more than that counts as flipped.
    """

    output: str
    threshold: float | None = None
    classes: tuple[ClassName, ...] | None = Field(default=None, min_length=2)
    noticeable: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        given = [name for name in ("threshold", "classes", "noticeable") if getattr(self, name) is not None]
        if len(given) != 1:
            told = " and ".join(given) if given else "none of the three"
            raise ValueError(
                f"{told} given; keep one: `threshold` for yes or no, `classes` for one of several, `noticeable` for "
                "a number"
            )
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            twice = next(name for name in self.classes if self.classes.count(name) > 1)
            raise ValueError(f"classes: `{twice}` is there twice; name each class once")
        return self

    @model_serializer(mode="wrap")
    def _what_was_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Pages and layers of a model look as before there were three kinds."""
        return {name: value for name, value in handler(self).items() if value is not None}

    @property
    def kind(self) -> DecisionKind:
        if self.threshold is not None:
            return DecisionKind.YES_OR_NO
        return DecisionKind.NUMBER if self.classes is None else DecisionKind.ONE_OF_SEVERAL

    def contradiction_to(self, output: Feature) -> str | None:
        """What of the output's type or shape this decision cannot be taken from, with the mend; None where it can."""
        words, width = output.dtype is DataType.STRING, math.prod(output.shape)
        if self.classes is None:
            what = "threshold" if self.threshold is not None else "noticeable change"
            if words:
                return f"output: `{output.name}` holds words, and a {what} needs a number; name its `classes`"
            if self.noticeable is not None and width != 1:
                return f"noticeable: `{output.name}` has {width} numbers a row; name an output of shape [1]"
            return None
        if output.dtype in _HOLDS_A_CLASS and width == 1:
            return None
        if words or width != len(self.classes):
            return (
                f"classes: {len(self.classes)} are named, and `{output.name}` has the shape {list(output.shape)}; "
                "name one class a number of the output, or an output of int64 or string that holds the class"
            )
        return None


class Samples(Declared):
    """Labelled rows that stand for production.

    `held_out` names a boolean column; where it is given, metrics count only its true rows, since the others
    were seen in training. Production is compared with all of them. `group` names a column whose rows belong together,
    such as a customer: intervals are then drawn from groups, and from days otherwise.
    """

    path: RelativePath
    time: str
    label: str
    held_out: str | None = None
    group: str | None = None

    @model_serializer(mode="wrap")
    def _without_an_absent_group(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Pages and layers of a model look as before there were groups."""
        told: dict[str, Any] = handler(self)
        return told if self.group is not None else {name: value for name, value in told.items() if name != "group"}


class Model(Declared):
    """What is served by that name; `source` is a file or folder beside model.yaml, or an address elsewhere."""

    name: Annotated[str, AfterValidator(_a_model_name)]
    summary: str = Field(min_length=1)
    framework: Framework
    source: Annotated[str, AfterValidator(_a_place)]
    owners: tuple[str, ...] = Field(min_length=1)
    inputs: tuple[Feature, ...] = Field(min_length=1)
    outputs: tuple[Feature, ...] = Field(min_length=1)
    decision: Decision
    samples: Samples

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        for kind, features in (("inputs", self.inputs), ("outputs", self.outputs)):
            names = [feature.name for feature in features]
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{kind}: declared twice: {', '.join(sorted(twice))}")
        decided = next((feature for feature in self.outputs if feature.name == self.decision.output), None)
        if decided is None:
            raise ValueError(f"decision.output: `{self.decision.output}` is none of the outputs")
        if contradiction := self.decision.contradiction_to(decided):
            raise ValueError(f"decision.{contradiction}")
        return self

    @property
    def source_address(self) -> SourceAddress | None:
        """None where the source lies in the repository."""
        return SourceAddress.parse(self.source) if is_address(self.source) else None

    @property
    def signature(self) -> Signature:
        return Signature(
            inputs=tuple(feature.tensor for feature in self.inputs),
            outputs=tuple(feature.tensor for feature in self.outputs),
        )
