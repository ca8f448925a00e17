"""How far are the ONNX file's answers from its source's?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from slipway.domain.decisions import decided, flipped, sureness
from slipway.domain.model import Decision
from slipway.domain.release import FidelityEvidence
from slipway.domain.rows import Batch, is_number, rows_in
from slipway.maths.agreement import differences, worst_rows
from slipway.maths.finite import largest_finite, rows_with_infinity

_MOST_MARGINS = 1_000


def measure(
    *,
    source: Batch,
    onnx: Batch,
    source_edges: Batch,
    onnx_edges: Batch,
    noise_floor: Mapping[str, float],
    decision: Decision,
) -> FidelityEvidence:
    """Compare all outputs on sample rows and on edge rows; decisions on sample rows only."""
    apart = [differences(source[name], onnx[name]) for name in source]
    apart_on_edges = [differences(source_edges[name], onnx_edges[name]) for name in source_edges]
    theirs, ours = source[decision.output], onnx[decision.output]
    flips = flipped(decided(source, decision), decided(onnx, decision), decision)
    margins = sureness(source, decision)[flips]
    return FidelityEvidence(
        rows=rows_in(source),
        edge_rows=rows_in(source_edges),
        largest_difference=largest_finite([*apart, *apart_on_edges]),
        unlike_rows=rows_with_infinity(apart) + rows_with_infinity(apart_on_edges),
        largest_output=largest_finite(
            [np.abs(column.astype(np.float64)) for column in source.values() if is_number(column)]
        ),
        noise_floor=max(noise_floor.values(), default=0.0),
        flips=int(flips.sum()),
        flip_margins=tuple(np.sort(margins[np.isfinite(margins)])[::-1][:_MOST_MARGINS].tolist()),
        worst_rows=worst_rows(theirs, ours),
    )
