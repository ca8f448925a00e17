"""The pull request that a reviewer reads to merge a release, to refuse it, or to go back later."""

from __future__ import annotations

from slipway.domain.release import (
    ComparisonEvidence,
    Conversion,
    Evidence,
    Identity,
    Image,
    Rehearsal,
    Released,
    Verdicts,
)
from slipway.domain.tag import Bump
from slipway.domain.verdict import Verdict
from slipway.reports import charts, rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.markdown import Markdown
from slipway.reports.marker import marker
from slipway.reports.release_words import (
    answers_yes_or_no,
    by_mend,
    change,
    most_flipped,
    of_gate,
    open_findings,
    passes,
    slice_name,
    verdict_cell,
    version_of,
    waived_findings,
)


def pull_request_title(identity: Identity, environment: str) -> str:
    deployed = identity.deployed.get(environment)
    return f"{identity.model}: {change(identity, deployed)}, {environment}"


def pull_request_body(
    *,
    identity: Identity,
    conversion: Conversion,
    evidence: Evidence,
    rehearsal: Rehearsal,
    verdicts: Verdicts,
    image: Image | None,
    environment: str,
    opened_by: str | None,
    deployed: Released | None,
) -> str:
    """The body in Markdown, cut to what GitHub takes, with a marker at its end.

    `opened_by` completes the sentence "Opened by …"; it and `image` are None where nothing was built and nothing
    is opened: for a check on a laptop.
    """
    text = rendering.markdown(
        "pull_request",
        headline=f"{_advice(identity, evidence, verdicts.verdict)}: {_what(identity, deployed, environment)}.",
        reasons=_reasons(identity, evidence, rehearsal, verdicts),
        compared=_compared(identity, deployed=deployed, environment=environment),
        measured=[one for one in verdicts.findings if not answers_yes_or_no(one)],
        lead="Mend",
        still_open=by_mend(open_findings(verdicts)),
        waived=waived_findings(verdicts),
        flips_chart=_flips_chart(evidence.comparison),
        slices=most_flipped(evidence.comparison.slices) if evidence.comparison else [],
        identity=identity,
        version=version_of(identity),
        conversion=conversion,
        evidence=evidence,
        rehearsal=rehearsal,
        verdicts=verdicts,
        verdict_cell=verdict_cell,
        image=image,
        environment=environment,
        opened_by=opened_by,
        deployed=deployed,
    )
    whole = f"branch `ledger`, folder `{identity.model}/{version_of(identity)}/`"
    return cut_at_a_line(text, whole=whole, ending=marker(kind="release", tag=identity.tag, environment=environment))


def _what(identity: Identity, deployed: Released | None, environment: str) -> str:
    return f"{identity.model} {change(identity, deployed)}, {environment}"


def _advice(identity: Identity, evidence: Evidence, verdict: Verdict) -> str:
    if verdict is Verdict.FAIL:
        return "Do not merge"
    if verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        return "Draft, not enough evidence"
    if identity.bump is not Bump.MAJOR:
        return "Safe to merge"
    breaks = evidence.comparison is not None and evidence.comparison.signature_changes
    return f"Passes, and {'breaks' if breaks else 'may break'} its clients"


def _reasons(identity: Identity, evidence: Evidence, rehearsal: Rehearsal, verdicts: Verdicts) -> str:
    return " ".join(
        sentence
        for sentence in (
            _promise(identity, evidence, verdicts),
            _way_back(rehearsal, verdicts),
            _what_is_open(verdicts),
        )
        if sentence
    )


def _promise(identity: Identity, evidence: Evidence, verdicts: Verdicts) -> str:
    if not passes(of_gate(verdicts.findings, "promise")):
        return ""
    if identity.bump is Bump.MAJOR:
        return "Merge once its clients are ready." if evidence.comparison else ""
    if identity.bump is Bump.FIRST or evidence.comparison is None:
        return "No version passed before it."
    return f"{identity.bump.capitalize()} promise kept."


def _way_back(rehearsal: Rehearsal, verdicts: Verdicts) -> str:
    if rehearsal.to is None:
        return "Nothing is deployed yet, so there is nothing to go back to."
    return "Way back rehearsed." if passes(of_gate(verdicts.findings, "way_back")) else ""


def _what_is_open(verdicts: Verdicts) -> str:
    if verdicts.verdict is Verdict.PASS:
        waived = ", ".join(one.title for one in waived_findings(verdicts))
        return f"Let through by a waiver: {waived}." if waived else ""
    titles = ", ".join(one.title for one in open_findings(verdicts))
    if verdicts.verdict is Verdict.FAIL:
        return f"Does not pass: {titles}."
    return f"Mergeable only once a waiver or more rows make it pass: {titles}."


def _compared(identity: Identity, *, deployed: Released | None, environment: str) -> str:
    compared = identity.compared
    if compared is None:
        return f"Nothing to compare with: no lower version passed, and {_runs(deployed, environment)}."
    if deployed is not None and deployed.version == compared.version:
        return f"Compared with {compared.version}, deployed now."
    return f"Compared with {compared.version}, the highest lower version that passed; {_runs(deployed, environment)}."


def _runs(deployed: Released | None, environment: str) -> str:
    return f"{environment} runs {deployed.version}" if deployed else f"nothing runs in {environment} yet"


def _flips_chart(comparison: ComparisonEvidence | None) -> Markdown | None:
    slices = most_flipped(comparison.slices) if comparison else []
    if not slices:
        return None
    return charts.bars(
        title="Decisions that flip, the most affected slices",
        labels=[slice_name(one) for one in slices],
        values=[one.flips for one in slices],
        unit="rows",
    )
