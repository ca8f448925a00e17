"""A check of a pull request is not made again by itself when time goes by: reconcile has it made again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from slipway.adapters.forge.github import GitHubForge, Pace
from slipway.adapters.workplace import Workplace
from slipway.domain.upkeep import OutdatedCheck
from slipway.steps import reconcile

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.steps.test_check_manifests import frozen
from tests.team import TODAY, Team, Tip

BEFORE, IN_IT = (datetime(2026, 12, day, 12, tzinfo=UTC) for day in (18, 24))
AFTER = datetime(2027, 1, 4, 8, tzinfo=UTC)


@dataclass
class Desk:
    """A proposal on a stand-in for GitHub, and the runs that checked it."""

    place: Workplace
    hosted: Hosted
    pull: int
    head: str

    def checked(self, at: datetime, conclusion: str) -> int:
        more = {"head_sha": self.head, "event": "pull_request", "conclusion": conclusion}
        started = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.hosted.add_run("check-manifests.yml", title="x", status="completed", run_started_at=started, **more)

    def due(self, moment: datetime) -> list[OutdatedCheck]:
        return list(reconcile.run(today=TODAY, workplace=self.place, moment=moment).checks)


@pytest.fixture
def desk(live: Team) -> Iterator[Desk]:
    """The pull request of v1.1.0 is open, and the default branch has a freeze of production."""
    for name in ("release", "rollout", "check-manifests"):
        live.write(f".github/workflows/{name}.yml", "on: {}\n")
    live.commit("Generate")
    proposal = live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    frozen(live)
    with served(GitHub()) as github:
        hosted = github.host(Hosted(live.bare, "acme/waiters"))
        at_once = Pace(between_writes=0.0, attempts=2, first_wait=0.0, silence=1)
        forge = GitHubForge("acme/waiters", api=github.url, token="secret-token", pace=at_once)
        pull = forge.open_pull(branch=proposal.body.branch, base="main", title="Release", body="")
        yield Desk(replace(live.workplace, forge=forge), hosted, pull.number, pull.head)


def test_a_green_check_is_made_again_once_a_freeze_began_and_a_red_one_once_it_ended(desk: Desk) -> None:
    """Green in the freeze, it would let a merge through; red after it, it would hold one for ever."""
    green = desk.checked(BEFORE, "success")
    assert desk.due(BEFORE) == []
    (found,) = desk.due(IN_IT)
    assert found == OutdatedCheck(pull=desk.pull, run=green)

    red = desk.checked(IN_IT, "failure")
    assert desk.due(IN_IT) == []
    assert desk.due(AFTER) == [OutdatedCheck(pull=desk.pull, run=red)]

    desk.checked(AFTER, "failure")  # for another reason
    assert desk.due(AFTER) == []


def test_it_is_started_once_and_one_that_cannot_be_is_left_to_its_button(desk: Desk) -> None:
    """What failed to start must not keep the rest of the upkeep from being done."""
    run = desk.checked(BEFORE, "success")
    found = desk.due(IN_IT)
    for _ in range(2):
        reconcile.start_checks(found, forge=desk.place.forge)

    assert desk.hosted.runs[run - 1]["status"] == "queued"
    assert desk.due(IN_IT) == []


def test_what_proposes_no_release_is_not_asked_about(desk: Desk) -> None:
    """A way back is open in any freeze, and most pull requests are about something else."""
    desk.place.forge.close_pull(desk.pull)
    forge, branch = desk.place.forge, "revert/production/tip/v1.1.0-to-v1.0.0"
    desk.head = forge.commit(branch, onto=None, parent=forge.head("main"), changes={"a": b"a"}, message="Go back")
    forge.open_pull(branch=branch, base="main", title="Go back", body="")
    desk.checked(BEFORE, "success")

    assert desk.due(IN_IT) == []
