"""The outside world with its writes taken out: each is told instead of made."""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slipway.adapters.forge import (
    Commit,
    Deployment,
    EndedRun,
    Forge,
    Issue,
    Pull,
    PullState,
    Status,
    StatusState,
    WorkflowRun,
)
from slipway.adapters.forge.settings import ForgeSettings
from slipway.adapters.git import Tag
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.protocol import Chunks, ManifestBytes, Registry, Repository
from slipway.adapters.workplace import Workplace
from slipway.domain.checkup.seen import SeenForge
from slipway.domain.labels import Label
from slipway.errors import NoSuchImage

log = logging.getLogger(__name__)

_NEW = 0  # the number of what was not opened
_LARGEST_KEPT = 1 << 20  # bytes: manifests' configs are small, models are not read again


def dry(workplace: Workplace) -> Workplace:
    """The same workplace, with a forge and a registry that only read, and a state that is thrown away."""
    state = Path(tempfile.mkdtemp(prefix="slipway-dry-run-"))
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    for name in ("releases", "checks", "windows", "incidents"):
        there = workplace.state / name
        if there.exists():
            shutil.copytree(there, state / name, symlinks=True)
    return replace(
        workplace,
        forge=DryForge(workplace.forge),
        registry=DryRegistry(workplace.registry),
        state=state,
        switches=None if workplace.switches is None else DrySettings(workplace.switches),
        only_reads=True,
    )


def _would(deed: str, *details: object) -> None:
    log.warning("dry run: would " + deed, *details)


