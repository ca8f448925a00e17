"""Make the pictures of docs/ anew.

python -m tests.pictures.draw [FOLDER]      docs without one; into its folders incident/ and status/
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.e2e.chromium import chromium
from tests.monitoring.configurations import write_prometheus
from tests.monitoring.programs import Program, Prometheus, free_ports
from tests.pictures import status_page
from tests.pictures.incident import Incident, happened
from tests.pictures.rendered import answers_page, issue_page, mermaid

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "incident"
PICTURES = ("issue.png", "report.png", "prometheus.png")
_PLACE = "environment, model, feature, measure"
QUERIES = (
    "slipway_watch_outcome == 1",
    "slipway_watch_drift_distance",
    "slipway_watch_drift_limit",
    f"slipway_watch_drift_distance > on ({_PLACE}) slipway_watch_drift_limit",
    'slipway_watch_metric{metric="f1"}',
    'ALERTS{alertstate="firing", alertname=~"SlipwayDrift|SlipwayMetricWorse"}',
)
_WIDTH, _HEIGHT = 960, 1_400  # pixels; the rest of a page is read where it belongs


@dataclass(frozen=True, slots=True)
class Drawn:
    """What can be told of the pictures without looking: charts of the issue, and queries that found nothing."""

    charts: int
    unanswered: tuple[str, ...]


def draw(into: Path) -> Drawn:
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        folder = Path(directory)
        incident = happened(folder / "team")
        issue = _issue(browser, incident, mermaid(folder), folder)
        issue.screenshot(path=into / "issue.png")
        _opened(browser, incident.report).screenshot(path=into / "report.png")
        answers = _answers(incident, folder)
        told = _opened(browser, _written(folder / "prometheus.html", answers_page(answers)))
        told.locator("main").screenshot(path=into / "prometheus.png")
        return Drawn(issue.locator(".mermaid svg").count(), tuple(promql for promql, found in answers if not found))


def _issue(browser: Browser, incident: Incident, script: Path, folder: Path) -> Page:
    page = _opened(browser, _written(folder / "issue.html", issue_page(incident.issue)))
    page.add_script_tag(path=script)
    page.evaluate("() => mermaid.run()")
    return page


def _opened(browser: Browser, path: Path) -> Page:
    page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
    page.goto(path.as_uri())
    return page


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def _answers(incident: Incident, folder: Path) -> Sequence[tuple[str, Sequence[dict[str, Any]]]]:
    """Of a real Prometheus with the rules of monitoring/, which reads what `export-watch` wrote by node_exporter."""
    exporter_port, prometheus_port = free_ports(2)
    (folder / "textfiles").mkdir()
    (folder / "textfiles" / "slipway.prom").write_text(incident.metrics, encoding="utf-8")
    nobody: dict[str, Any] = {"slipway-server": [], "pushgateway": []}
    watch = {"slipway-watch": [{"targets": [f"127.0.0.1:{exporter_port}"]}]}
    config = write_prometheus(folder, targets={**nobody, **watch}, alertmanager="127.0.0.1:9")
    with ExitStack() as open_ones:
        exporter = Program(
            "prometheus-node-exporter",
            f"--collector.textfile.directory={folder / 'textfiles'}",
            f"--web.listen-address=127.0.0.1:{exporter_port}",
            folder=folder,
            port=exporter_port,
            ready="/",
        )
        open_ones.callback(exporter.end)
        prometheus = Prometheus(config, port=prometheus_port)
        open_ones.callback(prometheus.end)
        exporter.wait()
        prometheus.wait()
        return [(promql, prometheus.ask_until_found(promql)) for promql in QUERIES]


if __name__ == "__main__":
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER.parent
    draw(docs / "incident")
    status_page.draw(docs / "status")
