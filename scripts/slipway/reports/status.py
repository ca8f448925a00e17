"""What `slipway status` prints: what runs where, and whether anything is open."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.upkeep import StatusRow
from slipway.reports.columns import columns
from slipway.reports.numbers import NOTHING, short_digest

_HEADER = ("model", "environment", "version", "digest", "since", "last window", "incident", "in audit", "quarantined")


def status_table(rows: Sequence[StatusRow], *, width: int = 120) -> str:
    """Plain text, a row a model and environment, ordered by both."""
    if not rows:
        return "No model is released yet: git tag -a MODEL@v1.0.0, then git push origin MODEL@v1.0.0\n"
    ordered = sorted(rows, key=lambda row: (row.model, row.environment))
    table = columns(_HEADER, [_cells(row) for row in ordered], width=width)
    return "\n\n".join([table, *_audits(ordered)]) + "\n"


def _audits(rows: Sequence[StatusRow]) -> list[str]:
    """Nobody decides about what nobody counts."""
    findings = sum(row.in_audit or 0 for row in rows)
    if not findings:
        return []
    told = "finding would refuse what is deployed" if findings == 1 else "findings would refuse what is deployed"
    return [f"In audit: {findings} {told}, once the policy says `enforce: block`; its pull request names them."]


def _cells(row: StatusRow) -> tuple[str, ...]:
    return (
        row.model,
        row.environment,
        row.version or "none",
        short_digest(row.digest) if row.digest else NOTHING,
        row.since or NOTHING,
        row.outcome or "not watched yet",
        f"#{row.incident}" if row.incident is not None else NOTHING,
        str(row.in_audit) if row.in_audit else NOTHING,
        ", ".join(row.quarantined) or NOTHING,
    )
