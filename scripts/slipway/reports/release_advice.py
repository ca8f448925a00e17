"""Whether a reviewer may merge a release, in a few words, and the reasons in a few sentences."""

from __future__ import annotations

from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity, Released
from slipway.domain.release import Rehearsal, Verdicts
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict
from slipway.reports.release_words import of_gate, open_findings, passes, told_in_audit, waived_findings


def advice(identity: Identity, evidence: Evidence, verdict: Verdict) -> str:
    """The first words that a reviewer reads."""
    if verdict is Verdict.FAIL:
        return "Do not merge"
    if verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        return "Draft, not enough evidence"
    if identity.bump is not Bump.MAJOR:
        return "Safe to merge"
    breaks = evidence.comparison is not None and evidence.comparison.signature_changes
    return f"Passes, and {'breaks' if breaks else 'may break'} its clients"


def reasons(
    identity: Identity, evidence: Evidence, rehearsal: Rehearsal, verdicts: Verdicts, *, environment: str
) -> str:
    """One sentence a reason, in the order of the questions; empty where there is none."""
    return " ".join(
        sentence
        for sentence in (
            _promise(identity, evidence, verdicts),
            _way_back(rehearsal, verdicts, deployed=identity.deployed.get(environment), environment=environment),
            _what_is_open(verdicts),
            told_in_audit(verdicts),
        )
        if sentence
    )


def _promise(identity: Identity, evidence: Evidence, verdicts: Verdicts) -> str:
    if not passes(of_gate(verdicts.findings, "promise")):
        return ""
    if identity.rebase is not None:
        return "Same model on another runtime image."
    if identity.bump is Bump.MAJOR:
        return "Merge once its clients are ready." if evidence.comparison else ""
    if identity.bump is Bump.FIRST or evidence.comparison is None:
        return "No version passed before it."
    return f"{identity.bump.capitalize()} promise kept."


def _way_back(rehearsal: Rehearsal, verdicts: Verdicts, *, deployed: Released | None, environment: str) -> str:
    if deployed is None:
        return f"Nothing runs in {environment} yet, so there is nothing to go back to."
    if not is_rehearsed(rehearsal, deployed):
        return "Way back not rehearsed."
    return "Way back rehearsed." if passes(of_gate(verdicts.findings, "way_back")) else ""


def is_rehearsed(rehearsal: Rehearsal, deployed: Released | None) -> bool:
    """Whether it was this version that was tried: environments may run several."""
    return deployed is not None and rehearsal.to is not None and rehearsal.to.digest == deployed.digest


def _what_is_open(verdicts: Verdicts) -> str:
    if verdicts.verdict is Verdict.PASS:
        waived = ", ".join(one.title for one in waived_findings(verdicts))
        return f"Let through by a waiver: {waived}." if waived else ""
    titles = ", ".join(one.title for one in open_findings(verdicts))
    if verdicts.verdict is Verdict.FAIL:
        return f"Does not pass: {titles}."
    return f"Mergeable only once a waiver or more rows make it pass: {titles}."
