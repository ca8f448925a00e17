"""What becomes of a release's pull request when the default branch moved on, merged by git as both forges do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters import deploy_tree, git
from slipway.adapters.forge import PullState
from slipway.adapters.forge.github import GitHubForge
from slipway.adapters.workplace import Workplace
from slipway.errors import MergeConflict
from slipway.steps import check_manifests

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.description import violations
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.team import ENVIRONMENT, MODEL, Team, Tip, copy_of
from tests.unit.adapters.conftest import AT_ONCE, TOKEN

MANIFEST = deploy_tree.manifest_path(ENVIRONMENT, MODEL)
OTHER = "menu"
_SECOND, _THIRD = Tip(weight=0.0201), Tip(weight=0.0202)


@dataclass(frozen=True)
class OnGitHub(Team):
    """The same repository, with pull requests on the stand-in."""

    github: GitHubForge

    @property
    def workplace(self) -> Workplace:
        return replace(Workplace.around(self.root), forge=self.github)


@pytest.fixture(scope="module")
def stand_in() -> Iterator[GitHub]:
    with served(GitHub()) as github:
        yield github


@pytest.fixture(params=["local", "github"])
def team(request: pytest.FixtureRequest, _live: Team, stand_in: GitHub, tmp_path: Path) -> Iterator[Team]:
    """v1.0.0 is live since the first of March."""
    live, said_before = copy_of(_live, tmp_path), len(stand_in.exchanges)
    if request.param == "local":
        yield live
    else:
        hosted = stand_in.host(Hosted(live.bare, f"waiters/{tmp_path.name.lower()}"))
        forge = GitHubForge(hosted.name, api=stand_in.url, token=TOKEN, pace=AT_ONCE)
        yield OnGitHub(live.root, live.bare, forge)
    assert [problem for said in stand_in.exchanges[said_before:] for problem in violations(said)] == []


def propose(team: Team, tag: str, tip: Tip) -> int:
    """Release a version; returns the number of its pull request."""
    return number_of(team, team.publish(tag, tip))


def number_of(team: Team, tag: str) -> int:
    number = team.release(tag).body.pull
    assert number is not None
    return number


def go_back(team: Team, to: str) -> None:
    """Open the pull request of a way back, and merge it."""
    page = team.go_back(to, reason="it hurts")
    assert page.body.pull is not None
    team.workplace.forge.merge_pull(page.body.pull)


def deployed(team: Team, model: str = MODEL) -> str:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=model)
    assert live is not None
    return live.tag


def checked_out(team: Team, start: str) -> Team:
    git.run("fetch", "--quiet", "origin", cwd=team.root)
    git.run("checkout", "--quiet", "--force", "--detach", f"origin/{start}", cwd=team.root)
    return team


def edit_by_hand(team: Team, before: str, after: str) -> str:
    """A person's commit to the manifest on the default branch; returns it."""
    checked_out(team, "main").edit(MANIFEST, before, after)
    return team.commit("Edit by hand")


def problems(team: Team, branch: str = "main") -> list[str]:
    """What `check-manifests` says of a branch."""
    report = check_manifests.run(workplace=checked_out(team, branch).workplace)
    return [found.problem for found in report.problems]


def assert_refused(team: Team, number: int) -> None:
    """The merge names the manifest, and leaves everything as it was."""
    forge = team.workplace.forge
    before = forge.head("main")
    with pytest.raises(MergeConflict, match=MANIFEST):
        forge.merge_pull(number)
    assert forge.head("main") == before
    assert forge.pull(number).state is PullState.OPEN


def test_releases_of_two_models_both_stay(team: Team) -> None:
    """A merge that takes the second branch whole would take the first model's release back without a word."""
    shutil.copytree(team.folder, team.root / "models" / OTHER)
    team.edit(f"models/{OTHER}/model.yaml", f"name: {MODEL}", f"name: {OTHER}")
    first = propose(team, "tip@v1.1.0", _SECOND)
    second = number_of(team, team.tag(f"{OTHER}@v1.0.0"))
    for number in (first, second):
        team.workplace.forge.merge_pull(number)

    assert (deployed(team), deployed(team, OTHER)) == ("v1.1.0", "v1.0.0")
    assert problems(team) == []


