"""Is the model as good for a part of its users as for all, and for one group as for another?

Of many slices, some look bad by chance: every interval is widened to hold for all of them together (Bonferroni), so
that one false alarm among them stays as seldom as for a single one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import GapEvidence, SliceEvidence, SlicesEvidence
from slipway.domain.limits import SlicesLimit
from slipway.domain.verdict import Estimate, Finding, Verdict, widened
from slipway.maths.named_metrics import BY_NAME, FAIRNESS, Metric, metric_called

_FILE = "policies/slices.yaml"
_MORE_ROWS = "add labelled sample rows of it: about {more:,} more {counted}"


def judge(case: ReleaseCase, limit: SlicesLimit) -> tuple[Finding, ...]:
    return () if case.evidence.slices is None else judge_measured(case.evidence.slices, limit)


def judge_measured(measured: SlicesEvidence, limit: SlicesLimit) -> tuple[Finding, ...]:
    """The same, of any rows with labels."""
    return (*_not_measured(measured, limit), *_slices(measured, limit), *_gaps(measured, limit))


@dataclass(frozen=True, slots=True)
class _Judged:
    """How much worse one part is than another, above zero, with the widened interval."""

    name: str
    worse: Estimate
    allowed: float

    @property
    def verdict(self) -> Verdict:
        if self.worse.high <= self.allowed:
            return Verdict.PASS
        return Verdict.FAIL if self.worse.low > self.allowed else Verdict.NOT_ENOUGH_EVIDENCE


# --- slices --------------------------------------------------------------------------------------------------------


def _slices(measured: SlicesEvidence, limit: SlicesLimit) -> tuple[Finding, ...]:
    metric, allowed = BY_NAME[measured.metric], _allowed(measured, limit.worse)
    if not measured.slices or allowed is None:
        return ()
    known = [one for one in measured.slices if _is_known(one, limit)]
    judged = [_judged_slice(one, metric, among=len(known), allowed=allowed) for one in known]
    worst = _worst(judged)
    unknown = (one for one in measured.slices if not _is_known(one, limit))
    thin = min(unknown, key=lambda one: one.positives, default=None)
    if thin is not None and (worst is None or worst.verdict is not Verdict.FAIL):
        return (_too_thin(thin, measured, limit),)
    return () if worst is None else (_told_slice(worst, measured, allowed=allowed, slices=len(known)),)


def _is_known(one: SliceEvidence, limit: SlicesLimit) -> bool:
    return one.positives >= limit.positives and one.against_all is not None


def _judged_slice(one: SliceEvidence, metric: Metric, *, among: int, allowed: float) -> _Judged:
    assert one.against_all is not None  # chosen so
    lost = one.against_all if metric.lower_is_better else _negated(one.against_all)
    return _Judged(f"{one.column} {one.value or 'without a value'}", widened(lost, among=among), allowed)


def _too_thin(one: SliceEvidence, measured: SlicesEvidence, limit: SlicesLimit) -> Finding:
    name, counted = f"{one.column} {one.value or 'without a value'}", _counted(BY_NAME[measured.metric])
    thin = sum(each.positives < limit.positives for each in measured.slices)
    told = f"{name} has {one.positives:,} {counted}, too few to tell how good the model is there"
    others = f"; so have {thin - 1:,} more of {len(measured.slices):,} slices" if thin > 1 else ""
    more = _rounded_up(limit.positives - one.positives)
    return _finding(
        f"Worst slice, {name}",
        Verdict.NOT_ENOUGH_EVIDENCE,
        f"{one.positives:,} {counted}",
        f"≥ {limit.positives}",
        problem=told + others,
        mend=_MORE_ROWS.format(more=max(1, more), counted=counted),
    )


def _told_slice(worst: _Judged, measured: SlicesEvidence, *, allowed: float, slices: int) -> Finding:
    title, worse = BY_NAME[measured.metric].title, worst.worse
    return _finding(
        f"Worst slice, {worst.name}",
        worst.verdict,
        f"{title} {worse.value:.3f} [{worse.low:+.3f}, {worse.high:+.3f}] worse, of {slices:,} slices",
        f"≤ {allowed:.3g} worse than all rows",
        margin=f"{allowed - worst.worse.high:+.3f}",
        problem=_problem(worst, f"{title} of {worst.name} is {{how}} {worst.worse.value:.3f} worse than of all rows"),
        mend=_mend(worst, BY_NAME[measured.metric]),
    )


# --- groups --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Criterion:
    """What groups are compared by, and how far they may be apart; `name` is empty where that is the slices' metric."""

    name: str
    metric: Metric
    allowed: float

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize() or "Gap between groups"


def _gaps(measured: SlicesEvidence, limit: SlicesLimit) -> Iterator[Finding]:
    """A row a protected column and criterion, as far as these were measured."""
    asked = [name for name in limit.protected if name in measured.columns]
    for column, by in product(asked, _criteria(measured, limit)):
        pairs = [one for one in measured.gaps if (one.column, one.criterion) == (column, by.name)]
        if pairs:
            yield _gap(column, pairs, by, limit)
        elif not any(one.column == column for one in measured.gaps):
            yield _one_group(column, by)


def _criteria(measured: SlicesEvidence, limit: SlicesLimit) -> Iterator[_Criterion]:
    allowed = None if limit.gap is None else _allowed(measured, limit.gap)
    if allowed is not None:
        yield _Criterion("", BY_NAME[measured.metric], allowed)
    for name, gap in limit.criteria.items():
        yield _Criterion(name, FAIRNESS[name], gap)


