"""The flow that `slipway flow prefect` lays down, run by Prefect itself, and what starts it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.orchestrators import processes, told
from tests.orchestrators import world as team
from tests.orchestrators.prefect_for_tests import Prefect
from tests.orchestrators.world import MODEL

pytestmark = pytest.mark.xdist_group("orchestrators")
_FLOW, _RECEIVER = "flows/prefect/flight_late.py", "prefect_flight_late"
_SECONDS = 180.0


def lay_down(checkout: Path, *, data: str) -> None:
    team.slipway(checkout, "flow", "prefect", MODEL, "--receiver")
    team.learn_from(checkout, _FLOW, data)


def test_an_incident_that_says_retrain_ends_in_a_pull_request_and_starts_one_run(
    prefect: Prefect, checkout: Path
) -> None:
    """The whole way: a signed message, a run, five tasks, a tag, a release; and the same message again starts none."""
    lay_down(checkout, data="april.npz")
    with prefect.server(checkout) as url, prefect.serving(checkout, url) as log:
        variables = prefect.variables(PREFECT_API_URL=url, SLIPWAY_WEBHOOK_SECRET=told.SECRET)
        with processes.receiver(
            prefect.python, _RECEIVER, checkout=checkout, variables=variables, log=checkout.parent / "receiver.log"
        ) as address:
            first = told.post(address, told.message(), event="msg_1")
            again = told.post(address, told.message(), event="msg_1")
            next_day = told.post(address, told.message(action="updated"), event="msg_2")
        [run] = _ended(prefect, url, log)

    assert (first, again, next_day) == (202, 200, 200)
    assert run["state_type"] == "COMPLETED", log.read_text()[-5000:]
    assert run["name"].startswith("retrain-production-2026-04-14-metric-")
    assert set(run["tags"]) >= {"slipway", "production", "2026-04-14-metric"}
    assert team.tags(checkout) == {f"{MODEL}@v1.0.0", f"{MODEL}@v1.1.0"}
    released = team.slipway(checkout, "release", f"{MODEL}@v1.1.0")
    assert f"pull request #2: {MODEL}: v1.0.0 → v1.1.0 (minor), production" in released


def _ended(prefect: Prefect, url: str, log: Path) -> list[dict[str, Any]]:
    """All runs, once none is under way."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        runs = prefect.runs(url)
        if runs and all(run["state_type"] in ("COMPLETED", "FAILED", "CRASHED") for run in runs):
            return runs
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-5000:])


def test_a_gate_that_fails_fails_the_run_and_leaves_no_tag_and_no_commit(prefect: Prefect, checkout: Path) -> None:
    """It is tried once: a gate says the same however often it is asked."""
    lay_down(checkout, data="mislabelled.npz")
    before = team.git(checkout, "ls-remote", "origin")

    ended = prefect.run_flow(checkout)

    assert ended["state"] == "failed"
    assert ended["tasks"] == {"train": "completed", "evaluate": "completed", "check": "failed"}
    assert ended["attempts"] == {"train": 1, "evaluate": 1, "check": 1}
    assert f"slipway check {MODEL}: exit code 10" in ended["said"]
    assert team.git(checkout, "ls-remote", "origin") == before


def test_where_nobody_answers_it_is_tried_again(prefect: Prefect, checkout: Path) -> None:
    """A server that restarts at night must not cost a run, nor wake a person."""
    lay_down(checkout, data="april.npz")
    flow = checkout / _FLOW
    flow.write_text(flow.read_text().replace('"retry_delay_seconds": 300', '"retry_delay_seconds": 0'))
    (checkout.parent / "flights.git").rename(checkout.parent / "away.git")

    ended = prefect.run_flow(checkout)

    assert (ended["state"], ended["tasks"], ended["attempts"]) == ("failed", {"train": "failed"}, {"train": 3})
    assert "flights.git" in ended["said"]
