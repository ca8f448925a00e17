"""What XGBoost and LightGBM share: one matrix of numbers in; a probability, several, or a number out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto

from slipway.converters.framed import OPSET, Answer
from slipway.converters.job import Column, Job
from slipway.domain.rows import Batch
from slipway.errors import ConversionFailed


@dataclass(frozen=True, slots=True)
class Loaded:
    """`classes` is 0 where the model answers a number. `columns` are the inputs in the order of the training.

    `threads` is how many a question may take.
    """

    booster: Any
    classes: int
    columns: tuple[Column, ...]
    answers: tuple[Answer, ...]
    threads: int = 1


def with_threads(found: Loaded, threads: int) -> Loaded:
    return replace(found, threads=threads)


def loaded(job: Job, booster: Any, *, classes: int, names: Sequence[str] | None, width: int) -> Loaded:
    """Hold a booster against what model.yaml declares.

    Raises:
        ConversionFailed: it takes other columns than declared, or has no such answer.
    """
    columns = job.matrix_columns(names, width=width)
    if words := [column.name for column in columns if column.dtype == "string"]:
        raise ConversionFailed(
            f"the source takes numbers only; declared as string: {', '.join(words)}",
            mend="declare the number that the training gave to each word, and let clients send it",
        )
    return Loaded(booster, classes, columns, tuple(_answer(output, classes) for output in job.outputs))


def _answer(output: Column, classes: int) -> Answer:
    """Float outputs are the number or the probabilities, whole ones the number of the class."""
    if classes == 0:
        return Answer(output, position=0)
    if output.dtype not in ("float32", "float64"):
        return Answer(output, position=0)
    return Answer(output, position=1, only=output.only_of(classes))


def answered(found: Loaded, raw: npt.NDArray[Any]) -> Batch:
    """The declared outputs, from what a booster answers: `[N]`, or `[N, classes]` for more than two."""
    chances = np.stack([1 - raw, raw], axis=1) if found.classes == 2 else raw
    answers: dict[str, npt.NDArray[Any]] = {}
    for answer in found.answers:
        one = chances if answer.position == 1 else chances.argmax(axis=1) if found.classes else raw
        one = one if answer.only is None else one[:, answer.only]
        answers[answer.column.name] = one.astype(answer.column.dtype).reshape(-1, *answer.column.shape)
    return answers


def converted(convert: Callable[..., ModelProto], booster: Any, *, width: int, **options: Any) -> ModelProto:
    """Let onnxmltools convert a booster of `width` columns.

    Raises:
        ConversionFailed: it does not know a part of the model.
    """
    matrix = import_module("onnxmltools.convert.common.data_types").FloatTensorType([None, width])
    try:
        return convert(booster, initial_types=[("matrix", matrix)], target_opset=OPSET, **options)
    except (RuntimeError, NameError, ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise ConversionFailed(
            f"onnxmltools cannot convert the model: {str(error).strip()}", mend="train it without what it names"
        ) from error
