"""Write monitoring/grafana/slipway.json, the dashboard of Grafana, from dashboard_panels.py.

    python scripts/generate_dashboard.py            # write
    python scripts/generate_dashboard.py --check    # exit 1 when the file does not say what the panels say

In the template, tests/monitoring hold its form against Grafana's own types, and ask each query of a real Prometheus.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from dashboard_panels import ROWS, Panel, Query, Row

FILE = Path("monitoring") / "grafana" / "slipway.json"
_SCHEMA_VERSION = 39  # of a dashboard's JSON: Grafana 11 wrote it, and newer ones read it
_COLUMNS, _WIDTH, _HEIGHT = 24, 8, 8  # of Grafana's grid, and of a panel
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> dict[str, Any]:
    """As Grafana imports it; its uid stays, so that a newer one takes its place."""
    return {
        "uid": "slipway",
        "title": "Slipway",
        "description": "What the models of this repository answer, and what the watch says of them.",
        "tags": ["slipway"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,  # one crosshair for all
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_data_source(), _choice("environment"), _choice("model")]},
        "panels": list(_placed(ROWS)),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate Grafana's dashboard from its panels")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    options = parser.parse_args(arguments)
    file, wanted = options.root / FILE, json.dumps(dashboard(), indent=2) + "\n"
    if not options.check:
        file.write_text(wanted, encoding="utf-8")
        return 0
    if file.is_file() and file.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{file} does not say what the panels say\n  mend: python scripts/generate_dashboard.py\n")
    return 1


def _data_source() -> dict[str, Any]:
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}


def _choice(label: str) -> dict[str, Any]:
    """Of all values that a label has, of servers or of what the watch looks at."""
    query = f'label_values({{__name__=~"slipway_model|slipway_deployed"}}, {label})'
    return {
        "type": "query",
        "name": label,
        "label": label.capitalize(),
        "datasource": _SOURCE,
        "query": query,
        "refresh": 2,  # whenever the time range changes
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Each row's title, and below it its panels from left to right."""
    number = y = 0
    for row in rows:
        number += 1
        place = {"h": 1, "w": _COLUMNS, "x": 0, "y": y}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        y += 1
        for index, panel in enumerate(row.panels):
            number += 1
            below, beside = divmod(index * _WIDTH, _COLUMNS)
            yield _panel(panel, number, {"h": _HEIGHT, "w": _WIDTH, "x": beside, "y": y + below * _HEIGHT})
        y += _HEIGHT * -(-len(row.panels) * _WIDTH // _COLUMNS)


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    least_and_most = {} if panel.most is None else {"min": 0, "max": panel.most}
    return {
        "id": number,
        "type": "timeseries" if panel.kind == "timeseries" else "stat",
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "gridPos": place,
        "targets": [_target(query, letter) for query, letter in zip(panel.queries, ascii_uppercase, strict=False)],
        "fieldConfig": {"defaults": {"unit": panel.unit, **least_and_most}, "overrides": []},
        "options": _OPTIONS[panel.kind],
    }


def _target(query: Query, letter: str) -> dict[str, Any]:
    return {"refId": letter, "datasource": _SOURCE, "expr": query.promql, "legendFormat": query.legend}


_STAT = {
    "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    "colorMode": "none",
    "graphMode": "none",
    "justifyMode": "auto",
    "orientation": "auto",
    "textMode": "value_and_name",
    "wideLayout": True,
    "showPercentChange": False,
    "percentChangeColorMode": "standard",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": _STAT,
    "names": _STAT | {"textMode": "name"},
}


if __name__ == "__main__":
    sys.exit(main())
