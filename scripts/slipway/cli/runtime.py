"""The commands of the runtime image: what runtime-image.yml asks before it builds, and does after."""

from __future__ import annotations

import click

from slipway.cli import options
from slipway.cli.printing import hand_over, numbered, show, tell


@click.command("find-runtime")
@options.TAG
def find_runtime(tag: str) -> None:
    """Tell where the runtime image TAG is pushed to, and whether it is there already."""
    from slipway.adapters import runtime_image

    place = options.workplace()
    address = runtime_image.address_of(tag, place)
    tell(f"{address} is {'there' if runtime_image.is_there(tag, place) else 'missing'}")


@click.command("propose-runtime")
@options.TAG
@options.DRY_RUN
@options.AS_JSON
def propose_runtime(tag: str, dry_run: bool, as_json: bool) -> None:
    """Open or update the pull request that lets releases stand on the runtime image TAG."""
    from slipway.steps import propose_runtime as step

    proposal = step.run(tag, workplace=options.workplace(dry_run=dry_run))
    where = (
        f"pull request {numbered(proposal.pull)}: {proposal.title}"
        if proposal.pull is not None
        else "slipway.yaml names it already"
    )
    show(proposal, f"{proposal.reference}: {where}", as_json=as_json, dry_run=dry_run)
    pull = proposal.pull if proposal.pull is not None else ""
    hand_over({"pull": pull, "branch": proposal.branch}, dry_run=dry_run)


COMMANDS = (find_runtime, propose_runtime)
