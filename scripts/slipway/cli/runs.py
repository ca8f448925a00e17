"""Whole runs on one machine: what the workflows do with the same steps, one job after the other."""

from __future__ import annotations

from datetime import date
from functools import partial

import click

from slipway.adapters import deploy_tree
from slipway.cli import options, release, upkeep, verdicts, watch
from slipway.cli.failures import told
from slipway.cli.printing import tell
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import SlipwayError


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
        code: int = context.invoke(verdicts.judge, subject=tag, environment=None, until=None, as_json=False)
        if not _failed(tag):
            context.invoke(release.build_image, tag=tag, dry_run=False, as_json=False)
            context.invoke(release.bump_manifest, tag=tag, environment=environment, dry_run=False, as_json=False)
        context.invoke(watch.file_issue, subject=tag, environment=None, until=None, dry_run=False, as_json=False)
    except SlipwayError:
        _record_attempt(context, tag)
        raise
    _record(context, tag, None, None)
    return code


@click.command("watch")
@click.argument("model", metavar="MODEL", required=False)
@click.option("--all", "all_of_it", is_flag=True, help="All models, in all environments; one failure stops no other.")
@options.ENVIRONMENT
@options.UNTIL
@click.pass_context
def run_watch(
    context: click.Context, model: str | None, all_of_it: bool, environment: str | None, until: date | None
) -> int:
    """Look at a window of what MODEL served, and do what follows from it: nothing, an issue, or a way back."""
    if all_of_it == (model is not None) or (all_of_it and environment is not None):
        raise click.UsageError("name a model, or say --all and nothing else but --until")
    return _watch(context, model, environment, until) if model is not None else _watch_all(context, until)


def _watch_all(context: click.Context, until: date | None) -> int:
    """The worst exit code of all; 0 where nothing is deployed."""
    found = deploy_tree.everything_deployed(options.workplace().forge)
    tell("\n".join(f"deployed: {model} in {environment}" for environment, model in found) or "nothing is deployed")
    return max((told(partial(_watch, context, model, environment, until)) for environment, model in found), default=0)


def _watch(context: click.Context, model: str, environment: str | None, until: date | None) -> int:
    window = {"environment": environment, "until": until}
    context.invoke(watch.measure_drift, model=model, as_json=False, **window)
    code: int = context.invoke(verdicts.judge, subject=model, as_json=False, **window)
    context.invoke(watch.revert_manifest, model=model, dry_run=False, **window)
    context.invoke(watch.file_issue, subject=model, dry_run=False, as_json=False, **window)
    _record(context, model, environment, until)
    return code


def _failed(tag: str) -> bool:
    """By the page: in a workflow the exit code of a verdict is 0."""
    from slipway.domain.release import Verdicts

    record = options.workplace().release(ReleaseTag.parse(tag))
    return record.page(Verdicts, written_by="judge").body.verdict is Verdict.FAIL


def _record_attempt(context: click.Context, tag: str) -> None:
    """Keep what was found before a step failed; a tag that never resolved has no pages."""
    if options.workplace().release(ReleaseTag.parse(tag)).contents():
        _record(context, tag, None, None)


def _record(context: click.Context, subject: str, environment: str | None, until: date | None) -> None:
    context.invoke(upkeep.record_pages, subject=subject, environment=environment, until=until, dry_run=False)


COMMANDS = (run_release, run_watch)
