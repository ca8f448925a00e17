"""The ONNX session: load, warm up, answer a batch."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from serving.errors import CannotStart, RequestRefused
from serving.tensors import FREE, Array, Batch, TensorSpecification

log = logging.getLogger(__name__)

WARM_UP_RUNS = 5
WARM_UP_SECONDS = 1.0  # then one more run would tell nothing new
_InvalidArgument = onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument


@dataclass(frozen=True)
class Model:
    """A loaded model, under the name and version that clients ask for."""

    name: str
    version: str
    inputs: Mapping[str, TensorSpecification]
    outputs: Mapping[str, TensorSpecification]
    session: Any

    @classmethod
    def load(cls, directory: Path, *, name: str | None = None, version: str | None = None) -> Model:
        """Load `directory/model.onnx`; what is not given of name and version comes from `identity.json`.

        Raises:
            CannotStart: the file is absent or no model, or neither place says what it is called.
        """
        if name is None or version is None:
            stated_name, stated_version = _identity(directory / "identity.json")
            name, version = name or stated_name, version or stated_version
        session = _session(directory / "model.onnx")
        inputs = {node.name: TensorSpecification.of(node) for node in session.get_inputs()}
        outputs = {node.name: TensorSpecification.of(node) for node in session.get_outputs()}
        if not inputs:
            raise CannotStart("the model has no input", mend="export it with at least one")
        return cls(name, version, inputs, outputs, session)

    @property
    def takes_any_rows(self) -> bool:
        return all(specification.shape[0] == FREE for specification in self.inputs.values())

    @property
    def values_a_row(self) -> int:
        """How many values a row of all inputs has, one where the client chooses."""
        return sum(_blank(specification, rows=1).size for specification in self.inputs.values())

    def answer(self, batch: Batch, outputs: Iterable[str], *, run: Any = None) -> Batch:
        """Run the model on arrays of one batch size; `run` is what `stoppable` gave, to stop it from elsewhere.

        Raises:
            RequestRefused: onnxruntime says that these values are no valid input.
        """
        names = list(outputs)
        try:
            return dict(zip(names, self.session.run(names, batch, run), strict=True))
        except _InvalidArgument as refusal:
            raise RequestRefused(
                f"inputs: the model refuses these values: {_first_line(refusal)}", cause="refused_by_model"
            ) from None

    def warm_up(self, *, rows: int = 1) -> float:
        """Answer rows of zeros and empty strings a few times; the median in seconds.

        Rows of zeros are no promise of a model's, so one that fails on them is served all the same.
        """
        batch = {name: _blank(specification, rows=rows) for name, specification in self.inputs.items()}
        try:
            seconds: list[float] = []
            while len(seconds) < WARM_UP_RUNS and sum(seconds) < WARM_UP_SECONDS:
                seconds.append(self._seconds(batch))
            return float(np.median(seconds))
        except Exception as failure:  # onnxruntime's exceptions have no common base
            log.warning("the warm-up row of zeros failed, serving from threads: %s", _first_line(failure))
            return float("inf")

    def _seconds(self, batch: Batch) -> float:
        start = time.perf_counter()
        self.answer(batch, self.outputs)
        return time.perf_counter() - start


def stoppable() -> Any:
    """Options of a run that ends early, with an error, once their `terminate` is set."""
    return onnxruntime.RunOptions()


def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one process a core: replicas scale better than threads that share one
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not path.is_file():
        raise CannotStart(f"there is no {path}", mend="--model-directory must hold a model.onnx")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as failure:  # onnxruntime's exceptions have no common base
        raise CannotStart(
            f"onnxruntime cannot load {path}: {_first_line(failure)}", mend="release the model again"
        ) from failure


def _identity(path: Path) -> tuple[str, str]:
    try:
        name, _, version = json.loads(path.read_bytes())["tag"].partition("@")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as failure:
        raise CannotStart(
            f"{path} does not say what the model is called: {_first_line(failure)}",
            mend='write {"tag": "NAME@vX.Y.Z"} into it, or start with --name and --model-version',
        ) from failure
    return name, version


def _blank(specification: TensorSpecification, *, rows: int) -> Array:
    first, *others = specification.shape
    shape = [rows if first == FREE else first, *(1 if length == FREE else length for length in others)]
    blank = "" if specification.kind.datatype == "BYTES" else 0
    return np.full(shape, blank, dtype=specification.kind.numpy)


def _first_line(failure: Exception) -> str:
    return (str(failure).splitlines() or [type(failure).__name__])[0][:300]
