"""What the benchmark of drift says of a tool is what the tool found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import drift
from tests.benchmarks.drift_tools import PROFILE, SCIPY, WATCH

_READ = """
import json, sys
import pyarrow.parquet as pq
NUMBERS, WORDS = [f"n{number:02d}" for number in range(20)], []
reference, window = (pq.read_table(folder, columns=NUMBERS, partitioning=None) for folder in sys.argv[1:3])
"""


def ran(script: str, *arguments: Path | str) -> Any:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def test_ours_is_asked_what_the_watch_asks_and_agrees_with_scipy(tmp_path: Path) -> None:
    """A benchmark of something that finds nothing would be fast."""
    for name, seed, shift in (("reference", 1, 0.0), ("window", 2, 0.5)):
        drift.write(tmp_path / name, 3_000, seed=seed, shift=shift)
    reference, window = (next((tmp_path / name).iterdir()) for name in ("reference", "window"))
    ran(PROFILE, tmp_path / "profile.json", reference)

    ours = ran(WATCH, tmp_path / "profile.json", tmp_path / "window", "1")

    told = drift.against_scipy(ours, ran(_READ + SCIPY, reference, window))
    assert (told["inside"], told["of"], len(ours)) == (20, 20, 25)
    assert ours["n00"]["low"] == pytest.approx(0.197, abs=0.03)  # of a shift by half a standard deviation


def test_a_tool_that_did_not_finish_is_a_row_that_says_so() -> None:
    """Left out, it would look as if nobody had asked."""
    cell = {"cpu": 2.0, "seconds": 1.0, "bytes": 5e6, "found": {"n00": {"low": 0.1, "high": 0.2, "w": 0.1}}}
    scipy = {**cell, "cpu": 8.0, "found": {"n00": {"ks": 0.15, "w": 0.1}}}
    found = {
        "tools": {"Evidently": {"error": "uv pip install evidently:\nno such package"}},
        "sizes": {"10": {"Slipway": cell, "whylogs": {"error": "not done after 5 s"}, "scipy loop": scipy}},
        "models": {"10": cell},
        "bounds": {"cases": 1000, "outside": 0, "exact cases": 3, "largest difference of these": 0.0},
    }

    table = drift.tables(found)

    assert "| Slipway | 2.00 s | 1.0 | 1.0 s | 5 MB | 1 of 1 within intervals of at most 0.1000 |" in table
    assert "| scipy loop | 8.00 s | 4.0 | 1.0 s | 5 MB | ± 0.0e+00 |" in table
    assert "| whylogs | not done after 5 s | – | – | – | – |" in table
    assert "| Evidently | uv pip install evidently: no such package | – | – | – | – |" in table
    assert "| 10 | 2.00 s | 5 MB |" in table
