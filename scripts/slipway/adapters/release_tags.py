"""Make the tag of a release in a checkout, and push it; each is one write, which git does whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from slipway.adapters import crash_points, git, git_credentials
from slipway.errors import GitRefused, NotReleasable, Unreachable


def uncommitted(repository: Path, *, ignored_below: str) -> tuple[str, ...]:
    """What a tag of HEAD would not hold, from the root: changed files and new ones, and below one folder those that
    git ignores, too.
    """
    changed = _status(repository, "--untracked-files=normal")
    hidden = _status(repository, "--ignored=matching", "--untracked-files=all", "--", ignored_below)
    return (*changed, *(name for name in hidden if name not in changed and "__pycache__" not in name))


def on_remote(repository: Path, model: str, *, remote: str = "origin") -> dict[str, str]:
    """Name → id of the tag object, of all tags that begin with the model's name, as the remote says now.

    Raises:
        Unreachable: it does not answer.
    """
    answer = _ask_remote(repository, "ls-remote", "--tags", "--refs", remote, f"refs/tags/{model}@*", remote=remote)
    if answer.code:
        raise Unreachable(
            f"git ls-remote: `{remote}` did not say which tags it has: {answer.said}",
            mend="check `git remote -v` and your access, then run again",
        )
    lines = (line.split("\t") for line in answer.out.decode(errors="replace").splitlines())
    return {name.removeprefix("refs/tags/"): object_id for object_id, name in lines}


def subject_of_last_change(repository: Path, folder: str) -> str:
    """The first line of the newest commit that changed something below `folder`; empty where none did."""
    said = git.run("log", "-1", "--format=%s", "HEAD", "--", folder, cwd=repository)
    return said.decode(errors="replace").strip()


def make(repository: Path, name: str, *, message: str) -> None:
    """An annotated tag of HEAD; signed, where the person's git is set so.

    Raises:
        GitRefused: git makes none, for instance since it does not know who tags.
    """
    with crash_points.external_write("create-tag"):
        words = ("--annotate", "--cleanup=whitespace", f"--message={message}", "--end-of-options", name, "HEAD")
        git.run("tag", *words, cwd=repository)


def push(repository: Path, name: str, *, remote: str = "origin") -> None:
    """
    Raises:
        NotReleasable: the remote does not take it: somebody else was faster, or who pushes may not.
        Unreachable: it does not answer.
    """
    with crash_points.external_write("push-tag"):
        answer = _ask_remote(repository, "push", "--quiet", remote, f"refs/tags/{name}", remote=remote)
    if answer.code and "rejected]" in answer.said:
        raise NotReleasable(
            f"`{remote}` does not take the tag `{name}`: {answer.said}",
            mend=f"let somebody push it who may: git push {remote} {name}; where it is there, git tag -d {name}",
        )
    if answer.code:
        raise Unreachable(
            f"`{name}` is made, and could not be pushed: {answer.said}",
            mend="check `git remote -v` and your access, then run the same command again: it makes no second tag",
        )


def _status(repository: Path, *words: str) -> tuple[str, ...]:
    out = git.run("status", "--porcelain=v1", "--no-renames", "-z", *words, cwd=repository)
    return tuple(entry[3:] for entry in out.decode(errors="replace").split("\0") if entry)


def _ask_remote(repository: Path, *words: str, remote: str) -> git.Answer:
    url = git.remote_url(repository, remote=remote)
    if url is None:
        raise GitRefused(f"{repository} has no remote `{remote}`", mend=f"git remote add {remote} URL")
    return git.ask(*words, cwd=repository, environment=git_credentials.shown_to(url, os.environ))
