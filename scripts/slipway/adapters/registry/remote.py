"""Repositories of images behind the OCI distribution API 1.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn
from urllib.parse import urlencode

from slipway.adapters.crash_points import external_write
from slipway.adapters.registry.address import Address
from slipway.adapters.registry.connections import Broken, Response
from slipway.adapters.registry.credentials import Credentials
from slipway.adapters.registry.digests import check, digest_of, verified
from slipway.adapters.registry.layer import CHUNK
from slipway.adapters.registry.manifests import LARGEST_DOCUMENT, READABLE, blobs_of, tag_taken
from slipway.adapters.registry.names import checked_reference, checked_repository, hexadecimal, is_digest
from slipway.adapters.registry.patience import Busy, Patience, said
from slipway.adapters.registry.protocol import Chunks, ManifestBytes, Repository
from slipway.adapters.registry.session import Ask, Session
from slipway.errors import DigestMismatch, NoSuchImage, RegistryRefused, UnusableImage


class RemoteRegistry:
    """The repositories of one host under one prefix, on one connection pool."""

    def __init__(
        self, host: str, prefix: str, *, credentials: Credentials | None = None, patience: Patience | None = None
    ) -> None:
        self._session = Session(host, credentials=credentials, patience=patience or Patience())
        self._prefix = prefix

    def repository(self, name: str) -> Repository:
        """The repository `<prefix>/<name>`; its first push makes it."""
        return RemoteRepository(self._session, checked_repository(f"{self._prefix}/{name}".lstrip("/")))


class RemoteRepository:
    """One repository of a registry; see `Repository` for what the methods promise."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self.home = session.host
        self.name = name

    def manifest(self, reference: str) -> ManifestBytes:
        """GET a manifest, at most 4 MiB."""
        checked_reference(reference)
        found = self._session.patiently(lambda: self._get_manifest(reference))
        if found is None:
            raise NoSuchImage(
                f"{self._called(reference)} does not exist", mend="push the image first, or correct the reference"
            )
        return found

    @contextmanager
    def blob(self, digest: str) -> Iterator[Iterator[bytes]]:
        """GET a blob. A connection that breaks before the first byte is tried again, later ones are `Unreachable`."""
        response = self._session.patiently(lambda: self._open_blob(digest))
        try:
            yield verified(self._read(response), digest, what=self._called(digest))
        finally:
            response.close()

    def has(self, digest: str) -> bool:
        """HEAD a blob."""
        path = f"blobs/sha256:{hexadecimal(digest)}"
        status = self._session.patiently(lambda: self._status(self._ask("HEAD", path)))
        if status not in (200, 404):
            raise self._unexpected(f"HTTP {status}")
        return status == 200

    def mount(self, digest: str, *, from_repository: str) -> bool:
        """Ask for a cross-repository mount; whatever the registry dislikes about it, the blob can still be sent."""
        query = urlencode({"mount": f"sha256:{hexadecimal(digest)}", "from": from_repository})
        source = f"repository:{checked_repository(from_repository)}:pull"
        ask = self._ask("POST", f"blobs/uploads/?{query}", more_scopes=(source,))
        try:
            with external_write("registry-mount"):
                return self._session.patiently(lambda: self._status(ask)) == 201
        except RegistryRefused:
            return False

    def put_blob(self, digest: str, *, size: int, chunks: Chunks) -> None:
        """POST for an upload, PUT all of it in one stream; both again when either breaks."""
        if self.has(digest):
            return
        with external_write("registry-blob"):
            self._session.patiently(lambda: self._upload(digest, size, chunks))

    def put_manifest(self, content: bytes, *, media_type: str, reference: str) -> str:
        """PUT a manifest. No registry compares and swaps, so the tag is looked at before and after."""
        digest = digest_of(content)
        if is_digest(checked_reference(reference)):
            check(content, reference, what=f"a manifest for {self.name}")
        tuple(blobs_of(content))  # what is no manifest is refused here: some registries answer it with a crash
        if self._is_at(reference, digest):
            return digest
        with external_write("registry-manifest"):
            self._session.patiently(lambda: self._put_manifest(content, media_type, reference))
        if not self._is_at(reference, digest):
            raise self._unexpected(f"it took {reference} and does not show it")
        return digest

    def _get_manifest(self, reference: str) -> ManifestBytes | None:
        ask = self._ask("GET", f"manifests/{reference}", headers={"accept": ", ".join(READABLE)})
        with self._session.exchange(ask) as response:
            if response.status == 404:
                return None
            if response.status != 200:
                self._fail(response)
            content = self._read_document(response)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        if is_digest(reference):
            check(content, reference, what=self._called(reference))
        return ManifestBytes(content=content, media_type=media_type, digest=digest_of(content))

    def _read_document(self, response: Response) -> bytes:
        content = b""
        for chunk in response.chunks(CHUNK):
            content += chunk
            if len(content) > LARGEST_DOCUMENT:
                raise UnusableImage(
                    f"a manifest of {self.name} is larger than {LARGEST_DOCUMENT} bytes", mend="build the image again"
                )
        return content

    def _open_blob(self, digest: str) -> Response:
        path = f"blobs/sha256:{hexadecimal(digest)}"
        response = self._session.open(self._ask("GET", path))
        try:
            self._require_blob(response, digest)
        except BaseException:
            response.close()
            raise
        return response

    def _require_blob(self, response: Response, digest: str) -> None:
        if response.status == 404:
            raise NoSuchImage(f"{self._called(digest)} does not exist", mend="push the image again")
        if response.status != 200:
            self._fail(response)

    def _read(self, response: Response) -> Iterator[bytes]:
        try:
            yield from response.chunks(CHUNK)
        except Broken as problem:
            raise self._session.unreachable(problem) from None

    def _upload(self, digest: str, size: int, chunks: Chunks) -> None:
        upload = self._begin_upload()
        try:
            self._send(upload, digest, size, chunks)
        except (Busy, Broken):
            if not self._is_here(digest):  # else the answer alone was lost
                raise

    def _begin_upload(self) -> Address:
        with self._session.exchange(self._ask("POST", "blobs/uploads/", headers={"content-length": "0"})) as opened:
            if opened.status != 202 or "location" not in opened.headers:
                self._fail(opened)
            return self._session.address_of(opened.address, opened.headers["location"])

    def _send(self, upload: Address, digest: str, size: int, chunks: Chunks) -> None:
        address, what = str(upload.asking(("digest", digest))), f"a blob for {self.name}"
        headers = {"content-type": "application/octet-stream", "content-length": str(size)}
        ask = Ask("PUT", address, self._scopes, headers, lambda: verified(chunks(), digest, size=size, what=what))
        with self._session.exchange(ask) as stored:
            if stored.status != 201:
                self._fail(stored)

    def _is_here(self, digest: str) -> bool:
        return self._status(self._ask("HEAD", f"blobs/{digest}")) == 200

    def _put_manifest(self, content: bytes, media_type: str, reference: str) -> None:
        headers = {"content-type": media_type, "content-length": str(len(content))}
        ask = self._ask("PUT", f"manifests/{reference}", headers=headers, body=lambda: iter([content]))
        with self._session.exchange(ask) as response:
            if response.status != 201:
                self._fail(response)

    def _is_at(self, reference: str, digest: str) -> bool:
        found = self._session.patiently(lambda: self._get_manifest(reference))
        if found is not None and found.digest != digest:
            raise tag_taken(self.name, reference, found.digest, digest)
        return found is not None

    def _status(self, ask: Ask) -> int:
        with self._session.exchange(ask) as response:
            return response.status

    @property
    def _scopes(self) -> tuple[str, ...]:
        return (f"repository:{self.name}:pull,push",)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Chunks | None = None,
        more_scopes: tuple[str, ...] = (),
    ) -> Ask:
        return Ask(method, f"/v2/{self.name}/{path}", (*self._scopes, *more_scopes), headers or {}, body)

    def _called(self, reference: str) -> str:
        return f"{self.home}/{self.name}{'@' if is_digest(reference) else ':'}{reference}"

    def _fail(self, response: Response) -> NoReturn:
        reason = said(response)
        if "DIGEST_INVALID" in reason:
            raise DigestMismatch(
                f"the registry {self.home} received other bytes than we sent: {reason}", mend="run again"
            )
        if "BLOB_UNKNOWN" in reason:
            raise UnusableImage(
                f"the registry {self.home} lacks a blob that the manifest names: {reason}",
                mend="put every blob of an image before its manifest",
            )
        raise self._unexpected(reason)

    def _unexpected(self, reason: str) -> RegistryRefused:
        return RegistryRefused(
            f"the registry {self.home} does not take {self.name}: {reason}",
            mend="check `image_registry` in slipway.yaml, and that the registry speaks the OCI distribution API",
        )
