"""One write of ours to the branches of a repository at a time, and the locks that a killed one left are cleared.

Git locks a branch with a file such as `refs/heads/main.lock`. A git that is killed leaves it, and refuses every later
write until somebody deletes it, who must know that no git is at work. So each write of ours holds a lock that the
system frees, which its git inherits, since it may outlive us; and it leaves a note while it is not finished.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import Unreachable

_FILE = "slipway-writes"
_OURS_TO_CLEAR = ("HEAD.lock", "packed-refs.lock", "shallow.lock", "refs/**/*.lock")
_PATIENCE_SECONDS = 120.0
_TURN_SECONDS = 0.01
_SOMEBODY_ELSES_SECONDS = 1.0  # git holds such a lock for milliseconds


@contextmanager
def alone(git_folder: Path) -> Iterator[int]:
    """Let no other write of ours begin; yields the descriptor that the writing git has to inherit.

    Args:
        git_folder: of the repository, `.git` or a bare one.

    Raises:
        Unreachable: another write of ours does not end.
    """
    with (git_folder / _FILE).open("a+b") as file:
        _take(file.fileno(), git_folder)
        unfinished = os.fstat(file.fileno())
        if unfinished.st_size:
            _clear(git_folder, since=unfinished.st_mtime_ns)
        file.truncate(0)
        file.write(b"not finished\n")
        file.flush()
        try:
            yield file.fileno()
        except Exception:  # git said no, and has ended; after a Ctrl-C it was killed, and the note stays
            file.truncate(0)
            raise
        file.truncate(0)


def _take(descriptor: int, git_folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Unreachable(
                    f"another run writes to {git_folder}, and does not end", mend="end it, then run again"
                ) from None
            time.sleep(_TURN_SECONDS)
        else:
            return


def _clear(git_folder: Path, *, since: int) -> None:
    """Delete the locks made after our unfinished write began, but none that a living git lets go meanwhile."""
    left = {lock: made for lock, made in _locks(git_folder).items() if made[1] >= since}
    deadline = time.monotonic() + _SOMEBODY_ELSES_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(_TURN_SECONDS)
        there = _locks(git_folder)
        left = {lock: made for lock, made in left.items() if there.get(lock) == made}
    for lock in left:
        lock.unlink(missing_ok=True)


def _locks(git_folder: Path) -> dict[Path, tuple[int, int]]:
    """Each lock, with its inode and when it was made, in nanoseconds."""
    found = {}
    for pattern in _OURS_TO_CLEAR:
        for lock in git_folder.glob(pattern):
            try:
                about = lock.stat()
            except FileNotFoundError:
                continue
            found[lock] = (about.st_ino, about.st_mtime_ns)
    return found
