"""The commands that keep a repository true: ledger, reconciliation, a new model."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import failed_rollouts, options, watch
from slipway.cli.failures import warn
from slipway.cli.printing import hand_over, show, summarise, tell
from slipway.domain.release import JobResult
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadTag, ForgeRefused

if TYPE_CHECKING:
    from slipway.adapters.workplace import Workplace

_RELEASES = "release.yml"


class _Jobs(click.ParamType[dict[str, JobResult]]):
    """`{"fetch": {"result": "success", …}, …}`, as GitHub tells by `toJSON(needs)`."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, JobResult]:
        try:
            told = json.loads(value) if isinstance(value, str) else value
            return {str(name): JobResult(job["result"] if isinstance(job, dict) else job) for name, job in told.items()}
        except (ValueError, KeyError, AttributeError) as error:
            self.fail(f"this does not tell how jobs ended, as `toJSON(needs)` does: {error}", param, ctx)


@click.command("record-pages")
@click.argument("subject", metavar="TAG|MODEL|INCIDENT")
@click.option(
    "--jobs", type=_Jobs(), help="How the jobs of this run of TAG ended; one that broke off is recorded, too."
)
@options.ENVIRONMENT
@options.UNTIL
@options.DRY_RUN
def record_pages(
    subject: str, jobs: dict[str, JobResult] | None, environment: str | None, until: date | None, dry_run: bool
) -> None:
    """Write the pages of a release (TAG), window (MODEL) or failed rollout (INCIDENT) to the ledger, by one commit."""
    from slipway.steps import record_pages as step

    place = options.workplace(dry_run=dry_run)
    if "@" in subject:
        commit = _record_release(subject, jobs, place)
    elif failed_rollouts.is_incident(subject):
        commit = failed_rollouts.record_pages(subject, dry_run=dry_run)
    else:
        name = options.environment_in(place, environment)
        record = place.window(subject, name, options.day_of_window(until).isoformat())
        commit = step.run_on_windows([record], ledger=place.ledger)
    tell(f"ledger at {commit[:12]}" if commit else f"{subject} has no pages yet", dry_run=dry_run)


def _record_release(subject: str, jobs: dict[str, JobResult] | None, place: Workplace) -> str | None:
    """A run of what is no tag has no place in the ledger: its last step fails it, so this one only says so."""
    from slipway.steps import record_pages as step

    try:
        tag = ReleaseTag.parse(subject)
        if jobs is not None:
            step.note_attempt(tag, jobs=jobs, of=options.this_run(), today=options.today(), workplace=place)
    except (BadTag, ForgeRefused) as no_tag:
        if jobs is None:
            raise
        tell(f"this run is not recorded: {no_tag.problem}")
        return None
    return step.run(place.release(tag), tag=tag, ledger=place.ledger)


@click.command("receive-pages")
@click.argument("subject", metavar="TAG|MODEL")
@click.option(
    "--from", "received", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER"
)
@click.option("--kind", "kinds", multiple=True, required=True, help="A page that the other job was to write; repeat.")
def receive_pages(subject: str, received: Path, kinds: tuple[str, ...]) -> None:
    """Take in what another job of a release (TAG) or of a check (MODEL) wrote, after checking every byte of it."""
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
    flag_value=_RELEASES,
    metavar="[WORKFLOW]",
    help=f"Start this workflow for each release that is due ({_RELEASES} without a name) and rollout.yml for what may "
    "go on by now, and tell in issues what a person must mend.",
)
@options.AS_JSON
def reconcile(on: date | None, start: str | None, as_json: bool) -> None:
    """Compute from tags, ledger and manifests what is due: missed releases and rollouts, moved tags, missed watches."""
    from slipway.reports.upkeep import reconciliation_text
    from slipway.steps import reconcile as step
    from slipway.steps import record_pages as recording

    place = options.workplace()
    found = step.run(today=on or options.today(), workflow=start or _RELEASES, workplace=place)
    show(found, reconciliation_text(found) or "nothing is due", as_json=as_json)
    if start is not None:
        step.tell(found, workplace=place)
        step.start(found.due, workflow=start, forge=place.forge)
        step.start_rollouts(found.rollouts, forge=place.forge)
        step.start_checks(found.checks, forge=place.forge)
        recording.run_on_windows([], ledger=place.ledger, beat=options.heartbeat("reconcile"))
    hand_over({"due": json.dumps(found.due)})


@click.command("record-watch")
@click.option("--from", "received", required=True, type=click.Path(path_type=Path), metavar="FOLDER")
def record_watch(received: Path) -> None:
    """Take in what the shards of a watch saw, and write it with a heartbeat into the ledger, by one commit."""
    from slipway.steps import receive_pages, reconcile

    place = options.workplace()
    records = receive_pages.run_on_windows(received, workplace=place)
    commit = watch.record_all(records, place)
    tell("\n".join(f"received {record.subject}" for record in records) or "no window was looked at")
    tell(f"ledger at {(commit or '')[:12]}")
    reconcile.tell_when_stopped("reconcile", today=options.today(), workplace=place)


@click.command("check-manifests")
@options.AS_JSON
def check_manifests(as_json: bool) -> int:
    """See that everything in deploy/ was released, passed, is not held back, and was compared with what runs."""
    from slipway.domain.verdict import EXIT_CODES, Verdict
    from slipway.reports.markdown import fenced
    from slipway.steps import check_manifests as step

    place = options.workplace()
    report = step.run(workplace=place)
    for one in place.history.stopped("reconcile", "watch", today=options.today()):
        warn(f"{one.workflow} ran last on {one.last}: look at its schedule, under Actions")
    lines = [f"{one.path}: {one.problem}\n  mend: {one.mend}" for one in report.problems]
    text = "\n".join(lines) or f"{report.checked} manifests name what passed"
    show(report, text, as_json=as_json)
    summarise(fenced(text))
    return EXIT_CODES[Verdict.FAIL if report.problems else Verdict.PASS]  # nothing follows that could fail the run


@click.command("export-watch")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE.prom",
    help="Write this file, for node_exporter's textfile collector; a reader never sees half of it.",
)
@click.option("--push-to", metavar="URL", help="Tell a Pushgateway, such as http://127.0.0.1:9091.")
@click.option("--instance", metavar="NAME", help="Under this name there; the repository's folder by default.")
def export_watch(out: Path | None, push_to: str | None, instance: str | None) -> None:
    """Tell Prometheus what the watch said last; without an option, print it."""
    from slipway.adapters import atomic, pushgateway
    from slipway.reports.watch_metrics import watch_metrics
    from slipway.steps import export_watch as step

    place = options.workplace()
    text = watch_metrics(step.run(now=datetime.now(UTC), workplace=place))
    if out is not None:
        _check_name(out)
        atomic.write(out, text)
    if push_to is not None:
        pushgateway.push(text, to=push_to, instance=instance or place.repository.root.name)
    if out is None and push_to is None:
        tell(text.decode())


def _check_name(out: Path) -> None:
    if out.suffix != ".prom" or not out.parent.is_dir():
        raise click.BadParameter(
            f"`{out}` must end in .prom and lie in a folder that is there: node_exporter reads no other"
        )


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


COMMANDS = (record_pages, receive_pages, record_watch, reconcile, check_manifests, export_watch, new_model)
