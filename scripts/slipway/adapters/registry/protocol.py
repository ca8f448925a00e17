"""What every home of images can do: six methods on a repository, the same for a registry and for a folder.

Bytes are passed on exactly as they are stored: a digest is of bytes, so a manifest that was parsed and written
again would be another image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

# Called once an attempt, so that an upload that broke off can be sent again from its first byte.
Chunks = Callable[[], Iterator[bytes]]


class ManifestBytes(NamedTuple):
    """A manifest as it is stored, with the SHA-256 of exactly these bytes."""

    content: bytes
    media_type: str
    digest: str


class Repository(Protocol):
    """The images of one name. Every method raises `Unreachable` or `RegistryRefused` where the home is remote."""

    @property
    def home(self) -> str:
        """Where the repository lives; blobs can be mounted only between repositories of one home."""

    @property
    def name(self) -> str:
        """The whole name inside its home, `acme/models/flight-delay`."""

    def manifest(self, reference: str) -> ManifestBytes:
        """Read a manifest by tag or by digest; bytes that are not of the digest raise `DigestMismatch`.

        Raises:
            NoSuchImage: nothing is stored under the reference.
        """

    def blob(self, digest: str) -> AbstractContextManager[Iterator[bytes]]:
        """Stream a blob. Only an iterator that was read to its end is verified: `DigestMismatch` comes last.

        Raises:
            NoSuchImage: the blob is not here.
        """

    def has(self, digest: str) -> bool:
        """Say whether the blob is here, whole."""

    def mount(self, digest: str, *, from_repository: str) -> bool:
        """Take over a blob of another repository of this home without moving bytes; False: send it yourself."""

    def put_blob(self, digest: str, *, size: int, chunks: Chunks) -> None:
        """Store a blob; one that is here already is not sent.

        Raises:
            DigestMismatch: the chunks are not what the digest and the size say; nothing is stored.
        """

    def put_manifest(self, content: bytes, *, media_type: str, reference: str) -> str:
        """Store a manifest under a tag or its own digest and return the digest; the same again changes nothing.

        Raises:
            TagTaken: the tag is at another digest; no tag is ever moved.
            UnusableImage: a blob that the manifest names is not here.
        """


class Registry(Protocol):
    """A home of repositories under one prefix."""

    def repository(self, name: str) -> Repository:
        """The repository `<prefix>/<name>`; it need not exist yet."""
