"""The page of figures and its plots, drawn from the raw data and from nothing else."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

OURS = "Slipway"
_RAW = Path("benchmarks") / "serve.json"
_MIDDLES = "Each figure is the median of the rounds; the raw data have every one."
_COLORS = alt.Scale(domain=[True, False], range=["#c8500a", "#0072b2"])
_ERROR_LENGTH = 600


@dataclass(frozen=True, slots=True)
class Column:
    """One figure: how it reads, where it lies in a server's cells, and whether more of it is better."""

    title: str
    path: tuple[str, ...]
    told: Callable[[float], str]
    more_is_better: bool = True


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _milliseconds(value: float) -> str:
    return f"{value:.2f} ms"


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _megabytes(value: float) -> str:
    return f"{value / 1e6:,.0f} MB"


ONE_ROW = Column("one row a second, 32 clients", ("one_row_32", "requests_a_second"), _whole)
FIRST = Column("first answer", ("first_answer_seconds",), _seconds, more_is_better=False)
IDLE = Column("memory, idle", ("idle_bytes",), _megabytes, more_is_better=False)
_SPEED = (
    Column("1 client", ("one_row_1", "requests_a_second"), _whole),
    Column("8 clients", ("one_row_8", "requests_a_second"), _whole),
    Column("32 clients", ("one_row_32", "requests_a_second"), _whole),
    Column("p50 of 32", ("one_row_32", "p50_ms"), _milliseconds),
    Column("p99 of 32", ("one_row_32", "p99_ms"), _milliseconds),
    Column("texts, 8 clients", ("texts_8", "requests_a_second"), _whole),
    Column("1,000 rows in JSON, p50", ("batch_json", "p50_ms"), _milliseconds),
    Column("1,000 rows in binary, p50", ("batch_binary", "p50_ms"), _milliseconds),
)
_COST = (
    FIRST,
    IDLE,
    Column("memory, after load", ("busy_bytes",), _megabytes, more_is_better=False),
    Column("processes", ("processes",), _whole, more_is_better=False),
)
_PLOTS = {
    "one-row.svg": (ONE_ROW, 1.0, "requests of one row a second, 32 clients"),
    "first-answer.svg": (FIRST, 1.0, "seconds from start to the first right answer"),
    "memory.svg": (IDLE, 1e6, "MB of all its processes, idle"),
}


def write(docs: Path) -> None:
    """`benchmarks.md` and the plots, of the raw data below `docs`."""
    for name, content in drawn(json.loads((docs / _RAW).read_text(encoding="utf-8"))).items():
        (docs / name).write_text(content, encoding="utf-8")


def drawn(found: Mapping[str, Any]) -> dict[str, str]:
    """Path below docs → content."""
    plots = {f"benchmarks/{name}": _bars(found, *asked) for name, asked in _PLOTS.items()}
    return {"benchmarks.md": _page(found), **plots}


def tables(found: Mapping[str, Any]) -> str:
    """What is measured, server by server, and how ours stands against the best of the others."""
    return "\n\n".join([_table(found, _SPEED), _table(found, _COST), _against_the_best(found)])


