"""The files behind pointers of Git LFS, by `git-lfs` itself: from the remote that the repository has.

It downloads into the repository's own `.git/lfs` first, so that its unfinished files there are watched, too.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from slipway.adapters import git, git_credentials
from slipway.adapters.records import sha256_of
from slipway.adapters.sources import process, secrets
from slipway.adapters.sources.fetched import too_many_bytes, too_many_files
from slipway.adapters.sources.pointers import LfsPointer
from slipway.domain.source_limit import SourceLimit
from slipway.errors import BadFile, FetchingFailed, SourceRefused, Unreachable

_FOR_GOOD = re.compile(  # git-lfs ends with 2 whatever happened: its words alone tell a refusal from an outage
    r"missing object|not found|does not exist|expected OID|\[(?:403|404|410|422)\]|authorization|authentication",
    re.IGNORECASE,
)
_WRITTEN_ANEW = "git add --renormalize it, which writes the pointer, commit, and git lfs push --all origin"
_UNFINISHED = ("tmp", "incomplete")  # below .git/lfs


def replace(
    pointers: tuple[LfsPointer, ...], *, within: Path, root: Path, limit: SourceLimit, environment: Mapping[str, str]
) -> None:
    """Put what each pointer below `within` stands for in its place; `root` is the repository.

    Raises:
        BadFile: git-lfs is not installed.
        SourceRefused: it is more than the limit, not there, or not what the pointer says.
        Unreachable: the remote does not answer.
    """
    if sum(pointer.size for pointer in pointers) > limit.bytes:
        raise too_many_bytes(limit)
    if len(pointers) > limit.files:
        raise too_many_files(limit)
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
    name, common = pointer.path.relative_to(within).as_posix(), git.common_folder(root)
    fetched = pointer.path.with_name(f".fetching-{pointer.sha256[:12]}")
    with pointer.path.open("rb") as asked, fetched.open("xb") as file:
        try:
            process.run_watched(
                ["git", "lfs", "smudge"],
                cwd=root,
                watched=within,
                shared=[common / "lfs" / name for name in _UNFINISHED],
                limit=limit,
                variables=variables,
                stdin=asked,
                stdout=file,
            )
        except FetchingFailed as failure:
            raise _told(failure, pointer, name) from None
    _refuse_another(fetched, pointer, name)
    shutil.move(fetched, pointer.path)


def _told(failure: FetchingFailed, pointer: LfsPointer, name: str) -> SourceRefused | Unreachable:
    """A file that is not there stays away, however often it is asked for."""
    if _FOR_GOOD.search(failure.problem) is None:
        return Unreachable(
            f"Git LFS: {name} could not be had: {failure.problem}", mend="run the same command again later"
        )
    return SourceRefused(
        f"Git LFS gives no file for {name}, {_says(pointer)}: {failure.problem}",
        mend=f"see that it may be read; from a clone that has the file, {_WRITTEN_ANEW}",
    )


def _refuse_another(fetched: Path, pointer: LfsPointer, name: str) -> None:
    size, sha256 = fetched.stat().st_size, sha256_of(fetched)
    wrong = "oid" if sha256 != pointer.sha256 else "size" if size != pointer.size else None
    if wrong is not None:
        raise SourceRefused(
            f"Git LFS gave sha256:{sha256} and {size:,} bytes for {name}, {_says(pointer)}: `{wrong}` is not true",
            mend=f"from a clone that has the file, {_WRITTEN_ANEW}",
        )


def _says(pointer: LfsPointer) -> str:
    return f"whose pointer says `oid sha256:{pointer.sha256}` and `size {pointer.size}`"
