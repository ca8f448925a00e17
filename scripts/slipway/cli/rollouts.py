"""A whole rollout: what was merged is verified, announced and proposed further, and a canary goes its own way."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from slipway.cli import canaries, failed_rollouts, options, release, upkeep, write_back
from slipway.cli.failures import told
from slipway.cli.printing import summarise, tell
from slipway.domain.tag import ReleaseTag

if TYPE_CHECKING:
    from slipway.adapters.wanted_rollouts import Wanted
    from slipway.adapters.workplace import Workplace


@click.command("rollout")
@click.argument("model", metavar="MODEL", required=False)
@click.option("--all", "all_of_it", is_flag=True, help="All models; one failure stops no other.")
@click.option("--environment", metavar="NAME", help="One of slipway.yaml; all of them by default.")
@click.option(
    "--leave-webhook", is_flag=True, help="Leave it to `send-webhook --rollouts` to tell the incident_webhook."
)
@options.DRY_RUN
@click.pass_context
def run_rollout(  # noqa: PLR0917  # click passes by name
    context: click.Context,
    model: str | None,
    all_of_it: bool,
    environment: str | None,
    leave_webhook: bool,
    dry_run: bool,
) -> int:
    """Roll out what was merged and is not verified yet: see that it answers, announce it, propose it further.

    What is due is computed from manifests and ledger; where nothing is, nothing is done. What must soak first, or is
    frozen, as policies/rollout.yaml says, is told with the time until which it waits.
    """
    from slipway.adapters import rollouts
    from slipway.cli.engines import outlives_this_run

    options.refuse_all_and_one(model, all_of_it=all_of_it)
    place = options.workplace()
    if model is not None:
        place.repository.model(model)  # a misspelt one is never due
    if environment is not None:
        options.environment_in(place, environment)
    found = rollouts.due(place, stays=outlives_this_run(place.settings.rollout_engine, os.environ))

    def is_chosen(one: str, there: str) -> bool:
        return model in (None, one) and environment in (None, there)

    due = [(there, one) for there, one in found if is_chosen(one, there)]
    tell("\n".join(f"due: {one} in {there}" for there, one in due) or "nothing is due")
    roll_out = partial(_would_roll_out, context) if dry_run else partial(_roll_out, context)
    code = max((told(partial(roll_out, one, there)) for there, one in due), default=0)
    if not dry_run:
        code = max(code, canaries.follow_all(is_chosen))
        followed = failed_rollouts.follow_all(is_chosen, leave_webhook=leave_webhook)
        code = max(code, followed)
        if write_back.is_wanted():
            write_back.follow_all(is_chosen)
    return max(code, told(_tell_waiting))


def _would_roll_out(context: click.Context, model: str, environment: str) -> None:
    where = {"model": model, "environment": environment}
    context.invoke(release.verify_rollout, on=None, canary=False, dry_run=True, as_json=False, **where)


def _roll_out(context: click.Context, model: str, environment: str) -> None:
    """What was verified is recorded, whatever comes of it afterwards: the rest stays due."""

    from slipway.adapters import wanted_rollouts

    where = {"model": model, "environment": environment}
    context.invoke(release.verify_rollout, on=None, canary=False, dry_run=False, as_json=False, **where)
    _clear_away(model, environment)
    verified = wanted_rollouts.wanted(workplace=options.workplace(), **where)
    assert verified is not None
    try:
        context.invoke(release.announce_rollout, dry_run=False, as_json=False, **where)
        _propose_next(context, verified)
    finally:
        _record(context, verified.tag)
    _roll_out_canary(context, model, environment)


def _clear_away(model: str, environment: str) -> None:
    """What was applied is the manifest of now: a canary that is in it no more runs no more."""
    from slipway.steps import record_pages, verify_rollout

    place = options.workplace()
    for page in verify_rollout.note_withdrawn(model, environment=environment, workplace=place):
        tag = ReleaseTag.parse(page.subject)
        record_pages.run(place.release(tag), tag=tag, ledger=place.ledger)
        tell(f"{model} in {environment}: the canary {page.body.version} is gone")


def _roll_out_canary(context: click.Context, model: str, environment: str) -> None:
    from slipway.adapters import canaries as trials

    trial = trials.running(model, environment=environment, workplace=options.workplace())
    if trial is not None:
        where = {"model": model, "environment": environment}
        context.invoke(release.verify_rollout, on=None, canary=True, dry_run=False, as_json=False, **where)
        _record(context, trial.tag)


def _propose_next(context: click.Context, verified: Wanted) -> None:
    """The evidence of the release is carried over; the way back is another one there, and tried out anew."""
    from slipway.adapters import rollouts
    from slipway.steps import rehearse_rollback

    place = options.workplace()
    following = rollouts.next_environment(verified, place)
    if following is not None and _may_go_on(verified, following, place):
        rehearse_rollback.run_for_next(place.release(verified.tag), environment=following, workplace=place)
        tag = str(verified.tag)
        context.invoke(release.bump_manifest, tag=tag, environment=following, dry_run=False, as_json=False)


def _may_go_on(verified: Wanted, following: str, place: Workplace) -> bool:
    """By the page of this run, which the ledger need not have yet."""
    from slipway.adapters import rollouts
    from slipway.domain.release import Rollout

    pages = place.release(verified.tag).pages(Rollout)
    return rollouts.wait_for(following, verified, place, verified=pages, now=datetime.now(UTC)) is None


def _tell_waiting() -> None:
    """Who waits for the next environment learns until when, and why."""
    from slipway.adapters import rollouts
    from slipway.reports.markdown import fenced
    from slipway.reports.waiting import waiting_text

    if text := waiting_text(rollouts.onward(options.workplace())):
        tell(text)
        summarise(fenced(text))


def _record(context: click.Context, tag: ReleaseTag) -> None:
    none_of = {"jobs": None, "environment": None, "until": None}
    context.invoke(upkeep.record_pages, subject=str(tag), dry_run=False, **none_of)


COMMANDS = (run_rollout,)
