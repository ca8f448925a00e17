"""How far a window of 20 numbers and 5 columns of words moved: what finding out costs, here and in other tools.

    python -m tests.benchmarks.drift                                  10,000, 1,000,000 and 10,000,000 rows
    python -m tests.benchmarks.drift --rows 10000 --tools scipy\\ loop   less of it
    python -m tests.benchmarks.drift --models 10 100 300              many models of 20,000 rows, one after the other

Each tool is a process in an environment of its own, given the same Parquet files; it reads reference and window.
Slipway reads the profile of the reference, made once at release (a row of its own), and the window. Beside it stands
the same reading with a sort of each column of numbers and nothing else, the least that an exact distance takes. Tools
take turns in each round. CPU seconds and peak memory are those of the process as the kernel counted them, imports
included. What is found is held against scipy. Writes docs/benchmarks/drift.json and its page
beside it; `--draw` writes that page anew from the raw data.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.stats import ks_2samp, wasserstein_distance
from slipway.maths.absence import Absent
from slipway.maths.columns import round_sorted
from slipway.maths.distances import Interval, kolmogorov_smirnov, wasserstein
from slipway.maths.profile import profile_of_numeric, sketch

from tests.benchmarks.drift_tools import PROFILE, READ_AND_SORT, TOOLS, WATCH, Tool

_ROOT = Path(__file__).resolve().parents[2]
_DAY = "date=2026-03-01"
_ROWS_A_FILE = 1_000_000
_ROWS_A_MODEL = 20_000
_OURS, _SORTING, _RELEASE = "Slipway", "read and sort", "Slipway, once a release"
_CATEGORIES = (2, 5, 20, 100, 1000)
_SHIFT = 0.1  # of the first of each kind of numbers, in standard deviations
_ROUNDED = 2e-4
_EVERY_SECONDS = 0.01
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_DIFFERENCE = 1e-9  # rounding of floats, in distances between 0 and 1
_Cells = dict[str, Any]


class DoesNotRun(Exception):
    """A tool could not be installed or did not finish: the command, and what it said."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share."""

    folder: Path
    environments: Path
    patience: float  # seconds
    memory: float  # GB


def main(arguments: Sequence[str]) -> None:
    names = [tool.name for tool in TOOLS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", type=int, default=[10_000, 1_000_000, 10_000_000])
    parser.add_argument("--models", nargs="+", type=int, default=[], help="of 20,000 rows each, Slipway alone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tools", nargs="*", choices=names, default=names)
    parser.add_argument("--patience", type=float, default=1800, help="seconds for one tool; default: 1800")
    parser.add_argument("--memory", type=float, default=16, help="GB for one tool; default: 16")
    parser.add_argument("--environments", type=Path, help="kept there for the next time; default: made anew")
    parser.add_argument("--conditions", default="", help="what else the machine did")
    parser.add_argument("--draw", action="store_true", help="measure nothing: write the page anew from the raw data")
    parser.add_argument("--into", type=Path, default=_ROOT / "docs" / "benchmarks" / "drift.json")
    options = parser.parse_args(arguments)
    if not options.draw:
        options.into.write_text(json.dumps(_measured_by(options), indent=1) + "\n")
    drawn = page(json.loads(options.into.read_text()))
    options.into.with_suffix(".md").write_text(drawn)
    click.echo(drawn)


def _measured_by(options: argparse.Namespace) -> _Cells:
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as scratch:
        folder = Path(scratch)
        bench = Bench(folder, options.environments or folder / "environments", options.patience, options.memory)
        return _measured(bench, options)


def _measured(bench: Bench, options: argparse.Namespace) -> _Cells:
    tools = [tool for tool in TOOLS if tool.name in options.tools]
    installed = {tool.name: _installed(bench, tool) for tool in tools}
    models = {str(models): _models(bench, models) for models in options.models}
    sizes = {}
    for rows in options.rows:
        sizes[str(rows)] = _size(bench, [tool for tool in tools if "error" not in installed[tool.name]], rows, options)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "conditions": options.conditions,
        "machine": f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}",
        "tools": installed,
        "sizes": sizes,
        "models": models,
        "bounds": _fuzzed(1_000),
    }


# --- one size ------------------------------------------------------------------------------------------------------


