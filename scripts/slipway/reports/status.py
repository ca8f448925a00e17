"""What `slipway status` prints: what runs where, whether anything is open, and how environments differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from slipway.domain.upkeep import OnItsWay, StatusRow
from slipway.reports.columns import columns
from slipway.reports.numbers import NOTHING, short_digest
from slipway.reports.waiting import wait_text

_HEADER = ("model", "environment", "version", "digest", "since", "last window", "incident", "in audit", "quarantined")
_BETWEEN = ("model", "environment", "version", "since", "runtime", "on its way")


def status_table(rows: Sequence[StatusRow], *, width: int = 120) -> str:
    """Plain text, a row a model and environment, ordered by both."""
    if not rows:
        return "No model is released yet: git tag -a MODEL@v1.0.0, then git push origin MODEL@v1.0.0\n"
    ordered = sorted(rows, key=lambda row: (row.model, row.environment))
    table = columns(_HEADER, [_cells(row) for row in ordered], width=width)
    return "\n\n".join([table, *_audits(ordered), *_between_environments(rows, width=width)]) + "\n"


def _between_environments(rows: Sequence[StatusRow], *, width: int) -> list[str]:
    """A model whose environments agree is one line; else each has its own, in the order in which a release passes them.

    Where there is one environment alone, only what is on its way there is told.
    """
    of_models = [list(of_one) for _, of_one in groupby(rows, key=lambda row: row.model)]
    if not any(len(of_one) > 1 or of_one[0].on_its_way for of_one in of_models):
        return []
    lines = [line for of_one in sorted(of_models, key=lambda rows: rows[0].model) for line in _lines_of(of_one)]
    return [columns(_BETWEEN, lines, width=width)]


def _lines_of(rows: Sequence[StatusRow]) -> list[tuple[str, ...]]:
    first = rows[0]
    agree = all(row.digest == first.digest and not row.on_its_way for row in rows)
    if agree and len(rows) > 1:
        return [(first.model, "all", first.version or "none", _last_since(rows), _runtime(first), NOTHING)]
    return [_line(row, name=row.model if row is first else "") for row in rows]


def _line(row: StatusRow, *, name: str) -> tuple[str, ...]:
    coming = "; ".join(f"{one.version} {_coming(one, row.environment)}" for one in row.on_its_way)
    return name, row.environment, row.version or "none", row.since or NOTHING, _runtime(row), coming or NOTHING


def _coming(one: OnItsWay, environment: str) -> str:
    if one.pull is not None:
        return f"by pull request #{one.pull}"
    where = f"all of {environment}" if one.canary else environment
    what = "a canary, " if one.canary else ""
    return f"{what}with the next rollout" if one.wait is None else f"{what}{wait_text(one.wait, following=where)}"


def _last_since(rows: Sequence[StatusRow]) -> str:
    """Since when they agree, as far as each is known."""
    days = [row.since for row in rows]
    return NOTHING if None in days else max(day for day in days if day is not None)


def _runtime(row: StatusRow) -> str:
    return short_digest(row.runtime) if row.runtime else NOTHING


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
