"""What `slipway check MODEL` prints: the gates, what to mend, and the two lines that release it."""

from __future__ import annotations

import shlex

from semver import Version

from slipway.domain.release import Identity, Verdicts
from slipway.domain.tag import Bump, next_version
from slipway.domain.verdict import Verdict
from slipway.reports.columns import columns
from slipway.reports.plain import one_line, shortened
from slipway.reports.refusal import problems_with_mends
from slipway.reports.release_words import bump_word, change, open_findings


def release_summary(identity: Identity, verdicts: Verdicts, *, width: int = 100) -> str:
    """Plain text of at most `width` columns, without colours."""
    problems = problems_with_mends(open_findings(verdicts))
    parts = [
        f"{identity.model} {change(identity, identity.compared)}: {verdicts.verdict}",
        gates_table(verdicts, width=width),
        *(["\n".join(problems)] if problems else []),
        "\n".join(_how_to_release(identity, verdicts)),
    ]
    return "\n\n".join(parts) + "\n"


def gates_table(verdicts: Verdicts, *, width: int) -> str:
    return columns(
        ("gate", "measured [95 %]", "allowed", "margin", "verdict"),
        [(one.title, one.measured, one.allowed, one.margin, str(one.verdict)) for one in verdicts.findings],
        width=width,
    )


def _how_to_release(identity: Identity, verdicts: Verdicts) -> list[str]:
    bump = verdicts.smallest_bump
    other = [one for one in open_findings(verdicts) if one.gate != "promise"]
    if bump is None:
        return ["No version number makes this pass; mend what is named above."]
    if other and verdicts.verdict is not Verdict.PASS:
        return [f"The smallest bump that would pass is {bump_word(bump)}, once the rest is mended."]
    lower = Version.parse(identity.compared.version.removeprefix("v")) if identity.compared else None
    version = next_version(lower, bump)
    return [
        f"The smallest bump that passes: {bump_word(bump)}, v{version}.",
        *_break_to_state(identity, verdicts, version),
        "Commit, merge into the default branch, then paste:",
        f"  git tag -a {identity.model}@v{version} -m {_quoted(identity.message)}",
        f"  git push origin {identity.model}@v{version}",
    ]


def _break_to_state(identity: Identity, verdicts: Verdicts, version: Version) -> list[str]:
    if verdicts.smallest_bump is not Bump.MAJOR:
        return []
    return [
        f"It must say what breaks: `### v{version}` under `## Breaking changes` of models/{identity.model}/README.md."
    ]


def _quoted(message: str) -> str:
    """As an argument that a shell takes as it is, whatever the message holds."""
    text = shortened(one_line(message), longest=72) or "Say what changed"
    return f'"{text}"' if not set(text) & set('"$`\\!') else shlex.quote(text)
