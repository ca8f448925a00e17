"""Edit what runs where: `deploy/<environment>/<model>/kustomization.yaml`, `deploy/quarantine.yaml`, and the runtime
image in `slipway.yaml`.

People own these files. An edit replaces the values that it must and adds the lines that are missing; every other
byte, comments and alignment included, stays: the diff of a pull request shows the release and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from slipway.adapters import cluster_manifests, yaml_edits
from slipway.adapters.yaml_files import parse_yaml
from slipway.domain.declared import Declared
from slipway.domain.policy import QuarantineEntry
from slipway.domain.settings import RolloutEngine, Settings
from slipway.errors import BadFile

EMPTY_QUARANTINE = b"""\
# Versions that must not be released or deployed: written by Slipway after a revert, and by people.
# Slipway lifts no entry. Delete one by pull request when its reason is gone; `until` only reminds.
#   - {model: flight-delay, version: v2.0.0, reason: ..., by: ..., until: 2014-01-31}   (version "*": every version)
entries: []
"""
CANARY_COMPONENT = "../../base/canary"
_CANARY = "model_canary"  # what deploy/base/canary calls its image: no model can be called so


@dataclass(frozen=True, slots=True)
class Deployed:
    """The image that a manifest asks for; `tag` is what people read, `digest` is what runs."""

    name: str
    new_name: str
    tag: str
    digest: str


class _Image(BaseModel):
    """Other keys are kustomize's business."""

    model_config = ConfigDict(frozen=True)

    name: str
    newName: str | None = None  # noqa: N815  # kustomize's spelling
    newTag: str | None = None  # noqa: N815
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")


class _Kustomization(BaseModel):
    components: tuple[str, ...] | None = None
    images: tuple[_Image, ...] | None = None


class _Quarantine(Declared):
    entries: tuple[QuarantineEntry, ...] | None = None


DocumentT = TypeVar("DocumentT", bound=BaseModel)


def new_manifest(model: str, *, environment: str, engine: RolloutEngine) -> bytes:
    """The manifest of a model that was never deployed: nothing runs until the first release adds its image."""
    lines = cluster_manifests.lines_for(model, environment=environment) if engine.is_cluster else ""
    return f"""\
# What runs of {model} in {environment}. A release changes newTag and digest below, by pull request.
# Everything else is yours: resources, replicas, patches.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
{lines}images: []
""".encode()


def deployed(content: bytes, *, name: str | None = None, where: str = "kustomization.yaml") -> Deployed | None:
    """What a manifest deploys of image `name` (without a name: of its first image), None where no digest is set.

    Raises:
        BadFile: it is no YAML, or its images are not in kustomize's form; names `where` and the line.
    """
    for image in parse_yaml(content, _Kustomization, where=where).images or ():
        if name in (None, image.name):
            if image.digest is None:
                return None
            return Deployed(image.name, image.newName or image.name, image.newTag or "", image.digest)
    return None


def set_image(
    content: bytes, *, name: str, new_name: str, tag: str, digest: str, where: str = "kustomization.yaml"
) -> bytes:
    """The manifest with image `name` at another version.

    Raises:
        BadFile: as `deployed`, or it is written in a way that no edit of single lines can change.
    """
    parse_yaml(content, _Kustomization, where=where)
    wanted = {"name": name, "newName": new_name, "newTag": tag, "digest": digest}
    after = yaml_edits.with_entry(content, "images", wanted, same=("name",), where=where)
    images = parse_yaml(after, _Kustomization, where=where).images or ()
    if [image.model_dump() for image in images if image.name == name] != [wanted]:
        raise yaml_edits.too_clever(where)
    return after


def canary_of(content: bytes, *, name: str, where: str = "kustomization.yaml") -> Deployed | None:
    """What a manifest gives a share of the traffic of image `name`, None where it runs no canary.

    Raises:
        BadFile: as `deployed`.
    """
    found = deployed(content, name=_CANARY, where=where)
    return None if found is None else replace(found, name=name)


def has_canary_component(content: bytes, *, where: str = "kustomization.yaml") -> bool:
    """Whether it takes in what runs a canary.

    Raises:
        BadFile: as `deployed`.
    """
    return CANARY_COMPONENT in (parse_yaml(content, _Kustomization, where=where).components or ())


