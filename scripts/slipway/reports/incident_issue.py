"""The issue that the watch files: what is wrong, what to do, and what was done already.

It never promises that retraining mends anything: what a new training gives is a candidate, until it is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.incident import (
    SELF_TEST,
    FeatureDrift,
    IncidentVerdicts,
    Outcome,
    Reversion,
    Window,
    WindowEvidence,
)
from slipway.domain.verdict import Estimate, Finding, Verdict, metric_title
from slipway.maths.named_metrics import foremost
from slipway.reports import charts, rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.markdown import Markdown, called
from slipway.reports.marker import marker
from slipway.reports.release_words import by_mend

_SHOWN_WINDOWS = 12
_BEFORE = "previous_version"  # the gate that asks whether to go back


def incident_title(evidence: WindowEvidence, verdicts: IncidentVerdicts, *, reversion: Reversion | None = None) -> str:
    """`reversion` as of `incident_body`: a way back that there was not is told here, too."""
    if reversion is not None and reversion.no_way_back:
        told = f"{_would_do_better(evidence)}, and there is no way back"
    else:
        told = _in_short(evidence, verdicts)
    return f"{evidence.model}, {evidence.environment}: {told}"


def incident_body(
    evidence: WindowEvidence, verdicts: IncidentVerdicts, *, reversion: Reversion | None, owners: Sequence[str] = ()
) -> str:
    """The body in Markdown; `reversion` tells what was changed already, None that nothing was.

    Of the owners teams are called, since nobody can assign them; people are assigned, and GitHub tells them so.
    """
    incident = verdicts.incident or evidence.open_incident or ""
    text = rendering.markdown(
        "incident_issue",
        incident=incident,
        advice=advice(evidence, verdicts, reversion),
        candidate=verdicts.outcome is Outcome.RETRAIN,
        quiet=verdicts.outcome is Outcome.QUIET,
        rolls_back=verdicts.outcome is Outcome.REVERT,
        answers=[(one, answer_to(one)) for one in verdicts.findings],
        lead="Try",  # what a gate names here is worth trying; what mends it is not known
        still_open=by_mend([one for one in verdicts.findings if one.problem and not one.audit]),
        in_audit=by_mend([one for one in verdicts.findings if one.problem and one.audit]),
        evidence=evidence,
        window=evidence.window,
        reversion=reversion,
        teams=Markdown(" ".join(called(owner) for owner in owners if "/" in owner)),
        history=history(evidence),
        foremost=foremost(evidence.decision),
        metric_chart=_metric_chart(evidence),
        drift_chart=_drift_chart(evidence),
        largest_drift=largest_drift,
        foremost_of=foremost_of,
        policies_digest=verdicts.policies_digest,
    )
    return cut_at_a_line(
        text,
        whole=f"branch `ledger`, folder `{evidence.model}/{evidence.environment}/`",
        ending=marker(
            kind="incident",
            model=evidence.model,
            environment=evidence.environment,
            incident=incident,
            version=evidence.window.version,
        ),
    )


def answer_to(finding: Finding) -> str:
    """Of a gate's question, each but one of which asks whether something is wrong: `yes`, or `yes (audit)`."""
    well, wrong = ("yes", "no") if finding.title == SELF_TEST else ("no", "yes")
    open_yet = f"not known yet: {finding.needed}" if finding.needed else "not known yet"
    answer = {Verdict.PASS: well, Verdict.FAIL: wrong, Verdict.NOT_ENOUGH_EVIDENCE: open_yet}[finding.verdict]
    return f"{answer} (audit)" if finding.audit else answer


def foremost_of(window: Window) -> Estimate | None:
    """The foremost metric of its kind of model, of the trailing labelled days."""
    return window.trailing.metrics.get(foremost(window.trailing.kind).name) if window.trailing else None


def largest_drift(window: Window) -> FeatureDrift | None:
    return max(window.drift, key=lambda one: (one.low, one.feature), default=None)


def _in_short(evidence: WindowEvidence, verdicts: IncidentVerdicts) -> str:
    version, back_to = evidence.window.version, evidence.back_to
    if verdicts.outcome is Outcome.REVERT:
        return f"go back from {version} to {back_to}{_both(evidence)}"
    if verdicts.outcome is Outcome.RETRAIN:
        compared = f", {back_to} is no better" if back_to else ""
        return f"{version} is worse than allowed{_trailing(evidence)}{compared}"
    if verdicts.outcome is Outcome.UNCLEAR:
        return _unclear(evidence, verdicts)
    if verdicts.outcome is Outcome.WATCH:
        return f"watch {version}, {_what_moved(verdicts)}"
    return f"{version} is quiet" if evidence.window.rows else f"{version} was asked nothing"


def _unclear(evidence: WindowEvidence, verdicts: IncidentVerdicts) -> str:
    if _asks_to_go_back(verdicts):
        return f"{_would_do_better(evidence)}, and there is no way back"
    wrong = f"something is wrong with {evidence.window.version}"
    return (
        f"{wrong}, and there is no way back"
        if _has_no_way_back(evidence)
        else f"{wrong}, and it is unclear what mends it"
    )


