"""A folder as it was committed, brought out of git byte by byte."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from slipway.adapters import crash_points, git, tar_stream
from slipway.adapters.trees import refuse_strange_files
from slipway.errors import GitRefused


def export(repository: Path, commit: str, folder: str, *, into: Path) -> None:
    """Make `into` hold what `folder` held at `commit`, whole or not at all; what was there before goes.

    Raises:
        GitRefused: that commit has no such folder.
        BadFile: a link leads out of the folder: what it names was not tagged, so it cannot be released.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as scratch:
        unpacked = Path(scratch) / "tree"
        unpacked.mkdir()
        _unpack(repository, commit, folder, into=unpacked)
        refuse_strange_files(unpacked, shown_as=folder)
        if into.exists():
            into.rename(Path(scratch) / "before")
        with crash_points.external_write("export"):
            unpacked.rename(into)


def _unpack(repository: Path, commit: str, folder: str, *, into: Path) -> None:
    """Stream the folder as a tar, so that a large model is never held in memory."""
    tree = f"{git.commit_of(repository, commit)}:{folder.strip('/')}"
    if git.ask("cat-file", "-t", tree, cwd=repository).out != b"tree\n":
        raise GitRefused(f"commit {commit} has no folder `{folder}`", mend=f"commit `{folder}`, then tag that commit")
    try:
        with git.streamed("archive", "--format=tar", tree, cwd=repository) as tar:
            tar_stream.unpack(tar, into)
    except tarfile.ReadError as error:
        raise GitRefused(f"git could not read all of {tree}", mend="run `git fsck`, fetch what is missing") from error
