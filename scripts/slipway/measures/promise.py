"""What would users notice between a version before and this one?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from slipway.domain.decisions import decided, flipped, moves, scored
from slipway.domain.evidence import ClassChange, ComparisonEvidence, NumberMoves
from slipway.domain.flips import flips_by_value
from slipway.domain.model import Decision, Model
from slipway.domain.rows import Batch, LabelledRows, is_number, rows_in
from slipway.domain.signature import Signature
from slipway.domain.verdict import Estimate, estimate_of
from slipway.maths.agreement import differences, tolerance
from slipway.maths.finite import largest_finite, rows_with_infinity
from slipway.maths.named_metrics import BY_NAME, DecisionKind, Metric, compared_by
from slipway.maths.scored import Scored
from slipway.maths.scoring import difference, estimate

_SEED = 20130102
_MOST_CHANGES = 10


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
    named: Iterable[str] = (),
) -> ComparisonEvidence:
    """Compare two versions on the same rows, by the metrics of their kind and by those that a policy names.

    `outputs_before` is None where the version before asks for an input that the samples lack; then only the
    signatures are compared. Each version decides by its own decision; a number is noticed as the candidate declares.
    """
    changes = before.changes_to(model.signature)
    back = before.lacks_of(model.signature)
    if outputs_before is None:
        return _signatures_only(version, changes, back, kind=model.decision.kind)
    old, new = decided(outputs_before, decision_before), decided(outputs, model.decision)
    flips = flipped(old, new, model.decision)
    compared = _Compared(
        metrics=_compared_by(model.decision, named),
        before=scored(rows, outputs_before, decision_before, labelled_by=model.decision),
        after=scored(rows, outputs, model.decision, labelled_by=model.decision),
    )
    shared = [name for name in outputs if name in outputs_before and outputs[name].shape == outputs_before[name].shape]
    apart = [differences(outputs_before[name], outputs[name]) for name in shared]
    return ComparisonEvidence(
        version=version,
        signature_changes=changes,
        rows=rows_in(outputs),
        largest_difference=largest_finite(apart),
        unlike_rows=rows_with_infinity(apart),
        tolerance=max(
            (tolerance(noise_floor, outputs[name]) for name in shared if is_number(outputs[name])), default=0.0
        ),
        slices=flips_by_value(model.inputs, rows.batch, flips),
        differences=compared.differences(),
        before=compared.values_before(),
        flipped=int(flips.sum()),
        back=back,
        **how_decisions_change(old, new, flips, model.decision),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Two versions by the same metrics; one is None where it decides something of another kind than the labels."""

    metrics: tuple[Metric, ...]
    before: Scored | None
    after: Scored | None

    def differences(self) -> dict[str, Estimate | None]:
        return {one.name: self._difference(one) for one in self.metrics}

    def values_before(self) -> dict[str, Estimate | None]:
        """Of metrics whose differences say something only beside them."""
        return {
            one.name: estimate_of(estimate(one, self.before, seed=_SEED)) if self.before else None
            for one in self.metrics
            if one.unbounded
        }

    def _difference(self, metric: Metric) -> Estimate | None:
        if self.before is None or self.after is None:
            return None
        return estimate_of(difference(metric, self.before, self.after, seed=_SEED))


def _compared_by(decision: Decision, named: Iterable[str]) -> tuple[Metric, ...]:
    asked = {name for name in named if decision.kind in BY_NAME[name].kinds}
    return tuple(BY_NAME[name] for name in sorted({*compared_by(decision.kind), *asked}))


class _HowDecisionsChange(TypedDict):
    """Those fields of the evidence that depend on the kind of the decisions."""

    kind: DecisionKind
    now_positive: int
    now_negative: int
    changes: tuple[ClassChange, ...]
    moves: NumberMoves | None


def how_decisions_change(
    old: npt.NDArray[Any], new: npt.NDArray[Any], flips: npt.NDArray[np.bool_], decision: Decision
) -> _HowDecisionsChange:
    """Which way decisions flip; of two versions that decide things of different kinds, no way is known."""
    told = _HowDecisionsChange(kind=decision.kind, now_positive=0, now_negative=0, changes=(), moves=None)
    if old.dtype.kind != new.dtype.kind:
        return told
    if decision.noticeable is not None:
        told["moves"] = _moves(old, new, flips, noticeable=decision.noticeable)
    elif decision.classes is not None:
        told["changes"] = _commonest_changes(old[flips], new[flips])
    else:
        told["now_positive"], told["now_negative"] = int((~old & new).sum()), int((old & ~new).sum())
    return told


def _commonest_changes(old: npt.NDArray[np.str_], new: npt.NDArray[np.str_]) -> tuple[ClassChange, ...]:
    counted = Counter(zip(old.tolist(), new.tolist(), strict=True))
    ranked = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return tuple(ClassChange(before=pair[0], after=pair[1], rows=rows) for pair, rows in ranked[:_MOST_CHANGES])


def _moves(
    old: npt.NDArray[np.float64], new: npt.NDArray[np.float64], flips: npt.NDArray[np.bool_], *, noticeable: float
) -> NumberMoves:
    apart = moves(old, new)[flips]
    sizes = apart[np.isfinite(apart)]
    return NumberMoves(
        noticeable=noticeable,
        up=int((flips & (new > old)).sum()),
        down=int((flips & (new < old)).sum()),
        median=round(float(np.median(sizes)), 6) if sizes.size else None,
        largest=round(float(sizes.max()), 6) if sizes.size else None,
    )


def _signatures_only(
    version: str, changes: tuple[str, ...], back: tuple[str, ...], *, kind: DecisionKind
) -> ComparisonEvidence:
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
        differences=dict.fromkeys(compared_by(kind)),
        kind=kind,
        back=back,
    )
