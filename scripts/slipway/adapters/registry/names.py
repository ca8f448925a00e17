"""Which texts are digests, tags and names of repositories; all else is refused before it becomes a path or an address.

The grammar is that of the OCI distribution specification 1.1, "Pulling manifests".
"""

from __future__ import annotations

import ipaddress
import re

from slipway.errors import RegistryRefused

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_LONGEST_REPOSITORY = 255


def is_digest(text: str) -> bool:
    """Say whether the text is `sha256:` and 64 hexadecimal digits."""
    return _DIGEST.fullmatch(text) is not None


def hexadecimal(digest: str) -> str:
    """The 64 digits of a digest, safe as a file name.

    Raises:
        RegistryRefused: the text is no SHA-256 digest.
    """
    if not is_digest(digest):
        raise RegistryRefused(
            f"`{digest[:100]}` is no digest", mend="name the image as sha256: and 64 hexadecimal digits"
        )
    return digest.removeprefix("sha256:")


def checked_reference(text: str) -> str:
    """Return a tag or digest unchanged.

    Raises:
        RegistryRefused: the text is neither.
    """
    if not is_digest(text) and _TAG.fullmatch(text) is None:
        raise RegistryRefused(
            f"`{text[:150]}` is neither an image tag nor a digest",
            mend="use a tag such as v1.4.0 (letters, digits, `.`, `_`, `-`) or sha256: and 64 hexadecimal digits",
        )
    return text


def checked_repository(text: str) -> str:
    """Return a repository's name unchanged.

    Raises:
        RegistryRefused: the name is none that every registry takes.
    """
    if _REPOSITORY.fullmatch(text) is None or len(text) > _LONGEST_REPOSITORY:
        raise RegistryRefused(
            f"`{text[:150]}` cannot be the name of a repository of images",
            mend="use lower-case letters and digits, joined by single `.`, `_`, `-` or `/`, at most 255 characters",
        )
    return text


def is_loopback(host: str) -> bool:
    """Say whether a host, without port, is this machine by its spelling; nothing is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
