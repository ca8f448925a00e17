"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import socket
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from slipway.adapters.workplace import Workplace
    from slipway.steps.record_pages import Heartbeat, Run

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the page as JSON.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Tell what would be written, and write nothing.")
TAG = click.argument("tag", metavar="TAG")
MODEL = click.argument("model", metavar="MODEL")


class _Day(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
            day + timedelta(days=1)  # the end of a day is where the next one begins
        except (ValueError, OverflowError):
            self.fail(f"`{value}` is no day; write it like 2013-08-01", param, ctx)
        return day


DAY = _Day()
ENVIRONMENT = click.option("--environment", metavar="NAME", help="One of slipway.yaml; the last of them by default.")
FIRST_ENVIRONMENT = click.option(
    "--environment", metavar="NAME", help="One of slipway.yaml; the first of them by default."
)
UNTIL = click.option("--until", type=DAY, help="Last day of the window; yesterday by default.")


def refuse_all_and_one(model: str | None, *, all_of_it: bool) -> None:
    """A command about one model or about all is asked for exactly one of the two."""
    if all_of_it == (model is not None):
        raise click.UsageError("name a model, or say --all")


def day_of_window(until: date | None) -> date:
    """A window ends with a day that is over."""
    return until if until is not None else today() - timedelta(days=1)


def today() -> date:
    return datetime.now(UTC).date()


def workplace(*, dry_run: bool = False) -> Workplace:
    """Open the repository around the current folder."""
    from slipway.adapters.dry_run import dry
    from slipway.adapters.workplace import Workplace

    opened = Workplace.around(Path.cwd())
    return dry(opened) if dry_run else opened


def this_run() -> Run:
    """The run of the workflow that this is a part of; on a laptop, this command is one."""
    from slipway.steps.record_pages import Run

    here = f"{socket.gethostname()} at {datetime.now(UTC).isoformat(timespec='microseconds')}"
    return Run(os.environ.get("GITHUB_RUN_ID", here), os.environ.get("GITHUB_RUN_ATTEMPT", "1"))


def heartbeat(workflow: str) -> Heartbeat:
    """Of a workflow that runs each day, whoever started it."""
    from slipway.adapters.records import run_url
    from slipway.steps.record_pages import Heartbeat

    return Heartbeat(workflow, today(), run_url())


def who_asks(opened: Workplace) -> str:
    """In a workflow, who started it; on a laptop, as git calls the person."""
    from slipway.adapters import git

    return os.environ.get("GITHUB_ACTOR") or git.user_name(opened.repository.root)


def environment_in(opened: Workplace, name: str | None) -> str:
    """Return a declared environment's name, the last one's without a name: where users are.

    Raises:
        BadParameter: slipway.yaml does not list it.
    """
    return opened.settings.production if name is None else _declared(opened, name)


def first_environment_in(opened: Workplace, name: str | None) -> str:
    """Return a declared environment's name, the first one's without a name: where a release begins.

    Raises:
        BadParameter: slipway.yaml does not list it.
    """
    return opened.settings.first if name is None else _declared(opened, name)


def _declared(opened: Workplace, name: str) -> str:
    declared = [environment.name for environment in opened.settings.environments]
    if name not in declared:
        raise click.BadParameter(f"`{name}` is none of slipway.yaml's environments: {', '.join(declared)}")
    return name
