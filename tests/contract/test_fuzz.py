"""A fuzzer that is led by the branches it reaches, against all that reads a body."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from slipway.adapters.processes import environments

from tests.unit.serving import graphs

ROOT = Path(__file__).parents[2]
SECONDS = 12
FAULT = 77  # libFuzzer's code


@pytest.fixture(scope="module")
def fuzzing_python() -> Path:
    return environments.environment_for("fuzzing", requirements=ROOT / "requirements" / "fuzzing.txt")


def fuzz(python: Path, folder: Path, *planted: str) -> subprocess.CompletedProcess[str]:
    model, seeds = folder / "model", folder / "seeds"
    model.mkdir()
    seeds.mkdir()
    graphs.write(graphs.echo(), model)
    command = [str(python), "-m", "tests.contract.fuzz_bodies", str(model), str(seeds), str(SECONDS), *planted]
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", timeout=300, check=False
    )


@pytest.mark.xdist_group("fuzzing")
def test_whatever_a_body_says_it_is_read_or_refused(fuzzing_python: Path, tmp_path: Path) -> None:
    """Any other exception is a 500 and a traceback in the log, on somebody's request."""
    done = fuzz(fuzzing_python, tmp_path)

    assert done.returncode == 0, f"a fault; its body lies in {tmp_path}/seeds/fault-*:\n{done.stdout[-3000:]}"
    assert "DONE" in done.stderr


@pytest.mark.xdist_group("fuzzing")
@pytest.mark.parametrize(
    "deep", ["belong to no input's binary_data_size", "binary_data_size must be a number of bytes"]
)
def test_the_fuzzer_finds_a_fault_that_lies_deep(fuzzing_python: Path, tmp_path: Path, deep: str) -> None:
    """A fuzzer that never comes past the first bracket is green for ever."""
    done = fuzz(fuzzing_python, tmp_path, deep)

    assert done.returncode == FAULT, (done.stdout + done.stderr)[-3000:]
    assert "Fault: " in done.stdout and deep in done.stdout
