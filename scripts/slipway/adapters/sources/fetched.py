"""What every fetcher returns, and the bounded copy that those use who see the bytes themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from slipway.domain.origin import Training
from slipway.domain.source_limit import SourceLimit
from slipway.errors import SourceRefused

_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Fetched:
    """`resolved` is the address with what can move put in for good; `training` what is known of the run behind it."""

    resolved: str
    training: Training | None = None


def inner_path(name: str) -> PurePosixPath:
    """The path that somebody else calls a file by, below a folder of ours.

    Raises:
        SourceRefused: it leads out of the folder, or is none.
    """
    pure = PurePosixPath(name)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or "\\" in name or not name.isprintable():
        raise SourceRefused(
            f"the source names a file `{name[:200]}`, which is no path inside of it",
            mend="give the file a plain name where it was stored, then fetch again",
        )
    return pure


def place_below(into: Path, name: str) -> Path:
    """Where a file called `name` by somebody else is written; its folder is made.

    Raises:
        SourceRefused: the name leads out of the folder, or is none.
    """
    path = into / inner_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a stream that has no known end."""
    while chunk := stream.read(_CHUNK):
        yield chunk


def write_bounded(chunks: Iterable[bytes], path: Path, *, limit: SourceLimit) -> None:
    """Write a stream, as far as the limit allows.

    Raises:
        SourceRefused: it holds more.
    """
    size = 0
    with path.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit.bytes:
                raise too_many_bytes(limit)
            file.write(chunk)


def too_many_bytes(limit: SourceLimit) -> SourceRefused:
    return SourceRefused(
        f"the source holds more than {limit.bytes:,} bytes",
        mend="raise `limit: fetched: bytes` in policies/sources.yaml, or point `source` at the model's files alone",
    )


def too_many_files(limit: SourceLimit) -> SourceRefused:
    return SourceRefused(
        f"the source holds more than {limit.files:,} files",
        mend="raise `limit: fetched: files` in policies/sources.yaml, or point `source` at the model's files alone",
    )
