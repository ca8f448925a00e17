"""Would going back work, if this release turned out wrong?"""

from __future__ import annotations

from slipway.domain.case import ReleaseCase
from slipway.domain.identity import Released
from slipway.domain.limits import WayBackLimit
from slipway.domain.release import Rehearsal
from slipway.domain.verdict import Finding, Verdict


def judge(case: ReleaseCase, limit: WayBackLimit) -> tuple[Finding, ...]:
    rehearsal = case.rehearsal
    verdict, problem, mend = _verdict(rehearsal, limit)
    return (
        Finding(
            gate="way_back",
            title="Way back rehearsed",
            verdict=verdict,
            measured=_measured(rehearsal),
            allowed="every golden answer" if rehearsal.to else "–",
            problem=problem,
            mend=mend,
            notice=_not_rehearsed(rehearsal),
        ),
    )


def _is_opaque(before: Released) -> bool:
    """Adopted by its digest alone: the promise says so, and is waived or not; one gap is not asked about twice."""
    return before.adopted and before.declaration is None


def _not_rehearsed(rehearsal: Rehearsal) -> str:
    if rehearsal.to is None or not _is_opaque(rehearsal.to):
        return ""
    return f"the way back to {rehearsal.to.version} is by hand, and was not rehearsed: nothing of it can be asked"


def _measured(rehearsal: Rehearsal) -> str:
    if rehearsal.to is None:
        return "nothing deployed yet"
    if _is_opaque(rehearsal.to):
        return f"{rehearsal.to.version}: its image alone is known"
    return f"{rehearsal.to.version}: {rehearsal.golden_equal} of {rehearsal.golden_rows} golden answers"


def _verdict(rehearsal: Rehearsal, limit: WayBackLimit) -> tuple[Verdict, str, str]:
    if rehearsal.to is None or _is_opaque(rehearsal.to):
        return Verdict.PASS, "", ""
    if problem := _what_failed(rehearsal, rehearsal.to.version):
        return Verdict.FAIL, problem, "restore the deployed image in the registry, then release again"
    if rehearsal.golden_rows < limit.golden_rows and rehearsal.to.adopted:
        return (
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"{rehearsal.to.version} was adopted with {rehearsal.golden_rows} golden rows",
            "waive the gate `way_back` for this version: it loads, and what it should answer is not known",
        )
    if rehearsal.golden_rows < limit.golden_rows:
        return (
            Verdict.NOT_ENOUGH_EVIDENCE,
            f"{rehearsal.to.version} was released with {rehearsal.golden_rows} golden rows",
            f"release with at least {limit.golden_rows} sample rows",
        )
    return Verdict.PASS, "", ""


def _what_failed(rehearsal: Rehearsal, version: str) -> str:
    if not rehearsal.fetched:
        return f"the image of {version} cannot be fetched: {rehearsal.problem}"
    if not rehearsal.loaded:
        return f"{version} no longer loads: {rehearsal.problem}"
    if rehearsal.golden_equal < rehearsal.golden_rows:
        return (
            f"{version} gives {rehearsal.golden_equal} of {rehearsal.golden_rows} answers that it gave at its release"
        )
    return ""
