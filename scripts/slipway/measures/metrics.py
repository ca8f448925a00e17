"""How good is the model on labelled rows, and how sure is that?"""

from __future__ import annotations

from slipway.domain.model import Decision
from slipway.domain.release import MetricsEvidence
from slipway.domain.rows import Batch, LabelledRows, scores
from slipway.domain.verdict import estimate_of
from slipway.maths.classification import METRICS, area_under_curve, confusion, decide
from slipway.maths.intervals import estimate_metric

_SEED = 20130101  # of the resampling: the same rows give the same interval on any machine


def measure(rows: LabelledRows, outputs: Batch, decision: Decision) -> MetricsEvidence:
    """Score the rows that count; days are resampled, since rows of one day share their weather."""
    score, labels, days = (
        scores(outputs, decision.output)[rows.counts],
        rows.labels[rows.counts],
        rows.days[rows.counts],
    )
    decided = decide(score, threshold=decision.threshold)
    return MetricsEvidence(
        rows=len(labels),
        positives=int(labels.sum()),
        days=len(set(days.tolist())),
        metrics={
            name: estimate_of(estimate_metric(days, labels, decided, metric=name, seed=_SEED))
            for name in sorted(METRICS)
        },
        always_positive_f1=confusion(labels, decided).always_positive_f1 or 0.0,
        auc=area_under_curve(labels, score) if len(labels) else None,
    )
