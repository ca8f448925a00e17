"""The command that makes the tag which `check` proposes."""

from __future__ import annotations

import click

from slipway.cli import options
from slipway.cli.printing import hand_over, show


@click.command("tag")
@options.MODEL
@click.option("--message", default="", help="Of the tag; by default the first line of MODEL's last commit.")
@click.option("--push", is_flag=True, help="Push it to origin as well, which starts the release.")
@options.DRY_RUN
@options.AS_JSON
def tag(model: str, message: str, push: bool, dry_run: bool, as_json: bool) -> None:
    """Make the tag that `check MODEL` proposed last: the smallest bump that passes.

    Refused where anything is not committed, not on the default branch, not what was checked, or does not pass. A commit
    that has its tag gets no second one: run again after a kill, and the one that is there is pushed.
    """
    from slipway.steps import tag as step

    place = options.workplace()
    found = step.run(
        model, record=place.check(model), repository=place.repository, message=message, push=push, dry_run=dry_run
    )
    was = "" if found.made else "was there already"
    end = "is pushed" if found.pushed else f"is not pushed yet: git push origin {found.tag}"
    told = ", and ".join(part for part in (was, end) if part)
    show(found, f"{found.tag} of commit {found.commit[:12]} {told}", as_json=as_json, dry_run=dry_run)
    hand_over({"tag": found.tag, "commit": found.commit}, dry_run=dry_run)


COMMANDS = (tag,)
