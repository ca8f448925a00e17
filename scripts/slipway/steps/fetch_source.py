"""Fetch the source of a model that lies elsewhere, or that pointers in the repository stand for.

The only step that is given credentials for such places, so it runs nothing of a model and looks at nothing but
model.yaml. What it fetched is recorded by digest: a version's source never changes.
"""

from __future__ import annotations

from slipway.adapters import fetched_sources, git, tagged
from slipway.adapters.fetched_sources import DVC_CONFIG, Tracked
from slipway.adapters.records import Record
from slipway.adapters.repository import read_model
from slipway.adapters.workplace import Workplace
from slipway.adapters.yaml_files import read_bounded
from slipway.domain.origin import Origin, Source
from slipway.domain.pages import Page
from slipway.domain.tag import ReleaseTag


def run(text: str, *, workplace: Workplace) -> Page[Source] | None:
    """Write the page `source` of the release that the tag `text` names; None where its source lies in the commit.

    What was fetched for it before and is still here is not fetched again.

    Raises:
        BadTag, NotReleasable, UnknownModel: as `resolve-tag` says; nothing is fetched for what nobody reviewed.
        SourceRefused: it is not there, not given to us, too large, or changed since it was recorded.
        Unreachable: the place does not answer.
    """
    tag = ReleaseTag.parse(text)
    found = tagged.reviewed(tag, workplace=workplace)
    record, root = workplace.release(tag), workplace.repository.root
    record.seed(workplace.history.pages_of(tag))
    folder = tagged.exported(tag, found.commit, record, root=root)
    model = read_model(folder)
    if not fetched_sources.is_elsewhere(model, folder):
        return None
    before = fetched_sources.recorded(record)
    if before is not None and before.address == model.source and fetched_sources.is_here(before, record):
        return _write(before, record)
    tracked = fetched_sources.tracked_at(found.commit, folder=folder, root=root)
    now = fetched_sources.fetch(model, tracked, record, fetched_sources.means_of(model, workplace.repository))
    fetched_sources.refuse_changed(now, before, version=str(tag))
    return _write(before or now, record)


def run_on_working_tree(name: str, *, workplace: Workplace) -> Page[Source] | None:
    """As `run`, for the model as it lies in the working tree; fetched each time, since an address may mean more by now.

    Raises:
        SourceRefused, Unreachable, BadFile: as above.
    """
    repository = workplace.repository
    model, folder = repository.model(name), repository.root / "models" / name
    if not fetched_sources.is_elsewhere(model, folder):
        return None
    config = repository.root / DVC_CONFIG
    tracked = Tracked(
        folder=folder,
        root=repository.root,
        commit=git.head_commit(repository.root),
        dvc_config=read_bounded(config) if config.is_file() else None,
    )
    record = workplace.check(name)
    return _write(
        fetched_sources.fetch(model, tracked, record, fetched_sources.means_of(model, workplace.repository)), record
    )


def _write(origin: Origin, record: Record) -> Page[Source]:
    """By address and bytes: the same bytes under another name of the place are no other source."""
    reads = {"address": origin.address, "files": origin.sha256}
    return record.once(Source, reads=reads, make=lambda: Source(origin=origin))
