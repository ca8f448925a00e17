"""When something was wrong with a version where it runs, as the ledger tells of its incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from slipway.adapters.history import History, incident_folder
from slipway.domain.incident import IncidentKind, IssueAction, IssueFiled
from slipway.domain.promotion import Disturbance
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile


@dataclass(frozen=True, slots=True)
class _Incident:
    """`since` is when its first page was written about the version, `closed` when its issue was closed."""

    name: str
    begun: datetime
    since: datetime | None
    closed: datetime | None
    issue: int | None


def disturbances(tag: ReleaseTag, environment: str, *, history: History) -> tuple[Disturbance, ...]:
    """All incidents of a version in an environment; one that a person asked for is none.

    What the watch finds is one incident at a time, and so are rollouts that failed: one that another of its like
    followed was over by then, also where nobody closed it.
    """
    names = [one for one in history.incidents(tag.model, environment) if f"-{IncidentKind.REQUESTED}-" not in one]
    of_rollouts = [one for one in names if f"-{IncidentKind.ROLLOUT_FAILED}-" in one]
    of_the_watch = [one for one in names if one not in of_rollouts]
    found = [
        one
        for some in (of_the_watch, of_rollouts)
        for one in _ended([_incident(tag, environment, name, history) for name in some])
    ]
    return tuple(_disturbance(one, one.since) for one in found if one.since is not None)


def _ended(incidents: Sequence[_Incident]) -> Iterator[_Incident]:
    for one, after in zip_longest(incidents, incidents[1:]):
        yield one if one.closed is not None or after is None else replace(one, closed=after.begun)


def _disturbance(incident: _Incident, since: datetime) -> Disturbance:
    issue = "" if incident.issue is None else f" (#{incident.issue})"
    closed = None if incident.closed is None else max(since, incident.closed)
    return Disturbance(f"the incident {incident.name} is open{issue}", since, closed)


def _incident(tag: ReleaseTag, environment: str, name: str, history: History) -> _Incident:
    pages = sorted(_pages(tag, environment, name, history), key=_written)
    mine = [page for page in pages if _version(page["body"]) == tag.image_tag]
    filed = [page for page in pages if page["kind"] == IssueFiled.kind]
    over = filed and filed[-1]["body"]["action"] == IssueAction.CLOSED
    return _Incident(
        name=name,
        begun=_written(pages[0]),
        since=_written(mine[0]) if mine else None,
        closed=_written(filed[-1]) if over else None,
        issue=filed[-1]["body"]["number"] if filed else None,
    )


def _pages(tag: ReleaseTag, environment: str, name: str, history: History) -> Iterator[dict[str, Any]]:
    """Of any kind, also one that this Slipway does not know: what is asked of them stands in each."""
    for path, content in history.ledger.pages(incident_folder(tag.model, environment, name)).items():
        yield _read(content, where=f"ledger:{path}")


def _read(content: bytes, *, where: str) -> dict[str, Any]:
    try:
        page: dict[str, Any] = json.loads(content)
        _written(page)
        _version(page["body"])
        page["kind"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        mend = "on the branch `ledger`, put back what was there: git revert COMMIT"
        raise BadFile(f"{where} is no page: {error!r}", mend=mend) from error
    return page


def _written(page: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(page["circumstances"]["written_at"])


def _version(body: Mapping[str, Any]) -> object:
    """The version that a page is about: of a window, or of what failed."""
    return body.get("window", body).get("version")
