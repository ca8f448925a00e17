"""What would users notice between a version before and this one?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from slipway.domain.model import Decision, Model
from slipway.domain.release import ComparisonEvidence, Slice
from slipway.domain.rows import Batch, LabelledRows, is_number, rows_in, scores
from slipway.domain.signature import DataType, Signature
from slipway.domain.verdict import Estimate, estimate_of
from slipway.maths.agreement import differences, tolerance
from slipway.maths.classification import METRICS, decide, flips
from slipway.maths.finite import largest_finite, rows_with_infinity
from slipway.maths.intervals import paired_difference

_SEED = 20130102
_MOST_SLICES = 8
_MOST_VALUES = 50  # of a column that is told apart by its values


def measure(
    *,
    model: Model,
    version: str,
    before: Signature,
    rows: LabelledRows,
    outputs_before: Batch | None,
    outputs: Batch,
    noise_floor: float,
    decision_before: Decision,
) -> ComparisonEvidence:
    """Compare two versions on the same rows.

    `outputs_before` is None where the version before asks for an input that the samples lack; then only the
    signatures are compared. Each version decides by its own output and threshold.
    """
    changes = before.changes_to(model.signature)
    if outputs_before is None:
        return _signatures_only(version, changes)
    old = decide(scores(outputs_before, decision_before.output), threshold=decision_before.threshold)
    new = decide(scores(outputs, model.decision.output), threshold=model.decision.threshold)
    shared = [name for name in outputs if name in outputs_before and outputs[name].shape == outputs_before[name].shape]
    apart = [differences(outputs_before[name], outputs[name]) for name in shared]
    moved = flips(old, new)
    return ComparisonEvidence(
        version=version,
        signature_changes=changes,
        rows=rows_in(outputs),
        largest_difference=largest_finite(apart),
        unlike_rows=rows_with_infinity(apart),
        tolerance=max(
            (tolerance(noise_floor, outputs[name]) for name in shared if is_number(outputs[name])), default=0.0
        ),
        now_positive=moved.to_positive,
        now_negative=moved.to_negative,
        slices=_slices(model, rows.batch, old != new),
        differences=_differences(rows, old, new),
    )


def _signatures_only(version: str, changes: tuple[str, ...]) -> ComparisonEvidence:
    return ComparisonEvidence(
        version=version,
        signature_changes=changes,
        rows=0,
        largest_difference=0.0,
        unlike_rows=0,
        tolerance=0.0,
        now_positive=0,
        now_negative=0,
        slices=(),
        differences=dict.fromkeys(sorted(METRICS)),
    )


def _differences(
    rows: LabelledRows, old: npt.NDArray[np.bool_], new: npt.NDArray[np.bool_]
) -> dict[str, Estimate | None]:
    counted = rows.counts
    return {
        name: estimate_of(
            paired_difference(
                rows.days[counted], rows.labels[counted], old[counted], new[counted], metric=name, seed=_SEED
            )
        )
        for name in sorted(METRICS)
    }


def _slices(model: Model, batch: Batch, flipped: npt.NDArray[np.bool_]) -> tuple[Slice, ...]:
    """The values of words with the most flips: where a reviewer would look first."""
    found = [
        Slice(column=feature.name, value=str(value), rows=int(members.sum()), flips=int((members & flipped).sum()))
        for feature in model.inputs
        if feature.dtype is DataType.STRING and feature.shape == (1,)
        for value in _commonest(batch[feature.name])
        for members in [batch[feature.name].ravel() == value]
    ]
    most = sorted(found, key=lambda one: (-one.flips, one.column, one.value))
    return tuple(one for one in most[:_MOST_SLICES] if one.flips)


def _commonest(column: npt.NDArray[np.object_]) -> list[str]:
    values, counts = np.unique(column.astype(str), return_counts=True)
    return [str(value) for value in values[np.argsort(-counts, kind="stable")][:_MOST_VALUES]]
