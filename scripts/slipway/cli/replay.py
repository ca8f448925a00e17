"""`slipway replay`: the steps of a release or of a watch once more, on what their pages name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from slipway.cli import options
from slipway.cli.printing import show

if TYPE_CHECKING:
    from slipway.adapters.workplace import Workplace
    from slipway.domain.replayed import Replay
    from slipway.steps.replay_incident import ReplayingCanary

_FAIL, _COULD_NOT_LOOK = 10, 12


@click.command("replay")
@click.argument("subject", metavar="TAG|INCIDENT")
@click.option("--convert", is_flag=True, help="Convert the tagged source again, too, and compare the ONNX file.")
@options.AS_JSON
def replay(subject: str, convert: bool, as_json: bool) -> int:
    """Measure a released TAG, or the window of an INCIDENT, again, and see that it comes to the same verdicts.

    An incident is written as MODEL/ENVIRONMENT/ID, as in its issue. Labels that came since count.

    Writes nothing but .slipway/replays/. Exit codes: 0 all is the same, 10 a verdict or a number differs, 12 something
    could not be had and was taken as recorded.
    """
    from slipway.reports.replay import replay_text

    place = options.workplace()
    if "@" in subject:
        found = replayed(subject, place, convert=convert)
    elif convert:
        raise click.UsageError("--convert: a window has nothing to convert; leave it away")
    else:
        found = replayed_incident(subject, place)
    show(found, replay_text(found), as_json=as_json)
    if found.differences:
        return _FAIL
    return _COULD_NOT_LOOK if found.missing else 0


def replayed(tag: str, place: Workplace, *, convert: bool) -> Replay:
    """Chain the steps on a record of scratch, as far as what they need could be had."""
    from slipway.steps import convert_to_onnx, measure_consistency, rehearse_rollback
    from slipway.steps import replay as step

    replaying = step.prepare(tag, workplace=place)
    if convert and replaying.can_be_converted:
        step.fetch_source(replaying, workplace=place)
        requirements = place.repository.root / "requirements"
        page = convert_to_onnx.run(replaying.record, requirements=requirements, sources=replaying.policies.sources)
        step.use_new_conversion(replaying, page)
    else:
        step.use_recorded_conversion(replaying, workplace=place)
    if replaying.can_be_measured:
        measure_consistency.run(
            replaying.record,
            policies=replaying.policies,
            tests=place.repository.team_tests if replaying.functions_are_the_same else None,
            as_recorded=replaying.fidelity_as_recorded,
        )
    if replaying.can_be_rehearsed:
        rehearse_rollback.run(replaying.record, environment=replaying.environment)
    return step.compare(replaying)


def replayed_incident(name: str, place: Workplace) -> Replay:
    """Chain the steps of a watch on a record of scratch; nothing is filed and nothing reverted."""
    from slipway.steps import judge, measure_drift
    from slipway.steps import replay_incident as step

    canary = step.prepare_canary(name, workplace=place)
    if canary is not None:
        return _replayed_canary(canary, place)
    replaying = step.prepare(name, workplace=place)
    record, policies = replaying.record, replaying.policies
    page = measure_drift.run_again(replaying.window.body, record, policies=policies, workplace=place)
    step.take_as_recorded(replaying, page)
    judge.run_on_window(record, policies=policies, policies_digest=replaying.verdicts.body.policies_digest)
    return step.compare(replaying)


def _replayed_canary(replaying: ReplayingCanary, place: Workplace) -> Replay:
    from slipway.steps import judge, measure_canary
    from slipway.steps import replay_incident as step

    record, policies, told = replaying.record, replaying.policies, replaying.verdicts.body
    page = measure_canary.run_again(replaying.canary.body, record, policies=policies, workplace=place)
    step.take_canary_as_recorded(replaying, page)
    judge.run_on_canary(record, policies=policies, policies_digest=told.policies_digest, seen=told.seen)
    return step.compare_canary(replaying)


COMMANDS = (replay,)