def _one_group(column: str, by: _Criterion) -> Finding:
    return _finding(
        f"{by.title}, {column}",
        Verdict.NOT_ENOUGH_EVIDENCE,
        "one group",
        "two groups",
        problem=f"all labelled sample rows are of one group of {column}: there is none to compare it with",
        mend="add labelled sample rows of the others",
    )


def _gap(column: str, pairs: Sequence[GapEvidence], by: _Criterion, limit: SlicesLimit) -> Finding:
    known = [one for one in pairs if one.positives >= limit.positives and one.difference is not None]
    worst = _worst([_judged_gap(one, among=len(known), allowed=by.allowed) for one in known])
    title, thin = f"{by.title}, {column}", next((one for one in pairs if one not in known), None)
    if thin is not None and (worst is None or worst.verdict is not Verdict.FAIL):
        counted = _counted(by.metric)
        return _finding(
            title,
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"{thin.positives:,} {counted}",
            f"≥ {limit.positives}",
            problem=f"{column}: {thin.one} or {thin.other} has {thin.positives:,} {counted}, too few to compare them",
            mend=_MORE_ROWS.format(more=max(1, _rounded_up(limit.positives - thin.positives)), counted=counted),
        )
    assert worst is not None  # there are pairs, and none is thin
    metric, allowed = by.metric.title, by.allowed
    return _finding(
        title,
        worst.verdict,
        f"{metric} {worst.worse.value:.3f} [{worst.worse.low:+.3f}, {worst.worse.high:+.3f}] apart, {worst.name}",
        f"≤ {allowed:.3g} apart",
        margin=f"{allowed - worst.worse.high:+.3f}",
        problem=_problem(worst, f"{metric} of {worst.name} is {{how}} {worst.worse.value:.3f} apart ({column})"),
        mend=_mend(worst, by.metric),
    )


def _judged_gap(one: GapEvidence, *, among: int, allowed: float) -> _Judged:
    assert one.difference is not None  # chosen so
    apart = one.difference if one.difference.value >= 0 else _negated(one.difference)
    return _Judged(f"{one.one} and {one.other}", widened(apart, among=among), allowed)


# --- both ----------------------------------------------------------------------------------------------------------


def _not_measured(measured: SlicesEvidence, limit: SlicesLimit) -> tuple[Finding, ...]:
    """What the policy asks for, and nobody looked at."""
    asked = dict.fromkeys((*(limit.columns or ()), *limit.protected))
    missing = [name for name in asked if name not in measured.columns]
    named = metric_called(limit.metric) if limit.metric else None
    if named is not None and named.name != measured.metric:
        missing.append(named.title)
    if measured.gaps:
        there = {one.criterion for one in measured.gaps}
        missing += [name.replace("_", " ") for name in limit.criteria if name not in there]
    if not missing:
        return ()
    many = [name for name in missing if name in measured.too_many_values]
    why = f"{many[0]} has more than {limit.values} values" if many else "this version was measured without"
    return (
        _finding(
            f"Slices by {', '.join(missing)}",
            Verdict.NOT_ENOUGH_EVIDENCE,
            "not measured",
            "measured",
            problem=f"{_FILE} asks for {', '.join(missing)}: {why}",
            mend=f"raise `values` in {_FILE}" if many else "the next version is measured by it, if it applies to it",
        ),
    )


def _worst(judged: Sequence[_Judged]) -> _Judged | None:
    """What fails first, then what is open, and of these the one that is furthest off."""
    order = {Verdict.FAIL: 2, Verdict.NOT_ENOUGH_EVIDENCE: 1, Verdict.PASS: 0}
    return max(judged, key=lambda one: (order[one.verdict], one.worse.high), default=None)


def _allowed(measured: SlicesEvidence, share: float) -> float | None:
    """In the unit of the metric: a share of it where it is unbounded; None where nobody knows it."""
    if not BY_NAME[measured.metric].unbounded:
        return share
    return share * abs(measured.overall.value) if measured.overall else None


def _problem(one: _Judged, sentence: str) -> str:
    if one.verdict is Verdict.PASS:
        return ""
    return sentence.format(how="" if one.verdict is Verdict.FAIL else "perhaps").replace("is  ", "is ")


def _mend(one: _Judged, metric: Metric) -> str:
    if one.verdict is Verdict.PASS:
        return ""
    if one.verdict is Verdict.FAIL:
        return f"train on more such rows, or state in {_FILE} why this model may differ there"
    return f"add labelled sample rows of it, on more days: more {_counted(metric)} make the interval narrower"


def _counted(metric: Metric) -> str:
    return "positives" if metric.counts_positives else "rows"


def _negated(estimate: Estimate) -> Estimate:
    return Estimate(value=-estimate.value, low=-estimate.high, high=-estimate.low)


def _rounded_up(number: int) -> int:
    """To tens from ten on: nobody counts that exactly."""
    return number if number < 10 else math.ceil(number / 10) * 10


def _finding(
    title: str, verdict: Verdict, measured: str, allowed: str, *, margin: str = "–", problem: str = "", mend: str = ""
) -> Finding:
    return Finding(
        gate="slices",
        title=title,
        verdict=verdict,
        measured=measured,
        allowed=allowed,
        margin=margin,
        problem=problem,
        mend=mend,
    )
