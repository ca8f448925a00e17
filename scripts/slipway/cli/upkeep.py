"""The commands that keep a repository true: ledger, reconciliation, status, a new model."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from slipway.cli import options
from slipway.cli.printing import hand_over, show, summarise, tell


@click.command("record-pages")
@click.argument("subject", metavar="TAG|MODEL")
@options.ENVIRONMENT
@options.UNTIL
@options.DRY_RUN
def record_pages(subject: str, environment: str | None, until: date | None, dry_run: bool) -> None:
    """Write the pages of a release (TAG) or of a window (MODEL) into the ledger, by one commit."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import record_pages as step

    place = options.workplace(dry_run=dry_run)
    if "@" in subject:
        tag = ReleaseTag.parse(subject)
        commit = step.run(place.release(tag), tag=tag, ledger=place.ledger)
    else:
        name = options.environment_in(place, environment)
        record = place.window(subject, name, options.day_of_window(until).isoformat())
        commit = step.run_on_window(record, ledger=place.ledger)
    tell(f"ledger at {commit[:12]}" if commit else f"{subject} has no pages yet", dry_run=dry_run)


@click.command("receive-pages")
@click.argument("subject", metavar="TAG|MODEL")
@click.option(
    "--from", "received", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER"
)
@click.option("--kind", "kinds", multiple=True, required=True, help="A page that the other job was to write; repeat.")
def receive_pages(subject: str, received: Path, kinds: tuple[str, ...]) -> None:
    """Take in what another job of a release (TAG) or of a check (MODEL) wrote, after checking every byte of it."""
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import receive_pages as step

    place = options.workplace()
    record = place.release(ReleaseTag.parse(subject)) if "@" in subject else place.check(subject)
    names = step.run(record, received=received, kinds=kinds)
    tell(f"{subject}: received {', '.join(names) or 'nothing'}")


@click.command("reconcile")
@click.option("--on", type=options.DAY, help="The day to compute for; today by default.")
@click.option(
    "--start",
    is_flag=False,
    flag_value="release.yml",
    metavar="[WORKFLOW]",
    help="Start this workflow for each release that is due; without a name, release.yml.",
)
@options.AS_JSON
def reconcile(on: date | None, start: str | None, as_json: bool) -> None:
    """Compute from tags, ledger and manifests what is due: missed releases, moved tags, missed watches."""
    from slipway.steps import reconcile as step

    place = options.workplace()
    found = step.run(today=on or options.today(), workplace=place)
    if start is not None:
        step.start(found.due, workflow=start, forge=place.forge)
    lines = [
        *(f"due: {tag}" for tag in found.due),
        *(f"moved: {one.tag}, recorded as {one.recorded[:12]}, now {one.now[:12]}" for one in found.moved),
        *(f"deleted: {tag}" for tag in found.deleted),
        *(f"too old to release: {tag}" for tag in found.too_old),
        *(f"not watched: {one.model} in {one.environment}, last {one.last or 'never'}" for one in found.missed),
    ]
    show(found, "\n".join(lines) or "nothing is due", as_json=as_json)
    hand_over({"due": json.dumps(found.due)})


@click.command("check-manifests")
@options.AS_JSON
def check_manifests(as_json: bool) -> int:
    """See that everything in deploy/ was released, passed, is not in quarantine, and was compared with what runs."""
    from slipway.domain.verdict import EXIT_CODES, Verdict
    from slipway.steps import check_manifests as step

    report = step.run(workplace=options.workplace())
    lines = [f"{one.path}: {one.problem}\n  mend: {one.mend}" for one in report.problems]
    text = "\n".join(lines) or f"{report.checked} manifests name what passed"
    show(report, text, as_json=as_json)
    summarise(f"```\n{text}\n```")
    return EXIT_CODES[Verdict.FAIL if report.problems else Verdict.PASS]  # nothing follows that could fail the run


@click.command("status")
@options.AS_JSON
def status(as_json: bool) -> None:
    """Tell what runs where, since when, and how it is."""
    from slipway.reports.status import status_table
    from slipway.steps import status as step

    rows = step.run(workplace=options.workplace())
    if as_json:
        click.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
    else:
        click.echo(status_table(rows).rstrip("\n"))


@click.command("new-model")
@options.MODEL
@options.DRY_RUN
def new_model(model: str, dry_run: bool) -> None:
    """Lay down models/MODEL with a declaration, a card and a place for source and samples."""
    from slipway.adapters.repository import Repository
    from slipway.steps import new_model as step

    repository = Repository.around(Path.cwd())
    if dry_run:
        click.echo("\n".join(f"would write {path}" for path in step.plan(model, repository=repository)))
        return
    click.echo("\n".join(f"wrote {path}" for path in step.run(model, repository=repository)))
    click.echo(f"Fill in models/{model}/model.yaml, export into source/, then: slipway check {model}")


COMMANDS = (record_pages, receive_pages, reconcile, check_manifests, status, new_model)
