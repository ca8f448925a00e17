"""A team's functions about its model, run in a process of their own on a real ONNX file."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from slipway.adapters import team_tests
from slipway.adapters.processes.environments import Limits
from slipway.domain.evidence import TeamTest
from slipway.domain.model import Model
from slipway.errors import BadFile

from tests.tip import TIP, samples_table

_GOOD = """
import numpy as np

def test_a_free_meal_leaves_no_tip(ask, decide, samples):
    samples["bill"][:] = 0
    assert not decide(ask(samples)).any()

def test_samples_are_as_they_were(samples):
    assert samples["bill"].any()

def helper(): ...
"""
_BAD = """
import os
import pytest

def test_a_feast_leaves_no_tip(ask, decide, samples):
    samples["bill"][:] = 100
    assert decide(ask(samples)).sum() == 0

@pytest.mark.skip(reason="not today")
def test_later(): ...

def test_there_is_no_token():
    assert not [name for name in os.environ if "TOKEN" in name or "SECRET" in name]
"""


def run(folder: Path, *, limits: Limits | None = None, **files: str) -> tuple[TeamTest, ...]:
    """What comes of the files, each given by its name without the ending."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "model.onnx").write_bytes(TIP.onnx())
    pq.write_table(samples_table(days=2), folder / "samples.parquet")
    return team_tests.run(
        team_tests.files_of(folder),
        model=Model.model_validate(yaml.safe_load(TIP.declaration())),
        onnx=folder / "model.onnx",
        samples=folder / "samples.parquet",
        folder=folder / "process",
        limits=limits,
    )


def test_each_function_is_told_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it says when it fails; one that is skipped did not pass, and no variable of ours is there."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    found = {one.name: one for one in run(tmp_path, behaviour=_GOOD, behaviour_of_feasts=_BAD)}

    assert {name: one.passed for name, one in found.items()} == {
        "test_a_free_meal_leaves_no_tip": True,
        "test_samples_are_as_they_were": True,
        "test_a_feast_leaves_no_tip": False,
        "test_later": False,
        "test_there_is_no_token": True,
    }
    assert found["test_a_feast_leaves_no_tip"].message == "AssertionError: assert np.int64(120) == 0"
    assert found["test_later"].message == "was skipped, or was expected to fail"


def test_a_file_that_cannot_be_read_fails_by_its_own_name(tmp_path: Path) -> None:
    """Its functions are not known, and none of them passed."""
    (found,) = run(tmp_path, behaviour="def test_(:\n")

    assert (found.name, found.passed) == ("behaviour.py", False)
    assert "SyntaxError" in found.message


def test_a_file_without_a_function_gives_no_result(tmp_path: Path) -> None:
    """The gate asks for one then."""
    assert run(tmp_path, behaviour="def helper(): ...\n") == ()


@pytest.mark.parametrize("ending", ["import os\nos._exit(3)", "import time\ntime.sleep(60)"])
def test_a_process_that_ends_early_or_never_is_an_error_and_no_failure(tmp_path: Path, ending: str) -> None:
    """Nobody knows how the model behaves: that is no verdict."""
    with pytest.raises(BadFile, match=r"tests/models/tip: the functions in behaviour\*\.py came to no end"):
        run(tmp_path, behaviour=ending, limits=Limits(seconds=8))


def test_what_the_functions_say_is_part_of_what_was_read(tmp_path: Path) -> None:
    """An edited function asks another question."""
    assert team_tests.digest_of(team_tests.files_of(tmp_path)) == "none"
    (tmp_path / "behaviour.py").write_text(_GOOD)
    before = team_tests.digest_of(team_tests.files_of(tmp_path))
    (tmp_path / "behaviour.py").write_text(_BAD)
    (tmp_path / "test_training.py").write_text("")

    assert team_tests.digest_of(team_tests.files_of(tmp_path)) != before
    assert [file.name for file in team_tests.files_of(tmp_path)] == ["behaviour.py"]
