"""Homes of images: a registry, or a folder of OCI image layouts, behind the same six methods."""

from __future__ import annotations

import re
from pathlib import Path

from slipway.adapters.registry.credentials import credentials_for
from slipway.adapters.registry.names import checked_repository
from slipway.adapters.registry.protocol import Registry
from slipway.errors import RegistryRefused

_LAYOUT = "layout:"
# As docker reads it: a first part without a dot, a port or the name localhost is not a host.
_HOST = re.compile(r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:)|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")


def open_registry(reference: str) -> Registry:
    """Open `layout:path/to/folder` or `host[:port]/prefix`; only a host on this machine is spoken to without TLS.

    Raises:
        RegistryRefused: the text is neither.
    """
    if reference.startswith(_LAYOUT) and len(reference) > len(_LAYOUT):
        from slipway.adapters.registry.layout import LayoutRegistry  # noqa: PLC0415 - a release into one does not wait for the other

        return LayoutRegistry(Path(reference.removeprefix(_LAYOUT)))
    host, _, prefix = reference.partition("/")
    if _HOST.fullmatch(host) is None:
        raise RegistryRefused(
            "this is no address of a registry: "
            + ("(it holds an `@`)" if "@" in reference else f"`{reference[:150]}`"),
            mend="write `layout:` and a folder, or host[:port]/prefix without `https://` and without a user, "
            "for example registry.example.com/acme; credentials come from `docker login`",
        )
    from slipway.adapters.registry.remote import RemoteRegistry  # noqa: PLC0415 - as above

    return RemoteRegistry(host, checked_repository(prefix) if prefix else "", credentials=credentials_for(host))
