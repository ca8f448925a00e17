"""The commands by which an orchestrator trains a model again: the flow's file, and what its first task runs."""

from __future__ import annotations

from pathlib import Path

import click

from slipway.cli import options


@click.command("train", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@options.MODEL
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENTS OF TRAIN.PY]...")
@click.option(
    "--requirements",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A hashed file of packages; by default that of MODEL's framework.",
)
@options.DRY_RUN
def train(model: str, arguments: tuple[str, ...], requirements: Path | None, dry_run: bool) -> None:
    """Run models/MODEL/train.py from the repository's root, in the environment of its framework.

    It is your own program: it has the network, your variables and your files. Options of this command come before
    MODEL; what follows MODEL goes to train.py.
    """
    from slipway.adapters.repository import Repository
    from slipway.cli.printing import tell
    from slipway.steps import train as step

    repository = Repository.around(Path.cwd())
    if dry_run:
        script, locked = step.plan(model, repository=repository, requirements=requirements)
        tell(f"{script.relative_to(repository.root)} runs with the packages of {locked.name}", dry_run=True)
        return
    step.run(model, arguments, repository=repository, requirements=requirements)


@click.command("flow")
@click.argument("orchestrator", type=click.Choice(("airflow", "prefect")))
@options.MODEL
@click.option("--receiver", is_flag=True, help="Also what lets an incident that says `retrain` start it.")
@options.DRY_RUN
def flow(orchestrator: str, model: str, receiver: bool, dry_run: bool) -> None:
    """Lay down a DAG of Airflow, or a flow of Prefect: train → evaluate → check → tag → push.

    A file that is there is never written over. See docs/orchestrators.md.
    """
    from slipway.adapters.repository import Repository
    from slipway.reports.flows import Orchestrator
    from slipway.steps import flow as step

    repository, kind = Repository.around(Path.cwd()), Orchestrator(orchestrator)
    if dry_run:
        paths = list(step.plan(kind, model, receiver=receiver, repository=repository))
    else:
        paths = step.run(kind, model, receiver=receiver, repository=repository)
    words = "would write" if dry_run else "wrote"
    shown = [f"{words} {path.relative_to(repository.root)}" for path in paths]
    click.echo("\n".join(shown) or "all of it is there already")


COMMANDS = (train, flow)
