"""Hold what was measured against the policies. Nothing is measured here, so it takes milliseconds to judge again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from slipway.adapters.records import Record
from slipway.domain.calibrated_limits import held_to
from slipway.domain.canary import CanaryEvidence, CanaryVerdicts
from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.incident import IncidentKind, IncidentVerdicts, Outcome, WindowEvidence
from slipway.domain.pages import Page
from slipway.domain.policy import Policies
from slipway.domain.release import Rehearsal, Verdicts
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.verdict import Finding, Verdict, verdict_of, worst
from slipway.gates import (
    findings_of_window,
    judged_by,
    verdicts_of,
    verdicts_of_canary,
    verdicts_of_rollout,
    void_waivers,
    waivers_in_force,
)
from slipway.gates.metrics import limit_in_production


def run(record: Record, *, policies: Policies, policies_digest: str, today: date) -> Page[Verdicts]:
    """Write the page `verdicts` of a release."""
    identity = record.page(Identity, written_by="resolve-tag")
    evidence = record.page(Evidence, written_by="measure-consistency")
    rehearsal = record.page(Rehearsal, written_by="rehearse-rollback")
    case = ReleaseCase(
        identity=identity.body,
        evidence=evidence.body,
        rehearsal=rehearsal.body,
        cost=evidence.circumstances.cost,
    )
    waivers = waivers_in_force(policies, model=case.identity.model, version=case.identity.version, today=today)
    void = void_waivers(policies, model=case.identity.model, version=case.identity.version, today=today)
    reads = {
        "identity": identity.key,
        "evidence": evidence.key,
        "rehearsal": rehearsal.key,
        **judged_by(waivers, policies_digest=policies_digest),
        **({"void waivers": "; ".join(f"{waiver.gate}: {waiver.why}" for waiver in void)} if void else {}),
    }
    return record.once(
        Verdicts,
        reads=reads,
        make=lambda: verdicts_of(case, policies, waivers, policies_digest=policies_digest, void=void),
    )


def run_on_window(record: Record, *, policies: Policies, policies_digest: str) -> Page[IncidentVerdicts]:
    """Write the page `incident-verdicts` about what the watch measured."""
    evidence = record.page(WindowEvidence, written_by="measure-drift")
    reads = {"window": evidence.key, "policies": policies_digest}
    return record.once(
        IncidentVerdicts,
        reads=reads,
        make=lambda: _judge_window(evidence.body, policies, policies_digest=policies_digest),
    )


def run_on_rollout(record: Record, *, policies: Policies, policies_digest: str) -> Page[IncidentVerdicts]:
    """Write the page `incident-verdicts` about a version that was merged and does not run."""
    failure = record.page(RolloutFailure, written_by="verify-rollout")
    return record.once(
        IncidentVerdicts,
        reads={"failure": failure.key, "policies": policies_digest},
        make=lambda: verdicts_of_rollout(failure.body, policies, policies_digest=policies_digest),
    )


def run_on_canary(
    record: Record, *, policies: Policies, policies_digest: str, seen: date
) -> Page[CanaryVerdicts] | None:
    """Write the page `canary-verdicts` about what a canary answered by the day `seen`; None where none was measured."""
    evidence = record.latest(CanaryEvidence)
    if evidence is None:
        return None
    return record.once(
        CanaryVerdicts,
        reads={"canary": evidence.key, "policies": policies_digest, "seen": seen.isoformat()},
        make=lambda: verdicts_of_canary(evidence.body, policies, policies_digest=policies_digest, seen=seen),
    )


def _judge_window(evidence: WindowEvidence, policies: Policies, *, policies_digest: str) -> IncidentVerdicts:
    findings = findings_of_window(evidence, policies)
    verdicts = {name: worst(may_decide(finding) for finding in found) for name, found in findings.items()}
    outcome = outcome_of(verdicts, can_go_back=evidence.can_go_back)
    kind = _kind_of(verdicts, outcome)
    return IncidentVerdicts(
        verdict=verdict_of(_flatten(findings.values())),
        kind_of_incident=kind,
        incident=None if kind is None else evidence.open_incident or f"{evidence.window.end}-{kind}",
        outcome=outcome,
        findings=tuple(_flatten(findings.values())),
        policies_digest=policies_digest,
        limits=held_to(evidence.window, evidence.calibration, policies.drift.limit_for(evidence.model)),
        metric_limit=limit_in_production(evidence, policies.metrics.limit_for(evidence.model)),
    )


def may_decide(finding: Finding) -> Verdict:
    """What is wrong in audit only changes nothing by itself, and is no proof that all is well."""
    return Verdict.NOT_ENOUGH_EVIDENCE if finding.would_refuse else finding.verdict


def outcome_of(verdicts: dict[str, Verdict], *, can_go_back: bool = True) -> Outcome:
    """Drift alone never reverts; only a version before that does better on the same rows does, and that can run."""
    worse, drifted = verdicts["metrics"], verdicts["drift"]
    previous = verdicts["previous_version"]
    if previous is Verdict.FAIL:
        return Outcome.REVERT if can_go_back else Outcome.UNCLEAR
    if worse is Verdict.FAIL:
        return Outcome.RETRAIN if previous is Verdict.PASS else Outcome.UNCLEAR
    if drifted is Verdict.FAIL:
        return Outcome.WATCH if worse is Verdict.PASS else Outcome.UNCLEAR
    return Outcome.QUIET


def _kind_of(verdicts: dict[str, Verdict], outcome: Outcome) -> IncidentKind | None:
    if outcome is Outcome.QUIET:
        return None
    only_drift = verdicts["metrics"] is not Verdict.FAIL and verdicts["previous_version"] is not Verdict.FAIL
    return IncidentKind.DRIFT if only_drift else IncidentKind.METRIC


def _flatten(groups: Iterable[tuple[Finding, ...]]) -> Iterable[Finding]:
    return (finding for group in groups for finding in group)
