"""Commits, trees and branches of a repository, made without a working tree: what the Git Data API does, by git."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from slipway.adapters import git, ref_locks
from slipway.adapters.forge import Commit, refusals
from slipway.errors import BranchMoved, ForgeRefused, GitRefused

NAME = "Slipway"
EMAIL = "slipway@localhost"
_FILE = re.compile(r"[0-7]{6} blob ([0-9a-f]+)\t([^\0]+)\0")  # as `ls-tree -z` tells it


def head(repository: Path, branch: str) -> str | None:
    answer = git.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}", cwd=repository)
    return None if answer.code else answer.out.decode().strip()


def tree_of(repository: Path, commit: str) -> str:
    return git.run("rev-parse", "--verify", f"{commit}^{{tree}}", cwd=repository).decode().strip()


def list_files(repository: Path, commit: str, under: str) -> dict[str, str]:
    """Full path → blob id below the folder `under`."""
    folder = under.strip("/")
    answer = git.ask("ls-tree", "-r", "-z", f"{commit}:{folder}", cwd=repository)
    if answer.code:
        git.commit_of(repository, commit)  # an unknown commit is an error, a folder that it lacks is not
        return {}
    files = _FILE.findall(answer.out.decode(errors="surrogateescape"))
    return {f"{folder}/{path}" if folder else path: blob for blob, path in files}


def read_blobs(repository: Path, blobs: Iterable[str]) -> dict[str, bytes]:
    """Blob id → content, all by one process.

    Raises:
        ForgeRefused: one of them is not there.
    """
    return dict(each_blob(repository, list(dict.fromkeys(blobs))))


def find_blobs(repository: Path, blobs: Iterable[str]) -> dict[str, bytes]:
    """Blob id → content of those that are there, all by one process."""
    answers = _answers(repository, list(dict.fromkeys(blobs)))
    return {blob: content for blob, content in answers if content is not None}


def each_blob(repository: Path, blobs: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Id and content of each as git unpacks it, in the order in which they are asked for; none is kept.

    Raises:
        ForgeRefused: one of them is not there.
    """
    for blob, content in _answers(repository, blobs):
        if content is None:
            raise ForgeRefused(f"{repository} has no blob {blob}", mend="run `git fsck` there")
        yield blob, content


def _answers(repository: Path, blobs: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """None of what is no blob, or not there; all by one process, which is given the ids as a file: it never waits."""
    if not blobs:
        return
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{blob}\n" for blob in blobs).encode())
        asked.seek(0)
        with git.streamed("cat-file", "--batch", "--buffer", cwd=repository, stdin=asked) as out:
            for blob in blobs:
                _, kind, *size = out.readline().split() or (b"", b"")
                content = out.read(int(size[0])) if size else None
                if kind != b"missing" and out.read(1) != b"\n":  # it follows each object
                    return  # git broke off, and is asked why
                yield blob, content if kind == b"blob" else None


def write_tree(repository: Path, *, base: str | None, changes: Mapping[str, bytes | None]) -> str:
    """The tree of `base` with `changes`; None as content takes a file away. Returns the tree's id."""
    with tempfile.TemporaryDirectory(prefix="slipway-index-") as scratch:
        index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
        written = _write_blobs(repository, [data for data in changes.values() if data is not None], Path(scratch))
        if base is not None:
            git.run("read-tree", base, cwd=repository, environment=index)
        blobs = iter(written)
        lines = [
            f"0 {'0' * 40}\t{path}" if data is None else f"100644 {next(blobs)}\t{path}"
            for path, data in changes.items()
        ]
        stdin = "".join(f"{line}\0" for line in lines).encode()
        git.run("update-index", "-z", "--index-info", cwd=repository, environment=index, stdin=stdin)
        return git.run("write-tree", cwd=repository, environment=index).decode().strip()


def write_commit(repository: Path, *, tree: str, parents: Sequence[str], message: str) -> str:
    """A commit by Slipway that no branch has yet."""
    flags = [flag for parent in parents for flag in ("-p", parent)]
    environment = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", NAME), ("EMAIL", EMAIL))
    }
    out = git.run("commit-tree", *flags, tree, cwd=repository, stdin=message.encode(), environment=environment)
    return out.decode().strip()


def move_branch(repository: Path, branch: str, *, to: str, expected: str | None) -> None:
    """Let the branch name `to`, in one step, if it names `expected` now (None: if there is no such branch).

    Raises:
        BranchMoved: it does not, or somebody is writing it at this moment.
        GitRefused: no branch can have that name.
    """
    old = expected or "0" * len(to)
    with ref_locks.alone(repository) as lock:
        answer = git.ask(
            "update-ref", "-m", "slipway", f"refs/heads/{branch}", to, old, cwd=repository, inherits=[lock]
        )
    if not answer.code:
        return
    if head(repository, branch) != expected or ".lock" in answer.said:
        raise BranchMoved(
            f"the branch `{branch}` is not at {expected or 'its start'} any more: {answer.said}",
            mend="run again; if it stays so, delete the `.lock` file that git names, a push that was killed left it",
        )
    raise GitRefused(f"git cannot write the branch `{branch}`: {answer.said}", mend="choose another name")


def merged_tree(repository: Path, ours: str, theirs: str) -> str:
    """The tree of a three-way merge of two commits.

    Raises:
        MergeConflict: both changed the same lines, or they share no history.
    """
    answer = git.ask("merge-tree", "--write-tree", "--name-only", "--no-messages", ours, theirs, cwd=repository)
    tree, *conflicts = answer.out.decode(errors="replace").split("\n")
    if answer.code:
        where = ", ".join(path for path in conflicts if path) or answer.said
        raise refusals.conflict(f"git cannot merge {theirs} into {ours} by itself: {where}")
    return tree


def commits_between(repository: Path, beyond: str, newest: str) -> tuple[Commit, ...]:
    """What `newest` has that `beyond` has not, newest first."""
    form = "--format=%H%n%an <%ae>%n%B"
    out = git.run("log", "-z", "--no-show-signature", form, newest, f"^{beyond}", cwd=repository)
    return tuple(_commit(record) for record in out.decode(errors="replace").split("\0") if record)


def merge_of(repository: Path, tip: str, base: str) -> str:
    """The commit by which `tip` came into `base`, which holds it; `tip` itself after a fast-forward."""
    order = ("--reverse", "--topo-order", "--ancestry-path", "--parents")
    descendants = git.run("rev-list", *order, f"{tip}..{base}", cwd=repository).decode().splitlines()
    first, *parents = descendants[0].split() if descendants else (tip,)
    return first if len(parents) > 1 else tip


def _write_blobs(repository: Path, contents: Sequence[bytes], scratch: Path) -> list[str]:
    """Store contents in order, by one process; the files are only a way to hand them over."""
    paths = [scratch / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    stdin = b"".join(os.fsencode(path) + b"\n" for path in paths)
    out = git.run("hash-object", "-w", "--no-filters", "--stdin-paths", cwd=repository, stdin=stdin)
    return out.decode().split()


def _commit(record: str) -> Commit:
    commit, author, message = record.split("\n", 2)
    return Commit(id=commit, author=author, message=message.strip(), ours=author.endswith(f"<{EMAIL}>"))