def _size(bench: Bench, tools: Sequence[Tool], rows: int, options: argparse.Namespace) -> _Cells:
    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        reference, window = Path(name) / "reference", Path(name) / "window"
        write(reference, rows, seed=1, shift=0.0)
        write(window, rows, seed=2, shift=_SHIFT)
        commands = _commands(bench, tools, Path(name) / "profile.json", reference, window)
        cells: dict[str, list[_Cells]] = {tool: [] for tool in commands}
        for number in range(options.rounds):
            for tool, command in commands.items():
                if not any("error" in cell for cell in cells[tool]):  # what broke off once does so again
                    click.echo(f"{rows:,} rows, round {number + 1} of {options.rounds}: {tool}", err=True)
                    cells[tool].append(_ran(bench, command))
    return {tool: _summed_up(several) for tool, several in cells.items()}


def _commands(
    bench: Bench, tools: Sequence[Tool], profile: Path, reference: Path, window: Path
) -> dict[str, Sequence[str]]:
    ours = [sys.executable, "-c"]
    return {
        _RELEASE: [*ours, PROFILE, str(profile), str(reference / _DAY)],
        _OURS: [*ours, WATCH, str(profile), str(window), "1"],
        _SORTING: [*ours, READ_AND_SORT, str(profile), str(window)],
        **{
            tool.name: [str(_python(bench, tool)), "-c", tool.script, str(reference / _DAY), str(window / _DAY)]
            for tool in tools
        },
    }


def _summed_up(several: Sequence[_Cells]) -> _Cells:
    """The median of the rounds, or why there is none."""
    if broken := [cell for cell in several if "error" in cell]:
        return broken[0]
    medians = {name: statistics.median(cell[name] for cell in several) for name in ("cpu", "seconds", "bytes")}
    return {
        **medians,
        "rounds": [{name: cell[name] for name in medians} for cell in several],
        "found": several[0]["found"],
    }


def _ran(bench: Bench, command: Sequence[str]) -> _Cells:
    """What one process used, as the kernel says when it ends, and what it printed."""
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as said:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=bench.folder, stdout=printed, stderr=said)
        most = 0
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            most = max(most, _peak_of(process.pid))
            if over := _over(bench, time.monotonic() - started, most):
                process.kill()
                os.wait4(process.pid, 0)
                return {"error": over}
            time.sleep(_EVERY_SECONDS)
        _, status, used = ended
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            return {"error": f"ended with {process.returncode}: {said.read()[-600:]}"}
        printed.seek(0)
        found = json.loads(printed.read().splitlines()[-1])
    return {"cpu": used.ru_utime + used.ru_stime, "seconds": seconds, "bytes": most, "found": found}


def _over(bench: Bench, seconds: float, most: int) -> str | None:
    if seconds > bench.patience:
        return f"not done after {bench.patience:.0f} s"
    return f"needs more than {bench.memory:.0f} GB" if most > bench.memory * 1e9 else None


def _peak_of(pid: int) -> int:
    """The most that a process held, in bytes; what wait4 says of that counts what this process held when it forked."""
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def _models(bench: Bench, models: int) -> _Cells:
    """So many windows of one process, one after the other."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as name:
        reference, window, profile = (Path(name) / one for one in ("reference", "window", "profile.json"))
        write(reference, _ROWS_A_MODEL, seed=1, shift=0.0)
        write(window, _ROWS_A_MODEL, seed=2, shift=_SHIFT)
        _ran(bench, [sys.executable, "-c", PROFILE, str(profile), str(reference / _DAY)])
        told = _ran(bench, [sys.executable, "-c", WATCH, str(profile), str(window), str(models)])
    return {name: cell for name, cell in told.items() if name != "found"}


# --- the rows ------------------------------------------------------------------------------------------------------


def write(folder: Path, rows: int, *, seed: int, shift: float) -> None:
    """A served log of one day: 20 numbers of five kinds, one kind with many equal values, and 5 columns of words."""
    (folder / _DAY).mkdir(parents=True)
    for number, start in enumerate(range(0, rows, _ROWS_A_FILE)):
        many = min(_ROWS_A_FILE, rows - start)
        random = np.random.default_rng((seed, number))
        own = {
            "request_id": [f"{start + row:032x}" for row in range(many)],
            "row": pa.array(np.zeros(many, np.int32)),
            "time": pa.array(np.full(many, 1_772_355_600_000_000)).cast(pa.timestamp("us", tz="UTC")),
            "version": ["v1.0.0"] * many,
        }
        table = pa.table({**own, **_numbers(random, many, shift=shift), **_words(random, many)})
        pq.write_table(table, folder / _DAY / f"{number}.parquet", compression="zstd", row_group_size=250_000)


def _numbers(random: np.random.Generator, rows: int, *, shift: float) -> dict[str, Any]:
    """Those of the first of each kind are moved before they are rounded: 0.1 + 0.2 is 0.3 to us, and not to scipy."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: random.normal(0, 1, rows),
        lambda: random.lognormal(0, 1, rows),
        lambda: random.exponential(1, rows),
        lambda: random.random(rows),
        lambda: random.gamma(2, 2, rows),
    )
    moved = {number: kinds[number % len(kinds)]() + (shift if number < len(kinds) else 0) for number in range(20)}
    atoms = len(kinds) - 1
    return {
        f"n{number:02d}": np.round(values, 1) if number % len(kinds) == atoms else values
        for number, values in moved.items()
    }


