"""Put a deployed version on another runtime image: the same model file, its evidence measured again, as a revision.

The files come back from git and from the deployed image, and nothing is converted. What follows are the steps of every
release, on the record of the revision; the tag of the version stays where it is, in git and in the registry.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from slipway.adapters import deploy_tree, fetched_again, git, onnx_session, released, runtime_image
from slipway.adapters.fetched_again import Recorded, Replaying
from slipway.adapters.manifests import Deployed
from slipway.adapters.records import Record
from slipway.adapters.registry.platforms import Platforms
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.domain import commands
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity, Rebase
from slipway.domain.pages import Page, digest_of
from slipway.domain.release import Image
from slipway.domain.tag import Bump, ReleaseTag, next_version, release_named
from slipway.errors import NoSuchImage, NotReleasable

log = logging.getLogger(__name__)

_BASE_DIGEST = "org.opencontainers.image.base.digest"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which deployed version goes on which runtime image, as which revision; None where it stands on it already."""

    of: ReleaseTag
    environment: str
    image: Page[Image]
    runtime: str
    revision: ReleaseTag | None


def plan(model: str, *, environment: str, onto: str | None = None, workplace: Workplace) -> Plan:
    """Find out what is deployed, on what it stands, and which revision is the next; nothing is written.

    A revision that was begun for the same runtime image, and that no verdict or person ended, is gone on with.

    Args:
        model: its name.
        environment: where it is deployed.
        onto: digest of the runtime image; without one, that on which the next release stands.
        workplace: where ledger, manifests and registry are read.

    Raises:
        NotReleasable: nothing is deployed, or what no release has, or the revision is quarantined or was left.
        NoRuntimeImage: the registry does not hold the runtime image.
    """
    git.fetch(workplace.repository.root)
    live = deploy_tree.deployed(workplace.forge, environment=environment, model=model)
    if live is None:
        raise NotReleasable(
            f"{environment} runs no version of {model}", mend="release it by a tag: that stands on the newest runtime"
        )
    of = ReleaseTag.parse(f"{model}@{live.tag}")
    image = _image_of(of, live, environment, workplace)
    runtime = _runtime(onto, workplace)
    if image.body.runtime_digest == runtime:
        return Plan(of, environment, image, runtime, None)
    revision = _begun(of, runtime, workplace) or _next_free(of, runtime, workplace)
    _refuse_left(revision, of, environment, workplace)
    return Plan(of, environment, image, runtime, revision)


def run(found: Plan, *, workplace: Workplace) -> Page[Identity]:
    """Lay down what the deployed version was judged on, with the pages `identity` and `conversion` of the revision.

    What follows are the steps of a release from `measure-consistency` on, which ask for nothing that is not here.

    Raises:
        NotReleasable: its tag, commit or image is not what the ledger says, or nothing here measures as the runtime
            image would.
        DigestMismatch, NoSuchImage, UnusableImage: of the deployed image.
    """
    assert found.revision is not None  # the caller asked whether there is anything to do
    _refuse_other_onnxruntime(found, workplace)
    record = workplace.release(found.revision)
    record.seed(workplace.history.pages_of(found.revision))
    recorded = replace(fetched_again.recorded(found.of, workplace.history), image=found.image)
    log.info("putting %s on the runtime image %s as %s", found.of, found.runtime[:19], found.revision)
    again = Replaying(record, recorded, workplace.repository.policies(), functions_are_the_same=True)
    fetched_again.see_tag(again, workplace)
    if fetched_again.lay_down_what_was_tagged(again, workplace.repository.root):
        fetched_again.fetch_onnx(again, workplace)
    _refuse_changed(again, found.of)
    page = _write(_identity(found, again, workplace), record)
    fetched_again.lay_down_conversion(again, workplace=workplace)
    return page


def _runtime(onto: str | None, workplace: Workplace) -> str:
    if onto is None:
        return runtime_image.digest_of_runtime(workplace)
    return runtime_image.held(onto, workplace, named_by="--onto").reference


def _image_of(of: ReleaseTag, live: Deployed, environment: str, workplace: Workplace) -> Page[Image]:
    """By the ledger: what only a manifest names was never judged."""
    if workplace.history.baseline(of) is not None:
        raise NotReleasable(
            f"{of} was adopted as what ran before the first release: it was never measured on a runtime image",
            mend=f"release the model by a tag, which takes the new runtime image: git tag -a {of.model}@v"
            f"{next_version(of.version, Bump.PATCH)}",
        )
    images = [page for page in workplace.history.pages(of, Image) if page.body.digest == live.digest]
    if not images or not workplace.history.passed(of):
        raise NotReleasable(
            f"{environment} runs {live.digest[:19]} as {of}, and the ledger has no passing release with that image",
            mend=f"put {deploy_tree.manifest_path(environment, of.model)} back to what was released",
        )
    return images[-1]


def _begun(of: ReleaseTag, runtime: str, workplace: Workplace) -> ReleaseTag | None:
    """The highest revision of the version that was made for this runtime image, here or by what the ledger says."""
    made = (one for one in reversed(_revisions(of, workplace)) if _runtime_of(one, workplace) == runtime)
    return next(made, None)


