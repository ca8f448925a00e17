"""What a world tells: all that people and later runs read, without clocks, hosts and process ids."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from slipway.adapters.forge.local import LocalForge
from slipway.adapters.rollout.process import ProcessRollout

from tests.e2e.kills.kubectl_of_a_file import deployments_of

_SAID = ("kind", "subject", "number", "key", "body")  # of a page; the rest are its circumstances
_TIMED = re.compile(r"^\*\*Running it:\*\*.*?(?= \*\*False drift alarms:)|^\| Cost on .*$", re.MULTILINE)
_RECORDS = ("releases", "windows", "checks", "incidents")


def told(world: Path) -> dict[str, Any]:
    state = world / "flights" / ".slipway"
    return {
        "pages": {str(path.relative_to(state)): _said(path.read_bytes(), world) for path in _pages(state)},
        "blobs": sorted(str(path.relative_to(state)) for path in _blobs(state)),
        "forge": {str(path.relative_to(world)): _untimed(path) for path in _shown(world / "flights.forge")},
        "branches": _branches(world / "flights.git"),
        "ledger": _ledger(world),
        "clone": _branches(world / "flights"),
        "tree": _git(world / "flights", "status", "--porcelain", "--untracked-files=all"),
        "registry": {str(path.relative_to(state)): _registry_file(path) for path in _registry(state)},
        "pulled": {str(path.relative_to(state)): _sha256(path) for path in _files(state / "layers", hidden=False)},
        "live": _live(state),
        "cluster": deployments_of(world),
    }


def differences(expected: Any, now: Any, *, where: str = "") -> list[str]:
    """Which parts of two tellings differ, each with both sides."""
    if isinstance(expected, dict) and isinstance(now, dict):
        names = sorted({*expected, *now})
        parts = [differences(expected.get(name), now.get(name), where=f"{where}/{name}") for name in names]
        return [difference for part in parts for difference in part]
    return [] if expected == now else [f"{where}: expected {expected!r}, now {now!r}"]


def broken(world: Path) -> list[str]:
    """Every file that is not whole, and every lock that the next run would stumble over."""
    state = world / "flights" / ".slipway"
    found = [f"{path} is no JSON" for path in _files(state, hidden=False) if _is_broken_json(path)]
    found += [f"{path} has other bytes" for path in (*_blobs(state), *_registry_blobs(state)) if not _is_named(path)]
    for repository in (world / "flights.git", world / "flights" / ".git"):
        checked = subprocess.run(
            ["git", "fsck", "--strict"], cwd=repository, capture_output=True, text=True, check=False
        )
        if checked.returncode:
            found.append(f"git fsck in {repository}: {checked.stdout}{checked.stderr}")
        found += [f"{path} is locked" for path in repository.rglob("*.lock")]
    found += [f"{path} was left" for path in (world / "flights.forge").glob("*/.*")]
    forge = LocalForge(world / "flights.git")
    forge.open_pulls()  # each file of it is read
    forge.open_issues()
    return found


def fingerprint(world: Path) -> dict[str, tuple[int, int, int]]:
    """Whether anything at all was written since: each path with its inode, size and time of change."""
    found = {}
    for folder, folders, files in os.walk(world):
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):  # of a process that is ending just now
                about = Path(folder, name).lstat()
                found[str(Path(folder, name))] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return found


def processes(world: Path) -> dict[int, str]:
    """All processes that name this world on their command line or work in it, by their pid."""
    return {
        pid: words for pid, words, folder in _running() if f"{world}/" in words or f"{folder}/".startswith(f"{world}/")
    }


def servers(world: Path) -> list[int]:
    """The pids of all model servers of this world, whoever knows of them."""
    return [pid for pid, words in processes(world).items() if " serving " in words]


def _running() -> Iterator[tuple[int, str, str]]:
    """Pid, command line and working folder of each process of this machine that we may look at."""
    lines = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], check=True, capture_output=True, text=True).stdout
    for line in lines.splitlines():
        pid, _, words = line.strip().partition(" ")
        try:
            folder = str(Path(f"/proc/{pid}/cwd").readlink())
        except OSError:  # it ended meanwhile, belongs to somebody else, or the system has no /proc
            folder = ""
        yield int(pid), words, folder


def _pages(state: Path) -> Iterator[Path]:
    for kind in _RECORDS:
        for path in sorted((state / kind).rglob("*.*.json")):
            if not {"tagged", "scratch", "blobs"} & set(path.relative_to(state).parts):
                yield path


def _said(content: bytes, world: Path) -> dict[str, Any]:
    """What a page says, wherever its world lies: a forge that is a folder names its pages by their paths."""
    page = json.loads(content.replace(f"{world}/".encode(), b""))
    if page["kind"] == "baseline":
        del page["body"]["when"]  # a person was asked, and the clock with them
    return {name: page[name] for name in _SAID}


def _blobs(state: Path) -> list[Path]:
    return [path for kind in _RECORDS for path in (state / kind).rglob("blobs/*") if not path.name.startswith(".")]


def _shown(folder: Path) -> list[Path]:
    return [path for path in _files(folder, hidden=True) if path.name != ".lock"]


def _untimed(path: Path) -> str:
    """A text of the forge without what a clock said: how long the model took, beside the one that runs."""
    return _TIMED.sub("", path.read_text())


def _branches(repository: Path) -> str:
    lines = _git(repository, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return "\n".join(line for line in lines if "heads/ledger " not in line and "origin/ledger " not in line)


def _ledger(world: Path) -> dict[str, Any]:
    repository = world / "flights.git"
    if not _git(repository, "for-each-ref", "refs/heads/ledger"):
        return {}
    packed = subprocess.run(["git", "archive", "ledger"], cwd=repository, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        contents = {file.name: files.extractfile(file) for file in files if file.isfile()}
        texts = {name: content.read().decode() for name, content in contents.items() if content is not None}
    return {
        "commits": _git(repository, "log", "--format=%s", "ledger"),
        **{path: _said(text.encode(), world) if path.endswith(".json") else text for path, text in texts.items()},
    }


def _registry(state: Path) -> list[Path]:
    return [path for path in _files(state / "registry", hidden=True) if path.name != ".lock"]


def _registry_blobs(state: Path) -> list[Path]:
    return list((state / "registry").glob("*/blobs/sha256/*"))


def _registry_file(path: Path) -> str:
    return path.read_text() if path.name == "index.json" else "blob"


def _live(state: Path) -> dict[str, Any]:
    live = ProcessRollout(state=state / "rollout").live("late", "production")
    running = servers(state.parent.parent)
    return {"version": live.version if live else None, "servers": len(running)}


def _files(folder: Path, *, hidden: bool) -> list[Path]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if hidden or not path.name.startswith(".")]


def _is_broken_json(path: Path) -> bool:
    if path.suffix != ".json" or "scratch" in path.parts:
        return False
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return True
    return False


def _is_named(path: Path) -> bool:
    return _sha256(path) == path.name


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git(repository: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True, text=True).stdout
