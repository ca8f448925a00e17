"""How much worse is the model on a part of the rows than on all, and how far apart are the groups of a column?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import numpy.typing as npt

from slipway.domain.decisions import scored
from slipway.domain.evidence import GapEvidence, SliceEvidence, SlicesEvidence
from slipway.domain.limits import SlicesLimit
from slipway.domain.model import Model
from slipway.domain.rows import Batch, LabelledRows
from slipway.domain.signature import DataType
from slipway.domain.verdict import estimate_of
from slipway.maths.named_metrics import FAIRNESS, DecisionKind, Metric, foremost, metric_called
from slipway.maths.scored import Scored
from slipway.maths.scoring import between_parts, estimate, positives_of

_SEED = 20130104


def measure(model: Model, rows: LabelledRows, outputs: Batch, limit: SlicesLimit) -> SlicesEvidence:
    """Score each slice against all rows that count, and the groups of protected columns against each other.

    Of the limit, only what is to be measured is looked at: columns, metric, criteria of fairness (which are of models
    that decide yes or no), and how many values a column may have.
    """
    metric = _metric(limit, model.decision.kind)
    columns = _columns(model, rows, limit)
    wide = tuple(name for name, column in columns.items() if len(np.unique(column[rows.counts])) > limit.values)
    kept = {name: column for name, column in columns.items() if name not in wide}
    whole = scored(rows, outputs, model.decision, labelled_by=model.decision)
    assert whole is not None  # one decision is of one kind
    parts = {
        name: {value: column[rows.counts] == value for value in np.unique(column[rows.counts]).tolist()}
        for name, column in kept.items()
    }
    return SlicesEvidence(
        metric=metric.name,
        overall=estimate_of(estimate(metric, whole, seed=_SEED)),
        slices=tuple(
            _slice(metric, whole, members, column=name, value=value)
            for name, values in parts.items()
            for value, members in values.items()
        ),
        gaps=tuple(
            gap
            for name in limit.protected
            if name in parts
            for criterion, by in {"": metric, **{each: FAIRNESS[each] for each in limit.criteria}}.items()
            for gap in _gaps(by, whole, parts[name], column=name, criterion=criterion)
        ),
        columns=tuple(kept),
        too_many_values=wide,
    )


def _metric(limit: SlicesLimit, kind: DecisionKind) -> Metric:
    """The foremost of its kind where the policy names none that applies."""
    named = metric_called(limit.metric) if limit.metric else None
    return named if named is not None and kind in named.kinds else foremost(kind)


def _columns(model: Model, rows: LabelledRows, limit: SlicesLimit) -> dict[str, npt.NDArray[np.str_]]:
    inputs = [one.name for one in model.inputs if one.dtype is DataType.STRING and one.shape == (1,)]
    asked: Iterable[str] = inputs if limit.columns is None else limit.columns
    told = {**rows.batch, **rows.columns}
    return {name: told[name].ravel().astype(str) for name in dict.fromkeys((*asked, *limit.protected))}


def _slice(metric: Metric, whole: Scored, members: npt.NDArray[np.bool_], *, column: str, value: str) -> SliceEvidence:
    part = whole.part(members)
    return SliceEvidence(
        column=column,
        value=value,
        rows=int(members.sum()),
        positives=positives_of(metric, part),
        value_of=estimate_of(estimate(metric, part, seed=_SEED)),
        against_all=estimate_of(between_parts(metric, whole, np.ones(len(members), np.bool_), members, seed=_SEED)),
    )


def _gaps(
    metric: Metric, whole: Scored, groups: dict[str, npt.NDArray[np.bool_]], *, column: str, criterion: str
) -> Iterable[GapEvidence]:
    """Every pair: which is the widest depends on how sure each is, and that is for the gate to say."""
    for one, other in combinations(groups, 2):
        yield GapEvidence(
            column=column,
            one=one,
            other=other,
            positives=min(positives_of(metric, whole.part(groups[name])) for name in (one, other)),
            difference=estimate_of(between_parts(metric, whole, groups[one], groups[other], seed=_SEED)),
            criterion=criterion,
        )
