"""The tools themselves, from the hashed files that sources are fetched with; made once a machine."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from slipway.adapters.processes import environments

from tests.team import ROOT, Team, new_team


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of an environment, asked in a folder."""

    program: Path

    def __call__(self, *words: str, cwd: Path) -> str:
        """What it prints; it must end well."""
        done = subprocess.run([self.program, *words], cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _of(group: str, name: str) -> Tool:
    python = environments.environment_for(group, requirements=ROOT / "requirements" / f"{group}.txt")
    return Tool(python.with_name(name))


@pytest.fixture(scope="session")
def gto() -> Tool:
    return _of("dvc", "gto")  # which DVC brings along


@pytest.fixture(scope="session")
def dvc() -> Tool:
    return _of("dvc", "dvc")


@pytest.fixture(scope="session")
def hub() -> Tool:
    """A Python that has huggingface_hub."""
    return _of("sources", "python")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return new_team(tmp_path)
