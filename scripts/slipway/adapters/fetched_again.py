"""What a release was measured on, fetched again by digest into a record of its own.

What was released comes back from its image, what was tagged from git. What only the machine of the release kept (the
source's answers, what was served) is looked for there. What cannot be had is told, with what hangs on it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TypeVar

from slipway.adapters import fetched_sources, released
from slipway.adapters.exported import export
from slipway.adapters.history import History
from slipway.adapters.records import Record, sha256_of
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.repository import read_model
from slipway.adapters.trees import digest_of_tree
from slipway.adapters.workplace import Workplace
from slipway.domain.conversion import Conversion
from slipway.domain.evidence import Evidence, FidelityEvidence
from slipway.domain.identity import Identity, Released, ServedWindow
from slipway.domain.pages import Body, File, Page
from slipway.domain.policy import Policies
from slipway.domain.release import Image, Rehearsal, Verdicts
from slipway.domain.replayed import Difference, Missing
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, DigestMismatch, GitRefused, NoSuchImage, UnusableImage

log = logging.getLogger(__name__)

BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The pages that the last verdict was read from, as the ledger has them."""

    identity: Page[Identity]
    conversion: Page[Conversion]
    evidence: Page[Evidence]
    rehearsal: Page[Rehearsal]
    verdicts: Page[Verdicts]
    image: Page[Image] | None


@dataclass(frozen=True, slots=True)
class Replaying:
    """A record to measure in, with the page `identity` as far as its files could be had.

    The lists grow while the replay goes on; `taken` are fields of the evidence that stay as they were recorded.
    """

    record: Record
    recorded: Recorded
    policies: Policies
    functions_are_the_same: bool
    differences: list[Difference] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @property
    def environment(self) -> str:
        return self.recorded.rehearsal.reads["environment"]

    @property
    def fidelity_as_recorded(self) -> FidelityEvidence | None:
        return self.recorded.evidence.body.fidelity if "fidelity" in self.taken else None

    @property
    def can_be_converted(self) -> bool:
        """Whether the tagged folder and its samples are there."""
        return self.record.latest(Identity) is not None

    @property
    def can_be_measured(self) -> bool:
        conversion = self.record.latest(Conversion)
        files = [self.recorded.identity.body.samples, *([conversion.body.onnx] if conversion else [])]
        return self.can_be_converted and conversion is not None and all(map(self.record.has, files))

    @property
    def can_be_rehearsed(self) -> bool:
        return "rehearsal" not in self.taken and self.can_be_converted

    def lacks(self, what: str, why: str, *taken: str) -> None:
        self.missing.append(Missing(what=what, why=why, taken_as_recorded=" and ".join(taken)))
        self.taken.update(taken)

    def differs(self, page: str, name: str, recorded: str, now: str) -> None:
        self.differences.append(Difference(page=page, field=name, recorded=recorded, now=now))


def recorded(tag: ReleaseTag, history: History) -> Recorded:
    """The pages that the last verdict of a release was read from.

    Raises:
        BadFile: the ledger has no verdict of it, or lacks a page that the verdict names.
    """
    verdicts = history.page(tag, Verdicts)
    if verdicts is None:
        raise BadFile(f"the ledger has no verdict of {tag}", mend="name a release that was judged: slipway status")
    evidence = _read(tag, history, Evidence, verdicts.reads["evidence"])
    onnx = evidence.reads["onnx"]
    conversions = [page for page in history.pages(tag, Conversion) if page.body.onnx.sha256 == onnx]
    if not conversions:
        raise BadFile(f"the ledger has no page `conversion` of the ONNX file of {tag}", mend="restore the ledger")
    return Recorded(
        identity=_read(tag, history, Identity, verdicts.reads["identity"]),
        conversion=conversions[-1],
        evidence=evidence,
        rehearsal=_read(tag, history, Rehearsal, verdicts.reads["rehearsal"]),
        verdicts=verdicts,
        image=history.page(tag, Image),
    )


