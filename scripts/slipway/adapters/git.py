"""Ask git: where a repository is, what a tag says, what a commit held. Thin, typed, and never at a prompt.

Every function takes the folder of a repository, with or without a working tree.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from slipway.adapters import crash_points, git_credentials, ref_locks
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadTag, GitRefused, Unreachable

# Set while git runs a hook; they would send every command to the hook's repository instead of ours.
_OF_ANOTHER_REPOSITORY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
# No hook of the user's runs in our writes, and no setting of the user's changes bytes on the way out.
_FIXED = (
    "core.hooksPath=/dev/null",
    "core.attributesFile=/dev/null",
    "core.autocrlf=false",
    "core.eol=lf",
    "gc.auto=0",
    "maintenance.auto=false",
)
_SETTINGS = tuple(word for setting in _FIXED for word in ("-c", setting))
_TAG_FIELDS = ("refname", "objecttype", "objectname", "taggername", "taggeremail", "taggerdate:iso-strict")


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag and the commit that it names; a lightweight tag has neither an object, a tagger, a time nor a message.

    `object_id` is the tag object's, or the commit's for a lightweight tag.
    """

    name: str
    object_id: str
    commit: str
    annotated: bool
    tagger: str | None
    tagged_at: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How one git command ended."""

    code: int
    out: bytes
    said: str


def ask(
    *arguments: str,
    cwd: Path,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    inherits: Sequence[int] = (),
) -> Answer:
    """Run one git command and return however it ended; `inherits` are descriptors that stay open in it.

    Raises:
        GitRefused: git is not installed, or `cwd` is not in a repository that git trusts.
    """
    try:
        done = subprocess.run(
            ["git", *_SETTINGS, *arguments],
            cwd=cwd,
            env={**_environment(), **(environment or {})},
            input=b"" if stdin is None else stdin,
            capture_output=True,
            check=False,
            pass_fds=inherits,
        )
    except FileNotFoundError as error:
        raise _missing(cwd) from error
    answer = Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace").strip())
    _refuse_strange_places(answer, cwd=cwd)
    return answer


def run(*arguments: str, cwd: Path, stdin: bytes | None = None, environment: Mapping[str, str] | None = None) -> bytes:
    """Run one git command that should succeed and return what it printed.

    Raises:
        GitRefused: it did not succeed; the message repeats git's own.
    """
    answer = ask(*arguments, cwd=cwd, stdin=stdin, environment=environment)
    if answer.code:
        raise _refused(arguments, answer.said, cwd=cwd)
    return answer.out


@contextmanager
def streamed(*arguments: str, cwd: Path, stdin: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
    """What one git command prints, as it comes, so that much of it is never held at once; `stdin` is a real file.

    Raises:
        GitRefused: it did not succeed, or git is not installed.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                ["git", *_SETTINGS, *arguments],
                cwd=cwd,
                env=_environment(),
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE,
                stderr=said,
            )
        except FileNotFoundError as error:
            raise _missing(cwd) from error
        with process:
            assert process.stdout is not None
            yield process.stdout
        if process.returncode:
            said.seek(0)
            raise _refused(arguments, said.read().decode(errors="replace").strip(), cwd=cwd)


def head_commit(repository: Path) -> str:
    return commit_of(repository, "HEAD")


def commit_here(folder: Path) -> str | None:
    """What is checked out around a folder that may not be there yet; None where that is no repository, or none yet."""
    there = next((one for one in (folder, *folder.parents) if one.is_dir()), None)
    try:
        return None if there is None else head_commit(there)
    except GitRefused:
        return None


def commit_of(repository: Path, name: str) -> str:
    """The full id of the commit that a branch, a tag or a short id names.

    Raises:
        GitRefused: nothing of that name is a commit.
    """
    answer = ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=repository)
    if answer.code:
        raise GitRefused(
            f"`{name}` is no commit of {repository}", mend="commit first, or `git fetch --tags` what is not here yet"
        )
    return answer.out.decode().strip()


