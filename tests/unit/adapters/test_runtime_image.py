"""The image that a release is appended to: the server's code, and nothing of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.runtime_image import runtime_for_process

from tests.team import ROOT


def copied(folder: Path) -> Path:
    shutil.copytree(ROOT / "serving", folder / "serving", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_same_code_gives_the_same_image_anywhere(tmp_path: Path) -> None:
    """Or every checkout would release another digest of one model."""
    one = runtime_for_process(LayoutRegistry(tmp_path / "a"), copied(tmp_path / "here"))
    two = runtime_for_process(LayoutRegistry(tmp_path / "b"), copied(tmp_path / "there"))

    assert one.reference == two.reference
    assert one.reference.startswith("sha256:")


def test_pushed_twice_it_is_there_once(tmp_path: Path) -> None:
    """Each release asks for it."""
    registry, root = LayoutRegistry(tmp_path / "images"), copied(tmp_path)

    assert runtime_for_process(registry, root) == runtime_for_process(registry, root)


def test_other_code_is_another_image_beside_the_old_one(tmp_path: Path) -> None:
    """Images of earlier releases still need theirs."""
    registry, root = LayoutRegistry(tmp_path / "images"), copied(tmp_path)
    before = runtime_for_process(registry, root).reference
    (root / "serving" / "server.py").write_text("# changed\n")

    after = runtime_for_process(registry, root).reference

    assert before != after
    assert registry.repository("runtime").manifest(before).digest == before


def test_what_python_compiled_is_no_part_of_it(tmp_path: Path) -> None:
    """A server that has run must not change the next release."""
    registry, root = LayoutRegistry(tmp_path / "images"), copied(tmp_path)
    before = runtime_for_process(registry, root)
    (root / "serving" / "__pycache__").mkdir()
    (root / "serving" / "__pycache__" / "server.cpython-311.pyc").write_bytes(b"x")

    assert runtime_for_process(registry, root) == before
