"""From a real server and a watch's word to a team's pager, through Prometheus and Alertmanager as they ship."""

from __future__ import annotations

import httpx
import pytest
from slipway.adapters import pushgateway
from slipway.domain.incident import Outcome

from tests.monitoring import watched
from tests.monitoring.conftest import PUSHED_BY, Site

pytestmark = pytest.mark.xdist_group("monitoring")


def test_drift_that_the_watch_found_reaches_the_pager(site: Site) -> None:
    """From a file that node_exporter reads; the alert names model and environment, so that somebody finds its issue."""
    alert = site.pager.wait_for("SlipwayDrift", model=watched.DRIFTED)

    assert alert["labels"].keys() == {"alertname", "environment", "model", "severity"}
    assert "flight-delay in production" in alert["annotations"]["summary"]
    site.pager.wait_for("SlipwayMetricWorse", model=watched.DRIFTED, environment="production")


def test_a_server_that_fails_on_its_requests_reaches_the_pager(site: Site) -> None:
    """Half of them end with 503; the other server, whose clients err as often, is told by no alert."""
    site.pager.wait_for("SlipwayErrorRate", environment="staging", model="seats", version="v1.4.0", severity="page")

    told = [one for one in site.pager.delivered if one["labels"]["alertname"] == "SlipwayErrorRate"]
    assert {one["labels"]["model"] for one in told} == {"seats"}


def test_a_log_that_loses_rows_reaches_the_pager(site: Site) -> None:
    """Nothing else would say that the watch sees less than was served."""
    site.pager.wait_for("SlipwayServedLogLosesRows", environment="staging", cause="slow")


def test_a_push_that_nobody_repeats_reaches_the_pager(site: Site) -> None:
    """A gateway shows for ever what it was told last, and all other alerts would stay quiet with it."""
    site.pager.wait_for("SlipwayPushStale", instance=PUSHED_BY)  # the repository, and not the gateway's own address


def test_an_alert_ends_when_the_watch_says_so(site: Site) -> None:
    """A push takes the place of what was told before: what is not told any more must not ring for ever."""
    drifted, quiet = watched.text_of("tables", watched.FINDINGS[0], outcome=Outcome.WATCH), watched.text_of("tables")
    pushgateway.push(drifted, to=site.gateway.url, instance="tables")
    site.pager.wait_for("SlipwayDrift", model="tables")
    pushgateway.push(quiet, to=site.gateway.url, instance="tables")

    site.pager.wait_for("SlipwayDrift", model="tables", status="resolved")


def test_what_is_to_be_done_is_told_alone(site: Site) -> None:
    """Three alerts of one model at once, of which one has the answer, and people read another one first."""
    better = watched.text_of("chairs", *watched.FINDINGS, outcome=Outcome.REVERT)
    pushgateway.push(better, to=site.gateway.url, instance="chairs")
    site.pager.wait_for("SlipwayPreviousVersionIsBetter", model="chairs", severity="page")

    asked = {"filter": 'model="chairs"', "active": "false"}
    kept_back = httpx.get(f"{site.manager.url}/api/v2/alerts", params=asked).json()
    assert {one["labels"]["alertname"] for one in kept_back} == {"SlipwayDrift", "SlipwayMetricWorse"}
    told = {one["labels"]["alertname"] for one in site.pager.delivered if one["labels"].get("model") == "chairs"}
    assert told - {"SlipwayCanaryWaits"} == {"SlipwayPreviousVersionIsBetter"}  # its week is seconds here


def test_a_server_that_is_gone_reaches_the_pager(site: Site) -> None:
    """It cannot say so itself."""
    site.prometheus.ask_until_found('slipway_model{environment="old"}')
    site.leaving.discard()

    site.pager.wait_for("SlipwayServerDown", environment="old", severity="page")