def middle(found: Mapping[str, Any], server: str, column: Column) -> float | None:
    """The median of the rounds; None where it was not measured."""
    values = [_at(one["servers"].get(server, {}), column.path) for one in found["rounds"]]
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _page(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    raw = {
        name: statistics.median(one["onnxruntime"][name] for one in found["rounds"])
        for name in ("one_row_us", "batch_us")
    }
    binary = middle(found, OURS, Column("", ("batch_binary", "p50_ms"), _milliseconds))
    held = f"{binary * 1000 / raw['batch_us']:.1f} times that" if binary is not None else "not measured"
    return f"""# Benchmarks of the model server

One ONNX file (a network of 30 → 64 → 32 → 2) in Slipway's server and in others, asked by the same client (`wrk`) on the
same machine, in turns (rounds: {len(found["rounds"])}) on {found["date"]}, {machine["processors"]} processors, \
{machine["memory_bytes"] / 1e9:.0f} GB, Python {machine["python"]}; every server with
one process where it lets one choose, and onnxruntime with one thread. The adapters are the shortest that each
documentation shows, and are not tuned: `tests/benchmarks/servers/adapters/`. {_MIDDLES}{_conditions(found)}

{_against_the_best(found)}

![One row a second](benchmarks/one-row.svg)

![First answer](benchmarks/first-answer.svg)

![Memory](benchmarks/memory.svg)

## Answers
Requests a second, but for the columns in ms.

{_table(found, _SPEED)}

onnxruntime itself, without any server, takes {raw["one_row_us"]:.0f} µs for one row
and {raw["batch_us"]:.0f} µs for 1,000 rows; in binary, a client of Slipway's server waits {held}.

## Start and memory
Memory is what all processes of a server hold; a page that several share is divided among them.

{_table(found, _COST)}

## What was installed
{_installed(found)}

## Measure again
`python -m tests.benchmarks.serve` in the repository of the template measures all anew, writes
[the raw data](benchmarks/serve.json) and prints these tables; `--draw` writes this page from the raw data.
"""


def _conditions(found: Mapping[str, Any]) -> str:
    """What whoever measured says of the machine; nothing where nothing was said."""
    return f"\n\nConditions: {found['conditions']}" if found.get("conditions") else ""


def _table(found: Mapping[str, Any], columns: Sequence[Column]) -> str:
    head = ["server", *(column.title for column in columns)]
    rows = [[name, *(_cell(found, name, column) for column in columns)] for name in found["servers"]]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _cell(found: Mapping[str, Any], server: str, column: Column) -> str:
    value = middle(found, server, column)
    return "–" if value is None else column.told(value)


def _against_the_best(found: Mapping[str, Any]) -> str:
    """Of each claim the best of the others, by name."""
    return "\n".join(line for column in (ONE_ROW, IDLE, FIRST) if (line := _ratio(found, column)))


def _ratio(found: Mapping[str, Any], column: Column) -> str:
    ours = middle(found, OURS, column)
    others = {
        name: value
        for name in found["servers"]
        if not name.startswith(OURS) and (value := middle(found, name, column)) is not None
    }
    if ours is None or not others:
        return ""
    best = max(others, key=others.__getitem__) if column.more_is_better else min(others, key=others.__getitem__)
    told = f"{column.told(ours)} against {column.told(others[best])} of {best}, the best of the others"
    return f"- {column.title}: {told}: {ours / others[best]:.2f} times."


def _installed(found: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {_versions(told)}" for name, told in found["servers"].items())


def _versions(told: Mapping[str, Any]) -> str:
    if "versions" not in told:
        return f"was not measured: `{' '.join(told['error'].split())[:_ERROR_LENGTH]}`"
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    size = f"{told['packages']} packages, {_megabytes(told['installed_bytes'])}"
    failed = f"; stopped by `{' '.join(told['error'].split())[:_ERROR_LENGTH]}`" if "error" in told else ""
    return f"{versions}; {size}{failed}"


def _at(cells: Mapping[str, Any], path: Sequence[str]) -> float | None:
    found: Any = cells
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return None if found is None else float(found)


def _bars(found: Mapping[str, Any], column: Column, unit: float, title: str) -> str:
    rows = [
        {"server": name, "value": value / unit, "ours": name.startswith(OURS), "told": column.told(value)}
        for name in found["servers"]
        if (value := middle(found, name, column)) is not None
    ]
    order = sorted((row["server"] for row in rows), key=[row["server"] for row in rows].index)
    most = max(float(row["value"]) for row in rows)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("server:N", sort=order, title=None, axis=alt.Axis(labelLimit=220)),
        x=alt.X("value:Q", title=title, scale=alt.Scale(domain=[0, most * 1.18])),
    )
    bars = base.mark_bar(height=16).encode(color=alt.Color("ours:N", scale=_COLORS, legend=None))
    told = base.mark_text(align="left", dx=4).encode(text="told:N")
    chart = (bars + told).properties(width=420, height=26 * len(rows), background="white")
    return vl_convert.vegalite_to_svg(chart.to_dict())