def set_canary(
    content: bytes, *, name: str, new_name: str, tag: str, digest: str, where: str = "kustomization.yaml"
) -> bytes:
    """The manifest with a canary beside image `name`, which stays; a canary that is there gets another version.

    Raises:
        BadFile: as `set_image`, or it deploys nothing that a canary could be beside.
    """
    if deployed(content, name=name, where=where) is None:
        raise BadFile(
            f"{where} deploys nothing of {name}, and a canary takes a share of what runs",
            mend="let the first release go to all of the traffic",
        )
    before = parse_yaml(content, _Kustomization, where=where)
    wanted = {"name": _CANARY, "newName": new_name, "newTag": tag, "digest": digest}
    after = yaml_edits.with_entry(content, "images", wanted, same=("name",), behind=name, where=where)
    after = yaml_edits.with_item(after, "components", CANARY_COMPONENT, behind="resources", where=where)
    told = parse_yaml(after, _Kustomization, where=where)
    canaries = [image.model_dump() for image in told.images or () if image.name == _CANARY]
    if canaries != [wanted] or _without_canary(told) != _without_canary(before):
        raise yaml_edits.too_clever(where)
    return after


def without_canary(content: bytes, *, name: str, where: str = "kustomization.yaml") -> bytes:
    """The manifest in which image `name` has all of the traffic again; one without a canary stays as it is.

    Raises:
        BadFile: as `set_image`.
    """
    before = parse_yaml(content, _Kustomization, where=where)
    after = yaml_edits.without_entry(content, "images", {"name": _CANARY}, where=where)
    after = yaml_edits.without_item(after, "components", CANARY_COMPONENT, where=where)
    told = parse_yaml(after, _Kustomization, where=where)
    if _told(told) != _without_canary(before) or deployed(after, name=name, where=where) != deployed(
        content, name=name, where=where
    ):
        raise yaml_edits.too_clever(where)
    return after


def _without_canary(found: _Kustomization) -> tuple[tuple[str, ...], tuple[_Image, ...]]:
    """What else it takes in and names."""
    components, images = _told(found)
    return tuple(one for one in components if one != CANARY_COMPONENT), tuple(
        one for one in images if one.name != _CANARY
    )


def _told(found: _Kustomization) -> tuple[tuple[str, ...], tuple[_Image, ...]]:
    return found.components or (), found.images or ()


def entries(content: bytes, *, where: str = "deploy/quarantine.yaml") -> tuple[QuarantineEntry, ...]:
    """All entries of the quarantine.

    Raises:
        BadFile: names `where`, the line, and the nearest valid key.
    """
    return parse_yaml(content, _Quarantine, where=where).entries or ()


def add_entry(content: bytes, entry: QuarantineEntry, *, where: str = "deploy/quarantine.yaml") -> bytes:
    """The quarantine with one entry more; a version that is in it already is left as it stands.

    Raises:
        BadFile: as `entries`.
    """
    there = entries(content, where=where)
    if any((other.model, other.version) == (entry.model, entry.version) for other in there):
        return content
    after = yaml_edits.with_entry(
        content, "entries", entry.model_dump(mode="json", exclude_none=True), same=(), where=where
    )
    if entries(after, where=where) not in ((*there, entry), (entry, *there)):
        raise yaml_edits.too_clever(where)
    return after


def runtime_image(content: bytes, *, where: str = "slipway.yaml") -> str | None:
    """What releases are appended to, None where nothing is named.

    Raises:
        BadFile: as `entries`.
    """
    return parse_yaml(content, Settings, where=where).runtime_image


def set_runtime_image(content: bytes, reference: str, *, where: str = "slipway.yaml") -> bytes:
    """The settings with another runtime image, which is added at the end where there is none.

    Raises:
        BadFile: as `entries`, or no edit of a single line can change it.
    """
    before = parse_yaml(content, Settings, where=where)
    after = yaml_edits.with_value(content, "runtime_image", reference, where=where)
    if parse_yaml(after, Settings, where=where) != before.model_copy(update={"runtime_image": reference}):
        raise yaml_edits.too_clever(where)
    return after
