"""How far are the ONNX file's answers from its source's?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from slipway.domain.conversion import SplitProbes
from slipway.domain.decisions import decided, flipped, sureness
from slipway.domain.evidence import FidelityEvidence, ProbesEvidence, RefusedEvidence
from slipway.domain.model import Decision
from slipway.domain.rows import Batch, is_number, rows_in
from slipway.maths.agreement import differences, worst_rows
from slipway.maths.columns import FloatArray
from slipway.maths.finite import largest_finite, rows_with_infinity

_MOST_MARGINS = 1_000
_MOST_DIFFERENCES = 1_000
_LARGEST_NUMBER = float(np.finfo(np.float64).max)  # a page holds no infinity


def measure(
    *,
    source: Batch,
    onnx: Batch,
    source_edges: Batch,
    onnx_edges: Batch,
    noise_floor: Mapping[str, float],
    decision: Decision,
    probes: ProbesEvidence | None = None,
    refused: RefusedEvidence | None = None,
) -> FidelityEvidence:
    """Compare all outputs on sample rows and on edge rows; decisions on sample rows only.

    An edge row whose answer is larger than that to any sample counts in proportion: float32 rounds it in larger steps.
    `probes` and `refused` are what `at_splits` and `where_refused` measured.
    """
    apart = [differences(source[name], onnx[name]) for name in source]
    usual = largest_finite([np.abs(column.astype(np.float64)) for column in source.values() if is_number(column)])
    apart_on_edges = [
        _in_proportion(differences(column, onnx_edges[name]), column, usual=max(1.0, usual))
        for name, column in source_edges.items()
    ]
    theirs, ours = source[decision.output], onnx[decision.output]
    flips = flipped(decided(source, decision), decided(onnx, decision), decision)
    margins = sureness(source, decision)[flips]
    return FidelityEvidence(
        rows=rows_in(source),
        edge_rows=rows_in(source_edges),
        largest_difference=largest_finite([*apart, *apart_on_edges]),
        unlike_rows=rows_with_infinity(apart) + rows_with_infinity(apart_on_edges),
        largest_output=usual,
        noise_floor=max(noise_floor.values(), default=0.0),
        flips=int(flips.sum()),
        flip_margins=tuple(np.sort(margins[np.isfinite(margins)])[::-1][:_MOST_MARGINS].tolist()),
        worst_rows=worst_rows(theirs, ours),
        probes=probes,
        refused=refused,
    )


def _in_proportion(apart: FloatArray, answers: npt.NDArray[Any], *, usual: float) -> FloatArray:
    """Differences, divided by how many times an answer is larger than the usual ones; shape as `answers`."""
    if not is_number(answers):
        return apart
    size = np.abs(answers.astype(np.float64))
    return np.where(np.isfinite(size), apart / np.maximum(1.0, np.where(np.isfinite(size), size, 0.0) / usual), apart)


def at_splits(splits: SplitProbes, *, source: Batch, onnx: Batch) -> ProbesEvidence:
    """Compare all outputs on rows at splits of trees, a row by its largest difference; both empty where none was asked.

    Which rows differ by too much is for the gate to say: it knows the tolerance.
    """
    apart = _largest_a_row([differences(source[name], onnx[name]) for name in source])
    largest = np.sort(apart[apart > 0])[::-1]
    return ProbesEvidence(
        rows=rows_in(source),
        different=len(largest),
        differences=tuple(np.minimum(largest[:_MOST_DIFFERENCES], _LARGEST_NUMBER).tolist()),
        splits=splits.splits,
        probed=splits.probed,
        problem=splits.problem,
    )


def where_refused(answers: Sequence[Batch | None]) -> RefusedEvidence:
    """Count what the ONNX file answers to the edge rows that its source refuses; None where it refuses, too."""
    answered = [answer for answer in answers if answer is not None]
    return RefusedEvidence(
        rows=len(answers),
        answered=len(answered),
        finite=sum(all(np.isfinite(one).all() for one in answer.values() if is_number(one)) for answer in answered),
    )


def _largest_a_row(columns: Sequence[FloatArray]) -> FloatArray:
    """The largest of several arrays of shape [N, ..]: shape [N]."""
    flat = [column.reshape(len(column), -1).max(axis=1, initial=0.0) for column in columns]
    return np.max(flat, axis=0) if flat else np.zeros(0)
