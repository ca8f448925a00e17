"""What `slipway check MODEL` prints: the gates, what to mend, and the two lines that release it."""

from __future__ import annotations

from slipway.domain.identity import Identity
from slipway.domain.release import Verdicts
from slipway.domain.tag import Bump, ReleaseTag, next_version, tag_and_push
from slipway.domain.verdict import Verdict
from slipway.reports.columns import columns
from slipway.reports.refusal import audit_lines, problems_with_mends
from slipway.reports.release_words import bump_word, change, open_findings


def release_summary(identity: Identity, verdicts: Verdicts, *, width: int = 100) -> str:
    """Plain text of at most `width` columns, without colours: what the gates say of a tagged release."""
    problems = [*problems_with_mends(open_findings(verdicts)), *audit_lines(verdicts)]
    parts = [
        f"{identity.model} {change(identity, identity.compared)}: {verdicts.verdict}",
        gates_table(verdicts, width=width),
        *(["\n".join(problems)] if problems else []),
    ]
    return "\n\n".join(parts) + "\n"


def check_summary(identity: Identity, verdicts: Verdicts, *, width: int = 100) -> str:
    """The same for a version that is not tagged yet, and how to tag it."""
    return "\n".join([release_summary(identity, verdicts, width=width), *how_to_release(identity, verdicts), ""])


def gates_table(verdicts: Verdicts, *, width: int) -> str:
    return columns(
        ("gate", "measured [95 %]", "allowed", "margin", "verdict"),
        [(one.title, one.measured, one.allowed, one.margin, one.in_words) for one in verdicts.findings],
        width=width,
    )


def how_to_release(identity: Identity, verdicts: Verdicts) -> list[str]:
    """Lines: the smallest bump that passes, and what to paste for it."""
    bump = verdicts.smallest_bump
    other = [one for one in open_findings(verdicts) if one.gate != "promise"]
    if bump is None:
        return ["No version number makes this pass; mend what is named above."]
    if other and verdicts.verdict is not Verdict.PASS:
        return [f"The smallest bump that would pass is {bump_word(bump)}, once the rest is mended."]
    tag = _next_tag(identity, bump)
    return [
        f"The smallest bump that passes: {bump_word(bump)}, {tag.image_tag}.",
        *_break_to_state(tag, bump),
        "Commit, merge into the default branch, then paste:",
        *(f"  {line}" for line in tag_and_push(tag, identity.message)),
    ]


def _next_tag(identity: Identity, bump: Bump) -> ReleaseTag:
    if identity.bump is bump:
        return ReleaseTag.parse(identity.tag)  # what was judged; its number is free, the next one might not be
    compared = identity.compared
    lower = ReleaseTag.parse(f"{identity.model}@{compared.version}").version if compared else None
    return ReleaseTag(identity.model, next_version(lower, bump))


def _break_to_state(tag: ReleaseTag, bump: Bump) -> list[str]:
    if bump is not Bump.MAJOR:
        return []
    card = f"models/{tag.model}/README.md"
    return [f"It must say what breaks: `### {tag.image_tag}` under `## Breaking changes` of {card}."]
