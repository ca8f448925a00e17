"""Blobs, trees and commits of a repository on GitHub. Their ids are their contents: what was read once stays true.

That a file is not there is read from the tree that lacks it, never from a 404: GitHub gives that answer also to a
token without rights and, for a moment, for what is being written; a page that seems absent would be written anew.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.adapters.forge import object_store
from slipway.adapters.forge.github.answers import Refused
from slipway.adapters.forge.github.conversation import Conversation
from slipway.errors import ForgeRefused, Unreachable

_LONGEST_INLINE = 100_000  # characters of a file that is sent inside of its tree
_MARK = "\n\nSlipway-Tree: "


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name in a tree stands for."""

    kind: str
    id: str


class Objects:
    """`checkout`, where given, is a clone on this machine: what it has already is not asked for again.

    GITHUB_TOKEN may ask a thousand times an hour; after `git fetch origin ledger`, reading the whole ledger asks
    for nothing but trees.
    """

    def __init__(self, talk: Conversation, *, checkout: Path | None) -> None:
        self._talk = talk
        self._checkout = checkout
        self._trees: dict[str, dict[str, Entry]] = {}
        self._tree_of: dict[str, str] = {}

    def tree_of(self, commit: str) -> str:
        if commit not in self._tree_of:
            self._tree_of[commit] = str(self._talk.get(f"/git/commits/{commit}")["tree"]["sha"])
        return self._tree_of[commit]

    def entry(self, commit: str, path: str) -> Entry | None:
        """What lies at a path of a commit, None where nothing does."""
        found = Entry("tree", self.tree_of(commit))
        for name in [part for part in path.split("/") if part]:
            inside = self._entries(found.id) if found.kind == "tree" else {}
            if name not in inside:
                return None
            found = inside[name]
        return found

    def files(self, tree: str, under: str) -> Iterator[tuple[str, str]]:
        """Full path and blob id of each file in a tree, at any depth."""
        whole = self._talk.get(f"/git/trees/{tree}", recursive=1)
        if not whole["truncated"]:
            yield from (
                (f"{under}{each['path']}", str(each["sha"])) for each in whole["tree"] if each["type"] == "blob"
            )
            return
        for name, entry in self._entries(tree).items():
            if entry.kind == "tree":
                yield from self.files(entry.id, f"{under}{name}/")
            elif entry.kind == "blob":
                yield f"{under}{name}", entry.id

    def blobs(self, blobs: Iterable[str]) -> dict[str, bytes]:
        """Blob id → content.

        Raises:
            ForgeRefused: there is no such blob.
            Unreachable: what came is not what the id says.
        """
        wanted = list(dict.fromkeys(blobs))
        near = {} if self._checkout is None else object_store.find_blobs(self._checkout, wanted)
        return {blob: near[blob] if _is(blob, near.get(blob)) else self._blob(blob) for blob in wanted}

    def _blob(self, blob: str) -> bytes:
        try:
            answer = self._talk.get(f"/git/blobs/{blob}")
        except Refused as refused:
            if refused.status in (404, 422):
                raise ForgeRefused(f"{self._talk.repository} has no blob {blob}", mend=refused.mend) from None
            raise
        content = base64.b64decode(answer["content"])
        if not _is(blob, content):
            raise Unreachable(f"GitHub sent other bytes than blob {blob} has", mend="run again")
        return content

    def write_tree(self, *, base: str | None, changes: Mapping[str, bytes | None]) -> str:
        """The tree of the commit `base` with `changes`; None takes a file away. Returns the tree's id."""
        entries = [
            self._changed(path, content)
            for path, content in changes.items()
            if content is not None or self._is_file(base, path)
        ]
        if base is not None and not entries:
            return self.tree_of(base)
        body: dict[str, Any] = {"tree": entries}
        if base is not None:
            body["base_tree"] = self.tree_of(base)
        return str(self._talk.write("POST", "/git/trees", body, repeat=True)["sha"])

    def write_commit(self, *, tree: str, parents: Iterable[str], message: str) -> str:
        """A commit that no branch has yet. GitHub signs it as the token's user, since no author is named."""
        body = {"message": f"{message.strip()}{_MARK}{tree}", "tree": tree, "parents": list(parents)}
        commit = str(self._talk.write("POST", "/git/commits", body, repeat=True)["sha"])
        self._tree_of[commit] = tree
        return commit

    def _entries(self, tree: str) -> dict[str, Entry]:
        if tree not in self._trees:
            answer = self._talk.get(f"/git/trees/{tree}")
            if answer["truncated"]:
                raise ForgeRefused(f"a folder of {self._talk.repository} has too many files", mend="split the folder")
            self._trees[tree] = {
                str(each["path"]): Entry(str(each["type"]), str(each["sha"])) for each in answer["tree"]
            }
        return self._trees[tree]

    def _is_file(self, commit: str | None, path: str) -> bool:
        found = None if commit is None else self.entry(commit, path)
        return found is not None and found.kind == "blob"

    def _changed(self, path: str, content: bytes | None) -> dict[str, Any]:
        entry: dict[str, Any] = {"path": path, "mode": "100644", "type": "blob"}
        if content is None:
            return {**entry, "sha": None}
        if (text := _as_text(content)) is not None:
            return {**entry, "content": text}
        body = {"content": base64.b64encode(content).decode(), "encoding": "base64"}
        return {**entry, "sha": self._talk.write("POST", "/git/blobs", body, repeat=True)["sha"]}


def is_ours(message: str, tree: str) -> bool:
    """Whether Slipway made the commit, and nobody changed its files since: it names its own tree."""
    return message.rstrip().endswith(f"{_MARK}{tree}")


def without_mark(message: str) -> str:
    return message.rpartition(_MARK)[0] if _MARK in message else message


def _as_text(content: bytes) -> str | None:
    """What can travel inside of JSON and come back as the same bytes."""
    if not content or len(content) > _LONGEST_INLINE or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _is(blob: str, content: bytes | None) -> bool:
    """Whether the content is the one that the blob's id was made of."""
    if content is None:
        return False
    algorithm = "sha1" if len(blob) == 40 else "sha256"
    return hashlib.new(algorithm, b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest() == blob
