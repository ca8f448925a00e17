"""What follows from a version that has a share of the traffic: measured and judged by `watch`, gone on by `rollout`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from slipway.cli import failed_rollouts, options
from slipway.cli.failures import told
from slipway.cli.printing import exit_code, hand_over, numbered, show, show_nothing, summarise, tell

if TYPE_CHECKING:
    from slipway.adapters.canaries import Trial
    from slipway.adapters.records import Record
    from slipway.adapters.workplace import Workplace
    from slipway.domain.canary import CanaryVerdicts
    from slipway.domain.pages import Page

Chosen = Callable[[str, str], bool]


@click.command("measure-canary")
@options.MODEL
@options.ENVIRONMENT
@options.UNTIL
@options.AS_JSON
def measure_canary(model: str, environment: str | None, until: date | None, as_json: bool) -> None:
    """Measure what the canary of MODEL answered so far, and put the same rows to the version that answers the rest."""
    from slipway.steps import measure_canary as step

    place = options.workplace()
    name = options.environment_in(place, environment)
    page = step.run(
        model,
        environment=name,
        record=_window(model, name, until, place),
        now=_moment(until),
        policies=place.repository.policies(),
        workplace=place,
    )
    if page is None:
        show_nothing(f"{model} in {name}: no canary runs", as_json=as_json)
        return
    body = page.body
    text = f"{body.version} beside {body.stable}: {body.window.rows:,} rows answered in {body.hours:g} hours"
    show(page, text, as_json=as_json)


def judge(model: str, environment: str, until: date | None, *, as_json: bool) -> int:
    """What was measured last; nothing where that is nothing."""
    page = _judge(model, environment, until, options.workplace())
    if page is None:
        show_nothing(f"{model} in {environment}: no canary was measured", as_json=as_json)
        return 0
    show(page, _in_lines(page.body), as_json=as_json)
    hand_over({"verdict": page.body.verdict})
    return exit_code(page.body.verdict)


def look(model: str, environment: str, until: date | None) -> int:
    """What `watch` does about the canary of a model: where it failed, it is withdrawn at once."""
    from slipway.adapters import canaries
    from slipway.reports.markdown import fenced

    place = options.workplace()
    if canaries.running(model, environment=environment, workplace=place) is None:
        _end_withdrawal(model, environment, place)
        return 0
    click.get_current_context().invoke(measure_canary, model=model, environment=environment, until=until, as_json=False)
    page = _judge(model, environment, until, place)
    if page is None:
        return 0
    tell(_in_lines(page.body))
    summarise(fenced(_in_lines(page.body)))
    if page.body.failed:
        _withdraw(page.body, options.workplace())
    return exit_code(page.body.verdict)


def follow_all(is_chosen: Chosen) -> int:
    """Each canary that was judged: all of the traffic is proposed for one that passed, and one that failed gets its
    incident where the run that judged it was killed before it wrote that."""
    from slipway.adapters import deploy_tree

    places = [(model, there) for there, model in deploy_tree.everything_deployed(options.workplace().forge)]
    chosen = [place for place in places if is_chosen(*place)]
    return max((told(partial(_follow, *place)) for place in chosen), default=0)


def _follow(model: str, environment: str) -> None:
    from slipway.adapters import canaries, rollouts

    place = options.workplace()
    trial = canaries.running(model, environment=environment, workplace=place)
    told_last = None if trial is None else canaries.verdicts(trial, place)
    if trial is None or told_last is None:
        return
    if told_last.failed:
        _withdraw(told_last, place)
    elif not canaries.is_proposed_for_all(trial, place):
        wait = rollouts.wait_for_all(trial, told_last, place, now=datetime.now(UTC))
        if wait is None and trial.since is not None:
            _propose_for_all(trial, place)


def _propose_for_all(trial: Trial, place: Workplace) -> None:
    """The evidence of the release is carried over; the way back was tried out when it was proposed as a canary."""
    from slipway.steps import bump_manifest, record_pages

    record = place.release(trial.tag)
    record.seed(place.history.pages_of(trial.tag))
    page = bump_manifest.run(record, environment=trial.environment, workplace=place)
    by = f"pull request {numbered(page.body.pull)}" if page.body.pull is not None else "none: it was decided already"
    tell(f"{trial.tag}: all of {trial.environment} is proposed by {by}")
    record_pages.run(record, tag=trial.tag, ledger=place.ledger)


def _withdraw(judged: CanaryVerdicts, place: Workplace) -> None:
    """By its incident, as of a version that does not run; told here, so that nobody has to wait for a rollout."""
    from slipway.adapters import canaries
    from slipway.steps import verify_rollout

    trial = canaries.running(judged.model, environment=judged.environment, workplace=place)
    if trial is None or not canaries.is_about(judged, trial):
        return  # somebody was faster
    page = verify_rollout.fail_canary(trial, judged, workplace=place)
    failed_rollouts.follow(page.body.name, leave_webhook=True)


def _end_withdrawal(model: str, environment: str, place: Workplace) -> None:
    """Tell of a canary that a run took out of the manifest and was killed before it told anybody."""
    from slipway.adapters import failed_rollouts as incidents
    from slipway.domain.incident import IssueFiled
    from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem

    for incident in place.history.failed_rollouts(model, environment)[-1:]:
        record = incidents.opened(model, environment, incident, place)
        failure = record.page(RolloutFailure, written_by="verify-rollout").body
        if failure.problem is RolloutProblem.WORSE and record.latest(IssueFiled) is None:
            failed_rollouts.follow(failure.name, leave_webhook=True)


def _judge(model: str, environment: str, until: date | None, place: Workplace) -> Page[CanaryVerdicts] | None:
    from slipway.steps import judge as step

    repository = place.repository
    return step.run_on_canary(
        _window(model, environment, until, place),
        policies=repository.policies(),
        policies_digest=repository.policies_digest(),
        seen=_moment(until).date(),
    )


def _in_lines(judged: CanaryVerdicts) -> str:
    head = f"canary {judged.version} beside {judged.stable} in {judged.environment}: {judged.verdict}"
    findings = [f"  {one.title} {one.in_words}: {one.measured}{_still(one.needed)}" for one in judged.findings]
    notices = [f"  noticed: {one.notice}" for one in judged.findings if one.notice]
    return "\n".join([head, *findings, *notices])


def _still(needed: str) -> str:
    return f" ({needed})" if needed else ""


def _window(model: str, environment: str, until: date | None, place: Workplace) -> Record:
    return place.window(model, environment, options.day_of_window(until).isoformat())


def _moment(until: date | None) -> datetime:
    """Now, or the end of the day that was asked for where that is over: its canary had no more hours by then."""
    now = datetime.now(UTC)
    if until is None:
        return now
    return min(now, datetime.combine(until + timedelta(days=1), time(), UTC) - timedelta(microseconds=1))


COMMANDS = (measure_canary,)
