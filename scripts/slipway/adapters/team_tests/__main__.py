"""The process in which a team's functions ask the ONNX file: `python -m slipway.adapters.team_tests job.json`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest

from slipway.adapters import onnx_session, tables
from slipway.domain.decisions import decided
from slipway.domain.model import Model
from slipway.domain.rows import Batch

_LONGEST = 300  # characters of a message
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_APART = ("-p", "no:cacheprovider", "--noconftest", "-c", os.devnull, "--import-mode=importlib", "-q")


class Asking:
    """The fixtures: the model as it would be served, and the rows that stand for production."""

    def __init__(self, model: Model, onnx: Path, samples: Path) -> None:
        self._model = model
        self._onnx = onnx_session.open_model(onnx)
        self._samples = tables.read_samples(samples, model).batch

    @pytest.fixture
    def ask(self) -> Callable[[Batch], Batch]:
        """A batch in, its answers out: one array of shape [N, ...] an input and an output."""
        return self._onnx.predict

    @pytest.fixture
    def decide(self) -> Callable[[Batch], npt.NDArray[Any]]:
        """Answers in, one decision a row out."""
        return lambda answers: decided(answers, self._model.decision)

    @pytest.fixture
    def samples(self) -> dict[str, npt.NDArray[Any]]:
        """The inputs of the sample rows; a copy, so that no test changes those of another."""
        return {name: column.copy() for name, column in self._samples.items()}


class Results:
    """What came of each function; what was skipped did not pass, for nobody knows whether it would."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(Path(report.nodeid).name, passed=False, message=str(report.longrepr).strip().splitlines()[-1])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.split("::", 1)[-1]
        if report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            self._note(name, passed=True, message="")
        elif not report.passed or report.when == "call":
            self._note(name, passed=False, message=_message(report))

    def _note(self, name: str, *, passed: bool, message: str) -> None:
        if self.found.get(name, {}).get("passed", True):  # a failure stays one, also where the clean-up fails
            same = _ADDRESS.sub("0x…", message.strip())  # each run tells another, and a page would never be the same
            self.found[name] = {"name": name, "passed": passed, "message": same[:_LONGEST]}


def _message(report: pytest.TestReport) -> str:
    """What was asserted, as pytest tells it first."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if report.skipped or hasattr(report, "wasxfail"):
        return "was skipped, or was expected to fail"
    return str(crash.message if crash else report.longrepr).strip().splitlines()[0]


def main(job_file: Path) -> None:
    job = json.loads(job_file.read_text())
    asking = Asking(Model.model_validate(job["declaration"]), Path(job["onnx"]), Path(job["samples"]))
    results = Results()
    code = pytest.main(
        [*_APART, "--rootdir", str(Path(job["files"][0]).parent), *job["files"]], plugins=[asking, results]
    )
    if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
        sys.exit(1)
    Path(job["result"]).write_text(json.dumps({"tests": list(results.found.values())}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
