"""Read in git's history whether the ledger still says what was written: its pages once, its lines for ever.

A change that was taken back does not count: putting the old content back is how a person mends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from slipway.adapters import git
from slipway.domain.upkeep import RewrittenPage

_LOG = ("log", "--format=%H", "--no-renames", "--diff-merges=separate")
_LINES = ".jsonl"


def rewritten_pages(repository: Path, head: str) -> tuple[RewrittenPage, ...]:
    """The files that lost what once stood in them, each with the newest commit that took or changed something.

    Args:
        repository: holds the whole history of the ledger.
        head: the last commit of the ledger.
    """
    suspects = {**_changed_pages(repository, head), **_shortened_lines(repository, head)}
    return tuple(
        RewrittenPage(path=path, commit=commit)
        for path, commit in sorted(suspects.items())
        if not _written(repository, head, path) <= _content(repository, head, path)
    )


def _changed_pages(repository: Path, head: str) -> dict[str, str]:
    """Path → newest commit that changed or deleted a page."""
    said = git.run(*_LOG, "--name-only", "-z", "--diff-filter=DMT", head, "--", "*.json", cwd=repository)
    return _newest(_commits_and_names(said))


def _shortened_lines(repository: Path, head: str) -> dict[str, str]:
    """Path → newest commit that took a line of a file away, or changed it, which git counts as one taken away."""
    said = git.run(*_LOG, "--numstat", "-z", head, "--", f"*{_LINES}", cwd=repository)
    counted = ((commit, counts.split("\t", 2)) for commit, counts in _commits_and_names(said))
    return _newest((commit, name) for commit, (_, taken, name) in counted if taken != "0")


def _commits_and_names(said: bytes) -> Iterator[tuple[str, str]]:
    """Each commit of a log with each entry that stands under it; newest first."""
    commit = ""
    for entry in said.decode(errors="replace").replace("\n", "\0").split("\0"):
        if len(entry) in (40, 64) and set(entry) <= set("0123456789abcdef"):
            commit = entry
        elif entry:
            yield commit, entry


def _newest(changes: Iterator[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for commit, path in changes:
        found.setdefault(path, commit)
    return found


def _written(repository: Path, head: str, path: str) -> set[bytes]:
    """What was written to stay: the first content of a page, or all lines that were added and took none away."""
    commits = git.run("log", "--format=%H", "--reverse", head, "--", path, cwd=repository).decode().split()
    contents = [_content(repository, commit, path) for commit in commits]
    if not path.endswith(_LINES):
        return contents[0]
    written: set[bytes] = set()
    before: set[bytes] = set()
    for content in contents:
        if before <= content:
            written |= content - before
        before = content
    return written


def _content(repository: Path, commit: str, path: str) -> set[bytes]:
    """The lines of a file, or a page as one; empty where it is not there."""
    content = git.read_file(repository, commit, path)
    if content is None:
        return set()
    return set(content.splitlines()) if path.endswith(_LINES) else {content}
