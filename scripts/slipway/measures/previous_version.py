"""Would the version before have done better on the very same rows?"""

from __future__ import annotations

from slipway.domain.decisions import scored
from slipway.domain.incident import PreviousEvidence
from slipway.domain.model import Decision
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.verdict import Estimate, estimate_of
from slipway.maths.named_metrics import Metric, foremost
from slipway.maths.scored import Scored
from slipway.maths.scoring import difference, estimate

_SEED = 20130103


def measure(
    rows: LabelledRows,
    *,
    version: str,
    deployed: Batch,
    previous: Batch,
    decision: Decision,
    previous_decision: Decision,
) -> PreviousEvidence:
    """Score both on labelled rows of production, read for `decision`; days are resampled for both together."""
    metric = foremost(decision.kind)
    now = scored(rows, deployed, decision, labelled_by=decision)
    before = scored(rows, previous, previous_decision, labelled_by=decision)
    return PreviousEvidence(
        version=version,
        rows=len(rows),
        metric=metric.name,
        deployed=_estimate(metric, now),
        previous=_estimate(metric, before),
        difference=estimate_of(difference(metric, now, before, seed=_SEED)) if now and before else None,
    )


def _estimate(metric: Metric, answers: Scored | None) -> Estimate | None:
    return estimate_of(estimate(metric, answers, seed=_SEED)) if answers else None
