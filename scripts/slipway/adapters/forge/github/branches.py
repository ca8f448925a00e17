"""Branches and tags on GitHub, by the Git Data API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from slipway.adapters import crash_points
from slipway.adapters.forge import Commit, refusals
from slipway.adapters.forge.github.answers import GRAPHQL, Refused
from slipway.adapters.forge.github.conversation import PAGE, Conversation, named
from slipway.adapters.forge.github.objects import Objects, is_ours, without_mark
from slipway.adapters.git import Tag
from slipway.errors import ForgeRefused

_SIGNATURES = ("-----BEGIN PGP SIGNATURE-----", "-----BEGIN SSH SIGNATURE-----", "-----BEGIN SIGNED MESSAGE-----")


class GitHubBranches:
    _talk: Conversation
    _objects: Objects
    _about: dict[str, Any] | None = None

    @property
    def default_branch(self) -> str:
        return str(self._repository_fields()["default_branch"])

    def head(self, branch: str) -> str | None:
        found = self._ref(f"heads/{branch}")
        return None if found is None else str(found["sha"])

    def read(self, commit: str, path: str) -> bytes | None:
        found = self._objects.entry(commit, path)
        return self._objects.blobs([found.id])[found.id] if found is not None and found.kind == "blob" else None

    def list_files(self, commit: str, under: str = "") -> Mapping[str, str]:
        folder = under.strip("/")
        found = self._objects.entry(commit, folder)
        if found is None or found.kind != "tree":
            return {}
        return dict(self._objects.files(found.id, f"{folder}/" if folder else ""))

    def read_blobs(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        return self._objects.blobs(blobs)

    def commit(
        self,
        branch: str,
        *,
        onto: str | None,
        changes: Mapping[str, bytes | None],
        message: str,
        parent: str | None = None,
    ) -> str:
        self._refuse_moved(branch, onto)
        base = parent or onto
        if onto and base and base != onto:
            self._refuse_to_lose(branch, onto, parent=base)
        tree = self._objects.write_tree(base=base, changes=changes)
        if base and tree == self._objects.tree_of(base):
            new = base
        else:
            new = self._objects.write_commit(tree=tree, parents=[base] if base else [], message=message)
        if new != onto:
            with crash_points.external_write("branch-commit"):
                self._move(branch, to=new, onto=onto, anew=base != onto)
        return new

    def commits(self, branch: str, *, beyond: str) -> Sequence[Commit]:
        return self._commits_between(self.head(beyond) or beyond, self._existing_head(branch))

    def tag(self, name: str) -> Tag:
        found = self._existing_tag(name)
        if found["type"] != "tag":
            return Tag(name, str(found["sha"]), str(found["sha"]), False, None, None, "")
        tag = self._talk.get(f"/git/tags/{found['sha']}")
        tagger = tag["tagger"]
        return Tag(
            name=name,
            object_id=str(found["sha"]),
            commit=self._peeled(tag["object"]),
            annotated=True,
            tagger=f"{tagger['name']} <{tagger['email']}>",
            tagged_at=datetime.fromisoformat(tagger["date"]),
            message=_without_signature(str(tag["message"])),
        )

    def _repository_fields(self) -> dict[str, Any]:
        if self._about is None:
            self._about = dict(self._talk.get(""))
        return self._about

    def _ref(self, name: str) -> dict[str, Any] | None:
        """The object that a ref names; the list of refs that begin so is empty, where one ref would be a 404."""
        try:
            refs = self._talk.get(f"/git/matching-refs/{named(name)}")
        except Refused as refused:
            if refused.status == 409:  # a repository without a commit
                return None
            raise
        return next((dict(ref["object"]) for ref in refs if ref["ref"] == f"refs/{name}"), None)

    def _existing_tag(self, name: str) -> dict[str, Any]:
        found = self._ref(f"tags/{name}")
        if found is None:
            raise ForgeRefused(f"{self._talk.repository} has no tag `{name}`", mend=f"git push origin refs/tags/{name}")
        return found

    def _peeled(self, target: Mapping[str, str]) -> str:
        while target["type"] == "tag":
            target = self._talk.get(f"/git/tags/{target['sha']}")["object"]
        if target["type"] != "commit":
            raise ForgeRefused("the tag names no commit", mend="tag a commit, and push the tag")
        return target["sha"]

    def _existing_head(self, branch: str) -> str:
        head = self.head(branch)
        if head is None:
            raise ForgeRefused(f"{self._talk.repository} has no branch `{branch}`", mend=f"git push origin {branch}")
        return head

    def _commits_between(self, beyond: str, newest: str) -> tuple[Commit, ...]:
        found: list[Commit] = []
        page = 0
        while True:
            page += 1
            answer = self._talk.get(f"/compare/{beyond}...{newest}", per_page=PAGE, page=page)
            found += map(_commit, answer["commits"])
            if len(answer["commits"]) < PAGE:
                return tuple(reversed(found))

    def _refuse_moved(self, branch: str, onto: str | None) -> None:
        at = self.head(branch)
        if at != onto:
            raise refusals.branch_moved(branch, at=at, onto=onto)

    def _refuse_to_lose(self, branch: str, onto: str, *, parent: str) -> None:
        for commit in self._commits_between(parent, onto):
            if not commit.ours:
                raise refusals.would_be_lost(branch, commit)

    def _move(self, branch: str, *, to: str, onto: str | None, anew: bool) -> None:
        """Let the branch name `to`, if it is at `onto` still. What GitHub refuses is decided by looking."""
        try:
            if onto is None:
                self._talk.write("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": to}, repeat=True)
            elif anew:
                self._replace(branch, to=to, onto=onto)
            else:
                path = f"/git/refs/heads/{named(branch)}"
                self._talk.write("PATCH", path, {"sha": to, "force": False}, repeat=True)
        except Refused as refused:
            at = self.head(branch)
            if at == to:  # the answer to an earlier try was lost
                return
            if at != onto:
                raise refusals.branch_moved(branch, at=at, onto=onto) from refused
            raise

    def _replace(self, branch: str, *, to: str, onto: str) -> None:
        """Write anew what was at `onto`: only GraphQL compares before it forces.

        A token that may not use GraphQL's mutation forces by REST right after a look; who pushes in that moment
        finds the commit in GitHub's activity view only.
        """
        update = {"name": f"refs/heads/{branch}", "beforeOid": onto, "afterOid": to, "force": True}
        given = {"repositoryId": self._repository_fields()["node_id"], "refUpdates": [update]}
        try:
            self._talk.mutate("updateRefs", given)
        except Refused as refused:
            if refused.status != GRAPHQL or self.head(branch) != onto:
                raise
            path = f"/git/refs/heads/{named(branch)}"
            self._talk.write("PATCH", path, {"sha": to, "force": True}, repeat=True)


def _commit(listed: Mapping[str, Any]) -> Commit:
    about = listed["commit"]
    author, message = about["author"], str(about["message"])
    return Commit(
        id=str(listed["sha"]),
        author=f"{author['name']} <{author['email']}>",
        message=without_mark(message).strip(),
        ours=is_ours(message, str(about["tree"]["sha"])),
    )


def _without_signature(message: str) -> str:
    for signature in _SIGNATURES:
        message = message.partition(signature)[0]
    return message.strip()
