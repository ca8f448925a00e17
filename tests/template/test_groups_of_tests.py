"""Two workers share the tests; what is set up once for a group of them is set up by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_TESTS = """
import os
from pathlib import Path
import pytest

@pytest.mark.xdist_group("set up once")
@pytest.mark.parametrize("number", range(10))
def test_of_a_group(number: int) -> None:
    with Path("workers").open("a") as told:
        told.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")

@pytest.mark.parametrize("number", range(10))
def test_of_none(number: int) -> None:
    pass
"""


def test_tests_of_a_group_run_in_one_worker(tmp_path: Path) -> None:
    """An engine's images and a demo's year of flights take minutes; a pytest that no longer knew it took them twice."""
    (tmp_path / "test_two_kinds.py").write_text(_TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    workers = (tmp_path / "workers").read_text().splitlines()
    assert (len(workers), len(set(workers))) == (10, 1)
