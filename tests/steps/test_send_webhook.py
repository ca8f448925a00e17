"""A team's own program hears of each incident once, as far as it listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from slipway.adapters.webhook import SECRET
from slipway.domain.delivery import Delivery
from slipway.domain.pages import Page
from slipway.steps import record_pages, send_webhook

from tests.steps.test_failed_rollouts import fail, file, follow
from tests.steps.test_verify_rollout import InThisProcess, merged, verify
from tests.team import Team, days_from
from tests.unit.adapters.receiver import Receiver, receiver

_SECOND, _THIRD, _FOURTH = date(2026, 3, 14), date(2026, 3, 21), date(2026, 3, 28)
_REFUSES = 410  # not asked again, so that no test waits


@pytest.fixture
def pager(live: Team, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Of a team whose sum on every bill is 1 for two weeks, of which everybody was told but this program."""
    monkeypatch.setenv(SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    with receiver() as told:
        live.edit("slipway.yaml", "environments:", f"incident_webhook: {told.url}\nenvironments:")
        live.serve("v1.0.0", days_from(date(2026, 3, 1), 14), change={"bill": 1.0}, labelled=False)
        live.look(date(2026, 3, 7))
        live.look(_SECOND)
        yield told


def post(team: Team, until: date) -> tuple[Page[Delivery], ...]:
    """As the watch does: post, then record."""
    pages = send_webhook.run(team.window(until), workplace=team.workplace)
    record_pages.run_on_windows([team.window(until)], ledger=team.workplace.ledger)
    return pages


def told(pager: Receiver) -> list[tuple[str, dict[str, Any]]]:
    messages = [json.loads(came.body) for came in pager.came]
    return [(message["type"], message["data"]) for message in messages]


def test_an_incident_is_told_with_what_was_found(live: Team, pager: Receiver) -> None:
    """A pager decides by these whom it wakes: what, where, how bad, and where to read on."""
    [page] = post(live, _SECOND)

    message = json.loads(pager.came[0].body)
    data = message["data"]
    assert page.body.problem == ""
    assert (message["schema_version"], message["type"]) == (1, "incident.opened")
    assert (data["model"], data["environment"], data["version"]) == ("tip", "production", "v1.0.0")
    assert (data["incident"], data["issue"], data["since"]) == ("2026-03-14-drift", 2, "2026-03-08")
    assert any("`bill` moved" in finding["problem"] for finding in data["findings"])


def test_what_was_taken_is_not_posted_again(live: Team, pager: Receiver) -> None:
    """A run that is started twice pages nobody twice."""
    post(live, _SECOND)

    assert post(live, _SECOND) == ()
    assert len(pager.came) == 1


def test_what_the_ledger_has_as_taken_is_not_posted_by_another_machine(live: Team, pager: Receiver) -> None:
    """The job that records is run again on a machine that knows nothing."""
    post(live, _SECOND)
    for page in live.window(_SECOND).folder.glob("delivery.*.json"):
        page.unlink()

    assert post(live, _SECOND) == ()
    assert len(pager.came) == 1


def test_a_run_on_another_machine_posts_under_the_same_name(live: Team, pager: Receiver) -> None:
    """It was killed before it could write down what it did; the receiver sees that it has it."""
    send_webhook.run(live.window(_SECOND), workplace=live.workplace)
    for page in live.window(_SECOND).folder.glob("delivery.*.json"):
        page.unlink()
    post(live, _SECOND)

    first, again = (came.headers["webhook-id"] for came in pager.came)
    assert first == again


def test_what_a_receiver_did_not_take_is_posted_by_the_next_run(live: Team, pager: Receiver) -> None:
    """That it is over would else never be heard: the day after, there is nothing to tell."""
    post(live, _SECOND)
    pager.answers[:] = [_REFUSES]
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 14))
    live.look(_THIRD)
    [failed] = post(live, _THIRD)
    live.look(_FOURTH)
    [taken] = post(live, _FOURTH)

    assert "answered 410" in failed.body.problem
    assert (taken.body.event, taken.body.problem) == (failed.body.event, "")
    assert [kind for kind, _ in told(pager)] == ["incident.opened", "incident.closed", "incident.closed"]
    assert post(live, _FOURTH) == ()
    assert live.history.open_incident("tip", "production") is None


def test_without_a_secret_nothing_is_posted_and_the_page_says_so(
    live: Team, pager: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unsigned, anybody could have sent it."""
    monkeypatch.delenv(SECRET)
    [page] = post(live, _SECOND)

    assert f"{SECRET} is not set" in page.body.problem
    assert pager.came == []


def test_a_team_without_a_receiver_posts_nothing(live: Team) -> None:
    """It is there for who wants it."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look(date(2026, 3, 7))
    assert post(live, date(2026, 3, 7)) == ()


def test_a_version_that_does_not_run_is_told_once_and_so_is_its_end(
    live: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pager rings for what was merged at five as for what drifted, and is told when it may be quiet."""
    monkeypatch.setenv(SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    record = fail(merged(live))
    with receiver() as pager:
        live.edit("slipway.yaml", "environments:", f"incident_webhook: {pager.url}\nenvironments:")
        follow(live, record)
        assert send_webhook.is_untold(record, workplace=live.workplace)
        [page] = send_webhook.run_on_rollout(record, workplace=live.workplace)
        assert send_webhook.run_on_rollout(record, workplace=live.workplace) == ()
        verify(live, InThisProcess())
        file(live, record)
        send_webhook.run_on_rollout(record, workplace=live.workplace)

        (opened, data), (closed, _) = told(pager)

    assert (page.body.problem, opened, closed) == ("", "incident.opened", "incident.closed")
    assert (data["version"], data["back_to"], data["outcome"]) == ("v1.1.0", "v1.0.0", "revert")
    assert data["incident"] == "2026-04-01-rollout-failed-v1.1.0"
    assert "0 of 50 golden answers" in [finding["measured"] for finding in data["findings"]]
    assert not send_webhook.is_untold(record, workplace=live.workplace)