def _read(tag: ReleaseTag, history: History, kind: type[BodyT], key: str) -> Page[BodyT]:
    """The page of that key, which the verdict was read from."""
    found = [page for page in history.pages(tag, kind) if page.key == key]
    if not found:
        raise BadFile(
            f"the ledger has no page `{kind.kind}` of {tag} that its verdict was read from",
            mend="restore the ledger from a clone that has it",
        )
    return found[-1]


def see_tag(replaying: Replaying, workplace: Workplace) -> None:
    identity = replaying.recorded.identity.body
    try:
        found = workplace.forge.tag(identity.tag)
    except GitRefused as error:
        replaying.notices.append(f"the tag is gone: {error.problem}")
        return
    if found.object_id != identity.tag_object:
        replaying.differs("identity", "tag_object", identity.tag_object[:12], found.object_id[:12])


def lay_down_what_was_tagged(replaying: Replaying, root: Path) -> bool:
    """Whether the tagged commit has what the page says; samples and card are taken from it."""
    identity, record = replaying.recorded.identity.body, replaying.record
    folder = record.folder / identity.model_folder
    try:
        export(root, identity.commit, f"models/{identity.model}", into=folder)
    except GitRefused as error:
        replaying.lacks(f"the tagged commit {identity.commit[:12]}", error.problem, "evidence", "rehearsal")
        return False
    declared = read_model(folder)
    if declared != identity.declaration:
        replaying.differs("identity", "declaration", "as recorded", "another one in the tagged commit")
    if identity.origin is None:
        _compare_source(replaying, folder / identity.declaration.source)
    names = {identity.samples: identity.declaration.samples.path, identity.card: "README.md"}
    found = [_take(replaying, file, folder / name) for file, name in names.items()]
    return all(found)


def _compare_source(replaying: Replaying, source: Path) -> None:
    recorded = replaying.recorded.identity.body.source_digest
    digest = digest_of_tree(source) if source.exists() else "no such file"
    if digest != recorded:
        replaying.differs("identity", "source_digest", recorded[:19], digest[:19])


def fetch_source(replaying: Replaying, workplace: Workplace) -> None:
    """Bring a source that lay elsewhere, as its address was recorded; one in the commit is there already.

    Raises:
        SourceRefused: the address gives other bytes now.
        Unreachable: it does not answer.
    """
    identity, record, root = replaying.recorded.identity.body, replaying.record, workplace.repository.root
    if identity.origin is None:
        return
    model, folder = identity.declaration, record.folder / identity.model_folder
    tracked = fetched_sources.tracked_at(identity.commit, folder=folder, root=root)
    means = fetched_sources.means_of(model, workplace.repository)
    fetched_sources.lay_down_again(
        identity.origin,
        record,
        kept=workplace.release(ReleaseTag.parse(identity.tag)),
        fetch_it=lambda: fetched_sources.fetch(model, tracked, record, means),
    )


def _take(replaying: Replaying, file: File, path: Path) -> bool:
    """Into the record, when it is what the page says."""
    now = sha256_of(path) if path.is_file() else None
    if now != file.sha256:
        told = f"sha256:{now[:12]}" if now else "no such file"
        replaying.differs("identity", file.name, f"sha256:{file.sha256[:12]}", told)
        return False
    replaying.record.keep(path, name=file.name)
    return True


def fetch_onnx(replaying: Replaying, workplace: Workplace) -> None:
    """Out of the image that was pushed; of a release that was refused, from the machine that ran it."""
    image, file = replaying.recorded.image, replaying.recorded.conversion.body.onnx
    tag = ReleaseTag.parse(replaying.recorded.identity.subject)
    try:
        path = workplace.release(tag).path(file) if image is None else _pulled(replaying, workplace, image.body.digest)
    except NoSuchImage as error:
        replaying.lacks("the image that was released", error.problem, "evidence")
    except (DigestMismatch, UnusableImage) as error:
        if image is None:
            replaying.lacks("the ONNX file, which was never pushed", error.problem, "evidence")
        else:
            replaying.differs("image", "digest", image.body.digest[:19], error.problem)
            replaying.taken.add("evidence")
    else:
        if sha256_of(path) == file.sha256:
            replaying.record.keep(path, name=file.name)
        else:
            found = sha256_of(path)
            replaying.differs("image", "onnx", f"sha256:{file.sha256[:12]}", f"sha256:{found[:12]}")


