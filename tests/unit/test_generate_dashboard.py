"""The dashboard of Grafana is what its panels say. That its queries find something is shown in the template's tests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import generate_dashboard
import pytest
from dashboard_panels import ROWS

ROOT = Path(__file__).resolve().parents[2]


def test_the_dashboard_on_disk_is_current() -> None:
    """Somebody would import an old one, and look at metrics that nobody tells any more."""
    assert generate_dashboard.main(["--check", "--root", str(ROOT)]) == 0


def test_each_panel_and_each_query_is_there_once() -> None:
    """Two panels of one id, or two queries of one letter, and Grafana shows one of them."""
    panels = generate_dashboard.dashboard()["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels) == sum(len(row.panels) + 1 for row in ROWS)
    shown = [[target["expr"] for target in panel["targets"]] for panel in panels if panel["type"] != "row"]
    assert shown == [[query.promql for query in panel.queries] for row in ROWS for panel in row.panels]
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(letters)) == len(letters)


def test_no_panel_lies_on_another() -> None:
    """Each cell of the grid is taken once, and none beyond its 24 columns."""
    taken: Counter[tuple[int, int]] = Counter()
    for panel in generate_dashboard.dashboard()["panels"]:
        place = panel["gridPos"]
        columns, rows = (range(place[at], place[at] + place[size]) for at, size in (("x", "w"), ("y", "h")))
        taken.update((x, y) for x in columns for y in rows)

    assert set(taken.values()) == {1}
    assert {x for x, _ in taken} == set(range(24))


@pytest.mark.parametrize("damage", ["changed", "deleted"])
def test_a_stale_dashboard_is_named_with_its_mend(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check has to fail for each way of being stale, or CI checks nothing."""
    file = tmp_path / generate_dashboard.FILE
    file.parent.mkdir(parents=True)
    if damage == "changed":
        file.write_text(json.dumps(generate_dashboard.dashboard(), indent=2).replace("Requests a", "Request a"))

    assert generate_dashboard.main(["--check", "--root", str(tmp_path)]) == 1
    assert "mend: python scripts/generate_dashboard.py" in capsys.readouterr().err
    assert generate_dashboard.main(["--root", str(tmp_path)]) == 0
    assert generate_dashboard.main(["--check", "--root", str(tmp_path)]) == 0
