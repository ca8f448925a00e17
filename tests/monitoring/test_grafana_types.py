"""The dashboard is what Grafana's own types say that one is; no server of Grafana is at hand to load it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.monitoring.configurations import MONITORING

TYPES = Path(__file__).with_name("grafana_types")
DASHBOARD = (MONITORING / "grafana" / "slipway.json").read_text(encoding="utf-8")
MISTAKES = {  # by the name of their file: what is changed, and into what
    "an_option_that_no_panel_has": ('"graphMode"', '"graphicsMode"'),
    "a_word_that_an_enum_lacks": ('"displayMode": "list"', '"displayMode": "lines"'),
    "a_number_that_an_enum_lacks": ('"refresh": 2', '"refresh": 7'),
    "a_field_of_another_name": ('"unit"', '"units"'),
    "a_kind_of_panel_that_is_none": ('"type": "stat"', '"type": "number"'),
    "a_place_without_its_height": ('"h": 8,', ""),
    "a_text_for_a_number": ('"schemaVersion": 39', '"schemaVersion": "39"'),
    "a_query_without_its_letter": ('"refId"', '"id"'),
}


def _as_typescript(dashboard: str) -> str:
    return f'import type {{ Slipway }} from "./json";\nexport const dashboard: Slipway = {dashboard};\n'


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """By file, how many errors TypeScript finds: of the dashboard, and of the same with each mistake."""
    folder = tmp_path_factory.mktemp("grafana") / "types"
    shutil.copytree(TYPES, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=120)
    (folder / "dashboard.ts").write_text(_as_typescript(DASHBOARD))
    for name, (before, after) in MISTAKES.items():
        assert before in DASHBOARD
        (folder / f"{name}.ts").write_text(_as_typescript(DASHBOARD.replace(before, after)))
    done = subprocess.run(
        ["node_modules/.bin/tsc", "--pretty", "false"], cwd=folder, capture_output=True, text=True, check=False
    )
    return Counter(re.findall(r"^(\w+)\.ts\(", done.stdout, re.MULTILINE))


@pytest.mark.xdist_group("grafana types")
def test_the_dashboard_is_what_grafanas_types_say(errors: Counter[str]) -> None:
    """Grafana leaves out silently what it does not know, and people see half a panel."""
    assert errors["dashboard"] == errors["json"] == 0
    assert errors.total() > 0  # the compiler ran


@pytest.mark.xdist_group("grafana types")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_would_be_found(errors: Counter[str], mistake: str) -> None:
    """Where types are loose, every dashboard passes."""
    assert errors[mistake] > 0
