"""The steps of a watch that speak to GitHub, and the way back that a person asks for."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from slipway.adapters import deploy_tree
from slipway.domain.incident import Reversion
from slipway.domain.limits import Reversion as Means
from slipway.domain.pages import Page
from slipway.steps import (
    export_watch,
    file_issue,
    measure_canary,
    measure_drift,
    record_pages,
    replay_incident,
    revert_manifest,
    send_webhook,
    verify_rollout,
)

from tests.e2e.faults.disturbing import ALIKE, Step
from tests.e2e.faults.release import built, live
from tests.e2e.faults.world import HostedTeam
from tests.steps.conftest import WORSE
from tests.steps.test_canary import name_canary, trial_in
from tests.steps.test_verify_rollout import InThisProcess
from tests.team import ENVIRONMENT, MODEL, Tip, days_from

_FIRST, _SECOND, _THIRD = date(2026, 3, 7), date(2026, 3, 14), date(2026, 3, 21)
_FOURTH = date(2026, 3, 28)
_LOST = date(2026, 4, 14)


def _stuck(team: HostedTeam) -> None:
    """The sum on every bill is 1 for two weeks; of the second one nobody was told yet."""
    team.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change={"bill": 1.0}, labelled=False)
    team.look(_FIRST)
    team.look_only(_SECOND)


def _told(team: HostedTeam) -> None:
    _file(team, _SECOND)
    record_pages.run_on_windows([team.window(_SECOND)], ledger=team.workplace.ledger)


def _stuck_still(team: HostedTeam) -> None:
    team.serve("v1.0.0", days_from(date(2026, 3, 15), 7), change={"bill": 1.0}, labelled=False)
    team.look_only(_THIRD)


def _recovered(team: HostedTeam) -> None:
    team.serve("v1.0.0", days_from(date(2026, 3, 15), 7))
    team.look_only(_THIRD)


def _closed_by_a_person(team: HostedTeam) -> None:
    """Though the sum is still 1."""
    (issue,) = team.workplace.forge.open_issues()
    team.workplace.forge.close_issue(issue.number)


def _back_again(team: HostedTeam) -> None:
    """It recovered, and what was wrong is back."""
    _recovered(team)
    _file(team, _THIRD)
    record_pages.run_on_windows([team.window(_THIRD)], ledger=team.workplace.ledger)
    team.serve("v1.0.0", days_from(date(2026, 3, 22), 7), change={"bill": 1.0}, labelled=False)
    team.look_only(_FOURTH)


def worse(team: HostedTeam) -> None:
    """v2.0.0 runs, and v1.0.0 would do better."""
    workflow = "on: {workflow_dispatch: {inputs: {model: {}, environment: {}}}}\njobs: {}\n"
    team.write(".github/workflows/rollout.yml", workflow)
    team.release(team.publish("tip@v2.0.0", WORSE, breaks="v2.0.0"))
    team.go_live("tip@v2.0.0", on=date(2026, 4, 1))


def _lost(team: HostedTeam) -> None:
    """Two windows show it."""
    team.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=WORSE)
    team.look(date(2026, 4, 7))
    team.look_only(_LOST)


def _reverted(team: HostedTeam) -> None:
    revert_manifest.run(team.window(_LOST), means=Means.PULL_REQUEST, workplace=team.workplace)


def _measure(team: HostedTeam) -> object:
    place = team.workplace
    policies = place.repository.policies()
    return measure_drift.run(MODEL, environment=ENVIRONMENT, until=_LOST, policies=policies, workplace=place)


def _measure_again(team: HostedTeam) -> object:
    place = team.workplace
    found = replay_incident.prepare(f"{MODEL}/{ENVIRONMENT}/{_SECOND}-drift", workplace=place)
    page = measure_drift.run_again(found.window.body, found.record, policies=found.policies, workplace=place)
    return found.notices, page.body


def _with_a_canary(team: HostedTeam) -> None:
    """v1.1.0 has a share of the traffic, and answered for a day."""
    built(team)
    team.record_pages("tip@v1.1.0")
    name_canary(team, "tip@v1.1.0")
    verify_rollout.run_on_canary(
        MODEL, environment=ENVIRONMENT, on=_LOST, workplace=team.workplace, engine=InThisProcess()
    )
    team.record_pages("tip@v1.1.0")
    team.serve("v1.1.0", [_LOST], tip=Tip(weight=0.0201))


def _measure_canary(team: HostedTeam) -> object:
    since = trial_in(team).since
    assert since is not None
    return measure_canary.run(
        MODEL,
        environment=ENVIRONMENT,
        record=team.window(_LOST),
        now=since + timedelta(hours=30),
        policies=team.workplace.repository.policies(),
        workplace=team.workplace,
    )


def _export(team: HostedTeam) -> object:
    return export_watch.run(now=datetime(2026, 3, 15, tzinfo=UTC), workplace=team.workplace)


def _file(team: HostedTeam, until: date) -> object:
    return file_issue.run_on_window(team.window(until), forge=team.workplace.forge, owners=["@ada", "@team/waiters"])


def _file_second(team: HostedTeam) -> object:
    return _file(team, _SECOND)


def _file_third(team: HostedTeam) -> object:
    return _file(team, _THIRD)


def _file_fourth(team: HostedTeam) -> object:
    return _file(team, _FOURTH)


def _file_lost(team: HostedTeam) -> object:
    return _file(team, _LOST)


def _propose_to_go_back(team: HostedTeam) -> object:
    return revert_manifest.run(team.window(_LOST), means=Means.PULL_REQUEST, workplace=team.workplace)


def _go_back(team: HostedTeam) -> object:
    return revert_manifest.run(team.window(_LOST), means=Means.COMMIT, workplace=team.workplace)


def _is_told(team: HostedTeam, page: Page[Reversion]) -> bool:
    """A branch that takes no commit gets a pull request, and a rollout that does not start is said: never neither."""
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    if page.body.refused:
        (pull,) = team.workplace.forge.open_pulls()
        return (live.tag, pull.number) == ("v2.0.0", page.body.pull) and page.body.refused in html.unescape(pull.body)
    return bool(page.body.not_started) and live.tag == "v1.0.0" and not team.hosted.dispatches


def _roll_back(team: HostedTeam) -> object:
    """The command: a step, and what it did on the ledger."""
    page = team.go_back("v1.0.0", reason="slow")
    record_pages.run_on_reversion(page, ledger=team.workplace.ledger)
    return page


def _with_a_receiver(team: HostedTeam) -> None:
    """No secret is set here, so that nothing is posted."""
    team.edit("slipway.yaml", "environments:", "incident_webhook: https://pager.example.org/slipway\nenvironments:")


def _send(team: HostedTeam) -> object:
    return [page.body for page in send_webhook.run(team.window(_SECOND), workplace=team.workplace)]


def _record(team: HostedTeam) -> None:
    beat = record_pages.Heartbeat("watch", _LOST, "https://github.com/waiters/tips/actions/runs/1")
    record_pages.run_on_windows([team.window(_LOST)], ledger=team.workplace.ledger, beat=beat)


STEPS: Mapping[str, Step] = {
    "measure-drift": Step((live, worse, _lost), _measure),
    "measure-canary": Step((live, _with_a_canary), _measure_canary),
    "replay-incident": Step((live, _stuck, _told), _measure_again),
    "export-watch": Step((live, _stuck, _told), _export),
    "file-issue of what drifted": Step((live, _stuck), _file_second),
    "file-issue of what drifts still": Step((live, _stuck, _told, _stuck_still), _file_third),
    "file-issue of what recovered": Step((live, _stuck, _told, _recovered), _file_third),
    "file-issue of what a person closed": Step((live, _stuck, _told, _closed_by_a_person, _stuck_still), _file_third),
    "file-issue of what is back": Step((live, _stuck, _told, _back_again), _file_fourth),
    "send-webhook": Step((live, _stuck, _told, _with_a_receiver), _send),
    "file-issue of a way back": Step((live, worse, _lost, _reverted), _file_lost),
    "revert-manifest by pull request": Step((live, worse, _lost), _propose_to_go_back, faults=ALIKE),
    "revert-manifest by commit": Step((live, worse, _lost), _go_back, instead=_is_told),
    "rollback": Step((live, worse), _roll_back),
    "record-pages of a watch": Step((live, worse, _lost, _reverted, _file_lost), _record),
}
