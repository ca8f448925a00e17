"""Converters: one framework a module, listed in one dict.

A converter runs in the environment of its framework, started by `python -m slipway.converters`; the main
environment imports it only for its names. So a converter must import without its framework, and what it takes from
Slipway without anything but numpy, onnx and the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from onnx import ModelProto

from slipway.converters import lightgbm, onnx_file, pytorch, scikit_learn, tensorflow, xgboost
from slipway.converters.job import Job
from slipway.domain.rows import Batch


class Converter(Protocol):
    """What a module of this folder offers.

    `name` is what `framework` in model.yaml says, `requirements` the file under requirements/ (without its ending)
    that the environment is made of.
    """

    name: str
    requirements: str

    def refuse(self, job: Job) -> None:
        """Say no to a source that could do more than compute, without loading it."""

    def load(self, job: Job) -> Any:
        """Load the source for `predict`."""

    def to_onnx(self, job: Job) -> ModelProto:
        """Convert the source; names and order of the result may vary."""

    def predict(self, loaded: Any, batch: Batch) -> Batch:
        """Ask the source. Rows that it refuses raise a ValueError."""

    def tools(self) -> dict[str, str]:
        """Versions of what may change the result."""


@runtime_checkable
class ReadsVariables(Protocol):
    """What a converter offers besides, where its framework takes such settings only when it starts.

    `asked_again_with` are variables of the environment under which the source is asked once more, in a process of its
    own: for how far the answers differ then, no conversion can be blamed.
    """

    asked_again_with: Mapping[str, str]


@runtime_checkable
class Threaded(Protocol):
    """What a converter offers besides, where its framework takes another number of threads while it runs."""

    def with_threads(self, loaded: Any, threads: int) -> Any:
        """The same source, to be asked with so many threads; a source is loaded for one."""


CONVERTERS: dict[str, Converter] = {
    lightgbm.name: lightgbm,
    onnx_file.name: onnx_file,
    pytorch.name: pytorch,
    scikit_learn.name: scikit_learn,
    tensorflow.name: tensorflow,
    xgboost.name: xgboost,
}
