"""The way back: one commit that deploys the version before and quarantines the one that is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from slipway.adapters import deploy_tree
from slipway.adapters.forge.github import GitHubForge, Pace
from slipway.adapters.workplace import Workplace
from slipway.domain.incident import Reversion
from slipway.domain.limits import Reversion as Means
from slipway.domain.pages import Page
from slipway.errors import BadTag, NotReleasable
from slipway.steps import file_issue, resolve_tag, revert_manifest

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.faults import Fault
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted
from tests.team import ENVIRONMENT, MODEL, Team, Tip, days_from

_UNTIL = date(2026, 4, 14)


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with served(GitHub()) as github:
        yield github


def lost(team: Team) -> Team:
    """Two weeks in which the version before would have done better."""
    team.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=Tip(bias=0.1))
    team.look(date(2026, 4, 7))
    team.look(_UNTIL)
    return team


def revert(team: Team, means: Means = Means.PULL_REQUEST) -> Page[Reversion] | None:
    return revert_manifest.run(team.window(_UNTIL), means=means, workplace=team.workplace)


def deployed(team: Team) -> str:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    return live.tag


def quarantined(team: Team) -> list[str]:
    return [entry.version for entry in deploy_tree.quarantine(team.workplace.forge)]


def roll_back(team: Team, to: str, reason: str = "by hand") -> Page[Reversion]:
    return team.go_back(to, reason=reason)


def test_a_pull_request_goes_back_and_quarantines_in_one_commit(worse: Team) -> None:
    """No state may exist in which the bad version is gone and can come back by itself."""
    page = revert(lost(worse))

    assert page is not None
    assert page.body.pull is not None
    forge = worse.workplace.forge
    commits = forge.commits(page.body.branch, beyond="main")
    assert len(commits) == 1
    assert (deployed(worse), quarantined(worse)) == ("v2.0.0", [])
    forge.merge_pull(page.body.pull)
    assert (deployed(worse), quarantined(worse)) == ("v1.0.0", ["v2.0.0"])


def test_the_policy_can_ask_for_a_commit(worse: Team) -> None:
    """Where nobody is awake to merge."""
    page = revert(lost(worse), Means.COMMIT)

    assert page is not None
    assert (page.body.pull, page.body.branch) == (None, "main")
    assert page.body.commit == worse.workplace.forge.head("main")
    assert (deployed(worse), quarantined(worse)) == ("v1.0.0", ["v2.0.0"])


def on_github(team: Team, github: GitHub) -> Workplace:
    """The same repository, as one of GitHub's."""
    team.write(
        ".github/workflows/rollout.yml", "on: {workflow_dispatch: {inputs: {model: {}, environment: {}}}}\njobs: {}\n"
    )
    team.commit("Let rollouts be started")
    hosted = github.host(Hosted(team.bare, f"waiters/{team.root.parent.name}"))
    pace = Pace(between_writes=0.0, first_wait=0.0)
    forge = GitHubForge(hosted.name, api=github.url, token="secret-token", pace=pace)
    return replace(team.workplace, forge=forge)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "Resource not accessible by integration"),
        (409, "Could not update ref: protected branch"),
        (422, "Repository rule violations found: changes must be made through a pull request"),
    ],
)
def test_a_branch_that_takes_no_commit_of_ours_gets_a_pull_request(
    worse: Team, github: GitHub, status: int, said: str
) -> None:
    """A protected branch must not end a way back at night; whoever reads of it is told what it waits for."""
    workplace = on_github(lost(worse), github)
    refusal = Fault(status, verb="PATCH", path="/git/refs/heads/main$", message=said, retry_after="")
    github.faults.waiting.append(refusal)

    page = revert_manifest.run(worse.window(_UNTIL), means=Means.COMMIT, workplace=workplace)

    assert page is not None and page.body.pull is not None
    assert said in page.body.refused
    assert (deployed(worse), page.body.branch) == ("v2.0.0", "revert/production/tip/v2.0.0-to-v1.0.0")
    pull = workplace.forge.pull(page.body.pull)
    assert "The policy asks for a commit, and the default branch did not take it" in pull.body
    filed = file_issue.run_on_window(worse.window(_UNTIL), forge=workplace.forge).body
    assert filed.number is not None
    issue = workplace.forge.issue(filed.number)
    assert f"Pull request #{page.body.pull} goes back" in issue.body
    assert "The policy asks for a commit" in issue.body
    assert github.hosted[f"waiters/{worse.root.parent.name}"].dispatches == []


def test_a_commit_starts_its_rollout(worse: Team, github: GitHub) -> None:
    """What GITHUB_TOKEN commits starts no workflow by itself: the bad version would serve until the next merge."""
    workplace = on_github(lost(worse), github)

    page = revert_manifest.run(worse.window(_UNTIL), means=Means.COMMIT, workplace=workplace)

    assert page is not None
    assert (page.body.pull, page.body.refused, page.body.not_started) == (None, "", "")
    (started,) = github.hosted[f"waiters/{worse.root.parent.name}"].dispatches
    assert started["workflow"] == "rollout.yml"
    assert started["inputs"] == {"model": "tip", "environment": "production"}


