"""From how many rows on does Spark count a window sooner than one process? Both on the processors of this machine.

    python -m tests.benchmarks.spark                          1,000,000, 10,000,000 and 30,000,000 rows, three rounds
    python -m tests.benchmarks.spark --rows 100000 --rounds 1    less of it

The rows are those of tests/benchmarks/drift.py: 20 numbers and 5 columns of words. A cell is a process that starts,
reads the profile, counts the window as the watch does and ends; Spark starts anew each time, as `local[N]` by its own
settings, from the environment of tests/spark. Seconds are those of the clock; processor seconds and memory are those of
all processes that the cell started, Java among them, looked at every 50 ms. Both must come to the same bytes. Writes
docs/benchmarks/spark.json, and the page of the same name.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tests.benchmarks import drift
from tests.benchmarks.drift_tools import COUNT, PROFILE
from tests.spark.environment import settings_for, spark_python

_ROOT = Path(__file__).resolve().parents[2]
_PROCESS, _SPARK = "one process", "Spark"
_EVERY_SECONDS = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SESSION, _USER, _SYSTEM, _RESIDENT = 5, 13, 14, 23
_Cells = dict[str, Any]


@dataclass(slots=True)
class Session:
    """What all processes of one session used."""

    leader: int
    ticks: dict[int, int] = field(default_factory=dict)  # of each process, also of those that ended
    most: int = 0  # bytes, of all at one time

    def look(self) -> None:
        held = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                told = stat.read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            fields = [told.partition(" ")[0], "", *told.rpartition(")")[2].split()]
            if int(fields[_SESSION]) == self.leader:
                self.ticks[int(fields[0])] = int(fields[_USER]) + int(fields[_SYSTEM])
                held += int(fields[_RESIDENT]) * _PAGE
        self.most = max(self.most, held)

    @property
    def seconds(self) -> float:
        return sum(self.ticks.values()) / _TICKS


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", type=int, default=[1_000_000, 10_000_000, 30_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--conditions", default="", help="what else the machine did")
    parser.add_argument("--into", type=Path, default=_ROOT / "docs" / "benchmarks" / "spark.json")
    options = parser.parse_args(arguments)
    found: _Cells = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "conditions": options.conditions,
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "sizes": {str(rows): _size(rows, rounds=options.rounds) for rows in options.rows},
    }
    options.into.write_text(json.dumps(found, indent=1) + "\n")
    options.into.with_suffix(".md").write_text(page(found))
    click.echo(table(found))


def _size(rows: int, *, rounds: int) -> _Cells:
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as name:
        folder = Path(name)
        drift.write(folder / "reference", min(rows, 1_000_000), seed=1, shift=0.0)
        drift.write(folder / "window", rows, seed=2, shift=0.1)
        profile = folder / "profile.json"
        reference = next((folder / "reference").iterdir())
        subprocess.run(
            [sys.executable, "-c", PROFILE, str(profile), str(reference)], check=True, stdout=subprocess.PIPE
        )
        settings = settings_for(folder / "settings", processors=os.cpu_count() or 1, memory="2g")
        cells: dict[str, list[_Cells]] = {_PROCESS: [], _SPARK: []}
        for number in range(rounds):
            for on, python in ((_PROCESS, sys.executable), (_SPARK, str(spark_python()))):
                click.echo(f"{rows:,} rows, round {number + 1} of {rounds}: {on}", err=True)
                asked = "spark" if on == _SPARK else "process"
                command = [python, "-c", COUNT, str(profile), str(folder / "window"), asked]
                cells[on].append(_ran(command, settings))
    digests = {cell.pop("sha256") for several in cells.values() for cell in several}
    return {on: _medians(several) for on, several in cells.items()} | {"same bytes": len(digests) == 1}


def _medians(several: Sequence[_Cells]) -> _Cells:
    return {**{name: statistics.median(cell[name] for cell in several) for name in several[0]}, "rounds": list(several)}


def _ran(command: Sequence[str], settings: Path) -> _Cells:
    """One process and all that it starts. `counting` is without its start, and for Spark without Spark's."""
    known = {"SPARK_CONF_DIR": str(settings), "PYTHONPATH": os.pathsep.join([str(_ROOT / "scripts"), str(_ROOT)])}
    with tempfile.TemporaryFile("w+") as printed:
        started = time.monotonic()
        process = subprocess.Popen(command, env={**os.environ, **known}, stdout=printed, start_new_session=True)
        session = Session(process.pid)
        while process.poll() is None:
            session.look()
            time.sleep(_EVERY_SECONDS)
        seconds = time.monotonic() - started
        if process.returncode:
            raise SystemExit(f"{command[0]} ended with {process.returncode}")
        printed.seek(0)
        told = json.loads(printed.read().splitlines()[-1])
    return {"seconds": seconds, "cpu": session.seconds, "bytes": session.most, **told}


def page(found: Mapping[str, Any]) -> str:
    return f"""# One process, or Spark?
The same window (20 numbers and 5 columns of words, Parquet on a disk) counted by one process, which uses all processors
of the machine, and by Spark as `local[N]` on the same ones. A cell is the median of its rounds, from start to end;
memory is that of all its processes together, Java among them. No cluster was measured: there, divide what Spark takes
to count by the processors that it has more, and leave its start as it is.

{table(found)}

`python -m tests.benchmarks.spark` in the repository of the template measures all of it anew, and writes
[the raw data](spark.json) and this page.
"""


def table(found: Mapping[str, Any]) -> str:
    """A row a size, and from what on Spark would be sooner."""
    lines = [
        f"{found['date']}, {found['machine']}. {found['conditions']}".rstrip(),
        "",
        "| rows | one process | of it counting | memory | Spark | of it counting | memory | same bytes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for rows, cells in found["sizes"].items():
        told = " | ".join(_told(cells[on]) for on in (_PROCESS, _SPARK))
        lines.append(f"| {int(rows):,} | {told} | {'yes' if cells['same bytes'] else '**no**'} |")
    return "\n".join([*lines, "", _crossover(found["sizes"])])


def _told(cell: Mapping[str, float]) -> str:
    return f"{cell['seconds']:.1f} s | {cell['counting']:.1f} s | {cell['bytes'] / 1e6:,.0f} MB"


def _crossover(sizes: Mapping[str, Any]) -> str:
    """By the smallest and the largest size: what each takes before it counts, and what a million rows cost it more."""
    few, many = (pick(map(int, sizes)) for pick in (min, max))
    if few == many:
        return "One size says nothing of where the two cross."
    costs = {on: (_seconds(sizes, on, many) - _seconds(sizes, on, few)) / (many - few) for on in (_PROCESS, _SPARK)}
    starts = {on: _seconds(sizes, on, few) - costs[on] * few for on in costs}
    told = "; ".join(f"{on}: {starts[on]:.1f} s, and {costs[on] * 1e6:.2f} s a million rows" for on in costs)
    if costs[_SPARK] < costs[_PROCESS]:
        rows = (starts[_SPARK] - starts[_PROCESS]) / (costs[_PROCESS] - costs[_SPARK])
        return f"{told}. On the same processors Spark is sooner from {rows / 1e6:,.0f} million rows on."
    times = costs[_SPARK] / costs[_PROCESS]
    return f"{told}. On the same processors Spark is never sooner: it would need more than {times:.1f} times as many."


def _seconds(sizes: Mapping[str, Any], on: str, rows: int) -> float:
    return float(sizes[str(rows)][on]["seconds"])


if __name__ == "__main__":
    main(sys.argv[1:])
