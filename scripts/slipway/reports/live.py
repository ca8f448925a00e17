"""What runs beside what git says: a table for the terminal, and the issue about what the ledger never passed."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.domain.live import LiveReport, LiveRow, LiveState
from slipway.reports import rendering
from slipway.reports.columns import columns
from slipway.reports.cutting import cut_at_a_line
from slipway.reports.markdown import Markdown, called
from slipway.reports.marker import marker
from slipway.reports.numbers import NOTHING, short_digest
from slipway.reports.plain import one_line

_HEADER = ("model", "environment", "git", "runs", "digest", "")
_ALL_ELSE = "(all else)"  # that no manifest names


def live_table(report: LiveReport, *, width: int = 120) -> str:
    """Plain text, a row a model and environment; below it what could not be looked at, with its mend."""
    if not report.rows:
        return "Nothing is deployed, and nothing runs as far as it can be seen\n"
    table = columns(_HEADER, [_cells(row) for row in report.rows], width=width)
    return "\n\n".join([table, *(_not_seen(row) for row in report.rows if row.problem)]) + "\n"


def never_passed_title(row: LiveRow) -> str:
    return f"{row.model}, {row.environment}: runs what never passed ({short_digest(row.digest or '')})"


def never_passed_issue(row: LiveRow, *, owners: Sequence[str]) -> str:
    """The body of the one issue about a model in an environment, in Markdown.

    `owners` are those that model.yaml names; empty for a model of which git knows nothing.
    """
    text = rendering.markdown(
        "never_passed", row=row, owners=Markdown(" ".join(map(called, owners))), next_steps=_next_steps(row)
    )
    fields = {"model": row.model, "environment": row.environment, "digest": row.digest or ""}
    return cut_at_a_line(text, whole="`slipway status --live`", ending=marker(kind="never-passed", **fields))


def _next_steps(row: LiveRow) -> str:
    if row.ended_by:
        return row.ended_by
    verb = "stop" if row.wanted is None else "verify-rollout"
    return f"slipway {verb} {row.model} --environment {row.environment}"


def _cells(row: LiveRow) -> tuple[str, ...]:
    return (
        row.model or _ALL_ELSE,
        f"{row.environment}, canary" if row.canary else row.environment,
        row.wanted or NOTHING,
        row.version or _unknown(row),
        short_digest(row.digest) if row.digest else NOTHING,
        _said(row),
    )


def _unknown(row: LiveRow) -> str:
    """What it is called there is no version of ours."""
    return f"“{row.called}”" if row.digest is not None and row.called else NOTHING


def _said(row: LiveRow) -> str:
    if row.state is LiveState.BEHIND:
        return f"behind: {row.wanted} is merged, and not live yet"
    if row.state is LiveState.ANOTHER:
        return f"something else runs than git says; {row.version} passed"
    if row.state is LiveState.NEVER_PASSED:
        return "runs what the ledger never passed"
    return str(row.state)


def _not_seen(row: LiveRow) -> str:
    return f"{row.model or _ALL_ELSE} in {row.environment}: {one_line(row.problem)}\n  mend: {one_line(row.mend)}"
