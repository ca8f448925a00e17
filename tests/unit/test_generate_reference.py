"""The reference says what the commands and the actions say."""

from __future__ import annotations

import shutil
from pathlib import Path

import generate_reference
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_on_disk_is_current() -> None:
    """An option that the reference has and the command has not costs a reader an evening."""
    assert generate_reference.main(["--check", "--root", str(ROOT)]) == 0


def test_a_terminal_of_another_width_writes_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the check would fail on every machine but the one that wrote it."""
    wide = generate_reference.reference(ROOT)
    monkeypatch.setenv("COLUMNS", "40")
    assert generate_reference.reference(ROOT) == wide


@pytest.mark.parametrize("damage", ["changed", "deleted", "action"])
def test_a_stale_reference_is_named_with_its_mend(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check has to fail for each way of being stale, or CI checks nothing."""
    for folder in ("actions", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    file = tmp_path / generate_reference.FILE
    if damage == "changed":
        file.write_text(file.read_text().replace("slipway check", "slipway czech"))
    elif damage == "deleted":
        file.unlink()
    else:
        action = tmp_path / "actions" / "judge" / "action.yml"
        action.write_text(action.read_text().replace("  until: {", "  till: {"))

    assert generate_reference.main(["--check", "--root", str(tmp_path)]) == 1
    assert "mend: python scripts/generate_reference.py" in capsys.readouterr().err
    assert generate_reference.main(["--root", str(tmp_path)]) == 0
    assert generate_reference.main(["--check", "--root", str(tmp_path)]) == 0
