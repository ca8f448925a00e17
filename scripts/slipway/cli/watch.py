"""The commands of the watch: what production sees, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from slipway.cli import failed_rollouts, options
from slipway.cli.failures import warn
from slipway.cli.printing import numbered, show, show_issue, tell, tell_reversion
from slipway.cli.windows import write_report

if TYPE_CHECKING:
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace


@click.command("measure-drift")
@options.MODEL
@options.ENVIRONMENT
@options.UNTIL
@options.AS_JSON
def measure_drift(model: str, environment: str | None, until: date | None, as_json: bool) -> None:
    """Measure a window of what MODEL served: its inputs, its labels, and the version before on the same rows."""
    from slipway.steps import measure_drift as step

    place = options.workplace()
    page = step.run(
        model,
        environment=options.environment_in(place, environment),
        until=options.day_of_window(until),
        policies=place.repository.policies(),
        workplace=place,
    )
    window = page.body.window
    labelled = window.why_unlabelled or f"{window.labelled:,} labelled"
    text = f"{window.version}, {window.start} to {window.end}: {window.rows:,} rows served, {labelled}"
    show(page, text, as_json=as_json)


@click.command("file-issue")
@click.argument("subject", metavar="TAG|MODEL|INCIDENT")
@options.ENVIRONMENT
@options.UNTIL
@options.DRY_RUN
@options.AS_JSON
def file_issue(subject: str, environment: str | None, until: date | None, dry_run: bool, as_json: bool) -> None:
    """Open, update or close the issue of a refused release (TAG), a window (MODEL) or a failed rollout (INCIDENT)."""
    if failed_rollouts.is_incident(subject):
        failed_rollouts.file_issue(subject, dry_run=dry_run, as_json=as_json)
        return
    from slipway.domain.tag import ReleaseTag
    from slipway.steps import file_issue as step

    place = options.workplace(dry_run=dry_run)
    if "@" in subject:
        page = step.run_on_release(place.release(ReleaseTag.parse(subject)), forge=place.forge, web=place.web)
    else:
        name = options.environment_in(place, environment)
        day = options.day_of_window(until).isoformat()
        owners = place.repository.owners(subject)
        record = place.window(subject, name, day)
        page = step.run_on_window(record, forge=place.forge, owners=owners)
        if not dry_run:
            write_report(record, place)
    show_issue(page, as_json=as_json, dry_run=dry_run)


@click.command("send-webhook")
@click.argument("model", metavar="MODEL|INCIDENT", required=False)
@click.option("--rollouts", is_flag=True, help="Of all rollouts that failed, what waits; it is recorded as well.")
@options.ENVIRONMENT
@options.UNTIL
def send_webhook(model: str | None, rollouts: bool, environment: str | None, until: date | None) -> None:
    """Post what was done about a window of MODEL or a failed rollout, and what waits, to the incident_webhook."""
    if rollouts == (model is not None):
        raise click.UsageError("name a model or an incident, or say --rollouts")
    place = options.workplace()
    if place.settings.incident_webhook is None:
        tell("slipway.yaml names no incident_webhook")
        return
    if model is None:
        failed_rollouts.post_all()
        return
    if failed_rollouts.is_incident(model):
        failed_rollouts.send_webhook(model, place)
        return
    name = options.environment_in(place, environment)
    post_windows([place.window(model, name, options.day_of_window(until).isoformat())], place)


def post_windows(records: Iterable[Record], place: Workplace) -> None:
    """What a receiver does not take is told, and keeps nothing else from being done."""
    from slipway.steps import send_webhook as step

    for record in records:
        for page in step.run(record, workplace=place):
            what = f"{page.body.message.type} of {page.body.message.data.incident}, {page.body.event}"
            if page.body.problem:
                warn(f"{what}, was not taken: {page.body.problem}; the next run of the watch posts it again")
            else:
                tell(f"posted {what}")


def record_all(looked: Sequence[Record], place: Workplace) -> str | None:
    """Post and record what a whole watch found, with its heartbeat, by one commit.

    A window that could not be judged is left out, but for what was found of a canary in it: that does not wait.
    """
    from slipway.domain.incident import IncidentVerdicts
    from slipway.steps import record_pages

    judged = [window for window in looked if window.latest(IncidentVerdicts) is not None]
    for alone in (window for window in looked if window not in judged):
        record_pages.run_on_canary(alone, ledger=place.ledger)
    post_windows(judged, place)
    failed_rollouts.post_all()  # of canaries that were withdrawn
    return record_pages.run_on_windows(judged, ledger=place.ledger, beat=options.heartbeat("watch"))


@click.command("revert-manifest")
@click.argument("model", metavar="MODEL|INCIDENT")
@options.ENVIRONMENT
@options.UNTIL
@options.DRY_RUN
def revert_manifest(model: str, environment: str | None, until: date | None, dry_run: bool) -> None:
    """Carry out the verdict `revert` of a window or a failed rollout, by pull request or commit as the policy says."""
    if failed_rollouts.is_incident(model):
        failed_rollouts.revert_manifest(model, dry_run=dry_run)
        return
    from slipway.steps import revert_manifest as step

    place = options.workplace(dry_run=dry_run)
    name = options.environment_in(place, environment)
    record = place.window(model, name, options.day_of_window(until).isoformat())
    means = place.repository.policies().previous_version.limit_for(model).revert
    page = step.run(record, means=means, workplace=place)
    if page is None:
        tell(f"{model} in {name} stays: the verdict asks for no way back")
        return
    body = page.body
    if body.no_way_back:
        tell(f"{model} in {name} stays at {body.version}, though {body.back_to} would do better: {body.no_way_back}")
        return
    tell_reversion(f"{model} in {name}: back from {body.version} to {body.back_to}", body, dry_run=dry_run)


@click.command("rollback")
@options.MODEL
@options.ENVIRONMENT
@click.option("--to", "back_to", required=True, metavar="vX.Y.Z", help="The version to go back to.")
@click.option("--reason", default="asked for by a person", show_default=True, help="Why; it stands in the quarantine.")
@options.DRY_RUN
@options.AS_JSON
def rollback(  # noqa: PLR0917  # click passes by name
    model: str, environment: str | None, back_to: str, reason: str, dry_run: bool, as_json: bool
) -> None:
    """Open the pull request that sends MODEL back to an earlier version, and quarantines the present one."""
    from slipway.steps import record_pages
    from slipway.steps import revert_manifest as step

    place = options.workplace(dry_run=dry_run)
    page = step.run_on_request(
        model,
        environment=options.environment_in(place, environment),
        back_to=back_to,
        reason=reason,
        by=options.who_asks(place),
        day=options.today().isoformat(),
        workplace=place,
    )
    record_pages.run_on_reversion(page, ledger=place.ledger)
    text = f"pull request {numbered(page.body.pull or 0)}: {model} back to {back_to}"
    show(page, text, as_json=as_json, dry_run=dry_run)


COMMANDS = (measure_drift, file_issue, send_webhook, revert_manifest, rollback)
