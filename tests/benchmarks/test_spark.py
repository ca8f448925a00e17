"""What the benchmark of Spark says is what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import spark


def cell(seconds: float) -> dict[str, float]:
    return {"seconds": seconds, "counting": seconds - 1, "bytes": 3e8, "cpu": 2.0}


def sizes(*told: tuple[int, float, float]) -> dict[str, Any]:
    return {
        str(rows): {"one process": cell(ours), "Spark": cell(sparks), "same bytes": rows != 7}
        for rows, ours, sparks in told
    }


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (sizes((1_000_000, 3.0, 21.0), (11_000_000, 23.0, 31.0)), "sooner from 19 million rows on"),
        (sizes((1_000_000, 3.0, 21.0), (11_000_000, 23.0, 61.0)), "never sooner: it would need more than 2.0 times"),
        (sizes((1_000_000, 3.0, 21.0)), "One size says nothing"),
    ],
)
def test_where_the_two_cross_is_computed_from_both(told: dict[str, Any], says: str) -> None:
    """A number that was typed would be the number of another machine."""
    table = spark.table({"date": "2026-03-01", "machine": "2 processors", "conditions": "", "sizes": told})

    assert says in table
    assert "| 1,000,000 | 3.0 s | 2.0 s | 300 MB | 21.0 s | 20.0 s | 300 MB | yes |" in table


def test_the_page_says_what_the_raw_data_say() -> None:
    """A figure that was typed would stay when the next measurement moves."""
    folder = Path(__file__).parents[2] / "docs" / "benchmarks"

    assert (folder / "spark.md").read_text() == spark.page(json.loads((folder / "spark.json").read_text()))


def test_windows_that_differ_are_told() -> None:
    """To be sooner with another window would be no gain."""
    told = {"date": "2026-03-01", "machine": "2 processors", "conditions": "", "sizes": sizes((7, 3.0, 21.0))}

    assert spark.table(told).count("**no**") == 1


def test_what_children_use_is_counted() -> None:
    """Spark's work is done by processes that it starts, most of it in Java."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'for _ in range(30_000_000): pass'])"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    session = spark.Session(process.pid)
    while process.poll() is None:
        session.look()
        time.sleep(0.01)

    assert len(session.ticks) == 2
    assert session.seconds > 0.1
    assert session.most > 5e6
