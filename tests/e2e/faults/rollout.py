"""What happens after a merge, and speaks to GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from slipway.adapters import failed_rollouts, rollouts, wanted_rollouts
from slipway.adapters.records import Record
from slipway.domain.incident import Reversion
from slipway.domain.pages import Page
from slipway.domain.release import Proposal
from slipway.domain.rollout_failure import incident_id
from slipway.errors import RolloutFailed
from slipway.steps import (
    announce_rollout,
    bump_manifest,
    file_issue,
    judge,
    record_pages,
    rehearse_rollback,
    revert_manifest,
    tell_mlflow,
    verify_rollout,
)

from tests.e2e.faults.disturbing import ALIKE, Step
from tests.e2e.faults.release import live
from tests.e2e.faults.world import HostedTeam
from tests.steps.test_tell_mlflow import came_from_mlflow
from tests.steps.test_verify_rollout import InThisProcess
from tests.team import ENVIRONMENT, MODEL, Tip

_TAG, _ON = "tip@v1.1.0", date(2026, 4, 1)


def _staged(team: HostedTeam) -> None:
    """Versions pass `staging` before `production`."""
    team.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")
    team.commit("Stage")
    team.release(team.publish(_TAG, Tip(weight=0.0201)), environment="staging")
    _merge(team)


def _merged(team: HostedTeam) -> None:
    team.release(team.publish(_TAG, Tip(weight=0.0201)))
    _merge(team)


def _merge(team: HostedTeam) -> None:
    proposal = team.record(_TAG).page(Proposal, written_by="bump-manifest").body
    assert proposal.pull is not None
    team.workplace.forge.merge_pull(proposal.pull)


def _verify(team: HostedTeam, environment: str = ENVIRONMENT) -> object:
    place = team.workplace
    return verify_rollout.run(MODEL, environment=environment, on=_ON, workplace=place, engine=InThisProcess())


def _announce(team: HostedTeam) -> object:
    return announce_rollout.run(MODEL, environment=ENVIRONMENT, workplace=team.workplace)


def _of_mlflow(team: HostedTeam) -> None:
    came_from_mlflow(team, _TAG)


def _tell_mlflow(team: HostedTeam) -> object:
    """It asks GitHub what was verified; what MLflow does then has tests of its own."""
    page = tell_mlflow.run(MODEL, environment=ENVIRONMENT, workplace=team.workplace, away="it is away")
    return None if page is None else page.body


def _roll_out(team: HostedTeam) -> None:
    """The command: what is due is verified, announced, proposed further, and recorded whatever came of it."""
    for environment, model in rollouts.due(team.workplace):
        _verify(team, environment)
        try:
            announce_rollout.run(model, environment=environment, workplace=team.workplace)
            _propose_further(team, environment)
        finally:
            team.record_pages(_TAG)


def _propose_further(team: HostedTeam, environment: str) -> None:
    place = team.workplace
    found = wanted_rollouts.wanted(MODEL, environment=environment, workplace=place)
    assert found is not None
    following = rollouts.next_environment(found, place)
    if following is not None:
        record = place.release(found.tag)
        rehearse_rollback.run_for_next(record, environment=following, workplace=place)
        bump_manifest.run(record, environment=following, workplace=place)


def _failing(team: HostedTeam) -> object:
    """Names the incident; the end that it has is an error."""
    engine = InThisProcess(off=0.01)
    try:
        verify_rollout.run(MODEL, environment=ENVIRONMENT, on=_ON, workplace=team.workplace, engine=engine)
    except RolloutFailed as failed:
        return failed.incident
    raise AssertionError("it did not fail")


def _failed(team: HostedTeam) -> None:
    workflow = "on: {workflow_dispatch: {inputs: {model: {}, environment: {}}}}\njobs: {}\n"
    team.write(".github/workflows/rollout.yml", workflow)
    team.commit("Let rollouts be started")
    _merged(team)
    _failing(team)
    _judge(team)


def _by_commit(team: HostedTeam) -> None:
    team.edit("policies/rollout.yaml", "{", "{revert: commit, ")
    team.commit("Go back without asking")


def _incident(team: HostedTeam) -> Record:
    return failed_rollouts.named(f"{MODEL}/{ENVIRONMENT}/{incident_id(_ON, 'v1.1.0')}", team.workplace)


def _judge(team: HostedTeam) -> object:
    repository = team.workplace.repository
    digest = repository.policies_digest()
    return judge.run_on_rollout(_incident(team), policies=repository.policies(), policies_digest=digest)


def _go_back(team: HostedTeam) -> object:
    return revert_manifest.run_on_rollout(_incident(team), workplace=team.workplace)


def _file(team: HostedTeam) -> object:
    owners = ["@ada", "@team/waiters"]
    return file_issue.run_on_rollout(_incident(team), workplace=team.workplace, owners=owners)


def _record(team: HostedTeam) -> None:
    record_pages.run_on_rollout(_incident(team), ledger=team.workplace.ledger)


def _recorded(team: HostedTeam) -> None:
    _go_back(team)
    _file(team)
    _record(team)


def _mended(team: HostedTeam) -> None:
    """The way back was merged, and runs."""
    (pull,) = team.workplace.forge.open_pulls()
    team.workplace.forge.merge_pull(pull.number)
    _verify(team)


def _is_told(team: HostedTeam, page: Page[Reversion]) -> bool:
    """A branch that takes no commit gets a pull request, and a rollout that does not start is said."""
    return bool(page.body.refused and page.body.pull) or bool(page.body.not_started and not team.hosted.dispatches)


STEPS: Mapping[str, Step] = {
    "revert-manifest of what failed": Step((live, _failed), _go_back, faults=ALIKE),
    "revert-manifest of what failed, by commit": Step(
        (live, _by_commit, _failed), _go_back, faults=ALIKE, instead=_is_told
    ),
    "file-issue of what failed": Step((live, _failed, _go_back), _file, faults=ALIKE),
    "file-issue of what failed and was mended": Step((live, _failed, _recorded, _mended), _file, faults=ALIKE),
    "verify-rollout": Step((live, _merged), _verify),
    "tell-mlflow": Step((live, _merged, _verify, _of_mlflow), _tell_mlflow),
    "announce-rollout": Step((live, _merged, _verify), _announce),
    "rollout": Step((live, _staged), _roll_out, faults=ALIKE),
}
