"""What `slipway status` prints: what runs where, whether anything is open, and how environments differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from slipway.domain.upkeep import OnItsWay, Status, StatusRow
from slipway.reports.columns import columns
from slipway.reports.numbers import NOTHING, count, plain_value, short_digest
from slipway.reports.waiting import wait_text

_HEADER = ("model", "environment", "version", "digest", "since", "last window", "incident", "in audit", "quarantined")
_BETWEEN = ("model", "environment", "version", "since", "runtime", "on its way")
_GROUNDS = ("model", "environment", "version", "let in by", "evidence", "window", "rows", "largest drift", "metric")


def status_text(status: Status, *, width: int = 120) -> str:
    """The table, then who let in what runs and on what evidence, and whether what should look each day still does."""
    day = [f"As it was at the end of {status.on}, in UTC."] if status.on else []
    table = status_table(status.rows, width=width).rstrip("\n")
    return "\n\n".join([*day, table, *_grounds(status.rows, width=width), *_heartbeats(status)]) + "\n"


def let_in_by(row: StatusRow) -> str:
    """Who merged it and when, or wrote what was squashed; who adopted it, where that is all that is known."""
    if row.approved is None:
        return NOTHING if row.adopted is None else row.adopted.by
    squashed = ", squashed" if row.approved.squashed else ""
    pull = f" (#{row.approved.pull}{squashed})" if row.approved.pull is not None else ""
    return f"{row.approved.by}{pull}, {row.approved.at.date()}"


def evidence(row: StatusRow) -> str:
    """The verdict, or that a person said what runs before there were any."""
    if row.verdict is not None:
        return f"{row.verdict}, {row.passed} of {row.findings} findings"
    return NOTHING if row.adopted is None else f"adopted {row.adopted.when[:10]}, no verdict"


def _grounds(rows: Sequence[StatusRow], *, width: int) -> list[str]:
    told = [row for row in rows if row.approved or row.verdict or row.adopted or row.window]
    ordered = sorted(told, key=lambda row: (row.model, row.environment))
    return [columns(_GROUNDS, [_ground(row) for row in ordered], width=width)] if ordered else []


def _ground(row: StatusRow) -> tuple[str, ...]:
    window = row.window
    seen = (NOTHING,) * 4
    if window is not None:
        drift = NOTHING if window.drift is None else f"{window.feature} {plain_value(window.drift)}"
        metric = NOTHING if window.metric is None else f"{window.metric} {plain_value(window.value)}"
        seen = (f"to {window.end}", count(window.rows), drift, metric)
    return (row.model, row.environment, row.version or "none", let_in_by(row), evidence(row), *seen)


def _heartbeats(status: Status) -> list[str]:
    """Quiet since long ago is not quiet."""
    if not status.heartbeats:
        return []
    late = dict.fromkeys(status.stopped, ", and is late")
    beats = (f"{workflow} {day}{late.get(workflow, '')}" for workflow, day in sorted(status.heartbeats.items()))
    return [f"Ran last: {'; '.join(beats)}."]


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
