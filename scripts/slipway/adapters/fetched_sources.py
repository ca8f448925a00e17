"""A source that is fetched: into the record under digests, whole or not at all, and out of it again for a converter."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.adapters import git
from slipway.adapters.records import Record, sha256_of
from slipway.adapters.repository import Repository
from slipway.adapters.sources import dvc_files, git_lfs, process
from slipway.adapters.sources.pointers import pointers_of
from slipway.adapters.trees import refuse_strange_files
from slipway.domain.identity import Identity
from slipway.domain.model import Model
from slipway.domain.origin import FetchedFile, Origin, Source, Training, digest_of_files
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SourceRefused

DVC_CONFIG = ".dvc/config"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What fetching takes: the limit, the folder of hashed requirements files, and the variables of this process."""

    limit: SourceLimit
    requirements: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A source in the repository that others stand in for: the model's folder, laid down, and where it is from.

    `dvc_config` is the content of `.dvc/config` there, None without one.
    """

    folder: Path
    root: Path
    commit: str
    dvc_config: bytes | None


def means_of(model: Model, repository: Repository) -> Means:
    """The limits and requirements of the checkout, and the variables of this process."""
    return Means(
        limit=repository.policies().sources.limit_for(model.name).fetched,
        requirements=repository.root / "requirements",
        environment=os.environ,
    )


def tracked_at(commit: str, *, folder: Path, root: Path) -> Tracked:
    return Tracked(folder=folder, root=root, commit=commit, dvc_config=git.read_file(root, commit, DVC_CONFIG))


def lay_down_again(origin: Origin, record: Record, *, kept: Record, fetch_it: Callable[[], Origin]) -> None:
    """Bring the files of a source into a record: from the record `kept` of the release, or from their place once more.

    Raises:
        SourceRefused: that place gives other bytes now.
        Unreachable: it does not answer.
    """
    if is_here(origin, kept):
        for file in origin.files:
            record.keep(kept.path(file), name=file.name)
        return
    refuse_changed(fetch_it(), origin, version=kept.subject)


def is_elsewhere(model: Model, folder: Path) -> bool:
    """Whether the source has to be fetched: it has an address, or files in `folder` only stand for it."""
    return model.source_address is not None or bool(pointers_of(folder, model.source))


def fetch(model: Model, tracked: Tracked, record: Record, means: Means) -> Origin:
    """Fetch the source, and keep each of its files in the record.

    Raises:
        SourceRefused, BadFile: it is not there, not given to us, too much, or not what its digest says.
        Unreachable: it does not answer.
    """
    address = model.source_address
    if address is not None:
        log.info("fetching %s", address)
        return _kept(model, record, lambda into: _from_its_place(address, into, means))
    log.info("fetching what stands behind pointers in models/%s/%s", model.name, model.source)
    return _kept(model, record, lambda into: _behind_pointers(model, tracked, into, means))


def recorded(record: Record) -> Origin | None:
    """What was recorded of the source of this version before, on any machine."""
    page = record.latest(Source)
    identity = record.latest(Identity)
    return page.body.origin if page is not None else identity.body.origin if identity is not None else None


def is_here(origin: Origin, record: Record) -> bool:
    return all(record.has(file) for file in origin.files)


def refuse_changed(now: Origin, before: Origin | None, *, version: str) -> None:
    """Say no to a version whose source is another than the one that was recorded for it.

    Raises:
        SourceRefused: an address gives other bytes now.
    """
    if before is None or before.sha256 == now.sha256:
        return
    raise SourceRefused(
        f"{now.address} changed under {version}: recorded is {before.sha256[:19]}, and now it is {now.sha256[:19]}",
        mend="tag a new version for what lies there now, or put back what lay there; an address that names a version "
        "or a commit cannot change",
    )


def lay_out(origin: Origin, record: Record, *, into: Path) -> Path:
    """Put the files together below the empty folder `into`, by their names, each held against its digest."""
    for file in origin.files:
        target = into / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(record.path(file), target)
    return into


def _kept(model: Model, record: Record, fill: Callable[[Path], tuple[str, Training | None]]) -> Origin:
    into = record.scratch("source") / "files"
    into.mkdir()
    resolved, training = fill(into)
    refuse_strange_files(into, shown_as=model.source)
    files = tuple(_keep(path, into, record) for path in sorted(into.rglob("*")) if path.is_file())
    if not files:
        raise SourceRefused(f"{model.source} holds no file", mend="correct `source` in model.yaml")
    shutil.rmtree(into.parent)
    address, digest = model.source, digest_of_files(files)
    return Origin(address=address, resolved=resolved, sha256=digest, files=files, training=training)


def _keep(path: Path, top: Path, record: Record) -> FetchedFile:
    kept = record.keep(path, name=path.relative_to(top).as_posix())
    return FetchedFile(name=kept.name, sha256=kept.sha256, size=kept.size)


def _from_its_place(address: SourceAddress, into: Path, means: Means) -> tuple[str, Training | None]:
    found = process.fetch(
        address, into=into, limit=means.limit, requirements=means.requirements, environment=means.environment
    )
    if address.sha256:
        _refuse_another(address, next(path for path in into.iterdir()))
    return found.resolved, found.training


def _refuse_another(address: SourceAddress, path: Path) -> None:
    now = sha256_of(path)
    if now != address.sha256:
        raise SourceRefused(
            f"{address.text.partition('#')[0]} is sha256={now}, and not what its address says",
            mend="see who changed the file; if it is meant, write the new digest into `source` and tag a new version",
        )


def _behind_pointers(model: Model, tracked: Tracked, into: Path, means: Means) -> tuple[str, Training | None]:
    refuse_strange_files(tracked.folder, shown_as=f"models/{model.name}")  # a link to a secret is no pointer
    tree = into.parent / "tree"
    shutil.copytree(tracked.folder, tree, symlinks=True)
    there = pointers_of(tree, model.source)
    git_lfs.replace(there.lfs, within=tree, root=tracked.root, limit=means.limit, environment=means.environment)
    dvc_files.replace(
        there.dvc,
        config=tracked.dvc_config,
        limit=means.limit,
        requirements=means.requirements,
        environment=means.environment,
        aside=_made(into.parent / "dvc"),
    )
    source = tree / model.source
    for part in sorted(source.iterdir()) if source.is_dir() else (source,):
        shutil.move(part, into / part.name)
    process.refuse_too_much(into, means.limit)
    return f"git:{tracked.commit}:models/{model.name}/{model.source}", None


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
