"""The files that came from the template, as they are now, and what an update of them left behind.

Generation leaves a list of what it copied, in the form of `sha256sum`. Lines with a schedule are left out of the
digests: they are a team's own.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from slipway.adapters import git
from slipway.adapters.yaml_files import read_bounded
from slipway.domain.checkup.seen import SeenFiles
from slipway.domain.checkup.work_tree import LISTED
from slipway.errors import BadFile

_CRUFT = ".cruft.json"
_DIGITS = 64  # of a SHA-256; two spaces and the name follow
_MARKS = r"^(<<<<<<<|>>>>>>>) "


def look(root: Path) -> SeenFiles:
    """Compare the checkout with the list, and look for what the guide to updates looks for.

    Raises:
        BadFile: the list or .cruft.json cannot be read.
        GitRefused: `root` is no checkout of git.
    """
    return SeenFiles(
        template=_template(root / _CRUFT),
        changed=_changed(root),
        unmerged=_names(root, "diff", "--name-only", "--diff-filter=U"),
        marked=_names(root, "grep", "-I", "--name-only", "--extended-regexp", "-e", _MARKS),
        rejected=_names(root, "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.rej"),
    )


def digest(path: Path) -> str:
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not line.lstrip().startswith(b"- cron:")]
    return hashlib.sha256(b"".join(kept)).hexdigest()


def _template(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        return str(json.loads(read_bounded(path))["commit"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{path} names no commit of the template", mend="git checkout .cruft.json") from error


def _changed(root: Path) -> dict[str, str] | None:
    listed = root / LISTED
    if not listed.is_file():
        return None
    changes = {}
    for line in listed.read_text(encoding="utf-8").splitlines():
        wanted, name = line[:_DIGITS], line[_DIGITS + 2 :]
        path = root / name
        if not path.is_file():
            changes[name] = "deleted"
        elif digest(path) != wanted:
            changes[name] = "edited"
    return changes


def _names(root: Path, *command: str) -> tuple[str, ...]:
    """The names that a command of git lists; `grep` ends with 1 where it finds none."""
    subcommand, *rest = command
    answer = git.ask(subcommand, "-z", *rest, cwd=root)
    return tuple(sorted({name for name in answer.out.decode(errors="surrogateescape").split("\0") if name}))
