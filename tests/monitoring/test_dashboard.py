"""What the dashboard and the rules ask is there, in a Prometheus that scrapes what we ship."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.monitoring.configurations import MONITORING, expressions
from tests.monitoring.conftest import Site

pytestmark = pytest.mark.xdist_group("monitoring")

DASHBOARD = json.loads((MONITORING / "grafana" / "slipway.json").read_text(encoding="utf-8"))


def _queries() -> Iterator[tuple[str, str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield f"{panel['title']}, {target['refId']}", target["expr"], target["legendFormat"]


def as_grafana_asks(promql: str) -> str:
    """With all environments and models, and a range that holds a few scrapes."""
    for variable, value in (("$__rate_interval", "5s"), ("$environment", ".*"), ("$model", ".*")):
        promql = promql.replace(variable, value)
    assert "$" not in promql
    return promql


@pytest.mark.parametrize(
    ("promql", "legend"), [query[1:] for query in _queries()], ids=[query[0] for query in _queries()]
)
def test_each_query_of_the_dashboard_finds_numbers_and_the_names_of_its_lines(
    site: Site, promql: str, legend: str
) -> None:
    """An empty panel looks like a quiet system."""
    found = site.prometheus.ask_until_found(as_grafana_asks(promql))

    assert any(not math.isnan(float(sample["value"][1])) for sample in found)
    for sample in found:
        assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= sample["metric"].keys()


def test_a_name_that_nobody_tells_is_not_found(site: Site) -> None:
    """Else the test above would pass for any query."""
    site.prometheus.ask_until_found("slipway_requests_total")
    assert site.prometheus.ask("slipway_requests") == []


def test_each_choice_of_the_dashboard_has_values(site: Site) -> None:
    """With nothing to choose from, every panel stays empty."""
    site.prometheus.ask_until_found('slipway_deployed{model="tip"}')
    choices = [one for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    found = {}
    for choice in choices:
        asked = re.fullmatch(r"label_values\((.+), (\w+)\)", choice["query"])
        assert asked is not None
        found[choice["name"]] = set(site.prometheus.values_of(asked[2], of=asked[1]))

    assert found["environment"] >= {"production", "staging"}
    assert found["model"] >= {"flight-delay", "seats", "tip"}


def test_each_rule_asks_what_somebody_tells(site: Site) -> None:
    """An alert on a misspelt name is quiet for ever."""
    site.prometheus.ask_until_found("slipway:request_seconds:p99_rate5m")
    told = set(site.prometheus.values_of("__name__", of='{__name__=~"slipway.+|push_time_seconds|up"}'))
    asked = {
        name: set(re.findall(r"\bslipway[\w:]+|\bpush_time_seconds|\bup\b", promql))
        for name, promql in expressions().items()
    }

    assert all(asked.values())
    assert {name: names - told for name, names in asked.items() if names - told} == {}


def test_each_rule_is_evaluated_without_an_error(site: Site) -> None:
    """Two series that match one, and Prometheus drops the alert: its own page is the only one to say so."""
    site.prometheus.ask_until_found("slipway:watch_window_age_seconds")
    answer = httpx.get(f"{site.prometheus.url}/api/v1/rules").json()["data"]["groups"]
    rules = [rule for group in answer for rule in group["rules"]]

    assert {rule["name"] for rule in rules} == expressions().keys()
    assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
