"""The model that ran before Slipway came: out of a file, or out of an image that may hold none."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from slipway.adapters import atomic, crash_points, deploy_tree, git, manifests, runtime_image
from slipway.adapters.records import Record
from slipway.adapters.registry.append import append_layer
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.registry.pull import pull_model_layer
from slipway.adapters.workplace import Workplace
from slipway.adapters.yaml_files import read_bounded
from slipway.domain.baseline import Baseline
from slipway.domain.tag import ReleaseTag, release_named
from slipway.errors import BadFile, NoSuchImage, NotReleasable, UnusableImage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What a person says runs: a model's version in an environment, who says so, and when, in UTC.

    Of `onnx`, a file, and `image`, a digest, one is given; `image_name` is the repository in which the image lies, None
    for ours.
    """

    tag: ReleaseTag
    environment: str
    by: str
    now: datetime
    onnx: Path | None = None
    image: str | None = None
    image_name: str | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """What an image gave: its model, or in `problem` why it has none to ask."""

    onnx: Path | None
    problem: str = ""
    is_there: bool = True


def pulled(model: str, digest: str, workplace: Workplace) -> Pulled:
    """The model in an image of our registry; an image of another kind, or of another registry, is opaque.

    Raises:
        Unreachable: the registry does not answer, so nobody knows.
        DigestMismatch: bytes that are not of their digest.
    """
    try:
        files = pull_model_layer(workplace.registry, model, digest, workplace.layers)
    except NoSuchImage as error:
        return Pulled(None, error.problem, is_there=False)
    except UnusableImage as error:
        return Pulled(None, error.problem)
    return Pulled(files["model.onnx"])


def pushed(tag: ReleaseTag, onnx: Path, *, profile: bytes | None, commit: str, workplace: Workplace) -> str:
    """Append the model to the runtime image, push it, and return the image's digest.

    What lies under the tag and holds this very model is taken as it is: a run that was killed had pushed it, perhaps
    from another commit.

    Raises:
        TagTaken: the image tag is at an image that does not hold this model.
        NoRuntimeImage: the registry does not hold the runtime image that slipway.yaml names.
    """
    there = _there_already(tag, onnx, workplace)
    if there is not None:
        return there
    runtime = runtime_image.runtime_of(workplace)
    identity = json.dumps({"tag": str(tag), "commit": commit}, indent=1, sort_keys=True).encode() + b"\n"
    card = workplace.repository.root / "models" / tag.model / "README.md"
    files: dict[str, Path | bytes] = {"model.onnx": onnx, "identity.json": identity}
    if profile is not None:
        files["profile.json"] = profile
    if card.is_file():
        files["README.md"] = card
    log.info("pushing the model of %s as one layer on %s", tag, runtime.reference[:19])
    digest = append_layer(
        workplace.registry,
        tag.model,
        base=runtime,
        layer=model_layer(files),
        origin=Origin(
            release=str(tag),
            version=str(tag.version),
            source=tag.model,
            revision=commit,
            created=datetime.fromisoformat(git.committed_at(workplace.repository.root, commit)),
            base_name=runtime.repository,
        ),
        tag=tag.image_tag,
    )
    if not workplace.only_reads:
        pull_model_layer(workplace.registry, tag.model, digest, workplace.layers)  # as each release after it will
    return digest


def _there_already(tag: ReleaseTag, onnx: Path, workplace: Workplace) -> str | None:
    try:
        digest = workplace.registry.repository(tag.model).manifest(tag.image_tag).digest
    except NoSuchImage:
        return None
    found = pulled(tag.model, digest, workplace)
    return digest if found.onnx is not None and found.onnx.read_bytes() == onnx.read_bytes() else None


def manifest_of(asked: Adoption) -> str:
    """Where it stands what the environment runs."""
    return deploy_tree.manifest_path(asked.environment, asked.tag.model)


def superseded_by(asked: Adoption, workplace: Workplace) -> ReleaseTag | None:
    """The release that took the place of what was adopted there before; None where none did."""
    there, history = _deployed(asked, workplace), workplace.history
    adoptions = [one.version for one in history.baselines(asked.tag.model) if one.environment == asked.environment]
    newer = None if there is None else release_named(asked.tag.model, there.tag)
    if newer is None or asked.tag.image_tag not in adoptions:
        return None
    return newer if history.passed(newer) and history.baseline(newer) is None else None


def _content(asked: Adoption, workplace: Workplace) -> bytes | None:
    path = workplace.repository.root / manifest_of(asked)
    return read_bounded(path) if path.is_file() else None


def _deployed(asked: Adoption, workplace: Workplace) -> manifests.Deployed | None:
    content = _content(asked, workplace)
    return None if content is None else manifests.deployed(content, name=asked.tag.model, where=manifest_of(asked))


def refuse_other_manifest(asked: Adoption, record: Record, workplace: Workplace) -> None:
    """What it deploys is what runs, and is what is to be adopted; of a file, no image is known before it is pushed."""
    there, where = _deployed(asked, workplace), manifest_of(asked)
    if there is None or there.digest == asked.image or superseded_by(asked, workplace) is not None:
        return
    known = {page.body.image for page in record.pages(Baseline)}  # also what a run wrote that was killed then
    if asked.onnx is not None and there.digest in known:
        return
    raise NotReleasable(
        f"{where} deploys {there.digest[:19]} as `{there.tag}`: that is what {asked.environment} runs",
        mend=f"adopt it: --image {there.digest}; or, if it does not run, take its image out of the file",
    )


def refuse_unknown_place(asked: Adoption, workplace: Workplace) -> None:
    """A manifest with our registry's name and a digest that lies elsewhere could be pulled by nobody."""
    if _deployed(asked, workplace) is None and asked.image_name is None:
        raise BadFile(
            f"{asked.image} is not in {workplace.settings.image_registry}/{asked.tag.model}, and nothing says where it "
            "lies",
            mend=f"name its repository, too: --image registry.example.org/{asked.tag.model}@{asked.image}",
        )


def write_manifest(asked: Adoption, digest: str, workplace: Workplace) -> None:
    """Into the working tree, for a person to look at and commit.

    A manifest that names it already keeps its name, and one that names a release after it is left as it is.
    """
    where, model, there = manifest_of(asked), asked.tag.model, _deployed(asked, workplace)
    if there is not None and (there.digest, there.tag) == (digest, asked.tag.image_tag):
        return
    if superseded_by(asked, workplace) is not None:
        return
    begun = _content(asked, workplace) or manifests.new_manifest(
        model, environment=asked.environment, engine=workplace.settings.rollout_engine
    )
    ours = asked.image_name or f"{workplace.settings.image_registry}/{model}"
    named = {"name": model, "new_name": there.new_name if there else ours, "tag": asked.tag.image_tag}
    after = manifests.set_image(begun, **named, digest=digest, where=where)
    if workplace.only_reads:
        log.warning("dry run: would write %s", where)
        return
    target, unfinished = workplace.repository.root / where, workplace.state / "adopt" / model / "kustomization.yaml"
    atomic.write(unfinished, after)  # what a kill leaves half is not among a person's files
    target.parent.mkdir(parents=True, exist_ok=True)
    with crash_points.external_write("adopted-manifest"):
        unfinished.replace(target)
