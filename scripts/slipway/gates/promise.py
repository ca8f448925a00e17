"""Does the version keep the promise of its number?

Patch: same answers, same signature. Minor: same signature, no metric worse than allowed. Major: anything, and
the model card says what breaks.
"""

from __future__ import annotations

from dataclasses import replace

from slipway.domain.case import ReleaseCase
from slipway.domain.evidence import ComparisonEvidence
from slipway.domain.identity import Identity, Released
from slipway.domain.limits import PromiseLimit
from slipway.domain.tag import Bump, ReleaseTag, next_version, tag_and_push, version_in
from slipway.domain.verdict import Estimate, Finding, Verdict, at_least, at_most, worst
from slipway.maths.named_metrics import BY_NAME, Metric


def judge(case: ReleaseCase, limit: PromiseLimit) -> tuple[Finding, ...]:
    comparison = case.evidence.comparison
    if case.identity.compared is None:
        return (_finding("Version promise", Verdict.PASS, "first version that passed", "–"),)
    if comparison is None:
        return (_not_comparable(case.identity.compared),)
    if case.identity.bump is Bump.MAJOR:
        return (_stated_break(case), *_notices(comparison))
    signature = _same_signature(case, comparison)
    if comparison.signature_changes:
        return (signature,)
    if case.identity.bump is Bump.PATCH:
        return (signature, _same_answers(case, comparison))
    return (signature, *_no_worse(case, comparison, limit))


def smallest_bump(case: ReleaseCase, limit: PromiseLimit) -> Bump | None:
    """The smallest promise that this evidence keeps; a break needs a major, and None is known without answers."""
    comparison = case.evidence.comparison
    if case.identity.compared is None:
        return Bump.FIRST
    if comparison is None or (comparison.rows == 0 and not comparison.signature_changes):
        return None
    for bump in (Bump.PATCH, Bump.MINOR):
        promised = replace(case, identity=case.identity.model_copy(update={"bump": bump}))
        if worst(finding.verdict for finding in judge(promised, limit)) is Verdict.PASS:
            return bump
    return Bump.MAJOR


def _same_signature(case: ReleaseCase, comparison: ComparisonEvidence) -> Finding:
    changes = comparison.signature_changes
    if not changes:
        return _finding("Same signature", Verdict.PASS, "unchanged", f"as {comparison.version}")
    return _finding(
        "Same signature",
        Verdict.FAIL,
        f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}",
        f"as {comparison.version}",
        problem=f"{'; '.join(changes)}; {comparison.version}, the highest passed version, {_had(changes)}",
        mend=_as_a_major(case.identity),
    )


def _had(changes: tuple[str, ...]) -> str:
    only_asks_more = all(change.startswith("input") and change.endswith("is new") for change in changes)
    if not only_asks_more:
        return "was otherwise"
    return "did not ask for it" if len(changes) == 1 else "did not ask for them"


def _not_comparable(before: Released) -> Finding:
    """The version is known, and nobody can ask it: that is no promise kept."""
    restore = f"release the tag of {before.version} again, which restores its image, then this one"
    waive = f"waive the gate `promise` for this version: nothing of {before.version} can be had, which was adopted"
    return _finding(
        f"Same answers as {before.version}",
        Verdict.NOT_ENOUGH_EVIDENCE,
        "not comparable",
        f"as {before.version}",
        problem=f"{before.version}, the highest passed version, could not be asked"
        + (f": {before.problem}" if before.problem else ""),
        mend=waive if before.adopted else restore,
    )


def _same_answers(case: ReleaseCase, comparison: ComparisonEvidence) -> Finding:
    if comparison.rows == 0:
        assert case.identity.compared is not None  # there is a comparison
        return _not_comparable(case.identity.compared)
    flips = comparison.flips
    same = comparison.largest_difference <= comparison.tolerance and flips == 0 and comparison.unlike_rows == 0
    return _finding(
        f"Same answers as {comparison.version}",
        Verdict.PASS if same else Verdict.FAIL,
        f"max {comparison.largest_difference:.1e} on {comparison.rows:,} rows, {flips:,} flips",
        f"{comparison.tolerance:.1e}, 0 flips",
        problem="" if same else _how_they_differ(comparison, flips=flips),
        mend="" if same else _as_a_minor(case.identity),
    )


def _how_they_differ(comparison: ComparisonEvidence, *, flips: int) -> str:
    unlike = f", {comparison.unlike_rows:,} rows have a number in one of the two only" if comparison.unlike_rows else ""
    return (
        f"outputs differ from {comparison.version} by up to {comparison.largest_difference:.1e} "
        f"(allowed {comparison.tolerance:.1e}){unlike} and {flips:,} of {comparison.rows:,} decisions flip"
    )


