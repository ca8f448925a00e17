"""Whole runs on one machine: what the workflows do with the same steps, one job after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import canaries, failed_rollouts, options, release, upkeep, verdicts, watch, windows
from slipway.cli.failures import told
from slipway.cli.printing import hand_over, tell
from slipway.domain.tag import ReleaseTag
from slipway.errors import SlipwayError

if TYPE_CHECKING:
    pass


@click.command("release")
@options.TAG
@options.FIRST_ENVIRONMENT
@click.pass_context
def run_release(context: click.Context, tag: str, environment: str | None) -> int:
    """Run all steps of the release of TAG on this machine, up to the pull request."""
    ReleaseTag.parse(tag)  # before anything is recorded: without `@`, it would be taken for a model's window
    try:
        context.invoke(release.fetch_source, tag=tag, as_json=False)
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
    from slipway.adapters import known_answers
    from slipway.cli.engines import serves_elsewhere
    from slipway.domain.upkeep import shard_of, shards_for

    place = options.workplace()
    found = known_answers.places_to_watch(place)
    of = shards_for(len(found))
    shards = sorted({shard_of(*place, shards=of) for place in found})
    tell(json.dumps([f"{shard}/{of}" for shard in shards]))
    elsewhere = serves_elsewhere(place.settings.rollout_engine)
    hand_over({"shards": json.dumps(shards), "of": of, "elsewhere": json.dumps(elsewhere)})
    return 0


def _watch_all(context: click.Context, shard: tuple[int, int] | None, until: date | None) -> int:
    """The worst exit code of all; 0 where nothing is deployed."""
    from slipway.adapters import known_answers
    from slipway.domain.upkeep import shard_of

    which, of = shard or (1, 1)
    found = known_answers.places_to_watch(options.workplace())
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
        _record_canary(model, name, until)
    context.invoke(watch.send_webhook, model=model, environment=environment, until=until)
    failed_rollouts.post_all()  # of a canary that was withdrawn
    _record(context, model, environment, until)
    return max(code, of_canary)


def _look_at_both(context: click.Context, model: str, environment: str, until: date | None) -> int:
    return max(told(partial(_look, context, model, environment, until)), _look_at_canary(model, environment, until))


def _look_at_canary(model: str, environment: str, until: date | None) -> int:
    """Also where nobody could look at what has the rest: a canary may be bad."""
    return told(partial(canaries.look, model, environment, until))


def _record_canary(model: str, environment: str, until: date | None) -> None:
    """What was found of it is kept also where the window of the rest is not."""
    from slipway.steps import record_pages

    place = options.workplace()
    window = place.window(model, environment, options.day_of_window(until).isoformat())
    record_pages.run_on_canary(window, ledger=place.ledger)


def _look(context: click.Context, model: str, environment: str, until: date | None) -> int:
    window = {"environment": environment, "until": until}
    context.invoke(watch.measure_drift, model=model, as_json=False, **window)
    code = verdicts.judge_window(model, environment, options.day_of_window(until), as_json=False)
    context.invoke(watch.revert_manifest, model=model, dry_run=False, **window)
    context.invoke(watch.file_issue, subject=model, dry_run=False, as_json=False, **window)
    return code


def _record_all(places: Iterable[tuple[str, str]], until: date | None) -> None:
    """A window that could not be judged is looked at again."""
    opened, day = options.workplace(), options.day_of_window(until).isoformat()
    watch.record_all([opened.window(model, environment, day) for environment, model in places], opened)


def _failed(tag: str) -> bool:
    """By the page: in a workflow the exit code of a verdict is 0."""
    from slipway.domain.release import Verdicts
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


COMMANDS = (run_release, run_watch)
