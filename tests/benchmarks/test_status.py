"""The benchmark of status says what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import status

DATA = Path(__file__).parents[2] / "docs" / "benchmarks" / "status.json"


def times(cpu: float) -> dict[str, float]:
    return {"cpu": cpu, "clock": 2 * cpu}


def cell(*rounds: tuple[float, float], index: int = 17_000) -> dict[str, Any]:
    return {
        "files": 140,
        "bytes": 400_000,
        "windows": 600,
        "rounds": [{"status": times(ours), "git": times(git)} for ours, git in rounds],
        "page": {"seconds": 1.0, "index": index, "largest model": 36_000, "whole site": 400_000},
    }


def found(**models: dict[str, Any]) -> dict[str, Any]:
    return {"date": "2026-03-01", "machine": "2 processors", "conditions": "", "models": models}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (
            cell((2.0, 1.0), (9.0, 3.0), (2.2, 1.0)),
            "2.2 times the CPU of git alone, and 17,000 bytes. Both promises are kept",
        ),
        (cell((4.0, 1.0)), "4.0 times the CPU of git alone, and 17,000 bytes. **A promise is broken**"),
        (
            cell((2.0, 1.0), index=2_000_000),
            "2.0 times the CPU of git alone, and 2,000,000 bytes. **A promise is broken**",
        ),
    ],
)
def test_the_verdict_is_computed_from_the_rounds(told: dict[str, Any], says: str) -> None:
    """A sentence that was typed would stay when the next measurement moves."""
    assert says in status.table(found(**{"1000": told, "10": cell((9.0, 1.0))}))


def test_the_page_says_what_the_raw_data_say() -> None:
    """A figure that was typed would stay when the next measurement moves."""
    told = json.loads(DATA.read_text())

    assert DATA.with_suffix(".md").read_text() == status.page(told)
    assert list(told["models"]) == ["10", "100", "1000"]
    assert told["models"]["1000"]["page"]["index"] < 2_000_000


def test_both_sides_read_the_same_files() -> None:
    """Beside fewer files, git would look faster than it is; and beside more, slower."""
    told = status.measured(2, rounds=1, windows=40)

    # Of each place: its manifest, the one before it, the newest windows and a rollout. Of each model: its image and its
    # verdicts. And the quarantine, and the heartbeats of two workflows, which are one file to git.
    assert told["files"] == 6 * 4 + 2 * 2 + 2
    assert told["bytes"] > 20_000
    assert told["page"]["index"] > 5_000
