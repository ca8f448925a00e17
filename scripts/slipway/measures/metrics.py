"""How good is the model on labelled rows, and how sure is that?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from slipway.domain.decisions import scored
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.model import Decision
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.verdict import estimate_of
from slipway.maths.classification import confusion
from slipway.maths.named_metrics import BY_NAME, DecisionKind, built_in
from slipway.maths.scored import Scored
from slipway.maths.scoring import estimate, value_of

_SEED = 20130101  # of the resampling: the same rows give the same interval on any machine


def measure(rows: LabelledRows, outputs: Batch, decision: Decision, *, named: Iterable[str] = ()) -> MetricsEvidence:
    """Score the rows that count by what is built in for their kind, and by what a policy names of its kind.

    Whole days or groups are resampled, since rows of one day share their weather.
    """
    answers = scored(rows, outputs, decision, labelled_by=decision)
    assert answers is not None  # one decision is of one kind
    wanted = {*built_in(decision.kind), *(name for name in named if decision.kind in BY_NAME[name].kinds)}
    yes_or_no = decision.kind is DecisionKind.YES_OR_NO
    return MetricsEvidence(
        rows=len(answers.labels),
        positives=int(answers.labels.sum()) if yes_or_no else len(answers.labels),
        days=len(np.unique(rows.days[rows.counts])),
        metrics={name: estimate_of(estimate(BY_NAME[name], answers, seed=_SEED)) for name in sorted(wanted)},
        always_positive_f1=_always_positive_f1(answers) if yes_or_no else None,
        auc=_auc(answers) if yes_or_no else None,
        kind=decision.kind,
        groups=None if rows.groups is None else len(np.unique(answers.groups)),
    )


def _always_positive_f1(answers: Scored) -> float:
    return confusion(answers.labels, answers.decisions).always_positive_f1 or 0.0


def _auc(answers: Scored) -> float | None:
    area = value_of(BY_NAME["auc"], answers) if len(answers.labels) else np.nan
    return None if np.isnan(area) else area
