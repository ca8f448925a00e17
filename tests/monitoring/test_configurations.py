"""The files of monitoring/, by the tools of those who read them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.monitoring import watched
from tests.monitoring.configurations import MONITORING, ROOT, alerts, read

TESTS = MINUTES, DAYS = "rules.test.yml", "days.test.yml"


def run(*command: str, folder: Path = MONITORING, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=folder, input=stdin, capture_output=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "config", "prometheus.yml"),
        ("promtool", "check", "rules", "--lint-fatal", "rules.yml"),
        ("amtool", "check-config", "alertmanager.yml"),
        ("promtool", "test", "rules", *TESTS),
    ],
    ids=" ".join,
)
def test_its_own_tool_takes_each_file(command: tuple[str, ...]) -> None:
    """Prometheus does not start with a rule that it cannot read, and then nobody is told anything."""
    done = run(*command)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize(
    ("test", "before", "after"),
    [
        (MINUTES, "ratio_rate5m > 0.01", "ratio_rate5m > 0.02"),
        (MINUTES, " and slipway:requests:rate5m > 0.1", ""),
        (MINUTES, "for: 10m", "for: 1m"),
        (MINUTES, '{cause!="too_few"}', ""),
        (MINUTES, "unless slipway_log_rows_dropped_total offset 15m", "unless slipway_log_rows_dropped_total"),
        (MINUTES, ', verdict="fail"', ""),
        (MINUTES, "(slipway:requests_failed:rate5m or slipway:requests:rate5m * 0)", "slipway:requests_failed:rate5m"),
        (DAYS, "> 3 * 86400", "> 2 * 86400"),
        (DAYS, " unless on (job, instance) push_time_seconds", ""),
        (DAYS, 'push_time_seconds{job="slipway-watch"}', "push_time_seconds"),
        (DAYS, ">= 4 * 86400", ">= 3 * 86400"),
    ],
)
def test_a_rule_that_asks_something_else_fails_its_tests(tmp_path: Path, test: str, before: str, after: str) -> None:
    """promtool takes a test that expects nothing, too."""
    shutil.copy(MONITORING / test, tmp_path)
    rules = (MONITORING / "rules.yml").read_text(encoding="utf-8")
    assert before in rules
    (tmp_path / "rules.yml").write_text(rules.replace(before, after))

    done = run("promtool", "test", "rules", test, folder=tmp_path)
    assert done.returncode == 1 and b"FAILED" in done.stdout + done.stderr


def test_each_alert_is_tested_where_it_rings_and_where_it_is_quiet() -> None:
    """A new alert without a test is trusted until the night on which it should have rung."""
    asked = [one for name in TESTS for case in read(name)["tests"] for one in case["alert_rule_test"]]
    names = {alert["alert"] for alert in alerts()}

    assert {one["alertname"] for one in asked if one.get("exp_alerts")} == names
    assert {one["alertname"] for one in asked if not one.get("exp_alerts")} == names


def test_each_alert_has_its_row_in_the_guide() -> None:
    """Who was woken looks there for what it means."""
    guide = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rows = {
        name
        for line in guide.splitlines()
        if line.startswith("| `Slipway")
        for name in re.findall(r"`(Slipway\w+)`", line)
    }
    assert rows == {alert["alert"] for alert in alerts()}


def test_each_alert_says_what_it_is_and_what_to_do() -> None:
    """Who is woken by a bare name looks for its meaning first."""
    for alert in alerts():
        assert alert["annotations"].keys() == {"summary", "description"}
        assert alert["labels"]["severity"] in {"page", "ticket"}


def test_names_and_meanings_of_the_export_are_as_prometheus_wants_them() -> None:
    """Its own linter knows the conventions by which people guess a name."""
    done = run("promtool", "check", "metrics", stdin=watched.text_of(watched.DRIFTED, *watched.FINDINGS))
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_the_compose_file_names_a_release_of_each_image_and_files_that_are_there() -> None:
    """For people to look at it; `make lint` checks its form, and no test starts it."""
    for service in read("compose.yml")["services"].values():
        assert service["image"].rpartition(":")[2].lstrip("v").replace(".", "").isdecimal()
        mounted = [MONITORING / volume.split(":")[0] for volume in service.get("volumes", [])]
        assert [path.name for path in mounted if not path.is_file()] == []


def test_what_ci_installs_is_what_these_tests_start() -> None:
    """A test that fails for want of a program says nothing about the rules."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for program in ("prometheus", "prometheus-alertmanager", "prometheus-pushgateway", "prometheus-node-exporter"):
        assert program in script


def test_grafana_reads_the_dashboard_from_where_it_is_mounted() -> None:
    """A dashboard beside the folder that Grafana looks into is not shown, and not missed."""
    (provider,) = yaml.safe_load((MONITORING / "grafana" / "dashboards.yml").read_text())["providers"]
    volumes = read("compose.yml")["services"]["grafana"]["volumes"]
    assert f"./grafana/slipway.json:{provider['options']['path']}/slipway.json:ro" in volumes