def _next_free(of: ReleaseTag, runtime: str, workplace: Workplace) -> ReleaseTag:
    """Above all that have pages; what was pushed for another runtime image, and never recorded, is passed by."""
    highest = max((one.revision for one in _revisions(of, workplace)), default=1)
    free = of.at_revision(max(highest, of.revision) + 1)
    while _pushed_on(free, workplace) not in (None, runtime):
        free = free.at_revision(free.revision + 1)
    return free


def _revisions(of: ReleaseTag, workplace: Workplace) -> list[ReleaseTag]:
    """Those of the ledger, and those that a run on this machine began, lowest first."""
    here = (path.name for path in (workplace.state / "releases" / of.model).glob("v*_r*"))
    began = (tag for name in here if (tag := release_named(of.model, name)) is not None)
    known = {*workplace.history.releases(of.model), *began}
    return sorted(
        (one for one in known if one.version == of.version and one.revision > 1), key=lambda one: one.precedence
    )


def _runtime_of(revision: ReleaseTag, workplace: Workplace) -> str | None:
    pages = (workplace.history.page(revision, Identity), workplace.release(revision).latest(Identity))
    made = (page.body.rebase for page in pages if page is not None)
    return next((rebase.runtime for rebase in made if rebase is not None), None)


def _pushed_on(revision: ReleaseTag, workplace: Workplace) -> str | None:
    """The runtime image below what lies under the image tag of a revision; None where nothing does."""
    source = workplace.registry.repository(revision.model)
    try:
        there = Platforms.read(source, revision.image_tag)
    except NoSuchImage:
        return None
    labels = (there.images[0].config.get("config") or {}).get("Labels") or {}
    return str(labels.get(_BASE_DIGEST, "unknown"))


def _refuse_left(revision: ReleaseTag, of: ReleaseTag, environment: str, workplace: Workplace) -> None:
    deploy_tree.refuse_quarantined(
        workplace.forge,
        model=revision.model,
        version=revision.image_tag,
        called=f"{revision}, which stands on that runtime image,",
        otherwise="choose another runtime image by --onto",
    )
    if revision.precedence < of.precedence:
        raise NotReleasable(
            f"{revision} stands on that runtime image, and {environment} runs {of}, which came later",
            mend=commands.rollback(of.model, environment=environment, to=revision.image_tag),
        )


def _refuse_other_onnxruntime(found: Plan, workplace: Workplace) -> None:
    """What is measured here must be what will run; an image without a list of packages is taken at its word."""
    told = runtime_image.named(runtime_image.reference_to(found.runtime, workplace), workplace)
    wanted = ((told.packages if told else None) or {}).get("pypi/onnxruntime")
    if wanted is not None and wanted != onnx_session.version():
        raise NotReleasable(
            f"the runtime image {found.runtime[:19]} has onnxruntime {wanted}, and this machine measures with "
            f"{onnx_session.version()}: what it finds would say nothing about {found.revision}",
            mend="check out a commit whose requirements/ name that onnxruntime, install them, then run it again",
        )


def _refuse_changed(again: Replaying, of: ReleaseTag) -> None:
    """Neither a moved tag nor a changed file may come back under the name of the version."""
    problems = [*_told(again), *again.notices]
    if problems:
        raise NotReleasable(
            f"{of} cannot be had as it was released: {'; '.join(problems)}",
            mend="restore what is named, from a clone or from a backup of the registry, then run it again",
        )


def _told(again: Replaying) -> Iterator[str]:
    for one in again.differences:
        yield f"{one.page}: {one.field} was {one.recorded}, and is {one.now}"
    for lack in again.missing:
        yield f"{lack.what}: {lack.why}"


def _identity(found: Plan, again: Replaying, workplace: Workplace) -> Identity:
    assert found.revision is not None
    record, recorded, model = again.record, again.recorded, found.of.model
    deployed = released.deployed(model, record, workplace)
    return recorded.identity.body.model_copy(
        update={
            "version": found.revision.image_tag,
            "bump": Bump.PATCH,
            "compared": released.fetch(found.of, record, workplace, digest=found.image.body.digest),
            "deployed": deployed,
            "served": released.last_served(model, deployed, record, workplace),
            "rebase": _rebase(found, recorded, record, workplace),
        }
    )


def _rebase(found: Plan, recorded: Recorded, record: Record, workplace: Workplace) -> Rebase:
    files = pull_model_layer(workplace.registry, found.of.model, found.image.body.digest, workplace.layers)
    return Rebase(
        of=found.of.image_tag,
        before=found.image.body.runtime_digest,
        runtime=found.runtime,
        onnxruntime=recorded.rehearsal.body.onnxruntime,
        metrics=_metrics_of(recorded.evidence.body),
        profile=record.keep(files["profile.json"], name="profile.json"),
        fidelity=record.keep_bytes(recorded.evidence.body.fidelity.model_dump_json().encode(), name="fidelity.json"),
    )


def _metrics_of(evidence: Evidence) -> dict[str, float]:
    return {name: one.value for name, one in evidence.metrics.metrics.items() if one is not None}


def _write(identity: Identity, record: Record) -> Page[Identity]:
    key = digest_of(identity.model_dump_json().encode())
    return record.once(Identity, reads={"identity": key}, make=lambda: identity)
