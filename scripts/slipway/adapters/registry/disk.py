"""A disk of this machine that takes no more: what a person is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import RegistryRefused


@contextmanager
def writing_below(folder: Path) -> Iterator[None]:
    """Turn a failure of the system into one that names the folder.

    Raises:
        RegistryRefused: the block could not write, or read what it wrote.
    """
    try:
        yield
    except OSError as problem:
        raise RegistryRefused(
            f"{folder} takes no more: {problem.strerror or problem}",
            mend="make room on its disk, or let this user write there; then run the same command again, it goes on "
            "with what is missing",
        ) from problem
