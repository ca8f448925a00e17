"""An artifact of a registry: `oci://registry/repository:tag`, or `@sha256:…` in place of the tag.

Its files are the layers that bear a name (`org.opencontainers.image.title`), as ORAS and others push them. It is read
by our own client of registries, with the credentials that it takes: those of `docker login`, or SLIPWAY_REGISTRY_USER
and SLIPWAY_REGISTRY_PASSWORD. The latter are shown to the registry that SLIPWAY_REGISTRY_HOST names and, without it, to
none: who may push a branch writes the address.

Source: https://github.com/opencontainers/image-spec/blob/main/manifest.md and …/annotations.md
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slipway.adapters.sources.fetched import Fetched, place_below, too_many_bytes, too_many_files, write_bounded
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import NoSuchImage, RegistryRefused, SourceRefused

if TYPE_CHECKING:
    from slipway.adapters.registry.protocol import ManifestBytes, Repository

requirements: str | None = None  # our own environment
_TITLE = "org.opencontainers.image.title"


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    """Write the named layers of the artifact; each is held against its digest as it comes."""
    from slipway.adapters.registry import open_registry  # noqa: PLC0415 - no other environment has what it needs

    host, _, rest = address.text.removeprefix("oci://").partition("/")
    name, reference = _split(rest)
    if not os.environ.get("SLIPWAY_REGISTRY_HOST"):
        os.environ.pop("SLIPWAY_REGISTRY_USER", None)
    repository = open_registry(host).repository(name)
    stored = _manifest(repository, reference, address)
    layers = _layers(stored.content, address)
    if len(layers) > limit.files:
        raise too_many_files(limit)
    if sum(size for _, size in layers.values()) > limit.bytes:
        raise too_many_bytes(limit)
    for title, (digest, _) in layers.items():
        _write(repository, digest, place_below(into, title), limit)
    return Fetched(resolved=f"oci://{host}/{name}@{stored.digest}")


def _manifest(repository: Repository, reference: str, address: SourceAddress) -> ManifestBytes:
    try:
        return repository.manifest(reference)
    except NoSuchImage:
        raise SourceRefused(f"{address} is not there", mend="correct `source` in model.yaml, or push it") from None
    except RegistryRefused as refusal:
        raise SourceRefused(
            f"{address} is not given to us: {refusal.problem}",
            mend=f"docker login {address.text.split('/')[2]} on a laptop; for a workflow SLIPWAY_REGISTRY_HOST, which "
            "names that registry, SLIPWAY_REGISTRY_USER and SLIPWAY_REGISTRY_PASSWORD, as lines of the secret "
            "SLIPWAY_SOURCE_ENVIRONMENT",
        ) from None


def _split(rest: str) -> tuple[str, str]:
    """The repository and its tag or, before that, its digest; `latest` without either, as docker reads it."""
    named, _, digest = rest.partition("@")
    name, _, tag = named.partition(":")
    return name, digest or tag or "latest"


def _write(repository: Repository, digest: str, path: Path, limit: SourceLimit) -> None:
    with repository.blob(digest) as chunks:
        write_bounded(chunks, path, limit=limit)


def _layers(content: bytes, address: SourceAddress) -> dict[str, tuple[str, int]]:
    """Digest and size of each named layer, by its name."""
    try:
        layers: list[dict[str, Any]] = json.loads(content).get("layers") or []
        named = [(one.get("annotations", {}).get(_TITLE, ""), one["digest"], int(one["size"])) for one in layers]
    except (ValueError, AttributeError, KeyError, TypeError):
        raise SourceRefused(f"{address} is no manifest of an artifact", mend="correct `source`") from None
    if not named or not all(title for title, _, _ in named) or len({title for title, _, _ in named}) < len(named):
        raise SourceRefused(
            f"{address} has no files by name: it is an image or an index, not an artifact",
            mend=f"push the model's files as an artifact whose layers have the annotation {_TITLE} (`oras push`)",
        )
    return {title: (digest, size) for title, digest, size in named}
