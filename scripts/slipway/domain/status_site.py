"""What the status page shows, with every line already placed: a report has nothing left to compute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from slipway.domain.pages import Frozen
from slipway.domain.upkeep import Approval, StatusRow
from slipway.domain.verdict import Finding

WIDTH, HEIGHT = 600, 120  # of a plot, in units of its own
_MOST_NEWEST = 12  # windows that are told as numbers, too
_LEAST_TOP = 0.2  # of the scale of distances: a quiet year must not look like a storm


class State(StrEnum):
    """What a person who filters looks for."""

    OPEN = "open incident"
    LATE = "unwatched so far"
    WELL = "quiet"
    NOTHING = "nothing runs"


def state_of(row: StatusRow) -> State:
    if row.incidents:
        return State.OPEN
    if row.version is None:
        return State.NOTHING
    return State.LATE if row.window is None else State.WELL


@dataclass(frozen=True, slots=True)
class Summary:
    """What a glance should tell; `states` are those of the rows, in their order."""

    models: int
    places: int
    running: int
    incidents: int
    unwatched: int
    environments: tuple[str, ...]
    states: tuple[State, ...]


def summary_of(rows: Sequence[StatusRow]) -> Summary:
    states = tuple(state_of(row) for row in rows)
    return Summary(
        models=len({row.model for row in rows}),
        places=len(rows),
        running=sum(row.version is not None for row in rows),
        incidents=sum(len(row.incidents) for row in rows),
        unwatched=states.count(State.LATE),
        environments=tuple(dict.fromkeys(row.environment for row in rows)),
        states=states,
    )


@dataclass(frozen=True, slots=True)
class SeenWindow:
    """A window as far as the page tells it: `drift` is the largest distance of a feature, `value` the metric's."""

    start: date
    end: date
    version: str
    rows: int
    drift: float | None = None
    feature: str | None = None
    metric: str | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """One number over time. `points` are (x, y) in a box of WIDTH x HEIGHT with y downwards, by lines without a gap.

    `highest` is what the upper edge stands for, and zero the lower one; `limit_y` is where `limit` lies, None without
    one or beyond the box. `changes` are the x at which another version followed, with its name.
    """

    first: date
    last: date
    lines: tuple[tuple[tuple[float, float], ...], ...]
    highest: float
    least: float
    most: float
    newest: float
    limit: float | None
    limit_y: float | None
    changes: tuple[tuple[float, str], ...]


class Stay(Frozen):
    """A version in an environment since a day; `until` is the day on which another one came, None while it runs."""

    version: str
    since: date
    until: date | None
    pull: int | None
    approved: Approval | None
    verdict: str | None


class IncidentTold(Frozen):
    """One of its incidents, by id; `issue` is None where none was filed."""

    incident: str
    outcome: str
    issue: int | None
    closed: bool


@dataclass(frozen=True, slots=True)
class PlaceStory:
    """A model in an environment: how it is, and how it came to that, newest first."""

    row: StatusRow
    stays: tuple[Stay, ...]
    incidents: tuple[IncidentTold, ...]
    findings: tuple[Finding, ...]
    windows: int
    newest: tuple[SeenWindow, ...]
    drift: Plot | None
    metric_name: str | None
    metric: Plot | None


@dataclass(frozen=True, slots=True)
class ModelStory:
    model: str
    places: tuple[PlaceStory, ...]


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What all pages say: of which commits they tell, and where links lead; None where there is no such place."""

    title: str
    ledger: str | None
    main: str | None
    recorded_at: str | None
    web: str | None


class StatusSite(Frozen):
    """What was written; sizes in bytes."""

    models: int
    files: int
    index_bytes: int
    largest_model_bytes: int


def newest_of(windows: Sequence[SeenWindow]) -> tuple[SeenWindow, ...]:
    return tuple(reversed(windows[-_MOST_NEWEST:]))


def drift_plot(windows: Sequence[SeenWindow], *, limit: float | None) -> Plot | None:
    """`windows` have the oldest first; None where no distance was measured."""
    return _plot([(one, one.drift) for one in windows], limit=limit, least_top=_LEAST_TOP)


def metric_plot(windows: Sequence[SeenWindow]) -> Plot | None:
    """Of the metric that the newest window has; None where none was ever measured."""
    name = metric_name(windows)
    return _plot([(one, one.value if one.metric == name else None) for one in windows], limit=None, least_top=0.0)


def metric_name(windows: Sequence[SeenWindow]) -> str | None:
    return next((one.metric for one in reversed(windows) if one.metric is not None), None)


def stays_of(lives: Sequence[Stay]) -> tuple[Stay, ...]:
    """Newest first, from those oldest first: each ends where the next begins."""
    ends: list[date | None] = [*(one.since for one in lives), None][1:]
    told = [one.model_copy(update={"until": end}) for one, end in zip(lives, ends, strict=True)]
    return tuple(reversed(told))


def _plot(told: Sequence[tuple[SeenWindow, float | None]], *, limit: float | None, least_top: float) -> Plot | None:
    values = [value for _, value in told if value is not None]
    if not values:
        return None
    first, last = told[0][0].end, told[-1][0].end
    highest = _round_up(max([*values, least_top, *([limit] if limit is not None else [])]))
    days = max(1, (last - first).days)
    return Plot(
        first=first,
        last=last,
        lines=_lines(told, first=first, days=days, highest=highest),
        highest=highest,
        least=min(values),
        most=max(values),
        newest=values[-1],
        limit=limit,
        limit_y=None if limit is None else _y(limit, highest),
        changes=_changes([one for one, _ in told], first=first, days=days),
    )


def _lines(
    told: Sequence[tuple[SeenWindow, float | None]], *, first: date, days: int, highest: float
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """A window that measured nothing ends a line: what nobody saw is not drawn."""
    lines: list[list[tuple[float, float]]] = [[]]
    for one, value in told:
        if value is None:
            lines.append([])
        else:
            lines[-1].append((_x(one.end, first, days), _y(value, highest)))
    return tuple(tuple(line) for line in lines if line)


def _changes(windows: Sequence[SeenWindow], *, first: date, days: int) -> tuple[tuple[float, str], ...]:
    before: str | None = None
    found: list[tuple[float, str]] = []
    for one in windows:
        if before not in (None, one.version):
            found.append((_x(one.end, first, days), one.version))
        before = one.version
    return tuple(found)


def _x(day: date, first: date, days: int) -> float:
    return round(WIDTH * (day - first).days / days, 1)


def _y(value: float, highest: float) -> float:
    return round(HEIGHT * (1 - max(0.0, value) / highest), 1)


def _round_up(value: float) -> float:
    """To one of 1, 2 or 5 times a power of ten: a scale that people can read."""
    steps = [step * 10.0**power for power in range(-6, 10) for step in (1, 2, 5)]
    return next((step for step in steps if step >= value), value)
