"""What can be known of a repository without a network: its branches as they were fetched last, and nothing is written.

Where the remote `origin` is a repository on this machine, it is read itself, for nothing is newer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from slipway.adapters import git, moments
from slipway.adapters.forge import Commit, object_store
from slipway.adapters.ledger import BRANCH
from slipway.domain.explanation import LedgerSeen, RefSeen
from slipway.errors import CannotExplain, ForgeRefused

_REMOTE, _OWN = "refs/remotes/origin/", "refs/heads/"
_OLD = timedelta(days=3)  # the watch and the upkeep write a heartbeat each day
FETCH = "git fetch --tags origin ledger:refs/remotes/origin/ledger"
FETCH_ALL = "git fetch --tags origin '+refs/heads/*:refs/remotes/origin/*'"


@dataclass(frozen=True, slots=True)
class Clone:
    """The reading half of a forge. `places` are the folders of refs in which branches are looked up, best first."""

    repository: Path
    places: tuple[str, ...]
    default_branch: str

    @classmethod
    def around(cls, root: Path) -> Self:
        """Of the checkout `root`."""
        bare = _origin_here(root)
        if bare is not None:
            return cls(bare, (_OWN,), git.run("symbolic-ref", "--short", "HEAD", cwd=bare).decode().strip())
        return cls(root, (_REMOTE, _OWN), _default_branch(root))

    @property
    def is_fetched(self) -> bool:
        """Whether it may be older than its remote."""
        return _REMOTE in self.places

    def head(self, branch: str) -> str | None:
        ref = self._ref(branch)
        return None if ref is None else git.commit_of(self.repository, ref)

    def read(self, commit: str, path: str) -> bytes | None:
        return git.read_file(self.repository, commit, path)

    def list_files(self, commit: str, under: str = "") -> Mapping[str, str]:
        return object_store.list_files(self.repository, commit, under)

    def read_blobs(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        return object_store.read_blobs(self.repository, blobs)

    def commits(self, branch: str, *, beyond: str) -> Sequence[Commit]:
        newest = self._ref(branch)
        return () if newest is None else object_store.commits_between(self.repository, beyond, newest)

    def tag(self, name: str) -> git.Tag:
        return git.resolve_tag(self.repository, name)

    def commit(
        self,
        branch: str,
        *,
        onto: str | None,  # noqa: ARG002  # nothing is written
        changes: Mapping[str, bytes | None],  # noqa: ARG002
        message: str,
        parent: str | None = None,  # noqa: ARG002
    ) -> str:
        raise ForgeRefused(f"`{branch}` is only read here, without a network: {message}", mend="write by the forge")

    @property
    def is_shallow(self) -> bool:
        """Whether its history was cut off, as a job of GitHub's brings it."""
        return moments.is_shallow(self.repository)

    def manifests_seen(self) -> RefSeen | None:
        """The default branch, as far as it is here."""
        ref = self._ref(self.default_branch)
        if ref is None:
            return None
        at = git.committed_at(self.repository, ref)
        return RefSeen(ref=ref, commit=git.commit_of(self.repository, ref), at=at)

    def ledger_seen(self, *, now: datetime) -> LedgerSeen:
        """Which state of the ledger is there.

        Raises:
            CannotExplain: there is none, as in a fresh clone of a single branch.
        """
        ref = self._ref(BRANCH)
        if ref is None:
            where = " and ".join(f"{place}{BRANCH}" for place in self.places)
            raise CannotExplain(
                f"this clone has no ledger: {self.repository} has no {where}",
                mend=f"{FETCH}; where origin has none either, nothing was released yet",
            )
        at = git.committed_at(self.repository, ref)
        return LedgerSeen(
            ref=ref,
            commit=git.commit_of(self.repository, ref),
            at=at,
            fetched_at=self._fetched_at() if self.is_fetched else None,
            stale=self._is_old(at, now=now),
            mend=FETCH if self.is_fetched else "",
        )

    def _ref(self, branch: str) -> str | None:
        refs = (f"{place}{branch}" for place in self.places)
        return next((ref for ref in refs if self._has(ref)), None)

    def _has(self, ref: str) -> bool:
        return not git.ask("rev-parse", "--quiet", "--verify", f"{ref}^{{commit}}", cwd=self.repository).code

    def _fetched_at(self) -> str | None:
        folder = git.run("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=self.repository)
        fetched = Path(folder.decode().rstrip("\n")) / "FETCH_HEAD"
        if not fetched.is_file():
            return None
        return datetime.fromtimestamp(fetched.stat().st_mtime, UTC).isoformat(timespec="seconds")

    def _is_old(self, at: str, *, now: datetime) -> tuple[str, ...]:
        age = now - datetime.fromisoformat(at)
        return (f"nothing was written to it for {age.days} days",) if self.is_fetched and age > _OLD else ()


def _origin_here(root: Path) -> Path | None:
    """The repository behind `origin` where that is a folder of this machine; None elsewhere, or where it is gone."""
    url = git.remote_url(root)
    path = None if url is None or "://" in url.removeprefix("file://") else root / url.removeprefix("file://")
    return path if path is not None and (path / "HEAD").is_file() else None


def _default_branch(root: Path) -> str:
    """As the clone was told; where it never was, the usual names, and last the branch that is checked out."""
    told = git.ask("symbolic-ref", "--short", f"{_REMOTE}HEAD", cwd=root)
    if not told.code:
        return told.out.decode().strip().removeprefix("origin/")
    usual = (name for name in ("main", "master") if object_store.head(root, name) is not None)
    here = git.ask("symbolic-ref", "--short", "HEAD", cwd=root).out.decode().strip()
    return next(usual, here or "main")
