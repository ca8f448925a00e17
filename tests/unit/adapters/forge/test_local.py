"""The forge on a laptop: files that people read, and a process that may die at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.forge import Deployment, PullState
from slipway.adapters.forge.local import LocalForge
from slipway.errors import BadFile, BranchMoved, ForgeRefused, GitRefused

from tests.unit.adapters.conftest import Rig

# What a release does to a forge, written so that it may run again: find what is there, else make it.
_RELEASE = """
import sys
from pathlib import Path
from slipway.adapters import git
from slipway.adapters.forge import Deployment
from slipway.adapters.forge.local import LocalForge
forge = LocalForge(Path(sys.argv[1]))
git.run("tag", "--force", "flight-delay@v1.1.0", "main", cwd=forge.repository)
main, branch = forge.head("main"), "release/flight-delay/production/v1.1.0"
if forge.head(branch) is None:
    forge.commit(branch, onto=None, parent=main, changes={"deploy/a.yaml": b"tag: v1.1.0"}, message="Release")
known = [number for number in (1, 2) if forge.folder.holds("pulls", number)]
number = known[0] if known else forge.open_pull(branch=branch, base="main", title="v1.1.0", body="first").number
forge.update_pull(number, body="second")
forge.comment(number, "Judged again.")
forge.set_status(forge.pull(number).head, context="slipway", state="success", description="passed")
open_issues = forge.open_issues("drift")
issue = open_issues[0].number if open_issues else None
if issue is None and not forge.folder.holds("issues", 2):
    issue = forge.open_issue(title="flight-delay: retrain", body="F1", labels=["drift"]).number
if issue:
    forge.update_issue(issue, body="F1 0.52")
    forge.close_issue(issue, "Recovered.")
merged = forge.merge_pull(number)
forge.record_deployment(Deployment("production", merged, "flight-delay@v1.1.0"))
forge.publish_release("flight-delay@v1.1.0", title="v1.1.0", body="Safe.")
"""
_MOMENTS = (
    "branch-commit:1",
    "open-pull:1",
    "update-pull:1",
    "comment:1",
    "set-status:1",
    "open-issue:1",
    "update-issue:1",
    "close-issue:1",
    "merge-pull:1",
    "record-merge:1",
    "record-deployment:1",
    "publish-release:1",
)


@pytest.fixture
def rig(repository: Path) -> Rig:
    """The local forge only."""
    return Rig(LocalForge(repository), repository, repository.with_name("clone"), lambda: LocalForge(repository))


def start(repository: Path, program: str = _RELEASE, *arguments: str, kill_at: str = "") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(repository), *arguments],
        env={**os.environ, "PYTHONPATH": "scripts", "SLIPWAY_KILL_AT": kill_at},
        cwd=Path(__file__).parents[4],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def assert_released_once(repository: Path) -> None:
    again = start(repository)
    assert (again.communicate()[1].decode(), again.returncode) == ("", 0)
    forge = LocalForge(repository)
    files = sorted(str(path.relative_to(forge.folder.path)) for path in forge.folder.path.rglob("*.*"))
    pull = forge.pull(1)
    assert files == [
        ".lock",
        "deployments/production.jsonl",
        "issues/0002-flight-delay-retrain.md",
        "pulls/0001-release-flight-delay-production-v1.1.0.md",
        "releases/flight-delay@v1.1.0.md",
        f"statuses/{pull.head}.json",
    ]
    assert (pull.state, pull.body, forge.comments(1)) == (PullState.MERGED, "second", ("Judged again.",))
    assert pull.merge_commit == forge.head("main")
    assert len((forge.folder.path / "deployments/production.jsonl").read_text().splitlines()) == 1
    assert (forge.issue(2).open, forge.issue(2).body, forge.comments(2)) == (False, "F1 0.52", ("Recovered.",))
    assert git.run("rev-list", "--count", "main", cwd=repository).strip() == b"3"
    assert git.ask("fsck", "--full", "--strict", cwd=repository).code == 0


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("moment", _MOMENTS)
def test_a_release_killed_at_a_write_and_run_again_happened_once(repository: Path, side: str, moment: str) -> None:
    """A second pull request, a second issue or half a file would be found by the reviewer, at best."""
    killed = start(repository, kill_at=f"{side}:{moment}")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert_released_once(repository)


def test_a_release_killed_at_any_time_and_run_again_happened_once(repository: Path) -> None:
    """Between the named moments lie others: git's own processes die with ours here."""
    seed = random.randrange(10**6)
    print("seed", seed)  # noqa: T201  # pytest shows it when the test fails
    for delay in (random.Random(seed).uniform(0.1, 0.9) for _ in range(6)):
        running = start(repository)
        try:
            running.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
        for lock in repository.rglob("*.lock"):  # what BranchMoved's mend tells a person to do
            lock.unlink()
    assert_released_once(repository)


def test_numbers_are_given_once_to_many_writers(repository: Path) -> None:
    """Two models fail in the same minute: two issues, two numbers."""
    program = """
import sys
from pathlib import Path
from slipway.adapters.forge.local import LocalForge
forge = LocalForge(Path(sys.argv[1]))
for number in range(10):
    forge.open_issue(title=f"{sys.argv[2]} {number}", body="")
"""
    writers = [start(repository, program, name) for name in "abcd"]
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [(b"", 0)] * 4
    issues = LocalForge(repository).open_issues()
    assert [issue.number for issue in issues] == list(range(1, 41))
    assert len({issue.title for issue in issues}) == 40