def _words(random: np.random.Generator, rows: int) -> dict[str, Any]:
    drawn = {}
    for number, categories in enumerate(_CATEGORIES):
        words = pa.array([f"c{category}" for category in range(categories)])
        drawn[f"w{number}"] = words.take(pa.array((random.random(rows) ** 2 * categories).astype(np.int32)))
    return drawn


# --- other tools ---------------------------------------------------------------------------------------------------


def _python(bench: Bench, tool: Tool) -> Path:
    return bench.environments / tool.name.replace(" ", "-").lower() / "bin" / "python"


def _installed(bench: Bench, tool: Tool) -> _Cells:
    """Its environment, unless it is there, and what is in it."""
    click.echo(f"installing {tool.name}", err=True)
    uv, python = str(_ROOT / ".tools" / "bin" / "uv"), _python(bench, tool)
    told: _Cells = {"does": tool.does, "needs": tool.needs}
    try:
        if not python.exists():
            _run([uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])])
            _run([uv, "pip", "install", "--quiet", "--python", str(python), *tool.installs])
        listed = json.loads(_run([uv, "pip", "list", "--format", "json", "--python", str(python)]))
    except DoesNotRun as reason:
        return {**told, "error": str(reason)}
    versions = {one["name"]: one["version"] for one in listed}
    name = tool.installs[0].partition("[")[0]
    return {**told, "version": f"{name} {versions[name]}", "packages": len(versions)}


def _run(command: Sequence[str]) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise DoesNotRun(f"{' '.join(command)}: {ran.stderr[-600:]}")
    return ran.stdout


# --- is it right? --------------------------------------------------------------------------------------------------


def _fuzzed(cases: int) -> _Cells:
    """Columns of all kinds: are scipy's distances of the same (rounded) values within ours, and is a point exact?

    An interval is a point where the reference has few different values, each of which has a cell of its own.
    """
    random = np.random.default_rng(11)
    told = {"cases": cases, "outside": 0, "exact cases": 0, "largest difference of these": 0.0}
    for _ in range(cases):
        reference, window = (round_sorted(np.sort(one), digits=6) for one in _case(random))
        profile = profile_of_numeric(reference)
        seen = sketch(profile, window)
        bounds, moved = kolmogorov_smirnov(profile, seen), wasserstein(profile, seen)
        assert not isinstance(bounds, Absent) and not isinstance(moved, Absent)
        with np.errstate(divide="ignore"):  # in a p-value of one row, which nobody asked for
            true = float(ks_2samp(reference, window, method="asymp").statistic)
        told["outside"] += not (_within(true, bounds) and _within(wasserstein_distance(reference, window), moved))
        if bounds.low == bounds.high:
            told["exact cases"] += 1
            told["largest difference of these"] = max(told["largest difference of these"], abs(true - bounds.low))
    return told


def _within(true: float, bounds: Interval) -> bool:
    """But for the rounding of floats."""
    rounding = _DIFFERENCE * max(1.0, abs(true))
    return bounds.low - rounding <= true <= bounds.high + rounding


def _case(random: np.random.Generator) -> tuple[Any, Any]:
    """A reference and a window of one kind, of any size, shifted and scaled by chance."""
    sizes = random.integers(1, (20, 400, 4_000)[random.integers(3)], 2)
    kinds = (
        lambda rows: random.normal(0, 1, rows),
        random.standard_cauchy,
        lambda rows: random.lognormal(0, 3, rows),
        lambda rows: random.integers(0, random.integers(1, 300), rows).astype(np.float64),
        lambda rows: np.where(random.random(rows) < 0.4, 0.0, random.gamma(2, 2, rows)),
        lambda rows: np.full(rows, random.normal()),
    )
    kind = kinds[random.integers(len(kinds))]
    reference, window = kind(sizes[0]), kind(sizes[1])
    if random.random() < 0.5:
        window = window * random.choice([1.0, 1.609, 1000.0, -1.0]) + random.choice([0.0, 0.0, 0.1, 50.0])
    return reference, window


