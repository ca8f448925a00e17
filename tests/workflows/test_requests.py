"""How often a release asks GitHub, which answers GITHUB_TOKEN a thousand times an hour."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

from slipway.adapters import git
from slipway.adapters.forge.github import GitHubForge, Pace
from slipway.domain.tag import ReleaseTag
from slipway.steps import record_pages, resolve_tag

from tests.github_stand_in.application import GitHub
from tests.team import Tip
from tests.workflows.conftest import Hosting
from tests.workflows.rig import TOKEN

AT_ONCE = Pace(between_writes=0.0, first_wait=0.0)


def _asked(hosting: Hosting, github: GitHub, tag: str) -> Counter[str]:
    """What the steps of a release that read and write the ledger ask for, in a checkout as a workflow makes it."""
    team = hosting.team
    git.run("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*", cwd=team.root)
    forge = GitHubForge(hosting.hosted.name, api=github.url, token=TOKEN, pace=AT_ONCE, checkout=team.root)
    place = replace(team.workplace, forge=forge)
    before = len(github.faults.asked)
    resolve_tag.run(tag, workplace=place)
    record_pages.run(place.release(ReleaseTag.parse(tag)), tag=ReleaseTag.parse(tag), ledger=place.ledger)
    asked = [one.replace(f"/repos/{hosting.hosted.name}", "") for one in github.faults.asked[before:]]
    return Counter("/".join(one.split("/")[:3]) for one in asked)


def _fill(hosting: Hosting, versions: int) -> None:
    """The ledger of a team that released more than one model: the pages of v1.0.0, many times over."""
    tree = hosting.hosted.line("rev-parse", "ledger:tip/v1.0.0")
    lower = "".join(f"040000 tree {tree}\tv0.{minor}.0\n" for minor in range(versions))
    other = hosting.hosted.git("mktree", stdin=lower.encode()).decode().strip()
    mine = f"{lower}040000 tree {tree}\tv1.0.0\n"
    same = hosting.hosted.git("mktree", stdin=mine.encode()).decode().strip()
    top = hosting.hosted.git("mktree", stdin=f"040000 tree {other}\tother\n040000 tree {same}\ttip\n".encode())
    ada = ("Ada", "ada@example.org")
    commit = hosting.hosted.write_commit(top.decode().strip(), ["ledger"], "Fill", author=ada, committer=ada)
    hosting.hosted.git("update-ref", "refs/heads/ledger", commit)


def test_a_release_asks_as_often_in_a_full_ledger_as_in_an_empty_one(hosting: Hosting, _github: GitHub) -> None:
    """One request a page, and a team that released for a year would be told to wait in the middle of a release."""
    hosting.team.release(hosting.team.tag("tip@v1.0.0", "Begin"))
    hosting.team.go_live("tip@v1.0.0", on=date(2026, 3, 1))
    few = _asked(hosting, _github, hosting.team.publish("tip@v1.1.0", Tip(weight=0.0201)))
    _fill(hosting, versions=200)
    many = _asked(hosting, _github, hosting.team.publish("tip@v1.2.0", Tip(weight=0.0202)))

    assert many == few
    assert "GET /git/blobs" not in many  # the checkout of the job `fetch` holds every branch
