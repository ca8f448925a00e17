"""A folder of pages that appears as a whole and is replaced as a whole: at no moment is there none."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from slipway.adapters import crash_points
from slipway.adapters.exchange import exchanged
from slipway.errors import BadFile

_MARK = ".slipway-status-page"  # by it a later run knows the folder as one of ours


def publish(
    out: Path, files: Iterable[tuple[str, bytes]], *, exchange: Callable[[Path, Path], bool] = exchanged
) -> None:
    """Make `out` hold these files, by their paths in it, and nothing else.

    They are written beside it first, all of them, and the two folders take each other's place in one step. A run that
    was killed leaves all pages of before or all of now, and a folder beside them, which the next one takes away. Where
    no `exchange` can be had, each page takes the place of the one before, the first of `files` last, since it leads to
    the others; a run that is killed then can leave pages of two days, each of them whole.

    Raises:
        BadFile: `out` holds what no run of this wrote, or lies where no folder can be made.
    """
    refuse_foreign(out)
    _make(out.parent, out)
    new = out.with_name(f".{out.name}.new")
    with _alone(out.parent):
        shutil.rmtree(new, ignore_errors=True)
        _make(new, out)
        names = _write(new, files)
        if not out.exists() or not any(out.iterdir()):
            with crash_points.external_write("status-page"):
                new.replace(out)
            return
        with crash_points.external_write("status-page"):
            done = exchange(new, out)
        if not done:
            _bring(names, new, out)
        shutil.rmtree(new)


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


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> list[str]:
    (folder / _MARK).write_bytes(b"")
    names = []
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        names.append(name)
    return names


def _bring(names: Sequence[str], new: Path, out: Path) -> None:
    for name in reversed(names):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        with crash_points.external_write("status-page"):
            (new / name).replace(out / name)
    kept = {out / name for name in (*names, _MARK)}
    for path in sorted(out.rglob("*"), reverse=True):  # what lies in a folder before the folder
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()


@contextmanager
def _alone(parent: Path) -> Iterator[None]:
    """Two runs would write into one folder beside it."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
