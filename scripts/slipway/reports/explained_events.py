"""One line for each thing that happened to a release, and how moments, numbers and people's words stand in it."""

from __future__ import annotations

from datetime import UTC, datetime

from slipway.domain.explanation import Event, Moment
from slipway.reports.plain import one_line, shortened

_LONGEST = 200


def event_line(event: Event) -> str:
    return _WORDS[event.what](event)


def _tagged(event: Event) -> str:
    return f"tagged by {one_line(event.by or '')}"


def _adopted(event: Event) -> str:
    return f"adopted as what runs in {event.environment}, by {one_line(event.by or '')}"


def _proposed(event: Event) -> str:
    draft = f" {event.said}" if event.said else ""
    before = f" in place of {event.version}" if event.version and not event.canary else ""
    return f"proposed for {_place_of(event)}{pull_words(event.number)}{draft}{before}"


def _merged(event: Event) -> str:
    return f"merged for {_place_of(event)}, commit {(event.commit or '')[:12]}"


def _taken_out(event: Event) -> str:
    since = event.version or "nothing"
    return f"taken out of {event.environment}: {since} from then on; commit {(event.commit or '')[:12]}"


def _went_live(event: Event) -> str:
    return f"answers in {_place_of(event)}, counted from {event.day}; {event.said}"


def _had_an_incident(event: Event) -> str:
    issue = f" (issue #{event.number})" if event.number is not None else ""
    return f"incident in {event.environment}{issue}: {short(event.said)}"


def _went_back(event: Event) -> str:
    return f"way back to {event.version} in {event.environment}{pull_words(event.number)}: {short(event.said)}"


_WORDS = {
    Moment.TAGGED: _tagged,
    Moment.ADOPTED: _adopted,
    Moment.JUDGED: lambda event: f"judged: {event.said}",
    Moment.BROKE_OFF: lambda event: f"a run broke off: {event.said}",
    Moment.ISSUE: lambda event: f"issue #{event.number} {event.said}",
    Moment.PROPOSED: _proposed,
    Moment.MERGED: _merged,
    Moment.TAKEN_OUT: _taken_out,
    Moment.WENT_LIVE: _went_live,
    Moment.CANARY_JUDGED: lambda event: f"judged as a canary in {event.environment}: {event.said}",
    Moment.WITHDRAWN: lambda event: f"seen to be gone as a canary in {event.environment}",
    Moment.INCIDENT: _had_an_incident,
    Moment.WAY_BACK: _went_back,
}


def _place_of(event: Event) -> str:
    return f"{event.environment} as a canary" if event.canary else str(event.environment)


def pull_words(number: int | None) -> str:
    return f" by pull request #{number}" if number is not None else ""


def moment(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def short(text: str) -> str:
    return shortened(one_line(text), longest=_LONGEST)