def _no_worse(case: ReleaseCase, comparison: ComparisonEvidence, limit: PromiseLimit) -> tuple[Finding, ...]:
    if comparison.rows == 0:
        assert case.identity.compared is not None  # there is a comparison
        return (_not_comparable(case.identity.compared),)
    return tuple(
        _difference(name, difference, comparison, limit) for name, difference in comparison.differences.items()
    )


def _difference(name: str, difference: Estimate | None, before: ComparisonEvidence, limit: PromiseLimit) -> Finding:
    metric = BY_NAME[name]
    title = f"{metric.title} − {before.version}, same rows"
    size = _size(metric, before)
    allowed = _allowed(metric, limit, size)
    if difference is None or size is None:
        return _finding(
            title,
            Verdict.NOT_ENOUGH_EVIDENCE,
            "no interval",
            allowed,
            problem=f"too few labelled days to compare {metric.title} with {before.version}",
            mend="add labelled sample rows of more days",
        )
    worse = limit.worse * size
    verdict = at_most(difference, worse) if metric.lower_is_better else at_least(difference, -worse)
    lost = difference.high if metric.lower_is_better else -difference.low
    return _finding(
        title,
        verdict,
        f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]",
        allowed,
        margin=f"{worse - lost:+.3f}",
        problem="" if verdict is Verdict.PASS else f"{metric.title} may be {lost:.3f} worse than {before.version}",
        mend="" if verdict is Verdict.PASS else "train it better, or add labelled sample rows of more days",
    )


def _size(metric: Metric, before: ComparisonEvidence) -> float | None:
    """What the allowed share is one of: 1, or how large an unbounded metric is; None where nobody knows."""
    if not metric.unbounded:
        return 1.0
    measured = before.before.get(metric.name)
    return abs(measured.value) if measured else None


def _allowed(metric: Metric, limit: PromiseLimit, size: float | None) -> str:
    side = "≤ +" if metric.lower_is_better else "≥ −"
    if not metric.unbounded:
        return f"{side}{limit.worse:.3f}"
    share = f"{limit.worse:.3g} of it"
    return f"{side}{share}" if size is None else f"{side}{limit.worse * size:.3f}, {share}"


def _stated_break(case: ReleaseCase) -> Finding:
    identity = case.identity
    if ReleaseTag.parse(identity.tag).version.major == 0:
        return _finding("Break is stated", Verdict.PASS, "below v1.0.0", "anything may break below v1.0.0")
    stated = case.evidence.break_is_stated
    card = f"models/{identity.model}/README.md"
    return _finding(
        "Break is stated",
        Verdict.PASS if stated else Verdict.FAIL,
        "stated" if stated else "not stated",
        f"`### {identity.version}` under `## Breaking changes`",
        problem="" if stated else f"a major version may break its clients, and {card} does not say what breaks",
        mend="" if stated else _say_what_breaks(identity, card),
    )


def _say_what_breaks(identity: Identity, card: str) -> str:
    """A number that was refused keeps its verdict, so the section is headed by the next one."""
    tag = ReleaseTag.parse(identity.tag)
    if identity.tag_object:
        used = tag.version
        tag = ReleaseTag(tag.model, used.bump_prerelease() if used.prerelease else used.bump_patch())
    lines = " && ".join(tag_and_push(tag, identity.message))
    return f"add `### {tag.image_tag}` under `## Breaking changes` of {card}, commit, then\n{lines}"


def _notices(comparison: ComparisonEvidence) -> tuple[Finding, ...]:
    return tuple(
        _finding(f"Breaks against {comparison.version}", Verdict.PASS, change, "anything, in a major version")
        for change in comparison.signature_changes
    )


def _as_a_minor(identity: Identity) -> str:
    """A commit of its own: two versions on one commit are refused."""
    return (
        "a retrained model is at least a minor version: merge a commit of its own for it (an empty one will do), then\n"
        f"{_tag_lines(identity, Bump.MINOR)}"
    )


def _as_a_major(identity: Identity) -> str:
    card = f"models/{identity.model}/README.md"
    return f"state the break in {card}, commit, then\n{_tag_lines(identity, Bump.MAJOR)}"


def _tag_lines(identity: Identity, bump: Bump) -> str:
    lower = version_in(identity.compared.version) if identity.compared else None
    return " && ".join(tag_and_push(ReleaseTag(identity.model, next_version(lower, bump)), identity.message))


def _finding(
    title: str, verdict: Verdict, measured: str, allowed: str, *, margin: str = "–", problem: str = "", mend: str = ""
) -> Finding:
    return Finding(
        gate="promise",
        title=title,
        verdict=verdict,
        measured=measured,
        allowed=allowed,
        margin=margin,
        problem=problem,
        mend=mend,
    )
