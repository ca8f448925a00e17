"""Lines of the status page: where they lie, and what of them is told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.status_site import (
    HEIGHT,
    WIDTH,
    SeenWindow,
    State,
    Stay,
    drift_plot,
    metric_plot,
    newest_of,
    state_of,
    stays_of,
    summary_of,
)
from slipway.domain.upkeep import LastWindow, OpenIncident, StatusRow

FIRST = date(2026, 1, 1)


def window(day: int, drift: float | None = 0.1, *, version: str = "v1.0.0", value: float | None = None) -> SeenWindow:
    end = FIRST + timedelta(days=day)
    metric = None if value is None else "f1"
    return SeenWindow(end - timedelta(days=6), end, version, 100, drift, "dest", metric, value)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=40), st.floats(0.01, 1))
def test_no_point_lies_outside_of_its_box(drifts: list[float | None], limit: float) -> None:
    """What a browser cuts off is the one thing that somebody should have seen."""
    plot = drift_plot([window(day, drift) for day, drift in enumerate(drifts)], limit=limit)

    if plot is None:
        assert all(drift is None for drift in drifts)
        return
    points = [point for line in plot.lines for point in line]
    assert len(points) == sum(drift is not None for drift in drifts)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert plot.limit_y is not None and 0 <= plot.limit_y <= HEIGHT


def test_a_window_that_measured_nothing_ends_a_line() -> None:
    """A line over a week in which nobody looked would say what it was."""
    plot = drift_plot([window(0, 0.1), window(1, None), window(2, 0.1), window(3, 0.2)], limit=None)

    assert plot is not None
    assert plot.lines == (((0.0, 60.0),), ((400.0, 60.0), (600.0, 0.0)))
    assert (plot.least, plot.most, plot.newest, plot.highest) == (0.1, 0.2, 0.2, 0.2)


def test_another_version_is_marked_where_it_followed() -> None:
    """A step in the line has a reason more often than not."""
    windows = [window(0), window(1), window(2, version="v1.1.0")]

    plot = drift_plot(windows, limit=0.15)

    assert plot is not None and plot.changes == ((600.0, "v1.1.0"),)


def test_a_metric_is_drawn_where_labels_came() -> None:
    """A model without labels has no empty frame."""
    assert metric_plot([window(0), window(1)]) is None
    plot = metric_plot([window(0), window(1, value=0.5)])
    assert plot is not None and plot.lines == (((600.0, 0.0),),)


def test_the_newest_windows_come_first_and_are_few() -> None:
    """A table of two hundred rows is read by nobody."""
    newest = newest_of([window(day) for day in range(40)])

    assert (len(newest), newest[0].end) == (12, FIRST + timedelta(days=39))


def test_a_stay_ends_where_the_next_one_begins() -> None:
    """Newest first, as a person asks."""
    lives = [
        Stay(version=version, since=FIRST + timedelta(days=day), until=None, pull=None, approved=None, verdict=None)
        for version, day in (("v1.0.0", 0), ("v1.1.0", 5), ("v1.0.0", 7))
    ]

    told = stays_of(lives)

    assert [(one.version, one.until) for one in told] == [
        ("v1.0.0", None),
        ("v1.1.0", FIRST + timedelta(days=7)),
        ("v1.0.0", FIRST + timedelta(days=5)),
    ]
    assert stays_of([]) == ()


def row(version: str | None = "v1.0.0", **changes: object) -> StatusRow:
    empty = StatusRow(
        model="tip", environment="production", version=version, digest=None, since=None, outcome=None, incident=None
    )
    return empty.model_copy(update=changes)


SEEN = LastWindow(start=FIRST, end=FIRST, rows=1, labelled=0, drift=None, feature=None, metric=None, value=None)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (row(None), State.NOTHING),
        (row(), State.LATE),
        (row(window=SEEN), State.WELL),
        (row(window=SEEN, incidents=(OpenIncident(incident="i", outcome="watch", issue=None),)), State.OPEN),
        (row(None, incidents=(OpenIncident(incident="i", outcome="rollout failed", issue=7),)), State.OPEN),
    ],
)
def test_what_is_open_comes_before_everything_else(told: StatusRow, state: State) -> None:
    """Who filters by it must not miss a version that never ran."""
    assert state_of(told) is state
    assert summary_of([told]).incidents == len(told.incidents)
