"""Whom proposed policies hit: each deployed version, what it is told today and what it would be told."""

from __future__ import annotations

from slipway.domain.proposed import ChangedFinding, Rejudged, Rejudgement
from slipway.domain.verdict import Finding, Verdict
from slipway.reports import rendering
from slipway.reports.columns import columns
from slipway.reports.markdown import Markdown
from slipway.reports.numbers import NOTHING
from slipway.reports.release_words import policy_file

_WOULD = {
    Verdict.FAIL: "would fail",
    Verdict.NOT_ENOUGH_EVIDENCE: "would lack evidence",
    Verdict.PASS: "would pass, and does not today",
}
_HEADER = ("environment", "version", "finding", "measured", "allowed", "verdict")


def rejudgement(found: Rejudgement, *, width: int = 120) -> str:
    """Plain text: what it comes to, then a row a finding that changes."""
    rows = [_row(one, each) for one in found.judged for each in one.changed]
    parts = [
        headline(found),
        *([columns(_HEADER, rows, width=width)] if rows else []),
        *(f"{one.model} in {one.environment}: {one.problem}\n  mend: {one.mend}" for one in found.unjudged),
        *(["\n".join(told)] if (told := waivers_told(found)) else []),
    ]
    return "\n\n".join(parts) + "\n"


def rejudgement_in_markdown(found: Rejudgement) -> str:
    """The same as a table of versions, with the findings that change folded below it."""
    return rendering.markdown(
        "rejudgement",
        headline=headline(found),
        found=found,
        changed=[one for one in found.judged if one.changed],
        finding_of=_finding_of,
        verdict_change=_verdict_change,
        waivers=waivers_told(found),
        moved=_moved,
    )


def waivers_told(found: Rejudgement) -> list[str]:
    """A sentence for each waiver that lets nothing through."""
    void = [
        f"{one.tag} in {one.environment}, {policy_file(waiver.gate)}: {waiver.why}"
        for one in found.judged
        for waiver in one.void_waivers
    ]
    unknown = {
        "model": "a waiver of {0.model} {0.version}, and there is no model of that name",
        "version": "a waiver of {0.model} {0.version}, which was never released",
    }
    strangers = [f"{policy_file(one.gate)}: {unknown[one.unknown].format(one)}" for one in found.waivers_of_nobody]
    return [*void, *strangers]


def headline(found: Rejudgement) -> str:
    """What it comes to, the worst first."""
    judged = len(found.judged)
    newly = {verdict: sum(one.after is verdict is not one.before for one in found.judged) for verdict in _WOULD}
    told = [f"{number} of {judged} {_WOULD[verdict]}." for verdict, number in newly.items() if number]
    if found.unjudged:
        told.append(f"{len(found.unjudged)} could not be judged again.")
    if told:
        return f"Of what is deployed, {' '.join(told)}"
    return f"No verdict changes: {judged} deployed." if judged else "Nothing is deployed."


def _row(one: Rejudged, changed: ChangedFinding) -> tuple[str, ...]:
    finding = _finding_of(changed)
    return (
        one.environment,
        one.tag,
        finding.title,
        _moved(changed, "measured"),
        _moved(changed, "allowed"),
        _moved(changed, "in_words"),
    )


def _finding_of(changed: ChangedFinding) -> Finding:
    found = changed.after or changed.before
    assert found is not None  # one of the two asked
    return found


def _moved(changed: ChangedFinding, field: str) -> str:
    """`before → after`, or once where both say the same."""
    before, after = (str(getattr(one, field)) if one else NOTHING for one in (changed.before, changed.after))
    return before if before == after else f"{before} → {after}"


def _verdict_change(one: Rejudged) -> Markdown:
    if one.before is one.after:
        return Markdown(f"{one.after}, as before")
    return Markdown(f"{one.before} → **{one.after}**")
