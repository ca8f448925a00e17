"""What does `slipway status` cost beside reading what it reads, and how large is the page of it?

    python -m tests.benchmarks.status                       10, 100 and 1,000 models, five rounds
    python -m tests.benchmarks.status --models 10 --rounds 1    less of it

Models run in three environments, each with 200 windows (tests/fleet.py). Both are whole processes, in turns: `slipway
status`, with its imports, its fetch and its table; and a shell in which git lists both branches and one `git cat-file
--batch` is given the ids of the very files that `status` had read, as a wrapper around git wrote them down before, and
whose output is taken in. Ratios are of seconds of the processors, which other work on a machine troubles least, and of
the clock; the median of the rounds is told. Writes docs/benchmarks/status.json, and the page of the same name.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from tests.fleet import Fleet
from tests.team import Team

_ROOT = Path(__file__).resolve().parents[2]
_WINDOWS, _UNTIL = 200, date(2026, 3, 31)  # the end of a month: the newest file of windows is as long as it gets
_MOST, _LARGEST = 3.0, 2_000_000  # what is promised of the ratio, and of a page in bytes
_WRAPPER = """#!/bin/sh
case " $* " in
  *" cat-file --batch "*) tee "$READ_BLOBS.$$" | "$REAL_GIT" "$@" ;;
  *) exec "$REAL_GIT" "$@" ;;
esac
"""
_Cells = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", type=int, default=[10, 100, 1_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--conditions", default="", help="what else the machine did")
    parser.add_argument("--into", type=Path, default=_ROOT / "docs" / "benchmarks" / "status.json")
    options = parser.parse_args(arguments)
    found: _Cells = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "conditions": options.conditions,
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "models": {str(models): measured(models, rounds=options.rounds) for models in options.models},
    }
    options.into.write_text(json.dumps(found, indent=1) + "\n")
    options.into.with_suffix(".md").write_text(page(found))
    click.echo(table(found))


def measured(models: int, *, rounds: int, windows: int = _WINDOWS) -> _Cells:
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as name:
        folder = Path(name)
        click.echo(f"{models:,} models: writing their branches", err=True)
        team = Fleet(models=models, windows=windows, until=_UNTIL).team(folder / "team")
        blobs = blobs_read(team, folder)
        pairs = [(_seconds(_status(), team), _seconds(_READ, team, given=blobs)) for _ in range(rounds)]
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.status_command",
            "status-page",
            "--out",
            str(folder / "page"),
        ]
        took = _seconds(command, team)
        return {
            "files": len(blobs.split()),
            "bytes": len(_out(_CAT, team, given=blobs)),
            "windows": models * 3 * windows,
            "rounds": [{"status": ours, "git": git} for ours, git in pairs],
            "page": {**took, **_sizes(folder / "page")},
        }


def blobs_read(team: Team, folder: Path) -> bytes:
    """The ids of the files that `status` reads, a line each, as git was asked for them."""
    wrapper, told = folder / "bin" / "git", folder / "blobs"
    wrapper.parent.mkdir()
    told.mkdir()
    wrapper.write_text(_WRAPPER)
    wrapper.chmod(0o755)
    real = shutil.which("git")
    assert real is not None
    path = os.pathsep.join([str(wrapper.parent), os.environ["PATH"]])
    _out(_status(), team, environment={"PATH": path, "REAL_GIT": real, "READ_BLOBS": str(told / "by")})
    by_time = sorted(told.iterdir(), key=lambda path: path.stat().st_mtime_ns)  # two gits would mix their lines in one
    return b"".join(path.read_bytes() for path in by_time)


_CAT = ["git", "cat-file", "--batch"]
_LISTED = ("origin/main", "origin/ledger")
_READ = ["sh", "-c", f"{'; '.join(f'git ls-tree -r -z {branch}' for branch in _LISTED)}; exec {' '.join(_CAT)}"]


def _status() -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.status_command", "status"]


def _seconds(command: Sequence[str], team: Team, *, given: bytes = b"") -> dict[str, float]:
    """Of the processors, by the process and all that it started, and of the clock."""
    started, used = time.monotonic(), _used()
    _out(command, team, given=given)
    return {"cpu": _used() - used, "clock": time.monotonic() - started}


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _out(
    command: Sequence[str], team: Team, *, given: bytes = b"", environment: Mapping[str, str] | None = None
) -> bytes:
    known = {"PYTHONPATH": os.pathsep.join([str(_ROOT / "scripts"), str(_ROOT)]), **(environment or {})}
    done = subprocess.run(
        command, cwd=team.root, env={**os.environ, **known}, input=given, stdout=subprocess.PIPE, check=True
    )
    return done.stdout


def _sizes(folder: Path) -> dict[str, int]:
    of_models = [path.stat().st_size for path in (folder / "models").iterdir()]
    index = (folder / "index.html").stat().st_size
    return {"index": index, "largest model": max(of_models), "whole site": index + sum(of_models)}


def ratio(cell: Mapping[str, Any], of: str = "cpu") -> float:
    """How much more `status` takes than git alone: the median of the rounds."""
    return float(statistics.median(one["status"][of] / one["git"][of] for one in cell["rounds"]))


def table(found: Mapping[str, Any]) -> str:
    head = "| models | windows | files read | MB read | CPU, × | clock, × | index.html | largest page of a model |"
    rows = [_row(int(models), cell) for models, cell in found["models"].items()]
    return "\n".join([head, "|" + "---|" * 8, *rows, "", _verdict(found)])


def _row(models: int, cell: Mapping[str, Any]) -> str:
    size = cell["page"]
    return (
        f"| {models:,} | {cell['windows']:,} | {cell['files']:,} | {cell['bytes'] / 1e6:,.1f} | {ratio(cell):.1f} "
        f"| {ratio(cell, 'clock'):.1f} "
        f"| {size['index'] / 1e6:.2f} MB | {size['largest model'] / 1e3:.0f} kB |"
    )


def _verdict(found: Mapping[str, Any]) -> str:
    models, cell = max(found["models"].items(), key=lambda told: int(told[0]))
    kept = ratio(cell) <= _MOST and cell["page"]["index"] < _LARGEST
    what = (
        f"At {int(models):,} models: {ratio(cell):.1f} times the CPU of git alone, and {cell['page']['index']:,} bytes."
    )
    return f"{what} {'Both promises are kept' if kept else '**A promise is broken**'} (3 times, 2,000,000 bytes)."


def page(found: Mapping[str, Any]) -> str:
    conditions = f". {found['conditions']}" if found["conditions"] else ""
    rounds = len(next(iter(found["models"].values()))["rounds"])
    return f"""# What `status` costs, and how large its page is
Each model runs in three environments and was watched for 200 days. Compared are a whole `slipway status`
(imports, fetch, table) and git alone: it lists both branches, and one `git cat-file --batch` is given the ids of
the very files that `status` reads; what it prints is taken in. Median of {rounds} rounds, the two in turns. Of the
windows, `status` reads the newest file of each model and environment, and the page reads all. With few models, what
remains is the start of Python.

{found["date"]}, {found["machine"]}{conditions}

{table(found)}

`python -m tests.benchmarks.status` in the repository of the template measures all of it anew, and writes
[the raw data](status.json) and this page.
"""


if __name__ == "__main__":
    main(sys.argv[1:])
