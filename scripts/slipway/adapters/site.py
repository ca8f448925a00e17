"""A folder of files that appears as a whole, in the place of the one that was there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.adapters import crash_points
from slipway.errors import BadFile

_MARK = ".slipway-status-page"  # by it a later run knows the folder as one of ours


def publish(out: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Make `out` hold these files, by their paths in it, and nothing else.

    They are written beside it first: who looks sees the old ones or the new ones. A run that was killed may leave its
    folder beside it, which the next one takes away; where it was killed between the two renames, so does what it left.

    Raises:
        BadFile: `out` holds what no run of this wrote, or lies where no folder can be made.
    """
    refuse_foreign(out)
    _make(out.parent, out)
    new, old = out.with_name(f".{out.name}.new"), out.with_name(f".{out.name}.old")
    with _alone(out.parent):
        shutil.rmtree(new, ignore_errors=True)
        _make(new, out)
        _write(new, files)
        shutil.rmtree(old, ignore_errors=True)
        with crash_points.external_write("status-page"):
            if out.exists():
                out.rename(old)
            new.rename(out)
        shutil.rmtree(old, ignore_errors=True)


def refuse_foreign(out: Path) -> None:
    """
    Raises:
        BadFile: `out` holds what no run of this wrote.
    """
    if out.name in ("", "..") or out.is_symlink() or (out.exists() and not out.is_dir()):
        raise BadFile(f"{out} is no folder of its own", mend="name a folder that is not there yet")
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).is_file():
        raise BadFile(
            f"{out} holds files that no status page wrote, and would be replaced as a whole",
            mend="name a folder that is empty or not there yet",
        )


def _make(folder: Path, out: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadFile(
            f"{out} cannot be made: {error.strerror}", mend="name a folder where you may write, below folders alone"
        ) from error


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    (folder / _MARK).write_bytes(b"")
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Two runs would write into one folder beside it."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