def test_a_hand_edit_of_the_line_that_a_release_changes_is_a_conflict(team: Team) -> None:
    """Somebody decided otherwise about the same line: a person solves that, not the order of merges."""
    number = propose(team, "tip@v1.1.0", _SECOND)
    by_hand = edit_by_hand(team, "newTag: v1.0.0", "newTag: v1.0.0 # held for the audit")
    assert_refused(team, number)
    assert team.workplace.forge.head("main") == by_hand


def test_a_hand_edit_of_another_line_stays(team: Team) -> None:
    """The pull request was opened on an older main: only its own lines may change."""
    number = propose(team, "tip@v1.1.0", _SECOND)
    edit_by_hand(team, "# Everything else is yours: resources, replicas, patches.", "# Two replicas, see runbook.")
    merged = team.workplace.forge.merge_pull(number)

    manifest = team.workplace.forge.read(merged, MANIFEST) or b""
    assert b"# Two replicas, see runbook." in manifest
    assert deployed(team) == "v1.1.0"
    assert problems(team) == []


def test_a_release_compared_with_what_was_taken_back_meanwhile_is_a_conflict(team: Team) -> None:
    """v1.2.0 was judged as a step from v1.1.0, which hurts: the merge must not bury the way back."""
    propose(team, "tip@v1.1.0", _SECOND)
    team.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    number = propose(team, "tip@v1.2.0", _THIRD)
    go_back(team, "v1.0.0")
    assert_refused(team, number)
    assert deployed(team) == "v1.0.0"


def test_a_conflict_with_a_way_back_that_a_person_solved_is_still_told(team: Team) -> None:
    """Git is content then; the reviewer's numbers are about a version that does not run."""
    propose(team, "tip@v1.1.0", _SECOND)
    team.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    proposed = team.workplace.forge.pull(propose(team, "tip@v1.2.0", _THIRD))
    go_back(team, "v1.0.0")

    checked_out(team, proposed.branch)
    git.run("merge", "--quiet", "--no-edit", "--strategy-option=ours", "origin/main", cwd=team.root)
    git.run("push", "--quiet", "origin", f"HEAD:{proposed.branch}", cwd=team.root)
    assert problems(team, proposed.branch) == ["tip@v1.2.0 was compared with v1.1.0; deployed is v1.0.0"]


def test_releasing_again_after_a_way_back_proposes_on_what_runs_now(team: Team) -> None:
    """The mend that the conflict and the check name, followed: the same pull request, and a merge that holds."""
    propose(team, "tip@v1.1.0", _SECOND)
    team.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    number = propose(team, "tip@v1.2.0", _THIRD)
    go_back(team, "v1.0.0")

    assert number_of(team, "tip@v1.2.0") == number
    team.workplace.forge.merge_pull(number)
    assert deployed(team) == "v1.2.0"
    assert [entry.version for entry in deploy_tree.quarantine(team.workplace.forge)] == ["v1.1.0"]
    assert problems(team) == []


def test_a_way_back_to_what_a_release_was_compared_with_leaves_it_good(team: Team) -> None:
    """v1.2.0 was judged against v1.0.0; v1.1.0 came and went, and v1.0.0 runs again."""
    number = propose(team, "tip@v1.2.0", _THIRD)
    propose(team, "tip@v1.1.0", _SECOND)
    team.go_live("tip@v1.1.0", on=date(2026, 4, 1))
    go_back(team, "v1.0.0")
    team.workplace.forge.merge_pull(number)
    assert deployed(team) == "v1.2.0"
    assert problems(team) == []


def test_what_was_quarantined_after_it_was_proposed_is_red_once_it_is_merged(team: Team) -> None:
    """Git sees no conflict, for the entry and the manifest are two files: the check is what stands between."""
    number = propose(team, "tip@v1.1.0", _SECOND)
    entry = f"entries:\n  - {{model: {MODEL}, version: v1.1.0, reason: it hurts, by: grace}}\n"
    checked_out(team, "main").edit(deploy_tree.QUARANTINE, "entries: []\n", entry)
    team.commit("Hold v1.1.0")
    team.workplace.forge.merge_pull(number)
    assert problems(team) == ["tip@v1.1.0 is quarantined by grace: it hurts"]