def default_branch(repository: Path, *, remote: str = "origin") -> str:
    """The branch that a clone of `remote` checks out, as the remote itself says today.

    Raises:
        Unreachable: the remote does not answer.
        GitRefused: the remote has no commit yet.
    """
    said = _from_remote("ls-remote", "--symref", remote, "HEAD", cwd=repository, remote=remote).decode()
    for line in said.splitlines():
        if line.startswith("ref: refs/heads/"):
            return line.removeprefix("ref: refs/heads/").split("\t")[0]
    raise GitRefused(f"`{remote}` has no default branch", mend=f"git push {remote} main")


def resolve_tag(repository: Path, name: str) -> Tag:
    """Read a tag of the local repository.

    Raises:
        GitRefused: there is no such tag, or it names no commit.
    """
    form = "%00".join(f"%({field})" for field in _TAG_FIELDS)
    out = run("for-each-ref", f"--format={form}", f"refs/tags/{name}", cwd=repository).decode(errors="replace")
    for line in out.splitlines():
        fields = dict(zip(_TAG_FIELDS, line.split("\0"), strict=True))
        if fields["refname"] == f"refs/tags/{name}":
            return _tag(repository, name, fields)
    raise GitRefused(f"there is no tag `{name}` in {repository}", mend=f"git fetch --tags, or git tag -a {name}")


def tags_at(repository: Path, commit: str) -> tuple[str, ...]:
    """The names of all tags of one commit, annotated or not."""
    return tuple(run("tag", "--points-at", commit, cwd=repository).decode().splitlines())


def release_tags(repository: Path, *, model: str | None = None) -> tuple[ReleaseTag, ...]:
    """All releases that tags name, lowest version first; tags that are no release are left out."""
    names = run("for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags", cwd=repository).decode().splitlines()
    releases = [release for name in names if (release := _release(name)) and model in (None, release.model)]
    return tuple(sorted(releases, key=lambda release: (release.model, release.version)))


def is_ancestor(repository: Path, ancestor: str, descendant: str) -> bool:
    """Whether `descendant` holds `ancestor`; a commit holds itself.

    Raises:
        GitRefused: one of the two is not in this repository.
    """
    answer = ask("merge-base", "--is-ancestor", ancestor, descendant, cwd=repository)
    if answer.code > 1:
        raise GitRefused(
            f"cannot compare {ancestor} with {descendant}: {answer.said}",
            mend="bring the whole history: git fetch --unshallow --tags",
        )
    return answer.code == 0


def user_name(repository: Path) -> str:
    """Who git says is at work here."""
    answer = ask("config", "user.name", cwd=repository)
    return answer.out.decode().strip() or "a person"


def committed_at(repository: Path, commit: str) -> str:
    """When a commit was made, as ISO 8601 with its time zone."""
    return _line("show", "--no-patch", "--format=%cI", commit_of(repository, commit), cwd=repository)


def last_change_of(repository: Path, commit: str, path: str, text: str) -> str | None:
    """The newest commit up to `commit` that brought `text` into `path`, or took it out; None where none did.

    Edits of other lines, and merges that only bring such a commit along, do not count.
    """
    found = _line(
        *("log", "-1", "--topo-order", "--format=%H", f"-S{text}", commit_of(repository, commit), "--", path),
        cwd=repository,
    )
    return found or None


def changed_paths(repository: Path, *, base: str) -> tuple[str, ...]:
    """The files that HEAD changed, added or took away since it and `base` went apart.

    Raises:
        GitRefused: `base` is no commit here, or the two have nothing in common as far as history was brought.
    """
    since = f"{commit_of(repository, base)}...{head_commit(repository)}"
    answer = ask("diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", since, cwd=repository)
    if answer.code:
        raise GitRefused(
            f"cannot compare HEAD with {base}: {answer.said}", mend="bring the whole history: git fetch --unshallow"
        )
    return tuple(name for name in answer.out.decode(errors="replace").split("\0") if name)


