"""Whole runs on one machine: what the workflows do with the same steps, one job after the other."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import canaries, failed_rollouts, options, release, upkeep, verdicts, watch, windows
from slipway.cli.failures import told
from slipway.cli.printing import hand_over, summarise, tell
from slipway.domain.tag import ReleaseTag
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    from slipway.adapters.wanted_rollouts import Wanted
    from slipway.adapters.workplace import Workplace


@click.command("release")
@options.TAG
@options.FIRST_ENVIRONMENT
@click.pass_context
def run_release(context: click.Context, tag: str, environment: str | None) -> int:
    """Run all steps of the release of TAG on this machine, up to the pull request."""
    try:
        context.invoke(release.resolve_tag, tag=tag, as_json=False)
        context.invoke(release.convert_to_onnx, tag=tag, as_json=False)
        context.invoke(release.measure_consistency, tag=tag, as_json=False)
        context.invoke(release.rehearse_rollback, tag=tag, environment=environment, as_json=False)
        where = {"environment": None, "until": None, "canary": False}
        code: int = context.invoke(verdicts.judge, subject=tag, as_json=False, **where)
        if not _failed(tag):
            context.invoke(release.build_image, tag=tag, dry_run=False, as_json=False)
            context.invoke(release.bump_manifest, tag=tag, environment=environment, dry_run=False, as_json=False)
        context.invoke(watch.file_issue, subject=tag, environment=None, until=None, dry_run=False, as_json=False)
    except SlipwayError:
        _record_attempt(context, tag)
        raise
    _record(context, tag, None, None)
    return code


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

    if all_of_it == (model is not None):
        raise click.UsageError("name a model, or say --all")
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
        code = max(code, canaries.follow_all(is_chosen, about=watch.about_the_issue))
        followed = failed_rollouts.follow_all(is_chosen, about=watch.about_the_issue, leave_webhook=leave_webhook)
        code = max(code, followed)
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
        _record(context, str(verified.tag), None, None)
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
        _record(context, str(trial.tag), None, None)


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


class _Shard(click.ParamType[tuple[int, int]]):
    name = "K/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        which, _, of = str(value).partition("/")
        if not (which.isdecimal() and of.isdecimal() and 1 <= int(which) <= int(of)):
            self.fail(f"`{value}` is no part of a whole; write it like 2/5", param, ctx)
        return int(which), int(of)


@click.command("watch")
@click.argument("model", metavar="MODEL", required=False)
@click.option("--all", "all_of_it", is_flag=True, help="All models, in all environments; one failure stops no other.")
@click.option(
    "--shard", type=_Shard(), help="Of --all, what falls to machine K of N; its windows are not recorded yet."
)
@click.option("--plan", is_flag=True, help="Tell the shards that have something to look at, as JSON.")
@options.ENVIRONMENT
@options.UNTIL
@click.pass_context
def run_watch(  # noqa: PLR0917  # click passes by name
    context: click.Context,
    model: str | None,
    all_of_it: bool,
    shard: tuple[int, int] | None,
    plan: bool,
    environment: str | None,
    until: date | None,
) -> int:
    """Look at a window of what MODEL served, and do what follows from it: nothing, an issue, or a way back."""
    if [model is not None, all_of_it, plan].count(True) != 1 or (model is None and environment is not None):
        raise click.UsageError("name a model, or say --all or --plan and no environment")
    if shard is not None and not all_of_it:
        raise click.UsageError("--shard is a part of --all")
    if plan:
        return _plan()
    return _watch(context, model, environment, until) if model is not None else _watch_all(context, shard, until)


def _plan() -> int:
    """A shard without anything to look at is left out."""
    from slipway.adapters import deploy_tree
    from slipway.cli.engines import serves_elsewhere
    from slipway.domain.upkeep import shard_of, shards_for

    place = options.workplace()
    found = deploy_tree.everything_deployed(place.forge)
    of = shards_for(len(found))
    shards = sorted({shard_of(*place, shards=of) for place in found})
    tell(json.dumps([f"{shard}/{of}" for shard in shards]))
    elsewhere = serves_elsewhere(place.settings.rollout_engine)
    hand_over({"shards": json.dumps(shards), "of": of, "elsewhere": json.dumps(elsewhere)})
    return 0


def _watch_all(context: click.Context, shard: tuple[int, int] | None, until: date | None) -> int:
    """The worst exit code of all; 0 where nothing is deployed."""
    from slipway.adapters import deploy_tree
    from slipway.domain.upkeep import shard_of

    which, of = shard or (1, 1)
    found = deploy_tree.everything_deployed(options.workplace().forge)
    mine = [place for place in found if shard_of(*place, shards=of) == which]
    tell("\n".join(f"deployed: {model} in {environment}" for environment, model in mine) or "nothing is deployed")
    code = max((_look_at_both(context, model, environment, until) for environment, model in mine), default=0)
    place, day = options.workplace(), options.day_of_window(until).isoformat()
    windows.summarise_windows([(where, model, place.window(model, where, day)) for where, model in mine], place)
    if shard is None:
        _record_all(mine, until)
    return code


def _watch(context: click.Context, model: str, environment: str | None, until: date | None) -> int:
    name = options.environment_in(options.workplace(), environment)
    try:
        code = _look(context, model, name, until)
    finally:
        of_canary = _look_at_canary(model, name, until)
    context.invoke(watch.send_webhook, model=model, environment=environment, until=until)
    failed_rollouts.post_all()  # of a canary that was withdrawn
    _record(context, model, environment, until)
    return max(code, of_canary)


def _look_at_both(context: click.Context, model: str, environment: str, until: date | None) -> int:
    return max(told(partial(_look, context, model, environment, until)), _look_at_canary(model, environment, until))


def _look_at_canary(model: str, environment: str, until: date | None) -> int:
    """Also where nobody could look at what has the rest: a canary may be bad."""
    return told(partial(canaries.look, model, environment, until, about=watch.about_the_issue))


def _look(context: click.Context, model: str, environment: str, until: date | None) -> int:
    window = {"environment": environment, "until": until}
    context.invoke(watch.measure_drift, model=model, as_json=False, **window)
    code = verdicts.judge_window(model, environment, options.day_of_window(until), as_json=False)
    context.invoke(watch.revert_manifest, model=model, dry_run=False, **window)
    context.invoke(watch.file_issue, subject=model, dry_run=False, as_json=False, **window)
    return code


def _record_all(places: Iterable[tuple[str, str]], until: date | None) -> None:
    """By one commit; a window that could not be judged is looked at again."""
    from slipway.domain.incident import IncidentVerdicts
    from slipway.steps import record_pages

    opened, day = options.workplace(), options.day_of_window(until).isoformat()
    looked = [opened.window(model, environment, day) for environment, model in places]
    judged = [window for window in looked if window.latest(IncidentVerdicts) is not None]
    for alone in (window for window in looked if window.latest(IncidentVerdicts) is None):
        record_pages.run_on_canary(alone, ledger=opened.ledger)
    watch.post_windows(judged, opened)
    failed_rollouts.post_all()  # of canaries that were withdrawn
    record_pages.run_on_windows(judged, ledger=opened.ledger, beat=options.heartbeat("watch"))


def _failed(tag: str) -> bool:
    """By the page: in a workflow the exit code of a verdict is 0."""
    from slipway.domain.release import Verdicts
    from slipway.domain.tag import ReleaseTag
    from slipway.domain.verdict import Verdict

    record = options.workplace().release(ReleaseTag.parse(tag))
    return record.page(Verdicts, written_by="judge").body.verdict is Verdict.FAIL


def _record_attempt(context: click.Context, tag: str) -> None:
    """Keep what was found before a step failed, and that it did."""
    from slipway.domain.release import JobResult

    ended = {"release": JobResult.FAILURE}
    context.invoke(upkeep.record_pages, subject=tag, jobs=ended, environment=None, until=None, dry_run=False)


def _record(context: click.Context, subject: str, environment: str | None, until: date | None) -> None:
    context.invoke(upkeep.record_pages, subject=subject, jobs=None, environment=environment, until=until, dry_run=False)


COMMANDS = (run_release, run_rollout, run_watch)
