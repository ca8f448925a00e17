"""An incident by the real chain: a version that is worse than the one before, and an input that went stuck.

Released, served and watched by the commands that a team has; forge and registry are folders.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from slipway.adapters.forge import Issue
from slipway.cli import slipway
from slipway.cli.windows import REPORT
from slipway.domain.incident import IssueFiled

from tests.team import Team, Tip, days_from, new_team

_WORSE = Tip(bias=0.1)  # finds a tip where there is none
_FIRST = date(2026, 4, 1)
_WEEKS = (date(2026, 4, 7), date(2026, 4, 14), date(2026, 4, 21), date(2026, 4, 28), date(2026, 5, 5))


@dataclass(frozen=True)
class Incident:
    """What a person gets to see: the issue, the report of its newest window, and what Prometheus is told."""

    issue: Issue
    report: Path
    metrics: str


def happened(folder: Path) -> Incident:
    team = new_team(folder)
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    team.release(team.publish("tip@v2.0.0", _WORSE, breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=_FIRST)
    team.serve("v2.0.0", days_from(_FIRST, 21), tip=_WORSE)
    team.serve("v2.0.0", days_from(date(2026, 4, 22), 14), tip=_WORSE, change={"kitchen": "grill"})
    for day in _WEEKS:
        _said(team, "watch", "tip", "--until", day.isoformat())
    record = team.window(_WEEKS[-1])
    filed = record.page(IssueFiled, written_by="file-issue").body
    assert filed.number is not None
    issue = team.workplace.forge.issue(filed.number)
    return Incident(issue, record.folder / REPORT, _said(team, "export-watch"))


def _said(team: Team, *words: str) -> str:
    """A command in the team's checkout, and what it printed."""
    said = io.StringIO()
    with contextlib.chdir(team.root), contextlib.redirect_stdout(said):
        slipway.main(args=list(words), prog_name="slipway", standalone_mode=False)
    return said.getvalue()
