"""Words for the parts of a release, chosen by what its pages say; shared by the texts about releases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from slipway.domain.evidence import Slice
from slipway.domain.identity import Identity, Released
from slipway.domain.release import Verdicts
from slipway.domain.tag import Bump, ReleaseTag, next_version
from slipway.domain.verdict import Finding, Verdict
from slipway.reports.markdown import Markdown, code
from slipway.reports.numbers import NOTHING

_BROKEN = {
    "fidelity": "does not give the answers of its source",
    "metrics": "is not good enough",
    "slices": "is worse for a part of its users",
    "signature": "does not ask and answer what model.yaml declares",
    "outputs": "answers with NaN, infinity or another shape than declared",
    "budgets": "costs more to run than is allowed",
    "way_back": "has no way back",
}

_IN_AUDIT = {
    Verdict.FAIL: ("would refuse it", "would refuse it"),
    Verdict.NOT_ENOUGH_EVIDENCE: ("lacks evidence", "lack evidence"),
}
_NUMBERS = ("one", "two", "three", "four", "five")


def version_of(identity: Identity) -> str:
    """`v1.4.0`, or `v1.4.0_r2`."""
    return identity.release.image_tag


def record_of(identity: Identity, *, web: str | None) -> Markdown:
    """Where all pages of a release are kept; `web` is the repository's address on GitHub, None elsewhere."""
    folder = f"{identity.model}/{version_of(identity)}"
    where = f"branch {code('ledger')}, folder {code(f'{folder}/')}"
    return Markdown(f"[{where}]({web}/tree/ledger/{folder})" if web else where)


def next_number(identity: Identity, verdicts: Verdicts) -> ReleaseTag:
    """What to tag after a refusal: the refused number is used up, and the next must not promise too much."""
    refused = ReleaseTag.parse(identity.tag)
    version = refused.version
    promises, compared = list(Bump), identity.compared
    kept = verdicts.smallest_bump
    if kept is None or compared is None or promises.index(kept) <= promises.index(identity.bump):
        return ReleaseTag(refused.model, version.bump_prerelease() if version.prerelease else version.bump_patch())
    lower = ReleaseTag.parse(f"{identity.model}@{compared.version}").version
    return ReleaseTag(refused.model, next_version(lower, kept))


def bump_word(bump: Bump) -> str:
    return "first release" if bump is Bump.FIRST else str(bump)


def change(identity: Identity, deployed: Released | None) -> str:
    """`v1.3.0 → v1.4.0 (minor)`, or `v1.4.0 → v1.4.0_r2 (new runtime)`."""
    before = f"{deployed.version} → " if deployed else ""
    word = bump_word(identity.bump) if identity.rebase is None else "new runtime"
    return f"{before}{version_of(identity)} ({word})"


def what_is_broken(finding: Finding, bump: Bump) -> str:
    """The predicate of a sentence whose subject is the tag."""
    if finding.gate != "promise":
        return _BROKEN.get(finding.gate, f"does not pass the gate {finding.gate}")
    return "does not say what it breaks" if bump is Bump.MAJOR else f"breaks the promise of a {bump} version"


def open_findings(verdicts: Verdicts) -> tuple[Finding, ...]:
    """What does not pass and counts, the failed first."""
    return _failed_first(one for one in verdicts.findings if one.verdict is not Verdict.PASS and not one.audit)


def audited_findings(verdicts: Verdicts) -> tuple[Finding, ...]:
    """What would be open if its gate were not in audit, the failed first."""
    return _failed_first(one for one in verdicts.findings if one.would_refuse)


def _failed_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    order = {Verdict.FAIL: 0, Verdict.NOT_ENOUGH_EVIDENCE: 1}
    return tuple(sorted(findings, key=lambda one: order[one.verdict]))


def told_in_audit(verdicts: Verdicts) -> str:
    """`One gate in audit would refuse it; two gates in audit lack evidence.`, or nothing.

    A gate counts once, by the worst that it says.
    """
    worst_of = {one.gate: one.verdict for one in reversed(audited_findings(verdicts))}
    told = []
    for verdict, (one, several) in _IN_AUDIT.items():
        gates = sum(each is verdict for each in worst_of.values())
        if gates:
            number = _NUMBERS[gates - 1] if gates <= len(_NUMBERS) else str(gates)
            told.append(f"{number} {f'gate in audit {one}' if gates == 1 else f'gates in audit {several}'}")
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if told else ""


def by_mend(findings: Sequence[Finding]) -> list[tuple[list[Finding], str]]:
    """Neighbours that one mend mends, with that mend."""
    return [(list(group), mend) for mend, group in groupby(findings, key=lambda one: one.mend)]


def waived_findings(verdicts: Verdicts) -> tuple[Finding, ...]:
    """What passes only by a waiver; its problem is still told."""
    return tuple(one for one in verdicts.findings if one.verdict is Verdict.PASS and one.problem)


def names_the_next_number(findings: Sequence[Finding]) -> bool:
    """Whether a mend has the lines that tag it."""
    return any("git tag " in one.mend for one in findings)


def policy_file(gate: str) -> str:
    """Where the limit of a gate stands, and its waivers."""
    return f"policies/{gate.replace('_', '-')}.yaml"


def of_gate(findings: Sequence[Finding], gate: str) -> tuple[Finding, ...]:
    return tuple(one for one in findings if one.gate == gate)


def passes(findings: Sequence[Finding]) -> bool:
    """Whether there is a finding, and none is open."""
    return bool(findings) and all(one.verdict is Verdict.PASS for one in findings)


def answers_yes_or_no(finding: Finding) -> bool:
    """A passed gate without a margin: told in a sentence, and folded away from the table."""
    return finding.verdict is Verdict.PASS and finding.margin == NOTHING and not finding.problem


def most_flipped(slices: Sequence[Slice], *, most: int = 10) -> list[Slice]:
    return sorted(slices, key=lambda one: (-one.flips, one.column, one.value))[:most]


def slice_name(one: Slice) -> str:
    return f"{one.column}={one.value}"


def verdict_cell(finding: Finding) -> Markdown:
    """The word of a verdict; what is not a plain pass stands out, if anything follows from it."""
    if finding.verdict is Verdict.PASS:
        return Markdown("pass, waived" if finding.problem else finding.in_words)
    return Markdown(finding.in_words if finding.audit else f"**{finding.verdict}**")
