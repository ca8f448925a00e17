"""One promise a module; the name of a gate is its module, its measure and its policy.

A gate is pure: what was measured and a limit go in, findings come out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from slipway.domain.canary import CanaryEvidence, CanaryVerdicts
from slipway.domain.case import ReleaseCase, ReleaseGate, WindowGate
from slipway.domain.incident import IncidentKind, IncidentVerdicts, WindowEvidence
from slipway.domain.limits import PromiseLimit, Reversion, SlicesLimit
from slipway.domain.policy import Policies, Policy
from slipway.domain.release import Verdicts, VoidWaiver, WaiverUsed
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.tag import Bump
from slipway.domain.verdict import Finding, Verdict, told_beside, verdict_of
from slipway.gates import (
    behaviour,
    budgets,
    canary,
    canary_labels,
    drift,
    false_alarms,
    fidelity,
    metrics,
    outputs,
    previous_version,
    promise,
    rollout,
    signature,
    slices,
    way_back,
)

# In the order of a reviewer's questions. A gate takes the limit of its own policy, hence `Any`.
RELEASE_GATES: dict[str, ReleaseGate[Any]] = {
    "promise": promise,
    "fidelity": fidelity,
    "metrics": metrics,
    "slices": slices,
    "behaviour": behaviour,
    "signature": signature,
    "outputs": outputs,
    "budgets": budgets,
    "way_back": way_back,
}

WINDOW_GATES: dict[str, WindowGate[Any]] = {
    "metrics": metrics,
    "previous_version": previous_version,
    "drift": drift,
}


def waivers_in_force(policies: Policies, *, model: str, version: str, today: date) -> tuple[WaiverUsed, ...]:
    """Those that the gates of a release take into account today; `version` reads `v1.4.0`."""
    asked = _with_waivers(policies)
    found = ((name, policy.waiver_for(model, version, today=today)) for name, policy in asked)
    return tuple(
        WaiverUsed(gate=name, reason=waiver.reason, by=waiver.by, until=waiver.until.isoformat())
        for name, waiver in found
        if waiver is not None
    )


def void_waivers(policies: Policies, *, model: str, version: str, today: date) -> tuple[VoidWaiver, ...]:
    """Those that name this version and hold no more, or not yet: who wrote one must be told."""
    asked = _with_waivers(policies)
    found = ((name, policy, policy.void_waiver_for(model, version, today=today)) for name, policy in asked)
    return tuple(
        VoidWaiver(gate=name, why=why)
        for name, policy, waiver in found
        if waiver is not None and (why := policy.why_void(waiver, today=today)) is not None
    )


def _with_waivers(policies: Policies) -> Iterator[tuple[str, Policy[Any]]]:
    return ((name, policy) for name in RELEASE_GATES if (policy := getattr(policies, name)).waivers)


def judged_by(waivers: tuple[WaiverUsed, ...], *, policies_digest: str) -> dict[str, str]:
    """What a release is held to, as its pages name it among what they read: when it changes, the verdict may."""
    return {"policies": policies_digest, "waivers": " ".join(waiver.model_dump_json() for waiver in waivers)}


def verdicts_of(
    case: ReleaseCase,
    policies: Policies,
    waivers: tuple[WaiverUsed, ...],
    *,
    policies_digest: str,
    void: tuple[VoidWaiver, ...] = (),
) -> Verdicts:
    """Ask every gate; a finding that a waiver covers passes, and says so; one in audit decides nothing."""
    model, calibration = case.identity.model, case.evidence.calibration
    answers = findings_of(case, policies, waivers, void=void)
    findings = [finding for found in answers.values() for finding in found]
    return Verdicts(
        verdict=verdict_of(findings),
        findings=tuple(findings),
        waivers=waivers,
        smallest_bump=_smallest_bump(case, policies.promise),
        policies_digest=policies_digest,
        false_alarms=false_alarms.expected(calibration, policies.drift.limit_for(model)) if calibration else None,
        void_waivers=void,
    )


def findings_of(
    case: ReleaseCase,
    policies: Policies,
    waivers: tuple[WaiverUsed, ...],
    *,
    void: tuple[VoidWaiver, ...] = (),
    of: Collection[str] = RELEASE_GATES.keys(),
) -> dict[str, tuple[Finding, ...]]:
    """Ask the gates `of` these names; their findings, by name, in the order in which they are told."""
    waived = {waiver.gate: waiver for waiver in waivers}
    not_waived = {waiver.gate: waiver for waiver in void}
    return {
        name: tuple(
            _tell_void(_waive(finding, waived.get(name)), not_waived.get(name))
            for finding in _asked(name, case, getattr(policies, name))
        )
        for name in RELEASE_GATES
        if name in of
    }


def _asked(name: str, case: ReleaseCase, policy: Policy[Any]) -> tuple[Finding, ...]:
    model = case.identity.model
    return _marked(RELEASE_GATES[name].judge(case, policy.limit_for(model)), policy, model)


def findings_of_window(evidence: WindowEvidence, policies: Policies) -> dict[str, tuple[Finding, ...]]:
    """Ask every gate of the watch; its findings, by its name."""
    model = evidence.model
    return {
        name: _marked(
            gate.judge_window(evidence, getattr(policies, name).limit_for(model)), getattr(policies, name), model
        )
        for name, gate in WINDOW_GATES.items()
    }


def verdicts_of_rollout(failure: RolloutFailure, policies: Policies, *, policies_digest: str) -> IncidentVerdicts:
    """What to do about a version that does not run; a policy in audit tells, and goes back by itself never."""
    policy, model = policies.rollout, failure.model
    limit = policy.limit_for(model)
    findings = rollout.judge_rollout(failure, limit)
    return IncidentVerdicts(
        verdict=verdict_of(findings),
        kind_of_incident=IncidentKind.ROLLOUT_FAILED,
        incident=failure.incident,
        outcome=rollout.outcome_of(failure),
        findings=findings,
        policies_digest=policies_digest,
        means=Reversion.NEVER if policy.is_in_audit(model) else limit.revert,
    )


def verdicts_of_canary(
    evidence: CanaryEvidence, policies: Policies, *, policies_digest: str, seen: date
) -> CanaryVerdicts:
    """What follows from what a canary answered: the gates of the watch and of releases, asked once about all of it.

    Its days add up and are looked at again each time, so one look decides where the watch asks several windows.
    """
    limit = policies.rollout.limit_for(evidence.model).canary_in(evidence.environment)
    findings = (*canary.judge_canary(evidence, limit), *_answers_of_canary(evidence, policies))
    return CanaryVerdicts(
        model=evidence.model,
        environment=evidence.environment,
        version=evidence.version,
        digest=evidence.digest,
        commit=evidence.commit,
        stable=evidence.stable,
        stable_digest=evidence.stable_digest,
        seen=seen,
        since=evidence.since,
        verdict=canary.verdict_of_canary(findings),
        findings=findings,
        rows=evidence.answered,
        rows_needed=limit.rows if limit else 0,
        hours=evidence.hours,
        hours_needed=limit.hours if limit else 0,
        policies_digest=policies_digest,
        labelled=evidence.window.labelled,
        share=evidence.share,
    )


def _answers_of_canary(evidence: CanaryEvidence, policies: Policies) -> Iterator[Finding]:
    model = evidence.model
    yield from _marked(canary.judge_outputs(evidence, policies.outputs.limit_for(model)), policies.outputs, model)
    yield from _marked(canary.judge_promise(evidence), policies.promise, model)
    yield from _labels_of_canary(evidence, policies)
    limit = policies.drift.limit_for(model).model_copy(update={"windows": 1, "of_last": 1})
    moved = drift.judge_window(evidence.as_window, limit)
    yield from told_beside(moved, f"{evidence.stable} is asked the same")


def _labels_of_canary(evidence: CanaryEvidence, policies: Policies) -> Iterator[Finding]:
    """Of all labels so far, with intervals that hold at each look."""
    model, evidence = evidence.model, canary_labels.over_all_looks(evidence)
    window, once = evidence.as_window, {"windows": 1}
    days = (evidence.window.end - evidence.window.start).days + 1
    of_stable = policies.previous_version.limit_for(model).model_copy(update=once)
    of_metrics = policies.metrics.limit_for(model).model_copy(update={**once, "window_days": days})
    compared = canary_labels.with_enough_labels(
        _marked(previous_version.judge_window(window, of_stable), policies.previous_version, model),
        evidence,
        asked=of_metrics.positives,
    )
    scored = _marked(metrics.judge_window(window, of_metrics), policies.metrics, model)
    yield from canary_labels.beside_the_stable(scored, compared, evidence)
    yield from compared
    yield from _marked(_slices_of_canary(evidence, policies.slices.limit_for(model)), policies.slices, model)


def _slices_of_canary(evidence: CanaryEvidence, limit: SlicesLimit) -> tuple[Finding, ...]:
    if evidence.slices is None:
        return ()
    of_stable = slices.judge_measured(evidence.stable_slices, limit) if evidence.stable_slices else ()
    return canary_labels.slices_beside(slices.judge_measured(evidence.slices, limit), of_stable, evidence.stable)


def _marked(findings: tuple[Finding, ...], policy: Policy[Any], model: str) -> tuple[Finding, ...]:
    """What a gate found, as audit where its policy only audits the model."""
    if not policy.is_in_audit(model):
        return findings
    return tuple(finding.model_copy(update={"audit": True}) for finding in findings)


def _smallest_bump(case: ReleaseCase, policy: Policy[PromiseLimit]) -> Bump | None:
    """In audit, no promise is too small."""
    smallest = promise.smallest_bump(case, policy.limit_for(case.identity.model))
    return Bump.PATCH if policy.is_in_audit(case.identity.model) and smallest is not Bump.FIRST else smallest


def _waive(finding: Finding, waiver: WaiverUsed | None) -> Finding:
    if waiver is None or finding.verdict is Verdict.PASS:
        return finding
    told = f"{finding.problem}; waived by {waiver.by} until {waiver.until}: {waiver.reason}"
    return finding.model_copy(update={"verdict": Verdict.PASS, "problem": told, "mend": ""})


def _tell_void(finding: Finding, waiver: VoidWaiver | None) -> Finding:
    if waiver is None or finding.verdict is Verdict.PASS:
        return finding
    problem = finding.problem or f"{finding.title}: {finding.measured}"
    return finding.model_copy(update={"problem": f"{problem}; {waiver.why}"})
