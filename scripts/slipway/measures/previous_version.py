"""Would the version before have done better on the very same rows?"""

from __future__ import annotations

from slipway.domain.incident import PreviousEvidence
from slipway.domain.model import Decision
from slipway.domain.rows import Batch, LabelledRows, scores
from slipway.domain.verdict import estimate_of
from slipway.maths.classification import decide
from slipway.maths.intervals import estimate_metric, paired_difference

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
    """Score both on labelled rows of production; days are resampled for both together."""
    now = decide(scores(deployed, decision.output), threshold=decision.threshold)
    before = decide(scores(previous, previous_decision.output), threshold=previous_decision.threshold)
    days, labels = rows.days, rows.labels
    return PreviousEvidence(
        version=version,
        rows=len(rows),
        deployed_f1=estimate_of(estimate_metric(days, labels, now, metric="f1", seed=_SEED)),
        previous_f1=estimate_of(estimate_metric(days, labels, before, metric="f1", seed=_SEED)),
        difference=estimate_of(paired_difference(days, labels, now, before, metric="f1", seed=_SEED)),
    )
