"""SHA-256 of bytes that are too many to hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from slipway.errors import DigestMismatch


def digest_of(content: bytes) -> str:
    """The digest of bytes in memory."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def verified(chunks: Iterable[bytes], digest: str, *, size: int | None = None, what: str) -> Iterator[bytes]:
    """Pass chunks on; raise `DigestMismatch` as soon as they are too many, else after the last one.

    Args:
        chunks: the bytes, in order.
        digest: what they must be.
        size: how many bytes they must be; None where only the digest is known.
        what: the blob and its place, for the message.
    """
    seen, passed = hashlib.sha256(), 0
    for chunk in chunks:
        seen.update(chunk)
        passed += len(chunk)
        if size is not None and passed > size:
            raise _mismatch(what, digest, f"more than the {size} bytes that were announced")
        yield chunk
    if size is not None and passed != size:
        raise _mismatch(what, digest, f"{passed} bytes, {size} were announced")
    if (actual := f"sha256:{seen.hexdigest()}") != digest:
        raise _mismatch(what, digest, actual)


def check(content: bytes, digest: str, *, what: str) -> bytes:
    """Return the bytes when they are of the digest, else raise `DigestMismatch`."""
    if (actual := digest_of(content)) != digest:
        raise _mismatch(what, digest, actual)
    return content


def _mismatch(what: str, digest: str, actual: str) -> DigestMismatch:
    return DigestMismatch(
        f"{what} should be {digest} but is {actual}",
        mend="do not use it; run again, and if it stays so, delete the damaged copy where it is stored",
    )
