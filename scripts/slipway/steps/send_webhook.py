"""Tell the team's own program what became of an incident. What it does not take is posted again by the next run.

A receiver that is down fails nothing: its page says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from slipway.adapters.history import History
from slipway.adapters.records import Record, run_url
from slipway.adapters.webhook import Webhook
from slipway.adapters.workplace import Workplace
from slipway.domain.delivery import Delivery, FindingTold, IncidentEvent, IncidentMessage
from slipway.domain.incident import IncidentKind, IncidentVerdicts, IssueAction, IssueFiled, WindowEvidence
from slipway.domain.pages import Page, key_of
from slipway.domain.rollout_failure import RolloutFailure
from slipway.errors import SlipwayError

_MOST = 20  # messages that wait; a receiver that was away for longer is told the newest


def run(record: Record, *, workplace: Workplace) -> tuple[Page[Delivery], ...]:
    """Post what waits and what is new, oldest first, and write a page `delivery` for each; none without a receiver."""
    if workplace.settings.incident_webhook is None:
        return ()
    before = _posted(record, workplace.history)
    return _post_all(record, before, _message_of(record, web=workplace.web), url=workplace.settings.incident_webhook)


def run_on_rollout(record: Record, *, workplace: Workplace) -> tuple[Page[Delivery], ...]:
    """As `run`, of a version that was merged and does not run."""
    if workplace.settings.incident_webhook is None:
        return ()
    message = _message_of_rollout(record, web=workplace.web)
    return _post_all(record, record.pages(Delivery), message, url=workplace.settings.incident_webhook)


def is_untold(record: Record, *, workplace: Workplace) -> bool:
    """Whether there is a receiver that `run_on_rollout` would post something to."""
    taken = {page.body.event for page in record.pages(Delivery) if not page.body.problem}
    return workplace.settings.incident_webhook is not None and not set(_message_of_rollout(record, web=None)) <= taken


def _post_all(
    record: Record, before: Sequence[Page[Delivery]], messages: Mapping[str, IncidentMessage], *, url: str
) -> tuple[Page[Delivery], ...]:
    waiting = {page.body.event: page.body.message for page in _not_taken(before)[-_MOST:]}
    taken = {page.body.event for page in before if not page.body.problem}
    new = {event: told for event, told in messages.items() if event not in taken}
    posted: list[Page[Delivery]] = []
    for event, message in {**waiting, **new}.items():
        failed = next((page.body.problem for page in posted if page.body.problem), "")
        if not failed or event not in waiting:  # what waits already goes on waiting for a receiver that is away
            posted.append(_post(record, url, event, message, failed=failed))
    return tuple(posted)


def _posted(record: Record, history: History) -> list[Page[Delivery]]:
    """What was posted about the newest incident, as the ledger and this record know it, oldest first."""
    seen = record.page(WindowEvidence, written_by="measure-drift").body
    place = (seen.model, seen.environment)
    newest = [one for one in history.incidents(*place) if not IncidentKind.ROLLOUT_FAILED.names(one)][-1:]
    recorded = [page for incident in newest for page in history.incident_pages(*place, incident, Delivery)]
    return [*recorded, *record.pages(Delivery)]


def _not_taken(posted: Sequence[Page[Delivery]]) -> list[Page[Delivery]]:
    """The last attempt of each event that nobody took."""
    taken = {page.body.event for page in posted if not page.body.problem}
    last = {page.body.event: page for page in posted}
    return [page for event, page in last.items() if event not in taken]


def _post(record: Record, url: str, event: str, message: IncidentMessage, *, failed: str) -> Page[Delivery]:
    """Each attempt is a page of its own; after one that `failed`, the receiver is not asked again in this run."""
    before = sum(page.body.event == event for page in record.pages(Delivery))
    return record.once_for_each(
        Delivery,
        reads={"event": event, "attempt": str(before + 1)},
        make=lambda: Delivery(event=event, message=message, problem=failed or _problem_of(url, event, message)),
    )


def _problem_of(url: str, event: str, message: IncidentMessage) -> str:
    try:
        Webhook.open(url, os.environ).post(message.model_dump_json().encode(), event=event)
    except SlipwayError as error:
        return error.problem
    return ""


def _message_of(record: Record, *, web: str | None) -> dict[str, IncidentMessage]:
    """Event → message of what was done about this window; nothing where nothing was.

    The event is named by what was read, so that it is the same whoever posts it, and however often.
    """
    filed = record.latest(IssueFiled)
    if filed is None or filed.body.action is IssueAction.NONE or filed.body.incident is None:
        return {}
    evidence = record.page(WindowEvidence, written_by="measure-drift").body
    verdicts = record.page(IncidentVerdicts, written_by="judge").body
    data = IncidentEvent(
        model=evidence.model,
        environment=evidence.environment,
        version=evidence.window.version,
        incident=filed.body.incident,
        outcome=verdicts.outcome,
        title=filed.body.title,
        since=evidence.window.start,
        until=evidence.window.end,
        rows=evidence.window.rows,
        labelled=evidence.window.labelled,
        back_to=evidence.back_to,
        issue=filed.body.number,
        links=_links(filed.body.number, web=web),
        findings=tuple(FindingTold.of(finding) for finding in verdicts.findings),
    )
    return _event(record, filed, data)


def _message_of_rollout(record: Record, *, web: str | None) -> dict[str, IncidentMessage]:
    """As `_message_of`; what was never watched has the one day on which it failed, and no rows."""
    filed = record.latest(IssueFiled)
    if filed is None:
        return {}
    failure = record.page(RolloutFailure, written_by="verify-rollout").body
    verdicts = record.page(IncidentVerdicts, written_by="judge").body
    data = IncidentEvent(
        model=failure.model,
        environment=failure.environment,
        version=failure.version,
        incident=failure.incident,
        outcome=verdicts.outcome,
        title=filed.body.title,
        since=failure.since or failure.seen,
        until=failure.seen,
        rows=failure.rows,
        labelled=failure.labelled,
        back_to=failure.back_to,
        issue=filed.body.number,
        links=_links(filed.body.number, web=web),
        findings=tuple(FindingTold.of(finding) for finding in verdicts.findings),
    )
    return _event(record, filed, data)


def _event(record: Record, filed: Page[IssueFiled], data: IncidentEvent) -> dict[str, IncidentMessage]:
    read = {"subject": record.subject, "issue": filed.key, "action": filed.body.action}
    event = f"msg_{key_of(read).removeprefix('sha256:')[:32]}"
    message = IncidentMessage(type=f"incident.{filed.body.action}", timestamp=filed.circumstances.written_at, data=data)
    return {event: message}


def _links(issue: int | None, *, web: str | None) -> dict[str, str]:
    links = {"issue": f"{web}/issues/{issue}" if web and issue else None, "run": run_url()}
    return {name: link for name, link in links.items() if link is not None}
