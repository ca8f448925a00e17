"""Where production's log and its labels lie: a folder of this machine, or one of a bucket, by fsspec.

    .slipway/served        /var/log/served        s3://BUCKET/served        gs://BUCKET/served

Credentials of a bucket come from where the store's own library looks for them: environment, or the role of the machine.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Self, TypeVar

import pyarrow as pa
from pyarrow import fs

from slipway.errors import BadFile, Unreachable

_LIBRARIES = {"s3": "s3fs", "gs": "gcsfs"}
_AT_ONCE = 16  # requests to a store, each of which mostly waits
_SMALL = 8_000_000  # bytes, which take no longer than the requests for parts of them
_FILES_AT_ONCE = 8
_SECONDS = 20.0
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": _SECONDS, "read_timeout": _SECONDS, "retries": {"max_attempts": 2}}},
    "gs": {},
}
_One = TypeVar("_One")
_Other = TypeVar("_Other")


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A folder with a folder a day, `date=YYYY-MM-DD`, as pyarrow reads it."""

    address: str
    store: fs.FileSystem
    folder: str

    @classmethod
    def open(cls, address: str, *, root: Path) -> Self:
        """What a setting names; a folder of this machine is meant from `root`.

        Raises:
            BadFile: the library of the store is not installed.
        """
        scheme, found, folder = address.partition("://")
        if not found:
            return cls.at(root / address)
        library = _LIBRARIES[scheme]
        try:
            importlib.import_module(library)
        except ModuleNotFoundError as missing:
            raise BadFile(
                f"slipway.yaml: `{address}` needs the library {library}, which is not installed here",
                mend=f"pip install --require-hashes -r requirements/serving-{scheme}.txt",
            ) from missing
        store = importlib.import_module("fsspec").filesystem(
            scheme, skip_instance_cache=True, use_listings_cache=False, **_OPTIONS[scheme]
        )
        return cls(address.rstrip("/"), fs.PyFileSystem(fs.FSSpecHandler(store)), folder.rstrip("/"))

    @classmethod
    def at(cls, folder: Path) -> Self:
        return cls(str(folder), fs.LocalFileSystem(), str(folder))

    @classmethod
    def address_from(cls, address: str, *, root: Path) -> str:
        """What a server is told, which may run elsewhere."""
        return address.rstrip("/") if "://" in address else str((root / address).resolve())

    def below(self, *names: str) -> LogPlace:
        return LogPlace("/".join((self.address, *names)), self.store, "/".join((self.folder, *names)))

    def days(self) -> list[date]:
        """Those that have a folder, ascending; somebody else's folders are left alone."""
        with self.reading():
            names = [PurePosixPath(one.path).name for one in self._listed(self.folder)]
        return sorted(day for name in names if (day := _day(name)) is not None)

    def files(self, days: Iterable[date], *, ending: str | tuple[str, ...]) -> list[str]:
        """Whole files of these days, in an order that does not change."""
        with self.reading():
            listed = self.of_each(lambda day: self._listed(f"{self.folder}/date={day}"), list(days))
        paths = [one.path for of_day in listed for one in of_day if one.type == fs.FileType.File]
        return sorted(path for path in paths if path.endswith(ending) and not PurePosixPath(path).name.startswith("."))

    def read(self, path: str) -> bytes:
        with self.store.open_input_stream(path) as stream:
            return bytes(stream.read())

    def opened(self, paths: Sequence[str]) -> Iterator[tuple[str, pa.NativeFile]]:
        """One file after the other; over a network, some of them are brought at once, small ones as a whole."""
        step = 1 if self._is_here else _FILES_AT_ONCE
        for start in range(0, len(paths), step):
            some = paths[start : start + step]
            yield from zip(some, self.of_each(self._open, some), strict=True)

    def _open(self, path: str) -> pa.NativeFile:
        file = self.store.open_input_file(path)
        if self._is_here or file.size() > _SMALL:
            return file
        with file:
            return pa.BufferReader(file.read())

    @property
    def _is_here(self) -> bool:
        return isinstance(self.store, fs.LocalFileSystem)

    def of_each(self, look: Callable[[_One], _Other], things: Sequence[_One]) -> list[_Other]:
        """One after the other on a disk, several at once where each waits for a network."""
        if self._is_here:
            return [look(one) for one in things]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(look, things))

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say in our words what a store says.

        Raises:
            BadFile: it lets nobody read this who has our credentials.
            Unreachable: it does not answer.
        """
        try:
            yield
        except Exception as failure:
            ours = isinstance(failure, BadFile | Unreachable | pa.ArrowException)
            if ours or self._is_here:
                raise
            line = (str(failure).splitlines() or [""])[0][:200]
            told = f"{self.address}: {type(failure).__name__}: {line}"
            if isinstance(failure, PermissionError) or "Credential" in type(failure).__name__:
                raise BadFile(told, mend="give this job credentials that may read it, in its environment") from None
            raise Unreachable(told, mend="run again when the store answers") from None

    def _listed(self, folder: str) -> list[fs.FileInfo]:
        found: list[fs.FileInfo] = self.store.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        return found


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(name.removeprefix("date="))
    except ValueError:
        return None
