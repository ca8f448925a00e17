"""All that the branches say at one moment: each listed once, and its files read many at a time by one git.

What people ask of a whole repository (`status`, the page of it) asks the same small questions of every model. A forge
answers each by itself; here they are answered from what a clone holds after one fetch. So a day that is over can be
asked as well: what the branches held when it ended, by the dates of their commits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path, PurePosixPath

from slipway.adapters import git, moments
from slipway.adapters.dry_run import DryForge
from slipway.adapters.forge import Pull, object_store
from slipway.adapters.ledger import BRANCH
from slipway.adapters.repository import SETTINGS
from slipway.adapters.workplace import Workplace
from slipway.adapters.yaml_files import parse_yaml
from slipway.domain.settings import Settings
from slipway.errors import GitRefused

_REMOTE = "refs/remotes/origin"
_EVERY_BRANCH = f"+refs/heads/*:{_REMOTE}/*"


@dataclass(frozen=True)
class Listing:
    """Path → blob id of all files of a commit, by the order of their paths."""

    blobs: Mapping[str, str]

    @cached_property
    def paths(self) -> Sequence[str]:
        return sorted(self.blobs)

    @cached_property
    def folders(self) -> Mapping[str, Sequence[str]]:
        """Folder → the paths of the files in it, not below, in their order."""
        found: dict[str, list[str]] = {}
        for path in self.paths:
            found.setdefault(path.rpartition("/")[0], []).append(path)
        return found

    def below(self, folder: str) -> dict[str, str]:
        """Those in a folder at any depth; all without a folder."""
        name = folder.strip("/")
        if not name:
            return dict(self.blobs)
        first, end = bisect_left(self.paths, f"{name}/"), bisect_left(self.paths, f"{name}0")  # `0` follows `/`
        return {path: self.blobs[path] for path in self.paths[first:end]}


@dataclass(slots=True)
class Moment(DryForge):
    """A forge that is only read, as the clone `repository` holds it; `until` is the end of a day that is over.

    What no branch tells (requests that are open, for example) is asked of the forge itself, and of no other day.
    """

    repository: Path
    until: datetime | None = None
    _heads: dict[str, str | None] = field(default_factory=dict)
    _listings: dict[str, Listing] = field(default_factory=dict)
    _contents: dict[str, bytes] = field(default_factory=dict)

    def head(self, branch: str) -> str | None:
        if branch not in self._heads:
            self._heads[branch] = _head(self.repository, branch, until=self.until)
        return self._heads[branch]

    def listing(self, commit: str) -> Listing:
        if commit not in self._listings:
            self._listings[commit] = Listing(object_store.list_files(self.repository, commit, ""))
        return self._listings[commit]

    def list_files(self, commit: str, under: str = "") -> Mapping[str, str]:
        return self.listing(commit).below(under)

    def read(self, commit: str, path: str) -> bytes | None:
        blob = self.listing(commit).blobs.get(path)
        return None if blob is None else self.read_blobs([blob])[blob]

    def read_blobs(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(blobs)
        new = [blob for blob in wanted if blob not in self._contents]
        if new:
            self._contents |= object_store.read_blobs(self.repository, new)
        return {blob: self._contents[blob] for blob in wanted}

    def passing(self, commit: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of many files as git unpacks them, the faster the more they are in order; none is kept."""
        wanted, blobs = list(paths), self.listing(commit).blobs
        contents = object_store.each_blob(self.repository, [blobs[path] for path in wanted])
        for path, (_, content) in zip(wanted, contents, strict=True):
            yield path, content

    def open_pulls(self) -> Sequence[Pull]:
        return () if self.until is not None else self.forge.open_pulls()


@dataclass(frozen=True, slots=True)
class WholeLedger:
    """A workplace at one moment, and the models that it declares. Nothing is written through it."""

    workplace: Workplace
    moment: Moment
    models: Sequence[str]

    @property
    def commit(self) -> str | None:
        """Of the ledger; None where nothing was recorded by then."""
        return self.moment.head(BRANCH)

    @property
    def main(self) -> str | None:
        return self.moment.head(self.moment.default_branch)

    @property
    def paths(self) -> Sequence[str]:
        return () if self.commit is None else self.moment.listing(self.commit).paths

    @property
    def folders(self) -> Mapping[str, Sequence[str]]:
        """Folder → the paths of the files in it, in their order."""
        return {} if self.commit is None else self.moment.listing(self.commit).folders

    def bring(self, paths: Iterable[str]) -> None:
        """Read files of the ledger now, by one git, so that none is asked for by itself later."""
        self.contents(paths)

    def contents(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Path → content of files of the ledger; what was brought before is not read again."""
        if self.commit is None:
            return {}
        listed = self.moment.listing(self.commit).blobs
        blobs = {path: listed[path] for path in paths}
        found = self.moment.read_blobs(blobs.values())
        return {path: found[blob] for path, blob in blobs.items()}


def read(workplace: Workplace, *, on: date | None = None) -> WholeLedger:
    """Fetch, and look at the branches as they are, or as they were when the day `on` ended, in UTC.

    Raises:
        Unreachable: the remote does not answer.
        GitRefused: the clone was made without its history, and is asked about a day that is over.
    """
    root = workplace.repository.root
    git.fetch(root, _EVERY_BRANCH)
    if on is None:
        moment = Moment(workplace.forge, root)
        return WholeLedger(replace(workplace, forge=moment), moment, workplace.repository.model_names())
    if moments.is_shallow(root):
        raise GitRefused(
            f"{root} was cloned without its history, which tells what was true on {on}", mend="git fetch --unshallow"
        )
    end = datetime.combine(on + timedelta(days=1), time(0), tzinfo=UTC) - timedelta(seconds=1)
    return _as_of(workplace, Moment(workplace.forge, root, until=end))


def _as_of(workplace: Workplace, moment: Moment) -> WholeLedger:
    """Settings and models, too, are those of the day."""
    commit = moment.head(moment.default_branch)
    content = None if commit is None else moment.read(commit, SETTINGS)
    settings = workplace.settings if content is None else parse_yaml(content, Settings, where=f"{commit}:{SETTINGS}")
    files = {} if commit is None else moment.list_files(commit, "models")
    models = sorted(PurePosixPath(path).parts[1] for path in files if PurePosixPath(path).match("models/*/model.yaml"))
    return WholeLedger(replace(workplace, forge=moment, settings=settings), moment, models)


def _head(repository: Path, branch: str, *, until: datetime | None) -> str | None:
    ref = f"{_REMOTE}/{branch}"
    if until is None:
        return moments.find_commit(repository, ref)
    return moments.find_commit_before(repository, ref, until)
