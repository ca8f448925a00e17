"""What a team declares about a model in `models/<name>/model.yaml`.

A model's limits are not here but in `policies/`: nobody sets their own exam.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from slipway.domain.declared import Declared
from slipway.domain.signature import DataType, Signature, Tensor
from slipway.domain.tag import is_model_name


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


def _a_model_name(name: str) -> str:
    if not is_model_name(name):
        raise ValueError("must have lower-case letters, digits and single dashes only, at most 63 characters")
    return name


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


class Decision(Declared):
    """Rows whose `output` is at least `threshold` are decided positive."""

    output: str
    threshold: float


class Samples(Declared):
    """Labelled rows that stand for production.

    `held_out` names a boolean column; where it is given, metrics count only its true rows, since the others
    were seen in training. Production is compared with all of them.
    """

    path: RelativePath
    time: str
    label: str
    held_out: str | None = None


class Model(Declared):
    name: Annotated[str, AfterValidator(_a_model_name)]
    summary: str = Field(min_length=1)
    framework: Framework
    source: RelativePath
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
        if decided.dtype is DataType.STRING:
            raise ValueError(f"decision.output: `{decided.name}` holds words, and a threshold needs a number")
        return self

    @property
    def signature(self) -> Signature:
        return Signature(
            inputs=tuple(feature.tensor for feature in self.inputs),
            outputs=tuple(feature.tensor for feature in self.outputs),
        )
