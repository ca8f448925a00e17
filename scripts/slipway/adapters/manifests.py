"""Edit what runs where: `deploy/<environment>/<model>/kustomization.yaml`, `deploy/quarantine.yaml`, and the runtime
image in `slipway.yaml`.

People own these files. An edit replaces the values that it must and adds the lines that are missing; every other
byte, comments and alignment included, stays: the diff of a pull request shows the release and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from slipway.adapters import cluster_manifests
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
_PLAIN = re.compile(r"[A-Za-z](?:[\w./@-]|:(?=\w))*", re.ASCII)


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
    after = _with_entry(content, "images", wanted, same=("name",), where=where)
    images = parse_yaml(after, _Kustomization, where=where).images or ()
    if [image.model_dump() for image in images if image.name == name] != [wanted]:
        raise _too_clever(where)
    return after


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
    after = _with_entry(content, "entries", entry.model_dump(mode="json", exclude_none=True), same=(), where=where)
    if entries(after, where=where) not in ((*there, entry), (entry, *there)):
        raise _too_clever(where)
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
    text, wanted = content.decode(), {"runtime_image": reference}
    root = _compose(text, where=where)
    if _value(root, "runtime_image") is None:
        gap = "" if text.endswith("\n") else "\n"
        edits = [_Edit(len(text), len(text), f"{gap}runtime_image: {_scalar(reference)}\n")]
    else:
        edits = _changes(text, root, wanted, where=where)
    after = _edited(text, edits)
    if parse_yaml(after, Settings, where=where) != before.model_copy(update=wanted):
        raise _too_clever(where)
    return after


@dataclass(frozen=True, slots=True)
class _Edit:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


def _with_entry(content: bytes, key: str, wanted: Mapping[str, str], *, same: tuple[str, ...], where: str) -> bytes:
    """Change the entry of the list `key` that agrees with `wanted` in the fields `same`, or add one."""
    text = content.decode()
    root = _compose(text, where=where)
    found = _value(root, key)
    if found is None:
        edits = [_appended(text, key, wanted)]
    elif not isinstance(found, SequenceNode) or not found.value:
        edits = [_begun(text, *_span(text, root, key), wanted, where=where)]
    elif entry := next((item for item in found.value if same and _agrees(item, wanted, same)), None):
        edits = _changes(text, entry, wanted, where=where)
    else:
        edits = [_added(found, wanted)]
    return _edited(text, edits)


def _edited(text: str, edits: Iterable[_Edit]) -> bytes:
    newline = "\r\n" if "\r\n" in text else "\n"
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        text = text[: edit.start] + edit.text.replace("\n", newline) + text[edit.end :]
    return text.encode()


def _compose(text: str, *, where: str) -> MappingNode:
    try:
        root = YAML().compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadFile(f"{where}, line {line}: {error.problem}", mend=f"correct the YAML of {where}") from error
    if not isinstance(root, MappingNode) or root.flow_style or root.start_mark.column:
        raise _too_clever(where)
    return root


def _changes(text: str, entry: MappingNode, wanted: Mapping[str, str], *, where: str) -> list[_Edit]:
    """Replace values that differ; put keys that are missing behind the first of the entry."""
    edits = []
    missing = {}
    for key, value in wanted.items():
        node = _value(entry, key)
        if node is None:
            missing[key] = value
        elif not isinstance(node, ScalarNode) or node.style in ("|", ">"):
            raise _too_clever(where)
        elif node.value != value:
            start, end = _span(text, entry, key)
            edits.append(_Edit(start, end, " " * (start == end) + _scalar(value, style=node.style)))
    if missing:
        edits.append(_more_keys(text, entry, missing))
    return edits


def _more_keys(text: str, entry: MappingNode, missing: Mapping[str, str]) -> _Edit:
    first_key, first_value = entry.value[0]
    if entry.flow_style:
        at = first_value.end_mark.index
        return _Edit(at, at, "".join(f", {key}: {_scalar(value)}" for key, value in missing.items()))
    at = _end_of_line(text, first_value.end_mark.index)
    indent = " " * first_key.start_mark.column
    return _Edit(at, at, "".join(f"\n{indent}{key}: {_scalar(value)}" for key, value in missing.items()))


def _added(entries: SequenceNode, wanted: Mapping[str, str]) -> _Edit:
    """A new entry before the first one, which says how far the list is indented."""
    start = entries.start_mark.index
    if entries.flow_style:
        return _Edit(start + 1, start + 1, f"{_flow(wanted)}, ")
    indent = entries.start_mark.column
    return _Edit(start, start, f"{_block(wanted, indent=indent).lstrip()}\n{' ' * indent}")


def _begun(text: str, start: int, end: int, wanted: Mapping[str, str], *, where: str) -> _Edit:
    """The first entry, in place of `[]` or of no value at all; a comment behind it stays."""
    if "#" in text[start:end]:
        raise _too_clever(where)
    line_end = _end_of_line(text, end)
    return _Edit(len(text[:start].rstrip(" ")), line_end, text[end:line_end] + _block(wanted, indent=2))


def _appended(text: str, key: str, wanted: Mapping[str, str]) -> _Edit:
    gap = "" if text.endswith("\n") else "\n"
    return _Edit(len(text), len(text), f"{gap}{key}:{_block(wanted, indent=2)}\n")


def _block(wanted: Mapping[str, str], *, indent: int) -> str:
    lines = [f"{key}: {_scalar(value)}" for key, value in wanted.items()]
    return f"\n{' ' * indent}- " + f"\n{' ' * indent}  ".join(lines)


def _flow(wanted: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in wanted.items()) + "}"


def _scalar(value: str, *, style: str | None = None) -> str:
    """Plain where every reader takes it for this text, else in quotes; quotes that stood there stay."""
    if style != '"' and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return f"'{value}'" if style == "'" else value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9)
    return quoted.removesuffix("\n")


def _value(mapping: Node, key: str) -> Node | None:
    if not isinstance(mapping, MappingNode):
        return None
    return next((value for name, value in mapping.value if name.value == key), None)


def _span(text: str, mapping: MappingNode, key: str) -> tuple[int, int]:
    """Where a value begins and ends; one that is not there is right behind its colon, wherever the parser says."""
    name, value = next(pair for pair in mapping.value if pair[0].value == key)
    if value.start_mark.index < value.end_mark.index:
        return value.start_mark.index, value.end_mark.index
    colon = text.index(":", name.end_mark.index) + 1
    return colon, colon


def _agrees(item: Node, wanted: Mapping[str, str], same: tuple[str, ...]) -> bool:
    values = [(_value(item, key), wanted[key]) for key in same]
    return all(isinstance(node, ScalarNode) and node.value == value for node, value in values)


def _end_of_line(text: str, index: int) -> int:
    """Where the line of a character ends, before its line break."""
    end = text.find("\n", index)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end


def _too_clever(where: str) -> BadFile:
    return BadFile(
        f"{where} is written in a form that Slipway cannot edit without touching other lines",
        mend="write one key a line, and lists in the form that docs/release.md shows",
    )
