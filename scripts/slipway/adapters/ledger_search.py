"""Find in the whole ledger which releases a digest or a number belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slipway.adapters.ledger import Ledger
from slipway.domain.baseline import Baseline
from slipway.domain.conversion import Conversion
from slipway.domain.explanation import FoundAs
from slipway.domain.incident import IncidentKind, IssueFiled, Reversion, WindowEvidence
from slipway.domain.release import Image, Proposal
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.tag import ReleaseTag, release_named


@dataclass(frozen=True, slots=True)
class Found:
    """A release that has what was looked for: `value` is the whole digest, or the number, `where` the page's path."""

    tag: ReleaseTag
    found_as: FoundAs
    value: str
    where: str


def by_digest(ledger: Ledger, digits: str) -> tuple[Found, ...]:
    """Releases whose image, layer or ONNX file has a digest that begins with these hexadecimal digits.

    One that has it by several pages is found once, by the first of these kinds.
    """
    found = {one.tag: one for one in reversed(list(_digests(ledger))) if one.value.startswith(digits)}
    return _ordered(found.values())


def by_number(ledger: Ledger, number: int) -> tuple[Found, ...]:
    """Releases that a pull request or an issue of this number is about."""
    found = {one.tag: one for one in reversed(list(_numbered(ledger, number)))}
    return _ordered(found.values())


def by_version(ledger: Ledger, version: str) -> tuple[ReleaseTag, ...]:
    """Releases of any model that are called so."""
    head = ledger.forge.head("ledger")
    folders = {path.rpartition("/")[0] for path in ({} if head is None else ledger.forge.list_files(head))}
    named = (release_named(model, version) for model, _, name in (f.partition("/") for f in folders) if name == version)
    return tuple(sorted((tag for tag in named if tag is not None), key=str))


def _ordered(found: Any) -> tuple[Found, ...]:
    return tuple(sorted(found, key=lambda one: (one.tag.model, one.tag.precedence)))


def _digests(ledger: Ledger) -> Iterator[Found]:
    for tag, path, body in _of_releases(ledger, Image.kind):
        yield Found(tag, FoundAs.IMAGE, _digits(body.get("digest")), path)
        yield Found(tag, FoundAs.LAYER, _digits(body.get("layer_digest")), path)
    for tag, path, body in _of_releases(ledger, Baseline.kind):
        yield Found(tag, FoundAs.IMAGE, _digits(body.get("image")), path)
        yield Found(tag, FoundAs.ONNX, _digits(body.get("onnx")), path)
    for tag, path, body in _of_releases(ledger, Conversion.kind):
        yield Found(tag, FoundAs.ONNX, _digits((body.get("onnx") or {}).get("sha256")), path)


def _numbered(ledger: Ledger, number: int) -> Iterator[Found]:
    for tag, path, body in _of_releases(ledger, Proposal.kind):
        if number in (body.get("pull"), body.get("decided")):
            yield Found(tag, FoundAs.PULL, str(number), path)
    for path, body in _bodies(ledger, Reversion.kind):
        left = release_named(str(body.get("model")), str(body.get("version")))
        if left is not None and body.get("pull") == number:
            yield Found(left, FoundAs.WAY_BACK, str(number), path)
    for path, body in _bodies(ledger, IssueFiled.kind):
        about = (_of_folder(path) or _of_incident(ledger, path)) if body.get("number") == number else None
        if about is not None:
            yield Found(about, FoundAs.ISSUE, str(number), path)


def _of_releases(ledger: Ledger, kind: str) -> Iterator[tuple[ReleaseTag, str, dict[str, Any]]]:
    for path, body in _bodies(ledger, kind):
        tag = _of_folder(path)
        if tag is not None:
            yield tag, path, body


def _of_folder(path: str) -> ReleaseTag | None:
    """The release in whose folder a page lies."""
    parts = path.split("/")
    return release_named(parts[0], parts[1]) if len(parts) == 3 else None


def _of_incident(ledger: Ledger, path: str) -> ReleaseTag | None:
    """The version that an incident is about: that of its failure, or of the window that opened it."""
    model, environment, _, incident, _ = path.split("/")
    kind = RolloutFailure.kind if IncidentKind.ROLLOUT_FAILED.names(incident) else WindowEvidence.kind
    pages = ledger.pages_of_kind(kind, under=f"{model}/{environment}/incidents/{incident}")
    first = min(pages, key=_number, default=None)
    body = {} if first is None else _body(pages[first])
    version = body.get("version") or (body.get("window") or {}).get("version")
    return release_named(model, str(version))


def _number(path: str) -> int:
    """The n of `<kind>.<n>.json`."""
    return int(path.split(".")[-2])


def _bodies(ledger: Ledger, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every page of a kind, as far as it is one: a page of a later Slipway hides no other."""
    for path, content in sorted(ledger.pages_of_kind(kind, under="").items()):
        yield path, _body(content)


def _body(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)["body"]
    except (ValueError, KeyError, TypeError):
        return {}
    return body if isinstance(body, dict) else {}


def _digits(value: object) -> str:
    return str(value).removeprefix("sha256:") if value else ""
