"""The ledger is evidence: what was written there must be there, or a person must hear of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.adapters.rewritten import rewritten_pages

PAGE, LINES = "tip/v1.0.0/verdicts.1.json", "tip/production/windows/2026-03.jsonl"


class Branch:
    """A ledger, written by hand: each call is a commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        git.run("init", "--quiet", "--initial-branch=ledger", str(root), cwd=root.parent)
        for key, value in {"user.name": "Ada", "user.email": "ada@example.org", "commit.gpgSign": "false"}.items():
            git.run("config", key, value, cwd=root)

    def write(self, **files: str | None) -> str:
        for name, content in files.items():
            path = self.root / {"page": PAGE, "lines": LINES}[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if content is None else path.write_text(content)
        git.run("add", "--all", cwd=self.root)
        git.run("commit", "--quiet", "--message", "Write", cwd=self.root)
        return git.head_commit(self.root)

    @property
    def rewritten(self) -> dict[str, str]:
        return {one.path: one.commit for one in rewritten_pages(self.root, "HEAD")}


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    (tmp_path / "ledger").mkdir()
    written = Branch(tmp_path / "ledger")
    written.write(page="fail\n", lines='{"week": 1}\n')
    written.write(lines='{"week": 1}\n{"week": 2}\n')
    return written


def test_what_is_only_added_to_is_well(branch: Branch) -> None:
    """Each release and each week does just that."""
    branch.write(lines='{"week": 1}\n{"week": 2}\n{"week": 3}\n')
    assert branch.rewritten == {}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"page": "pass\n"}, PAGE),
        ({"page": "fail\n\n"}, PAGE),
        ({"page": None}, PAGE),
        ({"lines": '{"week": 2}\n'}, LINES),
        ({"lines": '{"week": 1}\n{"week": 9}\n'}, LINES),
        ({"lines": None}, LINES),
    ],
)
def test_what_was_changed_or_taken_away_is_told_with_its_commit(
    branch: Branch, change: dict[str, str | None], path: str
) -> None:
    """A verdict that was edited afterwards would deploy what failed."""
    commit = branch.write(**change)
    assert branch.rewritten == {path: commit}


def test_it_is_still_told_when_others_have_written_since(branch: Branch) -> None:
    """Nobody looks each day; and a page that was deleted and written anew is another page."""
    first = branch.write(page=None, lines='{"week": 2}\n')
    again = branch.write(page="pass\n", lines='{"week": 2}\n{"week": 3}\n')
    assert branch.rewritten == {PAGE: first, LINES: first}
    assert again != first


def test_what_was_put_back_is_well_again(branch: Branch) -> None:
    """An issue that no deed can close is one that nobody reads."""
    branch.write(page="pass\n", lines='{"week": 9}\n')
    assert set(branch.rewritten) == {PAGE, LINES}
    git.run("revert", "--no-edit", "HEAD", cwd=branch.root)
    assert branch.rewritten == {}


def test_a_merge_takes_nothing_away(branch: Branch) -> None:
    """Seen from either of its parents, a merge adds what the other has."""
    git.run("checkout", "--quiet", "-b", "other", "HEAD^", cwd=branch.root)
    (branch.root / "other.1.json").write_text("{}")
    git.run("add", "--all", cwd=branch.root)
    git.run("commit", "--quiet", "--message", "Other", cwd=branch.root)
    git.run("merge", "--quiet", "--no-edit", "ledger", cwd=branch.root)
    assert branch.rewritten == {}
