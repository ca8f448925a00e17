"""The policies that a release was judged by, found again in the history of the default branch by their digest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from slipway.adapters import git
from slipway.adapters.repository import Repository, parse_policies
from slipway.domain.pages import digest_of
from slipway.domain.policy import Policies

_FOLDER = "policies"


def with_digest(digest: str, *, repository: Repository, head: str | None) -> Policies | None:
    """Those of the checkout, or of the newest commit up to `head` whose files have the digest; None without any."""
    if repository.policies_digest() == digest:
        return repository.policies()
    for commit in _commits(repository.root, head):
        files = _files(repository.root, commit)
        if digest_of_files(files) == digest:
            return parse_policies(files.get, where=f"{commit[:12]}:{_FOLDER}")
    return None


def digest_of_files(files: Mapping[str, bytes]) -> str:
    """As `Repository.policies_digest` computes it from a folder."""
    return digest_of(b"".join(name.encode() + b"\0" + content + b"\0" for name, content in sorted(files.items())))


def _commits(root: Path, head: str | None) -> list[str]:
    """Newest first: only a commit that touched the policies can have brought them."""
    if head is None:
        return []
    return git.run("log", "--format=%H", head, "--", _FOLDER, cwd=root).decode().split()


def _files(root: Path, commit: str) -> dict[str, bytes]:
    listed = git.run("ls-tree", "--name-only", "-z", commit, f"{_FOLDER}/", cwd=root).decode().split("\0")
    found = {Path(path).name: git.read_file(root, commit, path) for path in listed if path.endswith(".yaml")}
    return {name: content for name, content in found.items() if content is not None}
