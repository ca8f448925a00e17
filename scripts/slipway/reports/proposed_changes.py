"""What a branch changes, in the lines that a pull request's run begins with."""

from __future__ import annotations

from slipway.domain.proposed import ProposedChanges
from slipway.reports.plain import one_line


def proposed_changes(changes: ProposedChanges) -> str:
    """Plain text, a line a thing to look at."""
    lines = [
        *(f"to check: {name}" for name in changes.models),
        *(f"removed: {one_line(name)}; what runs of it stays until its manifest goes" for name in changes.removed),
        *(f"no model's name: {one_line(name)}" for name in changes.misnamed),
        *(["policies change: all that is deployed is judged again"] if changes.policies else []),
    ]
    return "\n".join(lines) or "no model and no policy changes"
