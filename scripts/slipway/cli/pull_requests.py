"""The commands that look at a pull request before it is merged: which models it changes, and whom its policies hit."""

from __future__ import annotations

import json
from pathlib import Path

import click

from slipway.cli import options
from slipway.cli.printing import hand_over, show, summarise


@click.command("changed-models")
@click.option("--base", required=True, metavar="REF", help="The branch to merge into, such as origin/main.")
@options.AS_JSON
def changed_models(base: str, as_json: bool) -> None:
    """Tell which models HEAD changes, seen from where it left the branch REF, and whether policies change."""
    from slipway.adapters.repository import Repository
    from slipway.reports.markdown import fenced
    from slipway.reports.proposed_changes import proposed_changes
    from slipway.steps import changed_models as step

    found = step.run(base=base, repository=Repository.around(Path.cwd()))
    text = proposed_changes(found)
    show(found, text, as_json=as_json)
    summarise(fenced(text))
    hand_over({"models": json.dumps(found.models), "policies": json.dumps(found.policies)})
    step.refuse_misnamed(found)


@click.command("rejudge")
@click.option(
    "--policies",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The proposed policies; policies/ of the working tree by default.",
)
@options.AS_JSON
def rejudge(folder: Path | None, as_json: bool) -> None:
    """Judge every deployed version again under proposed policies, and tell whose verdict would change.

    Compared is with the policies of the default branch. No model is loaded: what was measured stands in the ledger.
    """
    from slipway.adapters.repository import read_policies
    from slipway.reports.rejudgement import rejudgement, rejudgement_in_markdown
    from slipway.steps import rejudge as step

    place = options.workplace()
    policies = read_policies(folder or place.repository.root / "policies")
    found = step.run(policies=policies, today=options.today(), workplace=place)
    show(found, rejudgement(found), as_json=as_json)
    summarise(rejudgement_in_markdown(found))


COMMANDS = (changed_models, rejudge)
