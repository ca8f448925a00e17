"""The commands of docs/adopt.md, section by section, as a person pastes them: they end where the page says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import onnx
import onnx.parser
import pytest

from tests.guides.blocks import Block, blocks_in, first_missing
from tests.neighbours.conftest import Tool
from tests.team import ROOT
from tests.template.bench import copy_of_the_template

_GUIDE = (ROOT / "docs" / "adopt.md").read_text(encoding="utf-8")
_SECTIONS = dict(re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", _GUIDE))
_WITH_COMMANDS = [title for title, text in _SECTIONS.items() if blocks_in(text)]
_MODEL = """
<ir_version: 9, opset_import: ["" : 17]>
runs (float[N,1] hour, float[N,1] minute, float[N,1] distance, float[N,1] dow,
      string[N,1] carrier, string[N,1] origin, string[N,1] dest) => (float[N,1] p_late)
<float[1] weight = {0.08}, float[1] bias = {-2.2}>
{
    later = Mul (hour, weight)
    score = Add (later, bias)
    p_late = Sigmoid (score)
}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the example, its origin, and beside it the file that runs today."""
    origin, folder = tmp_path / "flights.git", tmp_path / "flights"
    template = copy_of_the_template(tmp_path / "template")
    subprocess.run(["git", "clone", "--quiet", "--bare", str(template), str(origin)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(origin), str(folder)], check=True)
    for name, value in {"user.name": "Ada", "user.email": "ada@example.org"}.items():
        subprocess.run(["git", "config", name, value], cwd=folder, check=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "runs-today").mkdir()
    onnx.save_model(onnx.parser.parse_model(_MODEL), tmp_path / "runs-today" / "model.onnx")
    return folder


def _follow(blocks: list[Block], folder: Path, *, tools: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(block.commands for block in blocks)],
        cwd=folder,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("title", _WITH_COMMANDS)
def test_the_commands_of_a_section_end_where_it_says(title: str, repository: Path, gto: Tool) -> None:
    """Who adopts has never used Slipway before, and has users today: there is no room for a command that is wrong."""
    if title == "Coming from GTO":
        for version in ("v0.9.0", "v1.0.0"):
            words = ("commit", "--quiet", "--allow-empty", "--message", f"Train {version}")
            subprocess.run(["git", *words], cwd=repository, check=True)
            gto("register", "flight-delay", "HEAD", "--version", version, cwd=repository)
    blocks = blocks_in(_SECTIONS[title])

    printed = _follow(blocks, repository, tools=gto.program.parent)

    for block in blocks:
        assert (missing := first_missing(block.prints, printed)) is None, f"`{missing}` is not in:\n{printed}"


def test_there_is_a_way_from_each_tool() -> None:
    """These four are what teams come with."""
    assert {f"Coming from {tool}" for tool in ("MLflow", "GTO", "Kargo", "mlops-stacks")} <= set(_SECTIONS)
