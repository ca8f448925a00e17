"""The page of the policies says what the classes read."""

from __future__ import annotations

import re
from pathlib import Path

import generate_policies
import pytest
from slipway.domain.policy import Policies

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_on_disk_is_current() -> None:
    """A limit that the page has and the policy has not costs a team lead an evening."""
    assert generate_policies.main(["--check", "--root", str(ROOT)]) == 0


def test_each_file_has_its_section_and_each_key_its_meaning() -> None:
    """A key without a word about it is set by guessing."""
    page = generate_policies.policies_page()
    rows = re.findall(r"^\| `\w+` \| (.+) \| (.+) \| (.*) \|$", page, re.MULTILINE)

    assert re.findall(r"^## (.+)\.yaml$", page, re.MULTILINE) == [
        name.replace("_", "-") for name in Policies.model_fields
    ]
    assert len(rows) > 80
    assert [row for row in rows if not all(cell.strip() for cell in row)] == []


@pytest.mark.parametrize("damage", ["changed", "deleted"])
def test_a_stale_page_is_named_with_its_mend(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check has to fail for each way of being stale, or CI checks nothing."""
    (tmp_path / "docs").mkdir()
    file = tmp_path / generate_policies.FILE
    if damage == "changed":
        file.write_text(generate_policies.policies_page().replace("`rows`", "`lines`"))

    assert generate_policies.main(["--check", "--root", str(tmp_path)]) == 1
    assert "mend: python scripts/generate_policies.py" in capsys.readouterr().err
    assert generate_policies.main(["--root", str(tmp_path)]) == 0
    assert generate_policies.main(["--check", "--root", str(tmp_path)]) == 0
