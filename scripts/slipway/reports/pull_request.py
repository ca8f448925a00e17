"""The pull request that a reviewer reads to merge a release, to refuse it, or to go back later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slipway.domain.canary import CanaryVerdicts
from slipway.domain.conversion import Conversion
from slipway.domain.cost import Cost
from slipway.domain.evidence import ComparisonEvidence, Evidence
from slipway.domain.identity import Identity, Released
from slipway.domain.release import Image, Rehearsal, Rollout, Verdicts
from slipway.domain.rollout_limit import CanaryLimit
from slipway.domain.verdict import Verdict
from slipway.reports import charts, rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.markdown import Markdown, fenced, issue_number
from slipway.reports.marker import marker, read_marker
from slipway.reports.numbers import percent
from slipway.reports.release_advice import advice, is_rehearsed, reasons
from slipway.reports.release_words import (
    answers_yes_or_no,
    audited_findings,
    by_mend,
    change,
    most_flipped,
    open_findings,
    policy_file,
    record_of,
    slice_name,
    verdict_cell,
    version_of,
    waived_findings,
)
from slipway.reports.running_it import cost_in_full, cost_in_short

_SUPERSEDED = re.compile(r"(?<!\S)([1-9][0-9]{0,9})=(v[0-9A-Za-z._-]+)(?!\S)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Superseded:
    """A pull request that a newer version closes."""

    number: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a request comes to its reader; no part of what was found.

    `opened_by` completes the sentence "Opened by …", and is None where nothing is opened: for a check on a laptop.
    `tooling` is the commit of the Slipway that was used, None where that is the checkout itself; `web` is the
    repository's address on GitHub, None elsewhere.
    """

    opened_by: str | None = None
    tooling: str | None = None
    web: str | None = None
    supersedes: tuple[Superseded, ...] = ()


def pull_request_title(identity: Identity, environment: str, *, canary: CanaryLimit | None = None) -> str:
    deployed = identity.deployed.get(environment)
    return f"{identity.model}: {change(identity, deployed)}, {_where(environment, canary)}"


def pull_request_body(
    *,
    identity: Identity,
    conversion: Conversion,
    evidence: Evidence,
    rehearsal: Rehearsal,
    verdicts: Verdicts,
    image: Image | None,
    environment: str,
    opening: Opening,
    cost: Cost | None,
    before: Rollout | None = None,
    canary: CanaryLimit | None = None,
    shown: CanaryVerdicts | None = None,
) -> str:
    """The body in Markdown, cut to what GitHub takes, with a marker at its end.

    `cost` is what the clock said while the evidence was measured; it and `image` are None where there is none.
    `before` tells of the environment that runs this version already, from whose release the evidence is carried over.
    With `canary`, a share of the traffic is proposed; `shown` is what the version showed with one.
    """
    deployed = identity.deployed.get(environment)
    running = deployed.version if deployed else None
    text = rendering.markdown(
        "pull_request",
        headline=f"{advice(identity, evidence, verdicts.verdict)}: {_what(identity, deployed, environment, canary)}.",
        reasons=reasons(identity, evidence, rehearsal, verdicts, environment=environment),
        compared=_compared(identity, deployed=deployed, environment=environment),
        **_findings_told(identity, verdicts),
        **_change_told(_noticed(evidence, running)),
        **_cost_told(cost, running),
        **_way_back_told(rehearsal, deployed),
        **_opening_told(identity, opening),
        identity=identity,
        version=version_of(identity),
        conversion=conversion,
        evidence=evidence,
        verdicts=verdicts,
        image=image,
        environment=environment,
        before=before,
        canary=canary,
        shown=shown,
    )
    return cut_at_a_line(
        text,
        whole=record_of(identity, web=opening.web),
        ending=_marker(identity, environment, opening.supersedes, canary=canary),
    )


def _findings_told(identity: Identity, verdicts: Verdicts) -> dict[str, Any]:
    return {
        "measured": [one for one in verdicts.findings if not answers_yes_or_no(one)],
        "verdict_cell": verdict_cell,
        "lead": "Mend",
        "still_open": by_mend(open_findings(verdicts)),
        "in_audit": by_mend(audited_findings(verdicts)),
        "waived": waived_findings(verdicts),
        "waivers": _waivers_to_fill_in(identity, verdicts),
    }


def _change_told(noticed: ComparisonEvidence | None) -> dict[str, Any]:
    return {
        "noticed": noticed,
        "flips_chart": _flips_chart(noticed),
        "slices": most_flipped(noticed.slices) if noticed else [],
    }


