"""Find out what a tag releases, and fetch all that the steps after it need.

No code of the model runs here; the steps that run it hold no token, and so fetch nothing themselves.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from semver import Version

from slipway.adapters import crash_points, deploy_tree, fetched_sources, git, released, tables, tagged
from slipway.adapters.records import Record
from slipway.adapters.repository import read_model
from slipway.adapters.trees import digest_of_tree, refuse_strange_files
from slipway.adapters.workplace import Workplace
from slipway.domain.baseline import Baseline
from slipway.domain.identity import Identity, Released
from slipway.domain.model import Model
from slipway.domain.origin import Origin, Source
from slipway.domain.pages import Page, digest_of
from slipway.domain.tag import Bump, ReleaseTag, bump_between, next_version
from slipway.errors import NotReleasable, SourceRefused, UnknownModel


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a model's files come from: a tagged commit, or the working tree."""

    tag: ReleaseTag
    object_id: str
    tagger: str
    message: str
    commit: str
    committed_at: str
    folder: Path


def run(text: str, *, workplace: Workplace) -> Page[Identity]:
    """Write the page `identity` of the release that the tag `text` names.

    Raises:
        BadTag: the text is no release tag, or the tag is not annotated.
        NotReleasable: it must not be released: off the default branch, quarantined, moved, below what is
            deployed, or the second version of its model on one commit.
        UnknownModel: the tagged commit does not declare the model.
    """
    tag = ReleaseTag.parse(text)
    record = workplace.release(tag)
    root = workplace.repository.root
    found = tagged.reviewed(tag, workplace=workplace)
    _refuse_older_than_the_baseline(tag, workplace)
    _refuse_second_version(tag, found.commit, workplace)
    _refuse_quarantined(tag, workplace)
    record.seed(workplace.history.pages_of(tag))
    _refuse_moved(tag, found, record)
    place = _Place(
        tag=tag,
        object_id=found.object_id,
        tagger=found.tagger or "",
        message=found.message,
        commit=found.commit,
        committed_at=git.committed_at(root, found.commit),
        folder=tagged.exported(tag, found.commit, record, root=root),
    )
    return _identify(place, record, workplace)


def run_on_working_tree(model: str, *, workplace: Workplace) -> Page[Identity]:
    """Write the page `identity` that a tag of the working tree would get, if it promised to be a patch.

    Raises:
        BadFile: the model's declaration or samples are wrong, or a link leads out of its folder.
        UnknownModel: there is no such model, or a file that it names is missing.
        NotReleasable: the version is quarantined, or below what is deployed.
    """
    repository = workplace.repository
    repository.model(model)  # for its errors, before anything is copied
    record = workplace.check(model)
    source = repository.root / "models" / model
    refuse_strange_files(source, shown_as=f"models/{model}")  # a copy would hold what they name
    folder = record.folder / "tagged" / digest_of_tree(source).removeprefix("sha256:")[:16] / "models" / model
    if not folder.exists():
        unfinished = record.scratch("working-tree") / model
        shutil.copytree(source, unfinished)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with crash_points.external_write("working-tree"):
            unfinished.rename(folder)
    commit = git.head_commit(repository.root)
    passed = released.highest_passed(model, workplace)
    place = _Place(
        tag=_next_free(model, passed.version if passed else None, Bump.PATCH, repository.root),
        object_id="",
        tagger="",
        message="",
        commit=commit,
        committed_at=git.committed_at(repository.root, commit),
        folder=folder,
    )
    _refuse_quarantined(place.tag, workplace)
    return _identify(place, record, workplace)


def promise(bump: Bump, record: Record, *, root: Path) -> Page[Identity]:
    """Give what was resolved of a working tree the number that promises `bump`; nothing outside is asked for it.

    Args:
        bump: what to promise against the version that it is compared with.
        record: with the page `identity` of the working tree.
        root: the repository, whose tags say which numbers are taken.
    """
    before = record.page(Identity, written_by="check --only fetch").body
    lower = _version_of(before.compared, before.model)
    tag = _next_free(before.model, lower, bump, root)
    named = {"tag": str(tag), "version": tag.image_tag, "bump": bump_between(lower, tag.version)}
    return _write(before.model_copy(update=named), record)


def _next_free(model: str, lower: Version | None, bump: Bump, root: Path) -> ReleaseTag:
    """The lowest version that makes the promise and was not tagged yet: one that failed keeps its number."""
    taken = {*git.release_tags(root, model=model)}
    free = ReleaseTag(model, next_version(lower, bump))
    while free in taken:
        free = ReleaseTag(model, next_version(free.version, Bump.PATCH if bump is Bump.FIRST else bump))
    return free


