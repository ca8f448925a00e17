"""TensorFlow SavedModels and what Keras saved as `.keras`, converted by tf2onnx.

TensorFlow and tf2onnx are imported inside the functions that need them: both take seconds, and are installed in an
environment of their own only. They ship no types, hence `Any`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from slipway.converters import keras_file, saved_model
from slipway.converters.job import Job
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed

name = "tensorflow"
requirements = "tensorflow"
asked_again_with = {"TF_ENABLE_ONEDNN_OPTS": "1", "TF_NUM_INTRAOP_THREADS": "1"}  # oneDNN is off, and threads many
OPSET = 18  # the highest that both tf2onnx and Slipway's tests know
_SIGNATURE = "serving_default"
_KERAS = ".keras"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A SavedModel and its signature; the model is kept because the signature does not keep its variables."""

    model: Any
    answer: Callable[..., dict[str, Any]]
    inputs: dict[str, Any]


def refuse(job: Job) -> None:
    """Say no to what does more than compute: see `saved_model.refuse` and `keras_file.refuse`."""
    if file := _keras_file(job):
        keras_file.refuse(file)
    else:
        saved_model.refuse(job.source)


def _keras_file(job: Job) -> Path | None:
    """A `.keras`, where the source is one or holds one and no SavedModel."""
    looks_so = job.source.name.endswith(_KERAS) or any(job.source.glob(f"*{_KERAS}"))
    return job.file(_KERAS) if looks_so and not (job.source / "saved_model.pb").exists() else None


def _saved_model(job: Job) -> Path:
    file = _keras_file(job)
    return keras_file.exported(file) if file else job.source


def load(job: Job) -> Loaded:
    """Load the SavedModel for asking.

    Raises:
        ConversionFailed: TensorFlow cannot load it, or it has no signature `serving_default`.
    """
    tensorflow = import_module("tensorflow")
    try:
        model = tensorflow.saved_model.load(str(_saved_model(job)), tags=["serve"])
    except (OSError, RuntimeError, ValueError, KeyError, tensorflow.errors.OpError) as error:
        raise ConversionFailed(
            f"TensorFlow cannot load {job.source}: {error}", mend="export the model again: model.export(FOLDER)"
        ) from error
    if _SIGNATURE not in model.signatures:
        raise ConversionFailed(
            f"{job.source} has no signature `{_SIGNATURE}`; it has: {', '.join(model.signatures) or 'none'}",
            mend="export the model with a signature of that name, as model.export(FOLDER) does",
        )
    answer = model.signatures[_SIGNATURE]
    return Loaded(model, answer, dict(answer.structured_input_signature[1]))


def to_onnx(job: Job) -> ModelProto:
    """Convert the signature `serving_default`.

    Raises:
        ConversionFailed: it holds an operation that tf2onnx does not know.
    """
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)  # its warnings of unknown shapes are harmless
    optimizer = import_module("tf2onnx.optimizer")
    model: ModelProto = optimizer.optimize_graph(_converted(*_graph(job)), catch_errors=False).make_model("model")
    return model


def _graph(job: Job) -> tuple[Any, dict[str, Any]]:
    """What TensorFlow would run, and tf2onnx's words for what goes in and comes out."""
    tensorflow, loader = (import_module(module) for module in ("tensorflow", "tf2onnx.tf_loader"))
    frozen, inputs, outputs, tables, names = loader.from_saved_model(
        str(_saved_model(job)),
        None,
        None,
        tag=["serve"],
        signatures=[_SIGNATURE],
        return_initialized_tables=True,
        return_tensors_to_rename=True,
    )
    graph = tensorflow.Graph()
    with graph.as_default():
        tensorflow.import_graph_def(frozen, name="")
    words = {"input_names": inputs, "output_names": outputs, "initialized_tables": tables, "tensors_to_rename": names}
    return graph, words


def _converted(graph: Any, words: Mapping[str, Any]) -> Any:
    """tf2onnx reports an operation that it does not know as a ValueError or, inside of functions, in the graph."""
    try:
        with graph.as_default():
            return import_module("tf2onnx.tfonnx").process_tf_graph(graph, opset=OPSET, **words)
    except (ValueError, NotImplementedError, KeyError) as error:
        raise ConversionFailed(
            f"tf2onnx cannot convert the model: {error}",
            mend="replace the layer that needs this operation, or compute it before the model",
        ) from error


def predict(loaded: Loaded, batch: Batch) -> Batch:
    """Ask the source itself.

    Raises:
        ConversionFailed: the batch is not what the signature asks for.
        ValueError: the source refused a row of the batch.
    """
    tensorflow = import_module("tensorflow")
    tensors = {name: _tensor(tensorflow, name, loaded, batch) for name in loaded.inputs}
    try:
        answers = loaded.answer(**tensors)
    except tensorflow.errors.OpError as error:
        raise ValueError(error.message) from error
    return {name: _array(tensor) for name, tensor in answers.items()}


def _array(tensor: Any) -> npt.NDArray[Any]:
    """TensorFlow answers strings as UTF-8 bytes."""
    array: npt.NDArray[Any] = np.asarray(tensor.numpy())
    if array.dtype.kind != "O":
        return array
    texts = [raw.decode(errors="replace") for raw in array.ravel().tolist()]
    return np.array(texts, dtype=object).reshape(array.shape)


def _tensor(tensorflow: Any, name: str, loaded: Loaded, batch: Batch) -> Any:
    asked = loaded.inputs[name]
    if name not in batch:
        raise ConversionFailed(
            f"the source asks for an input `{name}` ({asked.dtype.name}), which is not declared",
            mend="declare it under `inputs` in model.yaml, and give the samples such a column",
        )
    given = tensorflow.constant(batch[name])
    if given.dtype != asked.dtype or not asked.shape.is_compatible_with(given.shape):
        raise ConversionFailed(
            f"the source asks for `{name}` as {asked.dtype.name}{asked.shape}; "
            f"declared is {given.dtype.name}{given.shape}",
            mend="give the input in model.yaml the dtype and shape of the source's signature",
        )
    return given


def tools() -> dict[str, str]:
    """Versions of what may change the result."""
    return {package: metadata.version(package) for package in ("keras", "onnx", "tensorflow-cpu", "tf2onnx")}