def _way_back_told(rehearsal: Rehearsal, deployed: Released | None) -> dict[str, Any]:
    return {"rehearsal": rehearsal, "deployed": deployed, "rehearsed": is_rehearsed(rehearsal, deployed)}


def _opening_told(identity: Identity, opening: Opening) -> dict[str, Any]:
    return {
        "opening": opening,
        "supersedes": _supersedes(opening.supersedes),
        "rollback_button": _rollback_button(opening.web),
        "record": record_of(identity, web=opening.web),
    }


def _cost_told(cost: Cost | None, running: str | None) -> dict[str, Any]:
    return {
        "cost": cost,
        "cost_in_short": cost_in_short(cost, beside=running) if cost else "",
        "cost_in_full": cost_in_full(cost, beside=running) if cost else "",
    }


def superseded_comment(identity: Identity, environment: str, *, by: int, canary: CanaryLimit | None = None) -> str:
    """What a pull request is closed with, when that of a newer version is there."""
    return f"Superseded by #{by}: {pull_request_title(identity, environment, canary=canary)}"


def proposes_tag_object(body: str) -> str | None:
    """The tag object that a pull request was opened for; None where its body does not tell."""
    return read_marker(body).get("tag_object")


def proposes_canary(body: str) -> bool:
    """Whether it was a share of the traffic alone that was proposed."""
    return "canary" in read_marker(body)


def supersedes_of(body: str) -> tuple[Superseded, ...]:
    """What a pull request of ours told to supersede."""
    told = _SUPERSEDED.findall(read_marker(body).get("supersedes", ""))
    return tuple(Superseded(int(number), version) for number, version in told)


def _waivers_to_fill_in(identity: Identity, verdicts: Verdicts) -> list[Markdown]:
    """One a policy that lacks evidence. What stays empty is refused: nobody waives by pasting."""
    if verdicts.verdict is not Verdict.NOT_ENOUGH_EVIDENCE:
        return []
    entry = f"""waivers:
  - model: {identity.model}
    version: {identity.version}
    reason: "" # in a sentence
    by: "" # who answers for it
    until: # the last day on which it holds, within half a year"""
    files = dict.fromkeys(policy_file(one.gate) for one in open_findings(verdicts))
    return [fenced(f"# {file}\n{entry}", language="yaml") for file in files]


def _marker(
    identity: Identity, environment: str, supersedes: Sequence[Superseded], *, canary: CanaryLimit | None
) -> str:
    """What a later run has to know of the request when it finds it open or closed."""
    told = {} if canary is None else {"canary": f"{canary.share:g}"}
    return marker(
        kind="release",
        tag=identity.tag,
        tag_object=identity.tag_object,
        environment=environment,
        supersedes=" ".join(f"{one.number}={one.version}" for one in supersedes),
        **told,
    )


def _supersedes(requests: Sequence[Superseded]) -> Markdown | None:
    """`#12 (v1.3.1), #9 (v1.3.0)`."""
    told = (f"{issue_number(one.number)} ({one.version})" for one in requests)
    return Markdown(", ".join(told)) if requests else None


def _what(identity: Identity, deployed: Released | None, environment: str, canary: CanaryLimit | None) -> str:
    return f"{identity.model} {change(identity, deployed)}, {_where(environment, canary)}"


def _where(environment: str, canary: CanaryLimit | None) -> str:
    return environment if canary is None else f"as a canary, {percent(canary.share)} of {environment}"


def _rollback_button(web: str | None) -> Markdown | None:
    return Markdown(f"[Actions → rollback → Run]({web}/actions/workflows/rollback.yml)") if web else None


def _compared(identity: Identity, *, deployed: Released | None, environment: str) -> str:
    compared = identity.compared
    if compared is None:
        return f"Nothing to compare with: no lower version passed, and {_runs(deployed, environment)}."
    judged = ", adopted as it ran and judged by nobody" if compared.adopted else ""
    if deployed is not None and deployed.version == compared.version:
        return f"Compared with {compared.version}{judged}, deployed now."
    which = judged or ", the highest lower version that passed"
    return f"Compared with {compared.version}{which}; {_runs(deployed, environment)}."


def _runs(deployed: Released | None, environment: str) -> str:
    return f"{environment} runs {deployed.version}" if deployed else f"nothing runs in {environment} yet"


def _noticed(evidence: Evidence, running: str | None) -> ComparisonEvidence | None:
    """Against what users have now; where that was not measured, against the version whose promise is tested."""
    return evidence.against_deployed.get(running or "", evidence.comparison)


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
