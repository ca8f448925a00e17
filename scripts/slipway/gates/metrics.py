"""Is the model good enough: at its release against a limit, in production against its own release?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import MetricsEvidence
from slipway.domain.incident import Window, WindowEvidence
from slipway.domain.metric_limits import MetricLimit, MetricsLimit
from slipway.domain.model import Model
from slipway.domain.verdict import Estimate, Finding, Verdict, at_least, at_most, more_needed
from slipway.maths.absence import Absent
from slipway.maths.intervals import MetricEstimate, more_to_settle
from slipway.maths.named_metrics import BY_NAME, DecisionKind, Metric, foremost

_FILE = "policies/metrics.yaml"
_COMPLETE = 0.9  # of the labelled share of the best day: less has labels to come


def judge(case: ReleaseCase, limit: MetricsLimit) -> tuple[Finding, ...]:
    measured, named = case.evidence.metrics, limit.named(case.evidence.metrics.kind)
    fitting = {name: one for name, one in named.items() if measured.kind in BY_NAME[name].kinds}
    if not fitting:
        return (_none_fits(named, measured.kind, model=case.identity.model, title="Metrics"),)
    judged = tuple(_at_release(BY_NAME[name], case, one, limit) for name, one in fitting.items())
    others = tuple(
        _does_not_fit(name, measured.kind, model=case.identity.model) for name in named if name not in fitting
    )
    return (*judged, *others)


def judge_window(evidence: WindowEvidence, limit: MetricsLimit) -> tuple[Finding, ...]:
    """Fail when the trailing days missed the limit in `limit.windows` windows in a row.

    A metric without a `drop` (or `rise`) is asked at release only.
    """
    named = limit.named(evidence.decision)
    fitting = {name: one for name, one in named.items() if evidence.decision in BY_NAME[name].kinds}
    if not fitting:
        return (_none_fits(named, evidence.decision, model=evidence.model, title="Worse than allowed?"),)
    return tuple(
        _in_production(_in_production_limit(BY_NAME[name], evidence, one, change), evidence, limit)
        for name, one in fitting.items()
        if (change := one.rise if BY_NAME[name].lower_is_better else one.drop) is not None
    )


def limit_in_production(evidence: WindowEvidence, limit: MetricsLimit) -> float | None:
    """What the foremost metric is held to; None where the policy does not ask it of production."""
    metric = foremost(evidence.decision)
    one = limit.named(evidence.decision).get(metric.name)
    change = None if one is None else one.rise if metric.lower_is_better else one.drop
    return None if one is None or change is None else _in_production_limit(metric, evidence, one, change).value


@dataclass(frozen=True, slots=True)
class _Limit:
    """What a metric is held to: at least `value`, or at most where less is better; `why` tells where that is from."""

    metric: Metric
    value: float
    why: str = ""

    def verdict(self, estimate: Estimate) -> Verdict:
        return (at_most if self.metric.lower_is_better else at_least)(estimate, self.value)

    def margin(self, reached: float) -> str:
        return f"{self.value - reached if self.metric.lower_is_better else reached - self.value:+.3f}"

    @property
    def told(self) -> str:
        return f"{self.value:g}" if self.metric.unbounded else f"{self.value:.2f}"

    def __str__(self) -> str:
        return f"{'≤' if self.metric.lower_is_better else '≥'} {self.told}"

    @property
    def name(self) -> str:
        return "ceiling" if self.metric.lower_is_better else "floor"


# --- at release ----------------------------------------------------------------------------------------------------


def _at_release(metric: Metric, case: ReleaseCase, one: MetricLimit, limit: MetricsLimit) -> Finding:
    measured = case.evidence.metrics
    held_to = _limit_at_release(metric, one)
    if metric.name not in measured.metrics:
        return _open(metric, held_to, "not measured", *_not_measured(metric))
    estimate = measured.metrics[metric.name]
    if metric.of_scores and estimate is None and _tells_only_classes(case.identity.declaration):
        return _open(metric, held_to, "no numbers", *_no_scores(metric, case.identity.declaration))
    if estimate is None or measured.positives < limit.positives:
        return _too_few(metric, measured, limit)
    verdict = held_to.verdict(estimate)
    problem, mend = _what_is_missing(held_to, estimate, verdict, measured)
    return Finding(
        gate="metrics",
        title=metric.title,
        verdict=verdict,
        measured=str(estimate),
        allowed=str(held_to),
        margin=held_to.margin(estimate.high if metric.lower_is_better else estimate.low),
        problem=problem,
        mend=mend,
    )


def _limit_at_release(metric: Metric, one: MetricLimit) -> _Limit:
    value = one.ceiling if metric.lower_is_better else one.floor
    assert value is not None  # MetricsLimit sees to it
    return _Limit(metric, value)


def _too_few(metric: Metric, measured: MetricsEvidence, limit: MetricsLimit) -> Finding:
    yes_or_no = measured.kind is DecisionKind.YES_OR_NO
    counted, rows = ("positives", "positive sample rows") if yes_or_no else ("labelled rows", "labelled sample rows")
    missing = f"{max(1, limit.positives - measured.positives):,}{' positives' if yes_or_no else ''}"
    drawn = "days" if measured.groups is None else "groups"
    return Finding(
        gate="metrics",
        title=metric.title,
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        measured=f"{measured.positives:,} {counted} {_where(measured)}",
        allowed=f"≥ {limit.positives} {counted}",
        problem=f"{measured.positives:,} {rows} {_where(measured)} give no {metric.title}",
        mend=f"add labelled sample rows: about {missing} more, on at least two {drawn}",
    )


def _where(measured: MetricsEvidence) -> str:
    return f"on {measured.days} days" if measured.groups is None else f"of {measured.groups:,} groups"


def _what_is_missing(
    held_to: _Limit, estimate: Estimate, verdict: Verdict, measured: MetricsEvidence
) -> tuple[str, str]:
    title = held_to.metric.title
    if verdict is Verdict.PASS:
        return "", ""
    if verdict is Verdict.FAIL:
        side = "above" if held_to.metric.lower_is_better else "below"
        return (
            f"{title} is {estimate} on held-out rows, {side} its {held_to.name} {held_to.told}",
            f"train it better; the {held_to.name} stands in {_FILE} and changes by a reviewed pull request only",
        )
    return f"{title} is {estimate}: the {held_to.name} {held_to.told} lies inside the interval", _power(
        held_to, estimate, measured
    )


def _power(held_to: _Limit, estimate: Estimate, measured: MetricsEvidence) -> str:
    """How much more would settle it, counted in what makes the metric sure."""
    more = more_to_settle(_as_measured(estimate), limit=held_to.value, seen=_seen(held_to, measured))
    if isinstance(more, Absent):
        return str(more)
    return f"about {more:,} {_counted(held_to, measured)} more would settle it"


def _as_measured(estimate: Estimate) -> MetricEstimate:
    return MetricEstimate(estimate.value, estimate.low, estimate.high)


def _by_positives(held_to: _Limit, measured: MetricsEvidence) -> bool:
    return held_to.metric.counts_positives and measured.kind is DecisionKind.YES_OR_NO


def _seen(held_to: _Limit, measured: MetricsEvidence) -> int:
    return measured.positives if _by_positives(held_to, measured) else measured.rows


def _counted(held_to: _Limit, measured: MetricsEvidence) -> str:
    return "labelled positives" if _by_positives(held_to, measured) else "labelled rows"


# --- what cannot be judged -----------------------------------------------------------------------------------------


def _open(metric: Metric, held_to: _Limit, measured: str, problem: str, mend: str) -> Finding:
    return Finding(
        gate="metrics",
        title=metric.title,
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        measured=measured,
        allowed=str(held_to),
        problem=problem,
        mend=mend,
    )


def _not_measured(metric: Metric) -> tuple[str, str]:
    return (
        f"{metric.title} was not measured when this version was: {_FILE} did not name it then",
        "the next version is measured by it; this one where its samples are measured again",
    )


def _tells_only_classes(model: Model) -> bool:
    output = next(one for one in model.outputs if one.name == model.decision.output)
    return model.decision.classes is not None and output.dtype not in ("float32", "float64")


def _no_scores(metric: Metric, model: Model) -> tuple[str, str]:
    return (
        f"{metric.title} asks for a number a class, and `{model.decision.output}` holds the class itself",
        f"decide from an output with a number a class, or name another metric under `models:` in {_FILE}",
    )


def _none_fits(named: Iterable[str], kind: DecisionKind, *, model: str, title: str) -> Finding:
    """Nobody has said yet what is good enough of such a model."""
    metric = foremost(kind)
    limit = "{ceiling: …}" if metric.lower_is_better else "{floor: 0.75}"
    names = ", ".join(BY_NAME[name].title for name in named)
    told = f"{names} {'do' if ',' in names else 'does'} not apply to it" if names else "no metric is named for it"
    entry = f"{model}: {{reason: …, limit: {{{metric.name}: {limit}}}}}"
    return Finding(
        gate="metrics",
        title=title,
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        measured=f"decides {kind}",
        allowed="a metric that applies",
        problem=f"{model} decides {kind}, and {told}",
        mend=f"name one under `models:` in {_FILE}, such as `{entry}`",
    )


def _does_not_fit(name: str, kind: DecisionKind, *, model: str) -> Finding:
    title = BY_NAME[name].title
    return Finding(
        gate="metrics",
        title=title,
        verdict=Verdict.NOT_ENOUGH_EVIDENCE,
        measured="does not apply",
        allowed="a metric that applies",
        problem=f"{model} decides {kind}, and {title} does not apply to that",
        mend=f"leave `{name}` out of `{model}` under `models:` in {_FILE}",
    )


# --- in production -------------------------------------------------------------------------------------------------


def _in_production(held_to: _Limit, evidence: WindowEvidence, limit: MetricsLimit) -> Finding:
    title = held_to.metric.title
    windows = (*evidence.earlier, evidence.window)
    verdicts = [_trailing_verdict(window.trailing, held_to, limit) for window in windows]
    failed_in_a_row = len(list(takewhile(lambda verdict: verdict is Verdict.FAIL, reversed(verdicts))))
    trailing = evidence.window.trailing
    estimate = trailing.metrics.get(held_to.metric.name) if trailing else None
    problem, mend, needed = _what_is_wrong(held_to, trailing, estimate, verdicts[-1], failed_in_a_row, limit)
    return Finding(
        gate="metrics",
        title=f"{title} worse than allowed?",
        verdict=_production_verdict(verdicts[-1], failed_in_a_row, limit.windows),
        measured=_measured_in_production(evidence.window, estimate, held_to, limit, failed_in_a_row),
        allowed=f"{held_to} ({held_to.why})",
        margin=held_to.margin(estimate.value) if estimate else "–",
        problem=problem,
        mend=mend,
        needed=needed,
        notice=_notice(held_to, evidence.window, estimate, limit),
    )


def _notice(held_to: _Limit, window: Window, estimate: Estimate | None, limit: MetricsLimit) -> str:
    """Where labels lack, what the scores let expect, which decides nothing; and whose labels are there too early."""
    if window.trailing is None or estimate is None or window.trailing.positives < limit.positives:
        return window.estimated.in_words(held_to.metric.name) if window.estimated else ""
    return window.arrival.incomplete_in_words(share=_COMPLETE) if window.arrival else ""


def _what_is_wrong(  # noqa: PLR0917  # all of one question
    held_to: _Limit,
    trailing: MetricsEvidence | None,
    estimate: Estimate | None,
    newest: Verdict,
    failed_in_a_row: int,
    limit: MetricsLimit,
) -> tuple[str, str, str]:
    """Problem, mend and what is needed to know; empty where there is nothing to say."""
    if trailing is None or estimate is None or newest is Verdict.PASS:
        return "", "", ""
    told = f"{held_to.metric.title} over {limit.window_days} days is {estimate}"
    if failed_in_a_row:
        more = limit.windows - failed_in_a_row
        return (
            f"{told}, allowed is {held_to.told} ({held_to.why})",
            "look at what changed since the release; retrain on newer rows as a candidate",
            f"{more} {'window' if more == 1 else 'windows'} more like this" if more > 0 else "",
        )
    needed = _needed(held_to, trailing, estimate, limit)
    what = f"{held_to.told} ({held_to.why}) lies inside the interval"
    if trailing.positives < limit.positives:
        seen = f"{trailing.positives:,} {_counted(held_to, trailing)}"
        what = f"that is of {seen}, and the policy asks for {limit.positives:,}"
    label = f"label {needed}; or look back" if needed else "look back"
    return f"{told}: {what}", f"{label} on more days, by `window_days` in {_FILE}", needed


def _needed(held_to: _Limit, trailing: MetricsEvidence, estimate: Estimate, limit: MetricsLimit) -> str:
    """About how much would settle it, as far as can be told: the interval of whole days shrinks with 1 / sqrt(n)."""
    counted, seen = _counted(held_to, trailing), _seen(held_to, trailing)
    if trailing.positives < limit.positives:
        return more_needed(limit.positives - trailing.positives, counted, seen=trailing.positives, days=trailing.days)
    more = more_to_settle(_as_measured(estimate), limit=held_to.value, seen=seen)
    return "" if isinstance(more, Absent) else more_needed(more, counted, seen=seen, days=trailing.days)


def _in_production_limit(metric: Metric, evidence: WindowEvidence, one: MetricLimit, change: float) -> _Limit:
    at_release = evidence.at_release.get(metric.name)
    if at_release is None:
        limit = _limit_at_release(metric, one)
        return _Limit(metric, limit.value, f"the {limit.name}")
    less = metric.lower_is_better
    number = ".2f" if not metric.unbounded else ".4g"
    why = f"{at_release.value:{number}} at release {'+ rise' if less else '− drop'} {change:{number}}"
    return _Limit(metric, round(at_release.value + (change if less else -change), 6), why)


def _trailing_verdict(trailing: MetricsEvidence | None, held_to: _Limit, limit: MetricsLimit) -> Verdict:
    estimate = trailing.metrics.get(held_to.metric.name) if trailing else None
    if trailing is None or estimate is None or trailing.positives < limit.positives:
        return Verdict.NOT_ENOUGH_EVIDENCE
    return held_to.verdict(estimate)


def _production_verdict(newest: Verdict, failed_in_a_row: int, needed: int) -> Verdict:
    if newest is Verdict.FAIL and failed_in_a_row < needed:
        return Verdict.NOT_ENOUGH_EVIDENCE  # one bad window is weather, as often as not
    return newest


def _measured_in_production(
    window: Window, estimate: Estimate | None, held_to: _Limit, limit: MetricsLimit, failed_in_a_row: int
) -> str:
    if estimate is None:
        return window.why_unlabelled or f"no {limit.window_days} labelled days since the release yet"
    if limit.windows == 1:
        return str(estimate)
    side = "above" if held_to.metric.lower_is_better else "below"
    return f"{estimate}, {failed_in_a_row} windows {side} in a row"