def read_file(repository: Path, commit: str, path: str) -> bytes | None:
    """The bytes of one file as they were committed, None where there is no such file."""
    answer = ask("cat-file", "blob", f"{commit}:{path}", cwd=repository)
    return None if answer.code else answer.out


def remote_url(repository: Path, *, remote: str = "origin") -> str | None:
    answer = ask("remote", "get-url", remote, cwd=repository)
    return None if answer.code else answer.out.decode().strip()


def common_folder(repository: Path) -> Path:
    """Its `.git`, which all of its work trees share."""
    return Path(_line("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=repository))


def fetch(repository: Path, *refspecs: str, remote: str = "origin", tags: bool = True) -> None:
    """Bring commits and, unless told otherwise, all tags; a tag that moved over there is not moved here.

    Raises:
        Unreachable: the remote does not answer, or refuses.
    """
    folder = common_folder(repository)
    which = "--tags" if tags else "--no-tags"
    with crash_points.external_write("fetch"), ref_locks.alone(folder) as lock:
        _from_remote("fetch", "--quiet", which, remote, *refspecs, cwd=repository, remote=remote, inherits=[lock])


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
    return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes", **kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _refused(arguments: Sequence[str], said: str, *, cwd: Path) -> GitRefused:
    return GitRefused(f"git {' '.join(arguments[:3])}, in {cwd}: {said}", mend="solve what git names, then run again")


def _missing(cwd: Path) -> GitRefused:
    if not cwd.is_dir():
        return GitRefused(f"{cwd} is no folder", mend="name the folder of a git repository")
    return GitRefused("git was not found on PATH", mend="install git 2.38 or later")


def _refuse_strange_places(answer: Answer, *, cwd: Path) -> None:
    if answer.code and "not a git repository" in answer.said:
        raise GitRefused(f"{cwd} is not in a git repository", mend="run Slipway inside the repository, or `git init`")
    if answer.code and "dubious ownership" in answer.said:
        raise GitRefused(
            f"git does not trust {cwd}: another user owns it", mend=f"git config --global --add safe.directory {cwd}"
        )


def _from_remote(*arguments: str, cwd: Path, remote: str, inherits: Sequence[int] = ()) -> bytes:
    shown = git_credentials.shown_to(remote_url(cwd, remote=remote), os.environ)
    answer = ask(*arguments, cwd=cwd, environment=shown, inherits=inherits)
    if answer.code:
        raise Unreachable(
            f"git {arguments[0]}: the remote did not give what was asked: {answer.said}",
            mend="check `git remote -v` and your access, then run again",
        )
    return answer.out


def _line(*arguments: str, cwd: Path) -> str:
    return run(*arguments, cwd=cwd).decode().removesuffix("\n")


def _tag(repository: Path, name: str, fields: Mapping[str, str]) -> Tag:
    annotated = fields["objecttype"] == "tag"
    when = fields["taggerdate:iso-strict"]
    return Tag(
        name=name,
        object_id=fields["objectname"],
        commit=commit_of(repository, f"refs/tags/{name}"),
        annotated=annotated,
        tagger=f"{fields['taggername']} {fields['taggeremail']}" if annotated else None,
        tagged_at=datetime.fromisoformat(when) if when else None,
        message=_message(repository, name) if annotated else "",
    )


def _message(repository: Path, name: str) -> str:
    """What the tagger wrote, without the signature that git appends."""
    form = "%(contents:subject)%0a%0a%(contents:body)"
    text = run("for-each-ref", "--count=1", f"--format={form}", f"refs/tags/{name}", cwd=repository)
    return text.decode(errors="replace").strip()


def _release(name: str) -> ReleaseTag | None:
    """None also for a revision, which no git tag releases."""
    try:
        release = ReleaseTag.parse(name)
    except BadTag:
        return None
    return release if release.revision == 1 else None