def test_a_pull_request_is_a_file_that_people_read(rig: Rig) -> None:
    """Without a web page the file is the page: fields first, then the text as it was written."""
    number = rig.propose("release/flight-delay/production/v1.1.0")
    rig.forge.comment(number, "Looks **good**.")
    pull = rig.forge.pull(number)
    assert Path(pull.url).name == "0001-release-flight-delay-production-v1.1.0.md"
    assert Path(pull.url).read_text() == (
        "---\nnumber: 1\ntitle: Release deploy/a.yaml\nlabels: []\nstate: open\ndraft: false\n"
        "reviewers: []\nbranch: release/flight-delay/production/v1.1.0\nbase: main\n"
        f"head: {pull.head}\nmerge_commit: null\n---\n\nSafe to merge.\n\n<!-- comment 1 -->\nLooks **good**.\n"
    )


def test_a_merge_by_hand_counts_as_merged(rig: Rig) -> None:
    """A reviewer may merge with git and push; GitHub shows such a pull request as merged, too."""
    number = rig.propose("r/1")
    git.run("fetch", "--quiet", "origin", cwd=rig.clone)
    git.run("merge", "--quiet", "--no-ff", "--message", "By hand", "origin/r/1", cwd=rig.clone)
    git.run("push", "--quiet", "origin", "main", cwd=rig.clone)
    merge = git.head_commit(rig.clone)
    rig.push("main", {"later.txt": "later"})

    assert (rig.forge.pull(number).state, rig.forge.pull(number).merge_commit) == (PullState.MERGED, merge)
    assert rig.forge.open_pulls() == []
    assert rig.forge.merge_pull(number) == merge


def test_a_fast_forward_by_hand_counts_as_merged(rig: Rig) -> None:
    """Then there is no merge commit: the branch's own last commit came in."""
    number = rig.propose("r/1")
    git.run("fetch", "--quiet", "origin", cwd=rig.clone)
    git.run("push", "--quiet", "origin", "origin/r/1:refs/heads/main", cwd=rig.clone)
    rig.push("main", {"later.txt": "later"})
    assert rig.forge.pull(number).merge_commit == rig.forge.pull(number).head


def test_a_pull_request_without_its_branch_is_closed(rig: Rig) -> None:
    """Deleting the branch withdraws the proposal, as on GitHub; a merged one stays merged."""
    merged, withdrawn = rig.propose("r/1", "a"), rig.propose("r/2", "b")
    rig.forge.merge_pull(merged)
    git.run("push", "--quiet", "origin", ":r/1", ":r/2", cwd=rig.clone)
    assert rig.forge.pull(merged).state is PullState.MERGED
    assert rig.forge.pull(withdrawn).state is PullState.CLOSED


def test_a_branch_that_is_locked_by_a_dead_push_is_told_in_words(rig: Rig) -> None:
    """Git leaves its lock behind when it is killed; only a person can know that nobody is pushing."""
    main = rig.forge.head("main")
    lock = rig.repository / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(BranchMoved, match=r"main\.lock") as caught:
        rig.forge.commit("main", onto=main, changes={"a": b"1"}, message="Locked")
    assert "delete the `.lock` file" in str(caught.value)


def test_a_broken_file_names_itself(rig: Rig) -> None:
    """People may edit these files; a slip must not read as a closed pull request."""
    path = Path(rig.forge.pull(rig.propose()).url)
    path.write_text(path.read_text().replace("state: open", "state: oppen"))
    with pytest.raises(BadFile, match=r"0001-release-a\.md, line 5: state"):
        rig.forge.open_pulls()
    path.write_text("gone")
    with pytest.raises(BadFile, match="fields"):
        rig.forge.pull(1)


def test_only_a_bare_repository_is_taken(tmp_path: Path, repository: Path) -> None:
    """A plain folder inside of a repository would send every commit into that one."""
    inside = repository / "refs"
    with pytest.raises(GitRefused):
        LocalForge(inside)
    with pytest.raises(GitRefused, match="no folder"):
        LocalForge(tmp_path / "missing")
    with pytest.raises(GitRefused):
        LocalForge(tmp_path / "clone")


def test_what_a_killed_writer_left_is_never_read_and_goes(rig: Rig) -> None:
    """Half a file must be no issue, and a folder that people read must not fill with scraps."""
    rig.forge.open_issue(title="whole", body="")
    folder = rig.repository.with_name("flights.forge") / "issues"
    scrap = folder / ".0002-half.md.x.part"
    scrap.write_text("---\nnumber: 2\n")
    assert [issue.number for issue in rig.forge.open_issues()] == [1]
    assert rig.forge.open_issue(title="next", body="").number == 2
    assert not scrap.exists()


def test_notes_of_a_tag_and_of_an_environment_are_files_that_people_read(rig: Rig) -> None:
    """The same as GitHub's pages, without a web page."""
    git.run("tag", "a/m@v1.0.0", "main", cwd=rig.repository)
    main = str(rig.forge.head("main"))
    for version in ("v1.0.0", "v1.1.0"):
        rig.forge.record_deployment(Deployment("production", main, f"m@{version}"))
    where = Path(rig.forge.publish_release("a/m@v1.0.0", title="m v1.0.0", body="**Safe.**"))
    assert (where.name, where.read_text()) == ("a%2Fm@v1.0.0.md", "# m v1.0.0\n\n**Safe.**\n")
    assert (where.parents[1] / "deployments/production.jsonl").read_text() == (
        f'{{"commit": "{main}", "description": "m@v1.0.0"}}\n{{"commit": "{main}", "description": "m@v1.1.0"}}\n'
    )


def test_nothing_runs_by_itself_in_a_folder(rig: Rig) -> None:
    """`reconcile` asks before it starts a release."""
    assert rig.forge.runs_under_way("release.yml") == ()
    assert rig.forge.last_run("check-manifests.yml", commit="c" * 40) is None
    with pytest.raises(ForgeRefused, match="nothing runs by itself in a folder"):
        rig.forge.run_again(1)