def _identify(place: _Place, record: Record, workplace: Workplace) -> Page[Identity]:
    model = read_model(place.folder)
    samples = record.keep(_file(place.folder, model.samples.path, model, "samples.path"), name="samples.parquet")
    origin = _origin_of(place, model, record)
    shown_as = Path("models") / model.name / model.samples.path
    tables.read_samples(record.path(samples), model, shown_as=shown_as)  # for its errors: they name a file of the team
    compared = released.compared_with(place.tag, record, workplace)
    deployed = released.deployed(place.tag.model, record, workplace)
    _refuse_lower(place.tag, deployed)
    body = Identity(
        tag=str(place.tag),
        model=place.tag.model,
        version=place.tag.image_tag,
        bump=bump_between(_version_of(compared, place.tag.model), place.tag.version),
        tag_object=place.object_id,
        tagger=place.tagger,
        message=place.message,
        commit=place.commit,
        committed_at=place.committed_at,
        model_folder=str(place.folder.relative_to(record.folder)),
        source_digest=origin.sha256 if origin else digest_of_tree(_file(place.folder, model.source, model, "source")),
        samples=samples,
        card=record.keep(_file(place.folder, "README.md", model, "README.md"), name="README.md"),
        declaration=model,
        compared=compared,
        deployed=deployed,
        served=released.last_served(place.tag.model, deployed, record, workplace),
        origin=origin,
    )
    return _write(body, record)


def _origin_of(place: _Place, model: Model, record: Record) -> Origin | None:
    """What `fetch-source` found, where the source does not lie in the commit."""
    if not fetched_sources.is_elsewhere(model, place.folder):
        return None
    page = record.latest(Source)
    origin = page.body.origin if page else None
    if origin is None or origin.address != model.source or not fetched_sources.is_here(origin, record):
        command = f"fetch-source {place.tag}" if place.object_id else f"check {model.name}"
        raise SourceRefused(
            f"models/{model.name}/model.yaml: source: {model.source} was not fetched",
            mend=f"slipway {command}; a pull request from a fork gets no secrets, so nothing is fetched for it and its "
            "model is not examined: push the branch into this repository",
        )
    known = record.latest(Identity)
    fetched_sources.refuse_changed(origin, known.body.origin if known else None, version=str(place.tag))
    return origin


def _write(identity: Identity, record: Record) -> Page[Identity]:
    key = digest_of(identity.model_dump_json().encode())
    return record.once(Identity, reads={"identity": key}, make=lambda: identity)


def _version_of(released: Released | None, model: str) -> Version | None:
    return None if released is None else ReleaseTag.parse(f"{model}@{released.version}").version


def _refuse_older_than_the_baseline(tag: ReleaseTag, workplace: Workplace) -> None:
    """A repository that is mirrored pushes all of its tags anew: what other means released is not released again."""
    for baseline in workplace.history.baselines(tag.model):
        if baseline.is_of_before(tag):
            raise NotReleasable(
                f"`{tag}` is older than Slipway here: {baseline.by} adopted {baseline.version}, which "
                f"{baseline.environment} ran, on {baseline.when}",
                mend=f"tag a version above it: git tag -a {tag.model}@v{_above(baseline)}",
            )


def _above(baseline: Baseline) -> Version:
    """The lowest patch that no tag of before has."""
    old = [ReleaseTag.parse(name).version for name in baseline.tags_above]
    return next_version(max([baseline.release.version, *old]), Bump.PATCH)


def _refuse_second_version(tag: ReleaseTag, commit: str, workplace: Workplace) -> None:
    """The first is the one that the ledger knows or, before either was recorded, the lower one."""
    if workplace.history.page(tag, Identity) is not None:
        return
    there = set(git.tags_at(workplace.repository.root, commit))
    for other in git.release_tags(workplace.repository.root, model=tag.model):
        first = other.version < tag.version or workplace.history.page(other, Identity) is not None
        if str(other) in there and other != tag and first:
            raise NotReleasable(
                f"commit {commit[:12]} is released as `{other}` already: one commit is one version of a model",
                mend=f"git tag -d {tag}; commit the change that makes it another version, then tag that commit",
            )


def _refuse_quarantined(tag: ReleaseTag, workplace: Workplace) -> None:
    deploy_tree.refuse_quarantined(
        workplace.forge,
        model=tag.model,
        version=tag.image_tag,
        called=f"`{tag}`",
        otherwise=f"release the mended model as v{next_version(tag.version, Bump.PATCH)}",
    )


def _refuse_moved(tag: ReleaseTag, found: git.Tag, record: Record) -> None:
    before = record.latest(Identity)
    if before is not None and before.body.tag_object not in ("", found.object_id):
        raise NotReleasable(
            f"`{tag}` was moved: the ledger knows it as tag object {before.body.tag_object[:12]}, "
            f"now it is {found.object_id[:12]}",
            mend=f"git tag -a {tag.model}@v{next_version(tag.version, Bump.PATCH)} on the new commit; a version is "
            "never used twice",
        )


def _refuse_lower(tag: ReleaseTag, deployed: dict[str, Released | None]) -> None:
    for environment, live in deployed.items():
        if live is not None and ReleaseTag.parse(f"{tag.model}@{live.version}").precedence > tag.precedence:
            raise NotReleasable(
                f"`{tag}` is lower than {live.version}, which {environment} runs",
                mend=f"tag a version above {live.version}; to go back, use slipway rollback {tag.model}",
            )


def _file(folder: Path, name: str, model: Model, field: str) -> Path:
    path = folder / name
    if not path.exists():
        raise UnknownModel(
            f"models/{model.name}/model.yaml: {field}: models/{model.name}/{name} does not exist",
            mend=f"commit models/{model.name}/{name}, or correct `{field}`",
        )
    return path