def test_a_commit_says_how_it_is_rolled_out_where_nothing_runs_by_itself(worse: Team) -> None:
    """On a laptop no workflow follows; the issue has the command."""
    page = revert(lost(worse), Means.COMMIT)

    assert page is not None
    assert "nothing runs by itself" in page.body.not_started
    filed = file_issue.run_on_window(worse.window(_UNTIL), forge=worse.workplace.forge).body
    assert filed.number is not None
    assert "`slipway rollout tip --environment production`" in worse.workplace.forge.issue(filed.number).body


def test_the_policy_can_ask_for_nothing(worse: Team) -> None:
    """The issue tells; people decide."""
    assert revert(lost(worse), Means.NEVER) is None
    assert deployed(worse) == "v2.0.0"


@pytest.mark.parametrize("means", [Means.PULL_REQUEST, Means.COMMIT])
def test_run_twice_it_goes_back_once(worse: Team, means: Means) -> None:
    """A job that was cut off is started again."""
    first = revert(lost(worse), means)
    again = revert(worse, means)

    assert again == first
    assert len(worse.workplace.forge.open_pulls()) == (1 if means is Means.PULL_REQUEST else 0)


def test_drift_alone_files_an_issue_and_reverts_nothing(newer: Team) -> None:
    """A world that moved is no reason to trust an older model more."""
    newer.serve("v1.1.0", days_from(date(2026, 4, 1), 14), tip=Tip(weight=0.0201), change={"bill": 1.0}, labelled=False)
    newer.look(date(2026, 4, 7))
    issue = newer.look(_UNTIL)[2].body

    assert issue.number is not None
    assert revert(newer) is None
    assert (deployed(newer), quarantined(newer)) == ("v1.1.0", [])
    assert list(newer.workplace.forge.open_pulls()) == []


def test_a_reverted_version_is_refused_by_its_tag(worse: Team) -> None:
    """A scheduled reconcile must not bring it back in the morning."""
    page = revert(lost(worse), Means.COMMIT)

    assert page is not None
    with pytest.raises(NotReleasable) as caught:
        resolve_tag.run("tip@v2.0.0", workplace=worse.workplace)
    assert caught.value.problem.startswith(
        "`tip@v2.0.0` is quarantined by slipway watch: v1.0.0 would have had an F1 0.0"
    )
    assert caught.value.problem.endswith("higher on the same 840 rows, in 2 windows in a row")
    assert caught.value.mend == (
        "release the mended model as v2.0.1, or let an owner take the entry out of deploy/quarantine.yaml"
    )


def test_a_version_that_was_merged_meanwhile_is_not_gone_back_over(worse: Team) -> None:
    """The window was about v2.0.0; people were faster, and their version was never judged by it."""
    lost(worse)
    worse.release(worse.publish("tip@v2.0.1", Tip(bias=0.1)))
    worse.go_live("tip@v2.0.1", on=date(2026, 4, 15))

    with pytest.raises(NotReleasable, match=r"production runs v2\.0\.1 of tip by now, not v2\.0\.0"):
        revert(worse)

    assert deployed(worse) == "v2.0.1"


# --- because a person asks ----------------------------------------------------------------------------------


def test_a_person_can_go_back_to_any_version_that_passed(newer: Team) -> None:
    """By pull request, with the reason in the quarantine."""
    page = roll_back(newer, "v1.0.0", reason="the kitchen complains")

    assert page.body.pull is not None
    newer.workplace.forge.merge_pull(page.body.pull)
    entry = deploy_tree.quarantine(newer.workplace.forge)[0]
    assert deployed(newer) == "v1.0.0"
    assert (entry.version, entry.by, entry.reason) == ("v1.1.0", "Ada", "the kitchen complains")


def test_the_merge_of_a_way_back_closes_no_issue(newer: Team) -> None:
    """GitHub obeys what a commit of the default branch says; the file keeps the reason as it was written."""
    page = roll_back(newer, "v1.0.0", reason="fixes #12, ask @ada\n[skip ci]")

    forge = newer.workplace.forge
    (commit,) = forge.commits(page.body.branch, beyond="main")
    assert commit.message == "Send tip in production back to v1.0.0\n\nfixes # 12, ask @ ada [ skip ci]"
    assert page.body.pull is not None
    forge.merge_pull(page.body.pull)
    (entry,) = deploy_tree.quarantine(forge)
    assert entry.reason == "fixes #12, ask @ada\n[skip ci]"


def test_asked_twice_there_is_one_pull_request(newer: Team) -> None:
    """Two people press the same button."""
    assert roll_back(newer, "v1.0.0") == roll_back(newer, "v1.0.0")
    assert len(newer.workplace.forge.open_pulls()) == 1


@pytest.mark.parametrize(
    ("to", "error", "problem", "mend"),
    [
        ("1.0.0", BadTag, "`1.0.0` is no version of tip", "name one that passed, like --to v1.4.0"),
        ("v9.0.0", NotReleasable, "the ledger has no passing release tip@v9.0.0", "name a version that passed"),
    ],
)
def test_a_version_that_never_passed_is_no_way_back(
    newer: Team, to: str, error: type[NotReleasable | BadTag], problem: str, mend: str
) -> None:
    """At night a typing error is likely."""
    with pytest.raises(error) as caught:
        roll_back(newer, to)

    assert caught.value.problem.startswith(problem)
    assert caught.value.mend == mend


def test_the_version_that_runs_is_no_way_back(newer: Team) -> None:
    """It would quarantine what it deploys."""
    with pytest.raises(NotReleasable):
        roll_back(newer, "v1.1.0")
