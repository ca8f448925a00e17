"""Does a version still give the answers that it gave at its release?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.evidence import Golden, MetricsEvidence, RebaseEvidence
from slipway.domain.model import Model
from slipway.domain.rows import Batch, is_number, rows_in, take
from slipway.domain.verdict import Estimate
from slipway.maths.agreement import SMALLEST_TOLERANCE, differences

GOLDEN_ROWS = 50


def golden(samples: Batch, outputs: Batch) -> Golden:
    """Keep the first rows with their answers; shape [rows, *], flattened row by row.

    A row with an infinity is left out: JSON can hold none, and NaN in its place would be another question.
    """
    few = np.flatnonzero(_without_infinity({**samples, **outputs}))[:GOLDEN_ROWS]
    return Golden(
        rows=len(few),
        inputs={name: _values(column) for name, column in take(samples, few).items()},
        outputs={name: _values(column) for name, column in take(outputs, few).items()},
    )


def questions(model: Model, answers: Golden) -> dict[str, npt.NDArray[Any]]:
    """The golden inputs as a batch again."""
    return {
        feature.name: np.array(
            [np.nan if value is None else value for value in answers.inputs[feature.name]],
            dtype=object if feature.dtype == "string" else feature.dtype.value,
        ).reshape(-1, *feature.shape)
        for feature in model.inputs
    }


def equal_rows(answers: Golden, now: Batch) -> int:
    """How many rows get the same answer, within the last digits of float32."""
    if answers.rows == 0 or any(name not in now or len(now[name]) != answers.rows for name in answers.outputs):
        return 0
    wrong = np.zeros(answers.rows, np.bool_)
    for name, values in answers.outputs.items():
        then = np.array([np.nan if value is None else value for value in values]).reshape(now[name].shape)
        apart = differences(then, now[name]).reshape(answers.rows, -1)
        size = np.abs(then).reshape(answers.rows, -1) if is_number(then) else np.zeros_like(apart)
        wrong |= (apart > SMALLEST_TOLERANCE * np.fmax(1.0, size)).any(axis=1)  # fmax: NaN would allow everything
    return int((~wrong).sum())


def on_another_runtime(
    answers: Golden, now: Batch, *, metrics_before: Mapping[str, float], metrics: MetricsEvidence
) -> RebaseEvidence:
    """What changed for a model whose file is the same: its golden answers, and its metrics on all rows."""
    unlike, largest = np.zeros(answers.rows, np.bool_), 0.0
    for name, values in answers.outputs.items():
        then = np.array([np.nan if value is None else value for value in values]).reshape(now[name].shape)
        apart = differences(then, now[name]).reshape(answers.rows, -1)
        unlike |= np.isinf(apart).any(axis=1)
        largest = max(largest, float(apart[np.isfinite(apart)].max(initial=0.0)))
    return RebaseEvidence(
        rows=answers.rows,
        unlike_rows=int(unlike.sum()),
        largest_difference=largest,
        metrics_moved={name: _moved(value, metrics.metrics[name]) for name, value in _in_both(metrics_before, metrics)},
    )


def _in_both(before: Mapping[str, float], metrics: MetricsEvidence) -> Iterator[tuple[str, float]]:
    """A policy may ask for other metrics by now."""
    return ((name, value) for name, value in sorted(before.items()) if name in metrics.metrics)


def _moved(before: float, now: Estimate | None) -> float | None:
    return None if now is None else abs(now.value - before)


def _without_infinity(columns: Batch) -> npt.NDArray[np.bool_]:
    """A bool a row."""
    fine = np.ones(rows_in(columns), np.bool_)
    for column in columns.values():
        if column.dtype.kind == "f":
            fine &= ~np.isinf(column).reshape(len(column), -1).any(axis=1)
    return fine


def _values(column: npt.NDArray[Any]) -> list[Any]:
    """JSON has no NaN: it is told as null."""
    return [None if isinstance(value, float) and not np.isfinite(value) else value for value in column.ravel().tolist()]
