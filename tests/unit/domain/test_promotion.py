"""May it go on to the next environment? Hours that it ran undisturbed, and times in which nothing moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.freezes import Freeze, WeeklyFreeze
from slipway.domain.promotion import Disturbance, Stay, Wait, freeze_of, goes_forward, soaked_at, wait_of
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.tag import ReleaseTag

SINCE = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)  # a Monday
WEEKEND = WeeklyFreeze(reason="Weekend", start="friday 16:00", end="monday 08:00", zone="Europe/Berlin")
WORKING_DAYS = WeeklyFreeze(reason="Working days", start="monday 08:00", end="friday 16:00", zone="Europe/Berlin")
HOURS = st.integers(0, 200)
SPANS = st.lists(st.tuples(st.integers(-50, 300), st.integers(0, 60)), max_size=5)
FREEZES = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 100)), max_size=4)


def hour(number: float) -> datetime:
    return SINCE + timedelta(hours=number)


def incident(since: float, until: float | None) -> Disturbance:
    return Disturbance(
        "the incident 2026-06-01-drift is open (#7)", hour(since), None if until is None else hour(until)
    )


def frozen(since: float, until: float, *, reason: str = "Holidays", environments: tuple[str, ...] = ()) -> Freeze:
    return Freeze(reason=reason, start=hour(since), end=hour(until), environments=environments)


def asked(limit: RolloutLimit, at: float, *disturbances: Disturbance, held: tuple[str, ...] = ()) -> Wait | None:
    stay = Stay("staging", SINCE, disturbances=disturbances, held=held)
    return wait_of(stay, following="production", limit=limit, now=hour(at))


def test_by_default_what_was_verified_goes_on_at_once() -> None:
    """A team that set nothing waits for nothing."""
    assert asked(RolloutLimit(), 0) is None


def test_it_soaks_for_its_hours() -> None:
    """Who waits is told until when, and how far it is."""
    limit = RolloutLimit(soak_hours=24)

    assert asked(limit, 3) == Wait(until=hour(24), reasons=("it has run in staging for 3 of 24 hours (soak_hours)",))
    assert asked(limit, 23.999) is not None
    assert asked(limit, 24) is None


def test_a_disturbed_hour_does_not_count() -> None:
    """A day in which it drifted shows nothing about how it runs when all is well."""
    limit = RolloutLimit(soak_hours=24)

    assert asked(limit, 20, incident(2, 12)) == Wait(
        until=hour(34), reasons=("it has run in staging undisturbed for 10 of 24 hours (soak_hours)",)
    )
    assert asked(limit, 34, incident(2, 12)) is None


def test_an_open_incident_and_quarantine_hold_without_an_end() -> None:
    """No clock makes a version good; that holds without soak_hours, too."""
    wait = asked(RolloutLimit(), 500, incident(2, None), held=("v1.1.0 is quarantined by Ada: it leaks",))

    assert wait == Wait(
        until=None,
        reasons=("v1.1.0 is quarantined by Ada: it leaks", "the incident 2026-06-01-drift is open (#7)"),
    )


def test_what_soaks_into_a_freeze_waits_for_its_end() -> None:
    """Until is when it really goes on, not when the first of two reasons is over."""
    limit = RolloutLimit(soak_hours=100, weekly_freezes=(WEEKEND,))

    assert asked(limit, 1) == Wait(
        until=datetime(2026, 6, 8, 6, 0, tzinfo=UTC),
        reasons=("it has run in staging for 1 of 100 hours (soak_hours)", "production is frozen: Weekend"),
    )


def test_a_freeze_that_is_over_before_is_no_reason() -> None:
    """Two reasons of which one is none send people to the wrong file."""
    limit = RolloutLimit(soak_hours=24, freezes=(frozen(1, 5),))
    assert asked(limit, 3) == asked(RolloutLimit(soak_hours=24), 3)


def test_a_freeze_of_another_environment_holds_nothing() -> None:
    """Holidays of production leave staging open."""
    assert asked(RolloutLimit(freezes=(frozen(0, 5, environments=("staging",)),)), 1) is None
    assert asked(RolloutLimit(freezes=(frozen(0, 5, environments=("staging", "production")),)), 1) is not None


def test_freezes_one_after_the_other_are_all_named() -> None:
    """The holidays begin before the weekend ends."""
    limit = RolloutLimit(freezes=(frozen(0, 5, reason="An audit"), frozen(4, 9), frozen(9, 10, reason="A party")))

    assert asked(limit, 1) == Wait(
        until=hour(10),
        reasons=tuple(f"production is frozen: {reason}" for reason in ("An audit", "Holidays", "A party")),
    )


def test_freezes_that_leave_no_time_say_that_nothing_ends_them() -> None:
    """Instead of a search that never ends."""
    wait = asked(RolloutLimit(weekly_freezes=(WEEKEND, WORKING_DAYS)), 1)

    assert wait is not None
    assert (wait.until, set(wait.reasons)) == (
        None,
        {"production is frozen: Weekend", "production is frozen: Working days"},
    )


@given(HOURS, SPANS)
def test_the_soak_is_over_after_exactly_so_many_undisturbed_hours(hours: int, spans: list[tuple[int, int]]) -> None:
    """Counted hour by hour, whatever overlaps, touches or began before."""
    disturbances = [incident(start, start + length) for start, length in spans]

    end = soaked_at(SINCE, hours=hours, disturbances=disturbances)

    calm = (at for at in range(1000) if not any(start <= at < start + length for start, length in spans))
    counted = [next(calm) for _ in range(hours)]
    assert end == (hour(counted[-1] + 1) if hours else end)
    assert end >= SINCE


@given(HOURS, SPANS, FREEZES, st.booleans(), st.integers(0, 1200))
def test_it_waits_until_the_time_that_it_is_told_and_no_longer(
    hours: int, spans: list[tuple[int, int]], freezes: list[tuple[int, int]], weekends: bool, now: int
) -> None:
    """Who asks at any moment before is told the same time; who asks then may go on."""
    limit = RolloutLimit(
        soak_hours=hours,
        freezes=tuple(frozen(start, start + length) for start, length in freezes),
        weekly_freezes=(WEEKEND,) if weekends else (),
    )
    disturbances = [incident(start, start + length) for start, length in spans if start + length <= now]
    wait = asked(limit, now, *disturbances)
    if wait is None:
        return

    assert wait.until is not None
    until = (wait.until - SINCE) / timedelta(hours=1)
    assert until > now and wait.reasons
    for at in (now + (until - now) / 3, until - 1 / 3600):
        later = asked(limit, at, *disturbances)
        assert later is not None and later.until == wait.until
    assert asked(limit, until, *disturbances) is None


@given(st.integers(-12, 14), st.integers(0, 100))
def test_zones_do_not_change_what_is_decided(offset: int, now: int) -> None:
    """The clock of the machine, of the ledger and of the policy need not be one."""
    limit = RolloutLimit(soak_hours=24, freezes=(frozen(30, 40),), weekly_freezes=(WEEKEND,))
    other = hour(now).astimezone(datetime.strptime(f"{offset:+03}00", "%z").tzinfo)

    assert wait_of(Stay("staging", SINCE), following="production", limit=limit, now=other) == asked(limit, now)


def test_a_freeze_is_told_with_the_moment_at_which_the_last_of_its_kind_ends() -> None:
    """Who may merge then must not find the next freeze."""
    limit = RolloutLimit(freezes=(frozen(0, 5, reason="An audit"), frozen(5, 9, environments=("production",))))

    assert freeze_of("production", limit=limit, now=hour(1)) == Wait(
        until=hour(9), reasons=("production is frozen: An audit", "production is frozen: Holidays")
    )
    assert freeze_of("staging", limit=limit, now=hour(6)) is None
    assert freeze_of("production", limit=limit, now=hour(9)) is None


def test_only_what_is_newer_goes_forward() -> None:
    """The way back must be open in any freeze, whoever proposes it."""
    old, new = ReleaseTag.parse("tip@v1.0.0"), ReleaseTag.parse("tip@v1.1.0")

    assert goes_forward(new, old)
    assert goes_forward(old, None)
    assert goes_forward(old.at_revision(2), old)
    assert not goes_forward(old, old)
    assert not goes_forward(old, new)
    assert not goes_forward(None, old)
