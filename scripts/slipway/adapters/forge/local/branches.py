"""Branches and tags of a bare repository, by git."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from slipway.adapters import crash_points, git
from slipway.adapters.forge import Commit, object_store, refusals
from slipway.errors import ForgeRefused, GitRefused


class LocalBranches:
    repository: Path

    @property
    def default_branch(self) -> str:
        return git.run("symbolic-ref", "--short", "HEAD", cwd=self.repository).decode().strip()

    def head(self, branch: str) -> str | None:
        return object_store.head(self.repository, branch)

    def read(self, commit: str, path: str) -> bytes | None:
        return git.read_file(self.repository, commit, path)

    def list_files(self, commit: str, under: str = "") -> Mapping[str, str]:
        return object_store.list_files(self.repository, commit, under)

    def read_blobs(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        return object_store.read_blobs(self.repository, blobs)

    def commit(
        self,
        branch: str,
        *,
        onto: str | None,
        changes: Mapping[str, bytes | None],
        message: str,
        parent: str | None = None,
    ) -> str:
        at = self.head(branch)
        if at != onto:
            raise refusals.branch_moved(branch, at=at, onto=onto)
        base = parent or onto
        if onto and base != onto:
            self._refuse_to_lose(branch, onto, parent=str(base))
        new = self._new_commit(base, changes, message)
        if new != onto:
            with crash_points.external_write("branch-commit"):
                object_store.move_branch(self.repository, branch, to=new, expected=onto)
        return new

    def commits(self, branch: str, *, beyond: str) -> Sequence[Commit]:
        head = self._existing_head(branch)
        return object_store.commits_between(self.repository, self.head(beyond) or beyond, head)

    def tag(self, name: str) -> git.Tag:
        try:
            return git.resolve_tag(self.repository, name)
        except GitRefused as refused:
            raise ForgeRefused(refused.problem, mend=f"git push origin refs/tags/{name}") from refused

    def _new_commit(self, base: str | None, changes: Mapping[str, bytes | None], message: str) -> str:
        """A commit on `base`, or `base` itself where nothing changes."""
        tree = object_store.write_tree(self.repository, base=base, changes=changes)
        if base and tree == object_store.tree_of(self.repository, base):
            return base
        parents = [base] if base else []
        return object_store.write_commit(self.repository, tree=tree, parents=parents, message=message)

    def _refuse_to_lose(self, branch: str, onto: str, *, parent: str) -> None:
        for commit in object_store.commits_between(self.repository, parent, onto):
            if not commit.ours:
                raise refusals.would_be_lost(branch, commit)

    def _existing_head(self, branch: str) -> str:
        head = self.head(branch)
        if head is None:
            raise ForgeRefused(f"there is no branch `{branch}`", mend=f"git push origin {branch}")
        return head
