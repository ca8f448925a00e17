"""A repository on the stand-in, and PyGithub's own objects to speak to it: a client that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from github import Auth, Github
from github.Repository import Repository

from tests.github_stand_in.application import GitHub
from tests.github_stand_in.description import violations
from tests.github_stand_in.server import served
from tests.github_stand_in.store import Hosted

ADA = ("Ada", "ada@example.org")


@dataclass(frozen=True)
class Seen:
    """`api` is the repository as PyGithub sees it, `hosted` the same as git does."""

    api: Repository
    hosted: Hosted

    def push(self, branch: str, files: dict[str, str], *, start: str | None = None) -> str:
        """A person's commit with these files in place of all others."""
        entries = [(path, self._blob(text)) for path, text in files.items()]
        index = str(self.hosted.path / "index-of-a-test")
        self.hosted.git("read-tree", "--empty", GIT_INDEX_FILE=index)
        lines = "".join(f"100644 {blob}\t{path}\n" for path, blob in entries)
        self.hosted.git("update-index", "--index-info", stdin=lines.encode(), GIT_INDEX_FILE=index)
        tree = self.hosted.git("write-tree", GIT_INDEX_FILE=index).decode().strip()
        parents = [parent] if (parent := self.hosted.head(start or branch)) else []
        commit = self.hosted.write_commit(tree, parents, f"Work on {branch}", author=ADA, committer=ADA)
        self.hosted.git("update-ref", f"refs/heads/{branch}", commit)
        return commit

    def _blob(self, text: str) -> str:
        return self.hosted.git("hash-object", "-w", "--stdin", stdin=text.encode()).decode().strip()


@pytest.fixture(scope="session")
def stand_in() -> Iterator[GitHub]:
    with served(GitHub()) as github:
        yield github


@pytest.fixture
def seen(stand_in: GitHub, tmp_path: Path) -> Iterator[Seen]:
    """What the stand-in answers is held against GitHub's description."""
    hosted = Hosted(tmp_path / "flights.git", f"team/{tmp_path.name}")
    hosted.path.mkdir()
    hosted.git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    stand_in.host(hosted)
    client = Github(
        auth=Auth.Token("secret-token"),
        base_url=stand_in.url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    said_before = len(stand_in.exchanges)
    with client:
        seen = Seen(client.get_repo(hosted.name), hosted)
        seen.push("main", {"a.txt": "1\n", "b.txt": "1\n"})
        yield seen
    assert [problem for said in stand_in.exchanges[said_before:] for problem in violations(said)] == []
