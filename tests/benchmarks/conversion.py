"""Conversion and measuring of models of 1 MB, 100 MB and 1 GB, against doing the same by hand.

By hand is the framework's own converter, and scripts that ask source and ONNX the same 20,000 rows and call
`numpy.testing.assert_allclose`: see `by_hand`. Slipway's side is the two commands `convert-to-onnx` and
`measure-consistency`, which also ask edge rows and repeats, score labelled rows, and calibrate the watch.

    python -m tests.benchmarks.conversion [FRAMEWORK:MEGABYTES …]

Time and peak memory are of each side's processes together, both sides one after the other on one machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from slipway.adapters.processes import environments

from tests.benchmarks.by_hand import COMPARE, FRAMEWORKS, Framework
from tests.benchmarks.watching import Usage, watched
from tests.e2e import flights as team

_ROWS = 20_000
_MODEL = "large"
_TAG = f"{_MODEL}@v1.0.0"
_WIDTH = 64  # float32 values a user
_MEGABYTE = 1_000_000
_DEFAULT = (
    *("tensorflow:1", "tensorflow:100", "pytorch:1", "pytorch:100", "pytorch:1000"),
    *("onnx:1", "onnx:100", "onnx:1000"),
)
_HEAD = (
    "| model | by hand | Slipway | time | memory by hand | memory of Slipway | memory |\n|---|---|---|---|---|---|---|"
)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=_DEFAULT, metavar="FRAMEWORK:MEGABYTES", help=", ".join(_DEFAULT))
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON lines")
    options = parser.parse_args(arguments)
    if not options.json:
        click.echo(_HEAD)
    for one in options.models:
        framework, _, megabytes = one.partition(":")
        measured = _measure(FRAMEWORKS[framework], int(megabytes))
        click.echo(json.dumps(measured) if options.json else _line(measured))


def _line(one: dict[str, Any]) -> str:
    hand, ours = one["by hand"], one["slipway"]
    return (
        f"| {one['framework']}, {one['megabytes']:,} MB | {hand['seconds']:.0f} s | {ours['seconds']:.0f} s "
        f"| {ours['seconds'] / hand['seconds']:.2f}× | {hand['bytes'] / _MEGABYTE:,.0f} MB "
        f"| {ours['bytes'] / _MEGABYTE:,.0f} MB | {ours['bytes'] / hand['bytes']:.2f}× |"
    )


def _measure(framework: Framework, megabytes: int) -> dict[str, Any]:
    requirements = team.ROOT / "requirements" / f"{framework.name}.txt"
    python = environments.environment_for(framework.name, requirements=requirements)
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as name:
        folder = Path(name)
        users = max(1, megabytes * _MEGABYTE // (4 * _WIDTH))
        train = [str(python), "-c", framework.train, str(users), str(_WIDTH), str(folder / "source")]
        watched([train], cwd=folder, env=_quiet(folder))
        rows = _rows(users)
        hand = _by_hand(framework, python, rows, folder)
        ours = _with_slipway(framework, rows, folder)
    return {"framework": framework.name, "megabytes": megabytes, "by hand": hand.told(), "slipway": ours.told()}


def _rows(users: int) -> dict[str, Any]:
    random = np.random.default_rng(2)
    return {
        "user": random.integers(0, users, (_ROWS, 1)),
        "x": random.standard_normal((_ROWS, 1), dtype=np.float32),
    }


def _by_hand(framework: Framework, python: Path, rows: dict[str, Any], folder: Path) -> Usage:
    source, asked, answered, onnx = (
        str(folder / name) for name in (framework.source, "rows.npz", "answers.npz", "by-hand.onnx")
    )
    np.savez(asked, **rows)
    commands = [
        [str(python), "-c", framework.convert, source, onnx],
        [str(python), "-c", framework.ask, source, asked, answered],
        [sys.executable, "-c", COMPARE, onnx, asked, answered],
    ]
    return watched(commands, cwd=folder, env=_quiet(folder))


def _with_slipway(framework: Framework, rows: dict[str, Any], folder: Path) -> Usage:
    checkout = team.found(folder)
    _lay_down(checkout, framework, folder / "source", rows)
    slipway = [sys.executable, "-c", "from slipway.cli import main; main()", "--quiet"]
    variables = team.variables(checkout)
    watched([[*slipway, "resolve-tag", _TAG]], cwd=checkout, env=variables)
    steps = ("convert-to-onnx", "measure-consistency")
    return watched([[*slipway, step, _TAG] for step in steps], cwd=checkout, env=variables)


def _lay_down(checkout: Path, framework: Framework, source: Path, rows: dict[str, Any]) -> None:
    folder = checkout / "models" / _MODEL
    (folder / "samples").mkdir(parents=True)
    shutil.copytree(source, folder / "source")
    (folder / "README.md").write_text("# large\n")
    (folder / "model.yaml").write_text(yaml.safe_dump({**_DECLARATION, "framework": framework.name}, sort_keys=False))
    days = (np.arange(_ROWS) // 500).astype("timedelta64[D]")
    columns = {name: column[:, 0] for name, column in rows.items()}
    labels = np.random.default_rng(3).random(_ROWS) < 0.3
    table = pa.table({**columns, "time": np.datetime64("2026-01-01T12:00:00") + days, "label": labels})
    pq.write_table(table, folder / "samples" / "rows.parquet")
    team.git(checkout, "config", "core.compression", "0")  # noise does not shrink
    team.git(checkout, "config", "core.bigFileThreshold", "50m")
    team.git(checkout, "add", "--all")
    team.git(checkout, "commit", "--quiet", "--message", "Add a large model")
    team.git(checkout, "tag", "--annotate", "--message", "Begin", _TAG)
    team.git(checkout, "push", "--quiet", "origin", "main", _TAG)


_DECLARATION = {
    "name": _MODEL,
    "summary": "A table of users",
    "source": "source",
    "owners": ["@team"],
    "inputs": [
        {"name": "user", "dtype": "int64", "meaning": "Number of the user"},
        {"name": "x", "dtype": "float32", "meaning": "A number"},
    ],
    "outputs": [{"name": "p", "dtype": "float32", "meaning": "Probability"}],
    "decision": {"output": "p", "threshold": 0.5},
    "samples": {"path": "samples/rows.parquet", "time": "time", "label": "label"},
}


def _quiet(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }


if __name__ == "__main__":
    main(sys.argv[1:])
