"""The files behind pointers of Git LFS, by `git-lfs` itself: from the remote that the repository has."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from slipway.adapters import git, git_credentials
from slipway.adapters.records import sha256_of
from slipway.adapters.sources import process, secrets
from slipway.adapters.sources.fetched import too_many_bytes
from slipway.adapters.sources.pointers import LfsPointer
from slipway.domain.source_limit import SourceLimit
from slipway.errors import BadFile, SourceRefused, Unreachable


def replace(
    pointers: tuple[LfsPointer, ...], *, within: Path, root: Path, limit: SourceLimit, environment: Mapping[str, str]
) -> None:
    """Put what each pointer below `within` stands for in its place; `root` is the repository.

    Raises:
        BadFile: git-lfs is not installed.
        SourceRefused: it is more than the limit, or not what the pointer says.
        Unreachable: the remote does not give it.
    """
    if sum(pointer.size for pointer in pointers) > limit.bytes:
        raise too_many_bytes(limit)
    if pointers and shutil.which("git-lfs") is None:
        raise BadFile(
            f"{pointers[0].path.name} is a pointer of Git LFS, and git-lfs is not installed here",
            mend="apt-get install git-lfs, or as https://git-lfs.com says; GitHub's runners have it",
        )
    shown = git_credentials.shown_to(git.remote_url(root), environment)
    variables = {**secrets.for_the_process(environment), **shown, "GIT_TERMINAL_PROMPT": "0"}
    for pointer in pointers:
        _replace(pointer, within=within, root=root, limit=limit, variables=variables)


def _replace(
    pointer: LfsPointer, *, within: Path, root: Path, limit: SourceLimit, variables: Mapping[str, str]
) -> None:
    fetched = pointer.path.with_name(f".fetching-{pointer.sha256[:12]}")
    with pointer.path.open("rb") as asked, fetched.open("xb") as file:
        try:
            process.run_watched(
                ["git", "lfs", "smudge"],
                cwd=root,
                watched=within,
                limit=limit,
                variables=variables,
                stdin=asked,
                stdout=file,
            )
        except SourceRefused as error:
            raise Unreachable(
                f"Git LFS: {pointer.path.name} could not be had: {error.problem}",
                mend="see that it was pushed (git lfs push --all origin) and may be read, then run again",
            ) from None
    if sha256_of(fetched) != pointer.sha256:
        raise SourceRefused(
            f"Git LFS gave other bytes for {pointer.path.name} than its pointer says",
            mend="git lfs push --all origin, from a clone that has the file",
        )
    shutil.move(fetched, pointer.path)
