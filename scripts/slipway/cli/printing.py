"""What a command prints, and what it hands to the workflow that called it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel

from slipway.domain.verdict import EXIT_CODES, Verdict
from slipway.reports.cutting import LONGEST_SUMMARY, cut_at_a_line
from slipway.reports.plain import printable

if TYPE_CHECKING:
    from slipway.domain.incident import IssueFiled, Reversion
    from slipway.domain.pages import Page

_WOULD_BE = "dry run, nothing was written; it would be: "


def show(result: BaseModel, text: str, *, as_json: bool, dry_run: bool = False) -> None:
    """The result on stdout: for a person, or with `--json` for a program."""
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        tell(text, dry_run=dry_run)


def show_nothing(why: str, *, as_json: bool) -> None:
    """That there is no page, and why: for a person, or `null` for a program."""
    if as_json:
        click.echo("null")
    else:
        tell(why)


def tell(text: str, *, dry_run: bool = False) -> None:
    """What was done, or would have been; a text that people wrote gives the workflow no command."""
    click.echo(printable(f"{_WOULD_BE}{text}" if dry_run else text).rstrip("\n"))


def numbered(number: int) -> str:
    """Of a pull request or an issue; one that a dry run did not open has no number."""
    return f"#{number}" if number else "(new)"


def show_issue(page: Page[IssueFiled], *, as_json: bool, dry_run: bool) -> None:
    """What became of an issue; its number and that go to the workflow, too."""
    filed = page.body
    show(page, _about(filed), as_json=as_json, dry_run=dry_run)
    hand_over({"number": filed.number if filed.number is not None else "", "action": filed.action}, dry_run=dry_run)


def _about(filed: IssueFiled) -> str:
    if filed.number is None:
        return "nothing to tell"
    done = "stays as it is" if filed.action == "none" else filed.action
    return f"issue {numbered(filed.number)} {done}: {filed.title}"


def tell_reversion(done: str, back: Reversion, *, dry_run: bool) -> None:
    """What was `done`, and by which pull request or commit, which the workflow gets, too."""
    by = f"pull request {numbered(back.pull)}" if back.pull is not None else f"commit {back.commit[:12]}"
    tell(f"{done} by {by}", dry_run=dry_run)
    hand_over({"pull": back.pull if back.pull is not None else "", "back-to": back.back_to}, dry_run=dry_run)


def hand_over(outputs: Mapping[str, object], *, dry_run: bool = False) -> None:
    """Write a step's outputs to the file that GitHub Actions names; nothing on a laptop, nor what was not done."""
    path = os.environ.get("GITHUB_OUTPUT")
    if path is None or dry_run:
        return
    with Path(path).open("a", encoding="utf-8") as file:
        for name, value in outputs.items():
            end = secrets.token_hex(8)  # a value can hold lines, but never this one
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def summarise(markdown: str) -> None:
    """Append to the run's summary page; nothing on a laptop."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if path is not None:
        text = cut_at_a_line(f"{markdown}\n", whole="the log of this step", longest=LONGEST_SUMMARY)
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


def exit_code(verdict: Verdict) -> int:
    """In a workflow a verdict is an output: its last step fails the run, after the evidence was recorded."""
    return 0 if os.environ.get("GITHUB_ACTIONS") == "true" else EXIT_CODES[verdict]
