"""What `slipway status` prints: what runs where, and whether anything is open."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.upkeep import StatusRow
from slipway.reports.columns import columns
from slipway.reports.numbers import NOTHING, short_digest

_HEADER = ("model", "environment", "version", "digest", "since", "last window", "incident", "quarantined")


def status_table(rows: Sequence[StatusRow], *, width: int = 120) -> str:
    """Plain text, a row a model and environment, ordered by both."""
    if not rows:
        return "No model is released yet: git tag -a MODEL@v1.0.0, then git push origin MODEL@v1.0.0\n"
    ordered = sorted(rows, key=lambda row: (row.model, row.environment))
    return columns(_HEADER, [_cells(row) for row in ordered], width=width) + "\n"


def _cells(row: StatusRow) -> tuple[str, ...]:
    return (
        row.model,
        row.environment,
        row.version or "none",
        short_digest(row.digest) if row.digest else NOTHING,
        row.since or NOTHING,
        row.outcome or "not watched yet",
        f"#{row.incident}" if row.incident is not None else NOTHING,
        ", ".join(row.quarantined) or NOTHING,
    )
