"""Are the answers finite, and of the declared shape?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from slipway.domain.evidence import OutputsEvidence
from slipway.domain.model import Feature, Model
from slipway.domain.rows import Batch, rows_in


def measure(model: Model, outputs: Batch, *, rows: int) -> OutputsEvidence:
    """`rows` is how many rows the model was asked."""
    return OutputsEvidence(
        rows=rows,
        not_finite=not_finite(outputs, model.outputs),
        wrong_shapes=tuple(
            f"output `{feature.name}` has shape {list(outputs[feature.name].shape)}, declared is "
            f"{[rows, *feature.shape]}"
            for feature in model.outputs
            if feature.name in outputs and outputs[feature.name].shape != (rows, *feature.shape)
        ),
    )


def not_finite(outputs: Batch, features: Iterable[Feature]) -> dict[str, int]:
    """By output, the rows in which it is no number; a whole number always is one, and so are words."""
    return {feature.name: _not_finite(outputs, feature.name) for feature in features}


def _not_finite(outputs: Batch, name: str) -> int:
    column = outputs.get(name)
    if column is None or column.dtype.kind != "f" or rows_in(outputs) == 0:
        return 0
    return int((~np.isfinite(column)).reshape(len(column), -1).any(axis=1).sum())