def against_scipy(found: Mapping[str, Mapping[str, float]], scipy: Mapping[str, Mapping[str, float]]) -> _Cells:
    """How far a tool's distances are from scipy's; of Slipway, how many of these lie in its intervals.

    Distances of scipy are of values as they are, those of Slipway of values rounded to six digits, which can move two
    rows of 10,000 past each other: so far may a distance lie outside.
    """
    names = [name for name in scipy if name[0] == "n" and name in found]
    if any("low" in found[name] for name in names):
        missed = [
            max(found[name]["low"] - scipy[name]["ks"], scipy[name]["ks"] - found[name]["high"]) for name in names
        ]
        return {
            "inside": sum(one <= _ROUNDED for one in missed),
            "of": len(names),
            "widest": max(found[name]["high"] - found[name]["low"] for name in names),
            "ks": max(abs(found[name]["low"] - scipy[name]["ks"]) for name in names),
        }
    told = [abs(found[name]["ks"] - scipy[name]["ks"]) for name in names if "ks" in found[name]]
    return {"ks": max(told)} if told else {}


# --- as people read it ---------------------------------------------------------------------------------------------


_PAGE = """\
# What it costs to see how far a window moved
A window of 20 numbers and 5 columns of words, in Parquet on a disk. Each tool is a process in an environment of its
own, set as its documentation shows; a cell is the median of its rounds, CPU and peak memory are the kernel's, imports
included. The other tools read reference and window anew each time. Slipway reads the profile of the reference, which
a release made once (its first row), and the window. *Read and sort* reads the same window and sorts each number: what
an exact distance takes at least.

{date}, {machine}. {conditions}

{tables}

| tool | version | packages | what it does | what it needs |
|---|---|---|---|---|
{tools}

`python -m tests.benchmarks.drift --models 10 100 300` in the repository of the template measures all of it anew, and
writes [the raw data](drift.json) and this page.
"""


def page(found: Mapping[str, Any]) -> str:
    tools = "\n".join(
        f"| {name} | {told.get('version', '–')} | {told.get('packages', '–')} | {told['does']} | {told['needs']} |"
        for name, told in found["tools"].items()
    )
    told = {name: found[name] for name in ("date", "machine", "conditions")}
    return _PAGE.format(**told, tables=tables(found), tools=tools)


def tables(found: Mapping[str, Any]) -> str:
    """Markdown: a table a size, one of the many models, and what was held against scipy."""
    sizes = [_table(int(rows), cells, found["tools"]) for rows, cells in found["sizes"].items()]
    models = [
        f"| {models} | {cell['cpu']:.2f} s | {cell['bytes'] / 1e6:,.0f} MB |"
        for models, cell in found["models"].items()
    ]
    many = ["\n".join(["| models of 20,000 rows | CPU | memory |", "|---|---|---|", *models])] if models else []
    bounds = found["bounds"]
    fuzzed = (
        f"Of {bounds['cases']:,} random columns, a distance of scipy's was outside of Slipway's interval in "
        f"{bounds['outside']}; "
        f"where the one of KS is a point ({bounds['exact cases']}), both differ by "
        f"{bounds['largest difference of these']:.1e} at most."
    )
    return "\n\n".join([*sizes, *many, fuzzed])


def _table(rows: int, cells: Mapping[str, _Cells], tools: Mapping[str, _Cells]) -> str:
    lines = [
        f"| {rows:,} rows × 25 | CPU | CPU / Slipway | time | memory | KS against scipy |",
        "|---|---|---|---|---|---|",
    ]
    scipy = cells.get("scipy loop", {}).get("found")
    for name, cell in {**cells, **{name: told for name, told in tools.items() if "error" in told}}.items():
        lines.append(f"| {name} | {_cost(cell, cells[_OURS])} | {_agreement(cell, scipy)} |")
    return "\n".join(lines)


def _cost(cell: _Cells, ours: _Cells) -> str:
    if "error" in cell:
        return f"{' '.join(cell['error'].split())[:120]} | – | – | –"
    times = f"{cell['cpu']:.2f} s | {cell['cpu'] / ours['cpu']:.1f} | {cell['seconds']:.1f} s"
    return f"{times} | {cell['bytes'] / 1e6:,.0f} MB"


def _agreement(cell: _Cells, scipy: Mapping[str, Any] | None) -> str:
    told = against_scipy(cell.get("found") or {}, scipy) if scipy else {}
    if "inside" in told:
        return f"{told['inside']} of {told['of']} within intervals of at most {told['widest']:.4f}"
    return f"± {told['ks']:.1e}" if told else "–"


if __name__ == "__main__":
    main(sys.argv[1:])