@dataclass(slots=True)
class DryForge:
    """Reads what is there, and tells what it was to write."""

    forge: Forge

    @property
    def default_branch(self) -> str:
        return self.forge.default_branch

    def head(self, branch: str) -> str | None:
        return self.forge.head(branch)

    def read(self, commit: str, path: str) -> bytes | None:
        return self.forge.read(commit, path)

    def list_files(self, commit: str, under: str = "") -> Mapping[str, str]:
        return self.forge.list_files(commit, under)

    def read_blobs(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        return self.forge.read_blobs(blobs)

    def commits(self, branch: str, *, beyond: str) -> Sequence[Commit]:
        return self.forge.commits(branch, beyond=beyond)

    def tag(self, name: str) -> Tag:
        return self.forge.tag(name)

    def commit(
        self,
        branch: str,
        *,
        onto: str | None,
        changes: Mapping[str, bytes | None],
        message: str,
        parent: str | None = None,
    ) -> str:
        _would("commit to `%s`: %s (%s)", branch, ", ".join(sorted(changes)), message.splitlines()[0])
        return parent or onto or "0" * 40

    def open_pull(
        self,
        *,
        branch: str,
        base: str,
        title: str,
        body: str,
        draft: bool = False,
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
    ) -> Pull:
        _would("open a pull request of `%s` into `%s`: %s", branch, base, title)
        return Pull(_NEW, title, body, branch, base, "", PullState.OPEN, draft, tuple(labels), None, "")

    def pull(self, number: int) -> Pull:
        return self.forge.pull(number)

    def pull_for(self, branch: str) -> Pull | None:
        return self.forge.pull_for(branch)

    def last_pull_for(self, branch: str) -> Pull | None:
        return self.forge.last_pull_for(branch)

    def open_pulls(self) -> Sequence[Pull]:
        return self.forge.open_pulls()

    def update_pull(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        draft: bool | None = None,
        labels: Sequence[str] = (),
        reviewers: Sequence[str] = (),
    ) -> Pull:
        _would("update pull request #%s", number)
        return self.forge.pull(number)

    def close_pull(self, number: int, comment: str | None = None) -> None:
        _would("close pull request #%s", number)

    def merge_pull(self, number: int) -> str:
        pull = self.forge.pull(number)
        _would("merge pull request #%s: %s", number, pull.title)
        return pull.merge_commit or pull.head

    def open_issue(self, *, title: str, body: str, labels: Sequence[str] = ()) -> Issue:
        _would("open an issue: %s", title)
        return Issue(_NEW, title, body, tuple(labels), True, "")

    def issue(self, number: int) -> Issue:
        return self.forge.issue(number)

    def open_issues(self, label: str | None = None) -> Sequence[Issue]:
        return self.forge.open_issues(label)

    def last_issue(self, label: str) -> Issue | None:
        return self.forge.last_issue(label)

    def update_issue(self, number: int, *, title: str | None = None, body: str | None = None) -> Issue:
        _would("update issue #%s: %s", number, title or "")
        return self.forge.issue(number)

    def close_issue(self, number: int, comment: str | None = None) -> None:
        _would("close issue #%s", number)

    def reopen_issue(self, number: int, comment: str | None = None) -> None:
        _would("open issue #%s again", number)

    def assign(self, number: int, people: Sequence[str]) -> None:
        _would("assign %s to issue #%s", ", ".join(people), number)

    def comment(self, number: int, body: str) -> None:
        _would("comment on #%s", number)

    def comments(self, number: int) -> Sequence[str]:
        return self.forge.comments(number)

    def set_status(
        self, commit: str, *, context: str, state: StatusState, description: str, url: str | None = None
    ) -> None:
        _would("mark commit %s as %s: %s", commit[:12], state, description)

    def statuses(self, commit: str) -> Mapping[str, Status]:
        return self.forge.statuses(commit)

    def record_deployment(self, deployment: Deployment) -> None:
        _would("note that %s runs %s", deployment.environment, deployment.description)

    def deployment(self, environment: str) -> Deployment | None:
        return self.forge.deployment(environment)

    def publish_release(self, tag: str, *, title: str, body: str) -> str:
        _would("publish the notes of %s: %s", tag, title)
        return ""

    def runs_under_way(self, workflow: str) -> Sequence[WorkflowRun]:
        return self.forge.runs_under_way(workflow)

    def last_run(self, workflow: str, *, commit: str) -> EndedRun | None:
        return self.forge.last_run(workflow, commit=commit)

    def run_again(self, run: int) -> None:
        _would("do run %s again", run)

    def dispatch_workflow(self, workflow: str, *, ref: str, inputs: Mapping[str, str]) -> None:
        _would("start %s with %s", workflow, ", ".join(inputs.values()))


@dataclass(slots=True)
class DrySettings:
    """The settings as they are, without a write."""

    settings: ForgeSettings

    def look(self, environment: str) -> SeenForge:
        return self.settings.look(environment)

    def create_label(self, label: Label) -> None:
        _would("create the label `%s`", label.name)

    def create_ruleset(self, content: Mapping[str, Any]) -> None:
        _would("create the ruleset `%s`", content["name"])

    def update_ruleset(self, ruleset_id: int, content: Mapping[str, Any]) -> None:
        _would("change the ruleset `%s` to what its file says", content["name"])


@dataclass(slots=True)
class DryRegistry:
    """Keeps in memory what it was given, so that it can be read again in the same run."""

    registry: Registry
    _repositories: dict[str, DryRepository] = field(default_factory=dict)

    def repository(self, name: str) -> Repository:
        return self._repositories.setdefault(name, DryRepository(self.registry.repository(name)))


@dataclass(slots=True)
class DryRepository:
    there: Repository
    _manifests: dict[str, ManifestBytes] = field(default_factory=dict)
    _blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def home(self) -> str:
        return self.there.home

    @property
    def name(self) -> str:
        return self.there.name

    def manifest(self, reference: str) -> ManifestBytes:
        return self._manifests.get(reference) or self.there.manifest(reference)

    def blob(self, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        if digest in self._blobs:
            return nullcontext(iter([self._blobs[digest]]))
        return self.there.blob(digest)

    def has(self, digest: str) -> bool:
        return self.there.has(digest)

    def mount(self, digest: str, *, from_repository: str) -> bool:
        return True

    def put_blob(self, digest: str, *, size: int, chunks: Chunks) -> None:
        if self.there.has(digest):
            return
        _would("push %s bytes as %s to %s", f"{size:,}", digest[:19], self.name)
        if size <= _LARGEST_KEPT:
            self._blobs[digest] = b"".join(chunks())

    def put_manifest(self, content: bytes, *, media_type: str, reference: str) -> str:
        digest = digest_of(content)
        stored = ManifestBytes(content, media_type, digest)
        self._manifests |= {reference: stored, digest: stored}
        if not self._is_there(reference, digest):
            _would("push the image %s:%s as %s", self.name, reference, digest[:19])
        return digest

    def _is_there(self, reference: str, digest: str) -> bool:
        try:
            return self.there.manifest(reference).digest == digest
        except NoSuchImage:
            return False
