"""What happens after a merge, and speaks to GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from slipway.adapters import rollouts
from slipway.domain.release import Proposal
from slipway.steps import announce_rollout, bump_manifest, rehearse_rollback, verify_rollout

from tests.e2e.faults.disturbing import ALIKE, Step
from tests.e2e.faults.release import live
from tests.e2e.faults.world import HostedTeam
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
    found = rollouts.wanted(MODEL, environment=environment, workplace=place)
    assert found is not None
    following = rollouts.next_environment(found, place)
    if following is not None:
        record = place.release(found.tag)
        rehearse_rollback.run_for_next(record, environment=following, workplace=place)
        bump_manifest.run(record, environment=following, workplace=place)


STEPS: Mapping[str, Step] = {
    "verify-rollout": Step((live, _merged), _verify),
    "announce-rollout": Step((live, _merged, _verify), _announce),
    "rollout": Step((live, _staged), _roll_out, faults=ALIKE),
}
