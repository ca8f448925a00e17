"""A file of a bucket, or all below a prefix, by fsspec: `s3://`, `gs://` and `az://`.

Credentials and endpoints come from where the store's own library looks for them: environment, or the role of the
machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.adapters.sources import bucket_listing
from slipway.adapters.sources.fetched import Fetched, place_below, too_many_bytes, too_many_files
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SourceRefused, Unreachable

requirements: str | None = "sources"
_SECONDS = 30.0
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": _SECONDS, "read_timeout": _SECONDS, "retries": {"max_attempts": 3}}},
    "gs": {},
    "az": {},
}
_FOR_GOOD = ("VersionId", "generation", "version_id", "ETag", "etag")  # what a store calls one state of an object


def fetch(address: SourceAddress, *, into: Path, limit: SourceLimit) -> Fetched:
    """Write the object of that name, or all objects below it by the rest of their names."""
    import fsspec  # noqa: PLC0415 - in this environment alone

    store = fsspec.filesystem(
        address.scheme, skip_instance_cache=True, use_listings_cache=False, **_OPTIONS[address.scheme]
    )
    top = address.text.partition("://")[2].rstrip("/")
    objects = _objects(store, address.scheme, top, limit)
    if not objects:
        raise SourceRefused(
            f"{address} names no object, and there is none below it", mend="correct `source` in model.yaml"
        )
    if sum(int(told["size"] or 0) for told in objects.values()) > limit.bytes:
        raise too_many_bytes(limit)
    for name, told in objects.items():
        path = place_below(into, name.removeprefix(top).strip("/") or name.rpartition("/")[2])
        store.get_file(name, str(path))
        _refuse_a_part(path, told, name)
    return Fetched(resolved=_resolved(address, top, objects))


def _objects(store: Any, scheme: str, top: str, limit: SourceLimit) -> dict[str, Mapping[str, Any]]:
    """By name; what stands for a folder is none. A listing without an end is not read to it."""
    told = store.info(top)
    if told["type"] == "file":
        return {top: told}
    found: dict[str, Mapping[str, Any]] = {}
    for name, size in bucket_listing.below(store, scheme, top):
        if not name.endswith("/"):
            found[name] = {"size": size}
        if len(found) > limit.files:
            raise too_many_files(limit)
    return dict(sorted(found.items()))


def _refuse_a_part(path: Path, told: Mapping[str, Any], name: str) -> None:
    size = path.stat().st_size
    if told["size"] is not None and size != int(told["size"]):
        raise Unreachable(f"{name}: the store gave {size:,} of {int(told['size']):,} bytes", mend="run again")


def _resolved(address: SourceAddress, top: str, objects: Mapping[str, Mapping[str, Any]]) -> str:
    """With the state of the one object; of several, their digests say more."""
    told = objects.get(top, {})
    state = next((str(told[name]).strip('"') for name in _FOR_GOOD if told.get(name)), None)
    return f"{address}#{state}" if state else address.text