def _pulled(replaying: Replaying, workplace: Workplace, digest: str) -> Path:
    tag = ReleaseTag.parse(replaying.record.subject)
    log.info("fetching the image of %s", tag)
    return pull_model_layer(workplace.registry, tag.model, digest, replaying.record.folder / "layers")["model.onnx"]


def lay_down_identity(replaying: Replaying, workplace: Workplace) -> None:
    """What it was compared with, as far as it can be had: the rest is measured as if it had never been."""
    page = replaying.recorded.identity
    body = page.body
    compared = _earlier(replaying, body.compared, workplace, "comparison")
    deployed = {
        name: _earlier(replaying, live, workplace, *(["rehearsal"] if name == replaying.environment else []))
        for name, live in body.deployed.items()
    }
    served = _served(replaying, workplace)
    again = body.model_copy(update={"compared": compared, "deployed": deployed, "served": served})
    replaying.record.once(Identity, reads=page.reads, make=lambda: again)


def _earlier(replaying: Replaying, live: Released | None, workplace: Workplace, *taken: str) -> Released | None:
    """A version before this one, from its own image; `taken` is what hangs on it."""
    if live is None or live.onnx is None:
        return live
    identity = replaying.recorded.identity.body
    tag = ReleaseTag.parse(f"{identity.model}@{live.version}")
    aside = replace(workplace, state=replaying.record.folder)  # nothing that was pulled before is believed
    again = released.fetch(tag, replaying.record, aside, digest=live.digest)
    served = identity.served is not None and identity.deployed.get(identity.served.environment) == live
    if (again.onnx, again.golden) == (live.onnx, live.golden):
        return live
    why = again.problem or "its image or its golden answers are others than then"
    replaying.lacks(f"{live.version}, with which it was compared", why, *taken, *(["traffic"] if served else []))
    return live.model_copy(update={"onnx": None})


def _served(replaying: Replaying, workplace: Workplace) -> ServedWindow | None:
    """From the record of the release, or out of the log again."""
    identity = replaying.recorded.identity.body
    served = identity.served
    if served is None:
        return None
    try:
        path = workplace.release(ReleaseTag.parse(replaying.recorded.identity.subject)).path(served.file)
        replaying.record.keep(path, name=served.file.name)
    except DigestMismatch:
        if _served_again(replaying, served, workplace) != served.file:
            days = f"what production served from {served.since} to {served.until}"
            replaying.lacks(days, "neither the record of the release nor the log on this machine has it", "traffic")
            return None
    return served


def _served_again(replaying: Replaying, served: ServedWindow, workplace: Workplace) -> File | None:
    identity = replaying.recorded.identity.body
    live = identity.deployed.get(served.environment)
    if live is None:
        return None
    found = released.served_between(
        date.fromisoformat(served.since),
        date.fromisoformat(served.until),
        live,
        replaying.record,
        workplace.served_log(identity.model, served.environment),
        environment=served.environment,
    )
    return None if found is None else found.file


def lay_down_conversion(replaying: Replaying, *, workplace: Workplace) -> None:
    """Take the source's answers from the machine of the release, where they still lie; nothing is converted."""
    page = replaying.recorded.conversion
    kept, gone = workplace.release(ReleaseTag.parse(replaying.recorded.conversion.subject)), None
    for file in (page.body.edges, page.body.sample_outputs, page.body.edge_outputs, *_probes(page.body)):
        try:
            replaying.record.keep(kept.path(file), name=file.name)
        except DigestMismatch as error:
            gone = error.problem
    if gone is not None:
        why = "no file of that digest is on this machine, and they lie in no image" if "missing" in gone else gone
        replaying.lacks("what the source answered", f"{why}; --convert asks the source again", "fidelity")
    replaying.record.once(Conversion, reads=page.reads, make=lambda: page.body)


def _probes(conversion: Conversion) -> list[File]:
    return [file for file in (conversion.probes, conversion.probe_outputs) if file is not None]