def _would_do_better(evidence: WindowEvidence) -> str:
    return f"{evidence.back_to} would do better than {evidence.window.version}{_both(evidence)}"


def _asks_to_go_back(verdicts: IncidentVerdicts) -> bool:
    return any(one.gate == _BEFORE and one.verdict is Verdict.FAIL and not one.audit for one in verdicts.findings)


def _has_no_way_back(evidence: WindowEvidence) -> bool:
    """Nobody could even ask a version before."""
    return bool(evidence.in_the_way) and evidence.window.previous is None


def _both(evidence: WindowEvidence) -> str:
    previous = evidence.window.previous
    if previous is None or previous.deployed is None or previous.previous is None:
        return ""
    return f" ({metric_title(previous.metric)} {previous.deployed.value:.2f} against {previous.previous.value:.2f})"


def _trailing(evidence: WindowEvidence) -> str:
    estimate = foremost_of(evidence.window)
    return f" ({foremost(evidence.decision).title} {estimate.value:.2f})" if estimate else ""


def _what_moved(verdicts: IncidentVerdicts) -> str:
    if any(one.title == SELF_TEST and one.verdict is Verdict.FAIL for one in verdicts.findings):
        return "the watch itself answers wrongly"
    moved = any(one.gate == "drift" and one.verdict is not Verdict.PASS for one in verdicts.findings)
    return "an input moved" if moved else "something moved"


def advice(evidence: WindowEvidence, verdicts: IncidentVerdicts, reversion: Reversion | None) -> str:
    back_to = evidence.back_to or "a version before"
    if reversion is not None and reversion.no_way_back:
        return f"Somebody has to look: {back_to} does better on the same rows, and there is no way back to it."
    return {
        Outcome.REVERT: f"Go back to {back_to}: on the same rows it does better, beyond noise.",
        Outcome.RETRAIN: f"Do not go back: {back_to} was not shown to be better on the same rows. "
        "A model trained on newer rows is a candidate.",
        Outcome.WATCH: "Look at it; change nothing yet.",
        Outcome.UNCLEAR: _advice_where_unclear(evidence, verdicts),
        Outcome.QUIET: "Nothing to do: the watch is quiet.",
    }[verdicts.outcome]


def _advice_where_unclear(evidence: WindowEvidence, verdicts: IncidentVerdicts) -> str:
    if _asks_to_go_back(verdicts):
        return f"Somebody has to look: {evidence.back_to} does better on the same rows, and there is no way back to it."
    if _has_no_way_back(evidence):
        return "Somebody has to look: something is wrong, and there is no way back."
    wrong = "Somebody has to look: something is wrong, and the evidence does not say what mends it."
    needed = next((f"{one.title} Needed to tell: {one.needed}." for one in verdicts.findings if _is_open(one)), "")
    return f"{wrong} {needed}".strip()


def _is_open(finding: Finding) -> bool:
    return bool(finding.needed) and finding.verdict is Verdict.NOT_ENOUGH_EVIDENCE and not finding.audit


def history(evidence: WindowEvidence) -> Sequence[Window]:
    """The newest first, as a reader asks for them."""
    return (evidence.window, *reversed(evidence.earlier))


def _recent(evidence: WindowEvidence) -> Sequence[Window]:
    return (*evidence.earlier, evidence.window)[-_SHOWN_WINDOWS:]


def _metric_chart(evidence: WindowEvidence) -> Markdown | None:
    shown = [
        (window, window.trailing.always_positive_f1, estimate.value)
        for window in _recent(evidence)
        if window.trailing and (estimate := foremost_of(window))
    ]
    if len(shown) < 2:
        return None
    metric, values = foremost(evidence.decision), [value for _, _, value in shown]
    always = [one for _, one, _ in shown if one is not None]
    return charts.curves(
        title=f"First line {metric.title} of the model, second line of always answering positive"
        if always
        else f"{metric.title} of the model",
        labels=[f"{window.end:%d %b}" for window, _, _ in shown],
        values=[values, always] if always else [values],
        unit=metric.title,
        top=max(values) if metric.unbounded else 1.0,
    )


def _drift_chart(evidence: WindowEvidence) -> Markdown | None:
    shown = [(window, largest) for window in _recent(evidence) if (largest := largest_drift(window))]
    if len(shown) < 2:
        return None
    return charts.bars(
        title="The largest drift of a feature",
        labels=[f"{window.end:%d %b}" for window, _ in shown],
        values=[largest.low for _, largest in shown],
        unit="distance",
    )


def why_reopened(evidence: WindowEvidence) -> str:
    """What is written where an issue is opened again."""
    window = evidence.window
    if evidence.open_incident is None:
        return f"It is back: {window.version} shows it from {window.start} to {window.end}. Opened again by the watch."
    return (
        f"It is not over: {window.version} still shows it from {window.start} to {window.end}. Opened again by the "
        "watch, which closes it when a window is quiet; what is to be lived with belongs into policies/, with a reason."
    )


def why_quiet(evidence: WindowEvidence) -> str:
    """What is written where it is closed."""
    window = evidence.window
    return f"{window.version} was quiet from {window.start} to {window.end}: closed by the watch."
