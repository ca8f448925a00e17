"""What a tagger reads when a release is refused: in the terminal, and as an issue."""

from __future__ import annotations

from slipway.domain.identity import Identity
from slipway.domain.release import Verdicts
from slipway.domain.tag import tag_and_push
from slipway.domain.verdict import Finding, Verdict
from slipway.reports import rendering
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.marker import marker
from slipway.reports.plain import lines, one_line, shortened
from slipway.reports.release_words import (
    audited_findings,
    bump_word,
    by_mend,
    names_the_next_number,
    next_number,
    open_findings,
    record_of,
    verdict_cell,
    version_of,
    what_is_broken,
)


def refusal(identity: Identity, verdicts: Verdicts) -> str:
    """Plain text: one line that says what is wrong, then each problem with its mend, and the next number."""
    findings = open_findings(verdicts)
    told = [f"{identity.release} {_predicate(identity, verdicts)}: {verdicts.verdict}", *problems_with_mends(findings)]
    if verdicts.verdict is Verdict.FAIL and not names_the_next_number(findings):
        told.append(f"  next:  {next_number(identity, verdicts)}, since this number keeps its verdict")
    told += audit_lines(verdicts)
    return "\n".join(told)


def problems_with_mends(findings: tuple[Finding, ...]) -> list[str]:
    """Lines for the terminal; a mend of several lines hangs below its first."""
    written: list[str] = []
    for group, mend in by_mend(findings):
        written += [f"  {one_line(one.problem or f'{one.title}: {one.measured}')}" for one in group]
        first, *rest = lines(mend) or [""]
        written += [f"  mend: {first}"] if first else []
        written += [f"        {line}" for line in rest]
    return written


def audit_lines(verdicts: Verdicts) -> list[str]:
    """What gates in audit would refuse, after a line that says so."""
    findings = audited_findings(verdicts)
    return ["in audit, told and not held against it:", *problems_with_mends(findings)] if findings else []


def refused_release_title(identity: Identity, verdicts: Verdicts) -> str:
    if verdicts.verdict is not Verdict.FAIL:
        return f"{identity.release} {_predicate(identity, verdicts)}"
    return f"{identity.release} is refused: it {_predicate(identity, verdicts)}"


def status_description(identity: Identity, verdicts: Verdicts, *, longest: int) -> str:
    """The mark of the tagged commit in a line of at most `longest` characters, the verdict first."""
    of = f"{version_of(identity)} ({bump_word(identity.bump)})"
    return shortened(one_line(f"{verdicts.verdict}: {of} {_predicate(identity, verdicts)}"), longest=longest)


def refused_release_issue(identity: Identity, verdicts: Verdicts, *, web: str | None = None) -> str:
    """The body of the one issue to the tagger of a refused release, in Markdown; `web` as in `record_of`."""
    findings, following = open_findings(verdicts), next_number(identity, verdicts)
    text = rendering.markdown(
        "refused_release",
        identity=identity,
        version=version_of(identity),
        verdicts=verdicts,
        verdict_cell=verdict_cell,
        predicate=_predicate(identity, verdicts),
        to_mend=by_mend(findings),
        next_lines=[] if names_the_next_number(findings) else tag_and_push(following, identity.message),
        following=following.image_tag,
        record=record_of(identity, web=web),
    )
    return cut_at_a_line(text, whole=record_of(identity, web=web), ending=marker(kind="refused", tag=identity.tag))


def _predicate(identity: Identity, verdicts: Verdicts) -> str:
    """What the failed gates have in common with the verdict, each gate once."""
    findings = open_findings(verdicts)
    worst = [one for one in findings if one.verdict is verdicts.verdict]
    if verdicts.verdict is Verdict.NOT_ENOUGH_EVIDENCE:
        return f"cannot be judged yet by {', '.join(dict.fromkeys(one.title for one in worst))}"
    return " and ".join(dict.fromkeys(what_is_broken(one, identity.bump) for one in worst)) or "passes"
