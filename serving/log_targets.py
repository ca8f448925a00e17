"""Where files of the served log go: a folder of this machine, or a bucket by fsspec.

    /var/log/served        s3://bucket/served        gs://bucket/served

A file is whole from the moment on at which it has its name: a folder gets it by a rename, a bucket in one upload.
Credentials come from where the store's own library looks for them (environment, instance role), never from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib
import importlib.util
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from serving.causes import NotStored
from serving.errors import CannotStart

_LIBRARIES = {"s3": "s3fs", "gs": "gcsfs"}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONNECT_SECONDS = 5.0
# One try each: what failed is tried again by the log itself, which knows how much may wait meanwhile.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": _CONNECT_SECONDS, "retries": {"max_attempts": 0}}},
    "gs": {},
}
_GCSFS_PLAIN = ("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # else it asks what kind of bucket it is, each time
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ESTALE, errno.ECONNREFUSED, errno.EHOSTUNREACH)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


class Target(Protocol):
    """Takes whole files."""

    def put(self, name: str, content: bytes, *, seconds: float) -> None:
        """Store `content` under `name`, `date=2013-08-01/a.parquet`; the same again changes nothing.

        Raises:
            Exception: it could not be stored within `seconds`; `cause_of` says why.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of this machine; made when the first file comes, and again when somebody removed it."""

    root: Path

    def put(self, name: str, content: bytes, *, seconds: float) -> None:  # noqa: ARG002 - a disk cannot be hurried
        path = self.root / name
        part = path.with_name(f".{path.name}.part")  # a name that readers skip
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # or a power cut could leave the name without the bytes
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)  # on a full disk its bytes are missed elsewhere
            raise


class Bucket:
    """A folder of an object store that fsspec knows."""

    def __init__(self, address: str) -> None:
        scheme = urlsplit(address).scheme
        os.environ.setdefault(*_GCSFS_PLAIN)
        library = importlib.import_module("fsspec")
        self._root = address.rstrip("/")
        self._store = library.filesystem(scheme, skip_instance_cache=True, **_OPTIONS[scheme])
        self._store.retries = 1

    def put(self, name: str, content: bytes, *, seconds: float) -> None:
        """One upload; an outer limit of time, since a store that accepts and then says nothing passes any inner one."""
        upload = self._store._pipe_file(f"{self._root}/{name}", content)
        future = asyncio.run_coroutine_threadsafe(upload, self._store.loop)
        try:
            future.result(seconds)
        finally:
            future.cancel()  # nothing where it is done


def open_target(address: str) -> Target:
    """The target that `--served-log` names; whether it can be reached shows with the first file.

    Raises:
        CannotStart: it names none that this server knows, or a library for it is missing.
    """
    if _ADDRESS.match(address) is None:
        return Folder(Path(address))
    parts = urlsplit(address)
    if parts.username is not None or parts.query or parts.fragment:  # not shown: it may hold a secret
        raise CannotStart(
            "--served-log: the address holds more than a bucket and a folder",
            mend="write s3://BUCKET/FOLDER; credentials come from the environment or the instance's role",
        )
    if parts.scheme not in _LIBRARIES or not parts.netloc:
        raise CannotStart(
            f"--served-log: `{address}` is no place that a log can be written to",
            mend="name a folder, s3://BUCKET/FOLDER or gs://BUCKET/FOLDER",
        )
    _require(parts.scheme)
    return Bucket(address)


def cause_of(failure: BaseException) -> NotStored:
    """One word for why a file was not stored: full, gone, refused, slow or failed."""
    kinds = {kind.__name__ for kind in type(failure).__mro__}
    number = failure.errno if isinstance(failure, OSError) else None
    if isinstance(failure, TimeoutError):
        return "slow"
    if number in _FULL:
        return "full"
    if isinstance(failure, PermissionError) or number in _REFUSED or any("Credential" in kind for kind in kinds):
        return "refused"
    if isinstance(failure, FileNotFoundError | ConnectionError) or number in _GONE:
        return "gone"
    return "gone" if kinds & {"HTTPClientError", "ClientConnectionError", "ConnectionError"} else "failed"


def told(failure: BaseException) -> str:
    """A failure in one line, without anything that the environment calls a key, a secret, a token or a password."""
    line = (str(failure).splitlines() or [""])[0]
    for name, value in os.environ.items():
        if len(value) >= 4 and re.search(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", name, re.IGNORECASE):
            line = line.replace(value, f"${name}")
    return f"{type(failure).__name__}: {line[:300]}"


def _require(scheme: str) -> None:
    for library in ("fsspec", _LIBRARIES[scheme]):
        if importlib.util.find_spec(library) is None:
            raise CannotStart(
                f"--served-log: {scheme}:// needs the library {library}, which this runtime does not hold",
                mend=f"build the runtime with requirements/serving-{scheme}.txt, as served_log in slipway.yaml makes"
                " the workflow `runtime-image` do, or name a folder",
            )
