"""The commands that tell how everything is: in a terminal, and as a page for everybody."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slipway.cli import options
from slipway.cli.printing import show, show_nothing, summarise, tell

if TYPE_CHECKING:
    from slipway.adapters.workplace import Workplace


@click.command("status")
@click.option("--on", type=options.DAY, help="As it was when this day ended, in UTC, by the dates of commits.")
@click.option("--live", is_flag=True, help="Ask what runs the models, and compare it with git and the ledger.")
@click.option("--issue", is_flag=True, help="With --live: keep one issue about each model that runs what never passed.")
@options.AS_JSON
def status(on: date | None, live: bool, issue: bool, as_json: bool) -> int:
    """Tell what runs where, since when, who let it in, how it is, what is on its way, and how environments differ.

    With --live, the exit code is 10 where something else runs than git says, and 12 where it could not be asked.
    """
    from slipway.reports.status import status_text
    from slipway.steps import status as step

    if issue and not live:
        raise click.UsageError("--issue is about what runs: say --live, too")
    if live and on is not None:
        raise click.UsageError("--live asks what runs now, and --on a day that is over: say one of the two")
    if live:
        return _compare_live(options.workplace(), tells=issue, as_json=as_json)
    found = step.look(workplace=options.workplace(), on=on)
    show(found, status_text(found), as_json=as_json)
    return 0


def _compare_live(place: Workplace, *, tells: bool, as_json: bool) -> int:
    """On a hosted runner nothing outlives a run that this machine would serve: that is no finding."""
    from slipway.cli.engines import engine_of, outlives_this_run
    from slipway.domain.verdict import EXIT_CODES, Verdict
    from slipway.errors import Unreachable
    from slipway.reports.live import live_table
    from slipway.reports.markdown import fenced
    from slipway.steps import compare_live as step

    if not outlives_this_run(place.settings.rollout_engine, os.environ):
        show_nothing("nothing to compare: what a hosted runner serves ends with its run", as_json=as_json)
        return 0
    report = step.run(workplace=place, engine=engine_of(place))
    show(report, live_table(report), as_json=as_json)
    summarise(fenced(live_table(report)))
    if tells:
        step.tell(report, workplace=place)
    if not report.is_whole:
        return Unreachable.exit_code
    return EXIT_CODES[Verdict.PASS if report.is_well else Verdict.FAIL]


@click.command("status-page")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="What it held before is replaced as a whole, if an earlier run wrote it; any other folder is refused.",
)
@options.DRY_RUN
def status_page(out: Path, dry_run: bool) -> None:
    """Write a static page of what runs where, who let it in, drift, heartbeats and incidents, for GitHub Pages."""
    from slipway.steps import status_page as step

    site = step.run(out=out, now=datetime.now(UTC), workplace=options.workplace(dry_run=dry_run), dry_run=dry_run)
    tell(
        f"{out}: {site.files} pages of {site.models} models, index.html has {site.index_bytes:,} bytes", dry_run=dry_run
    )


COMMANDS = (status, status_page)
