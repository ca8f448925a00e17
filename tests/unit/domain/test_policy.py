"""Limits, their overrides and waivers: what a repository says must hold."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from slipway.domain.limits import DriftLimit, ExcludedDays, PromiseLimit, SourcesLimit
from slipway.domain.metric_limits import MetricLimit, MetricsLimit
from slipway.domain.policy import Override, Policy, QuarantineEntry, Waiver
from slipway.maths.named_metrics import DecisionKind


def policy(*waivers: Waiver) -> Policy[PromiseLimit]:
    return Policy[PromiseLimit](
        question="Does it keep its promise?",
        motivation="People believe a number.",
        limit=PromiseLimit(worse=0.01),
        remedy="Train it better.",
        models={"tip": Override[PromiseLimit](reason="tips are noisy", limit=PromiseLimit(worse=0.05))},
        waivers=waivers,
    )


def waiver(version: str = "v1.0.0", until: date = date(2026, 6, 1), model: str = "tip") -> Waiver:
    return Waiver(model=model, version=version, reason="counted by hand", by="@lead", until=until)


def test_a_model_with_an_override_has_its_own_limit() -> None:
    """One absolute limit cannot serve every model; and the reason stands beside it."""
    assert policy().limit_for("tip").worse == 0.05
    assert policy().limit_for("other").worse == 0.01


@pytest.mark.parametrize(
    ("model", "version", "today", "holds"),
    [
        ("tip", "v1.0.0", date(2026, 5, 31), True),
        ("tip", "v1.0.0", date(2026, 6, 1), True),
        ("tip", "v1.0.0", date(2026, 6, 2), False),
        ("tip", "v1.0.1", date(2026, 5, 31), False),
        ("other", "v1.0.0", date(2026, 5, 31), False),
    ],
)
def test_a_waiver_holds_for_one_version_until_its_day(model: str, version: str, today: date, holds: bool) -> None:
    """The day itself included; an exception that never ends is a changed limit."""
    assert (policy(waiver()).waiver_for(model, version, today=today) is not None) is holds


def test_an_expired_waiver_does_not_hide_one_that_holds() -> None:
    """People prolong by adding a line."""
    found = policy(waiver(until=date(2026, 1, 1)), waiver()).waiver_for("tip", "v1.0.0", today=date(2026, 5, 1))

    assert found is not None
    assert found.until == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("today", "why"),
    [
        (date(2025, 12, 2), "a waiver of @lead until 2026-06-01 is not taken: its day must lie within 180 days"),
        (date(2025, 12, 3), None),
        (date(2026, 6, 1), None),
        (date(2026, 6, 2), "a waiver of @lead expired on 2026-06-01"),
    ],
)
def test_a_waiver_holds_on_its_last_180_days(today: date, why: str | None) -> None:
    """Nobody promises today what holds in two years; and one that ran out is told, not forgotten."""
    assert policy().why_void(waiver(), today=today) == why
    assert (policy(waiver()).void_waiver_for("tip", "v1.0.0", today=today) is not None) is (why is not None)


def test_an_expired_waiver_beside_one_that_holds_is_no_news() -> None:
    """People prolong by adding a line, and owe nobody an account of the old one."""
    prolonged = policy(waiver(until=date(2026, 1, 1)), waiver())

    assert prolonged.void_waiver_for("tip", "v1.0.0", today=date(2026, 5, 1)) is None


@pytest.mark.parametrize("version", ["1.0.0", "v1", "v1.0", "v01.0.0", "V1.0.0", "v1.0.0 beta", "*", ""])
def test_a_misspelt_version_is_no_waiver(version: str) -> None:
    """It would wait for a version that never comes, and nobody would know why the release fails."""
    with pytest.raises(ValidationError, match=r"must read like v1\.4\.0"):
        waiver(version)


def entry(version: str) -> QuarantineEntry:
    return QuarantineEntry(model="tip", version=version, reason="late", by="Ada")


@pytest.mark.parametrize("version", ["1.0.0", "v2", "v2.0", "v*", "latest", ""])
def test_a_misspelt_version_is_no_quarantine(version: str) -> None:
    """It would hold nothing, and look as if it did."""
    with pytest.raises(ValidationError, match=r"must read like v1\.4\.0, or \*"):
        entry(version)


def test_quarantine_holds_one_version_or_all() -> None:
    """A model can be stopped as a whole."""
    assert entry("v1.0.0").holds("tip", "v1.0.0")
    assert not entry("v1.0.0").holds("tip", "v1.0.1")
    assert entry("*").holds("tip", "v9.9.9")
    assert not entry("*").holds("other", "v9.9.9")


def test_quarantine_of_a_version_holds_its_revisions_and_of_a_revision_only_that() -> None:
    """They are one model; what is wrong with a runtime image says nothing about the model."""
    assert entry("v1.0.0").holds("tip", "v1.0.0_r2")
    assert entry("v1.0.0_r2").holds("tip", "v1.0.0_r2")
    assert not entry("v1.0.0_r2").holds("tip", "v1.0.0")
    assert not entry("v1.0.0_r2").holds("tip", "v1.0.0_r3")


@pytest.mark.parametrize("version", ["v1.0.0_r1", "v1.0.0_r02", "v1.0.0_r", "v1.0.0_r2_r3", "v1.0.0+r2"])
def test_a_misspelt_revision_is_no_quarantine(version: str) -> None:
    """It would hold nothing, and look as if it did."""
    with pytest.raises(ValidationError, match=r"must read like v1\.4\.0"):
        entry(version)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, 1.1])
def test_a_limit_is_a_share(value: float) -> None:
    """Nothing is ever worse than NaN, so everything would pass."""
    with pytest.raises(ValidationError):
        PromiseLimit(worse=value)


def test_an_unknown_key_is_no_limit() -> None:
    """A misspelt limit must not pass as none."""
    with pytest.raises(ValidationError, match="worst"):
        PromiseLimit.model_validate({"worst": 0.5})


def test_the_default_floor_is_three_quarters() -> None:
    """A team that sets nothing is protected from a useless model."""
    assert MetricsLimit().named() == {"f1": MetricLimit(floor=0.75, drop=0.05)}


def test_f1_is_asked_of_yes_or_no_alone_where_nobody_wrote_it_down() -> None:
    """A model that answers with a number has no F1, and its team should not have to switch it off."""
    written = MetricsLimit(f1=MetricLimit(floor=0.6))

    assert MetricsLimit().named(DecisionKind.NUMBER) == {}
    assert written.named(DecisionKind.NUMBER) == {"f1": MetricLimit(floor=0.6)}


def test_a_metric_is_known_by_its_name_in_scikit_learn() -> None:
    """Pages call it by one name, however it was written."""
    limit = MetricsLimit.model_validate({"roc_auc_score": {"floor": 0.7}, "macro_f1": {"floor": 0.6, "drop": 0.1}})

    assert set(limit.named()) == {"f1", "auc", "f1_macro"}


@pytest.mark.parametrize(
    ("limit", "place", "says"),
    [
        ({"mae": {"floor": 3}}, ("mae", "floor"), "of mae, less is better: write `ceiling`"),
        ({"accuracy": {"ceiling": 0.9}}, ("accuracy", "ceiling"), "of accuracy, more is better: write `floor`"),
        ({"accuracy": {"floor": 90}}, ("accuracy", "floor"), "must lie between 0 and 1"),
        ({"recall": {"drop": 0.1}}, ("recall", "floor"), "recall has no `floor`"),
        ({"auc": {"floor": 0.7}, "roc_auc": {"floor": 0.7}}, ("auc",), "is there by another name, too"),
        ({"acuracy": {"floor": 0.7}}, ("acuracy",), "Extra inputs are not permitted"),
    ],
)
def test_a_limit_that_is_none_of_its_metric_is_told_at_its_place(
    limit: dict[str, Any], place: tuple[str, ...], says: str
) -> None:
    """A floor of an error would let only the worst models pass."""
    with pytest.raises(ValidationError) as caught:
        MetricsLimit.model_validate(limit)

    [first, *_] = caught.value.errors()
    assert (first["loc"], says in first["msg"]) == (place, True)


def test_more_windows_than_are_looked_at_make_no_incident_possible() -> None:
    """Four of three would switch the alarm off without saying so."""
    with pytest.raises(ValidationError, match="cannot be more than of_last"):
        DriftLimit(windows=4, of_last=3)


def test_excluded_days_name_their_reason_and_are_in_order() -> None:
    """They decide what the watch overlooks; nobody may leave out a month without a word."""
    first, last = date(2013, 2, 8), date(2013, 2, 10)

    assert ExcludedDays(since=first, until=first, reason="a storm of a century").reason == "a storm of a century"
    with pytest.raises(ValidationError, match="until: cannot be before since"):
        ExcludedDays(since=last, until=first, reason="a storm of a century")
    with pytest.raises(ValidationError, match="reason"):
        ExcludedDays(since=first, until=last, reason="storm")


def test_only_what_exceeds_now_is_counted_and_only_lately() -> None:
    """A feature that recovered is no alarm, and what happened in spring is none in autumn."""
    spring, lately, now = frozenset({"hour", "dest"}), frozenset({"hour"}), frozenset({"hour", "dest"})

    assert DriftLimit(of_last=3).times_exceeded([spring, lately, lately, now]) == {"hour": 3, "dest": 1}
    assert DriftLimit(of_last=3).times_exceeded([spring, frozenset()]) == {}


def test_a_reason_is_more_than_a_word() -> None:
    """Whoever reads it in a year must understand it."""
    with pytest.raises(ValidationError):
        Waiver(model="tip", version="v1.0.0", reason="because", by="@lead", until=date(2026, 6, 1))


def test_a_source_without_code_is_keyed_as_before_there_was_such_code() -> None:
    """Conversions are found by what may be in a source: an update must not convert every release under way anew."""
    assert SourcesLimit(pickle=True).model_dump_json() == '{"pickle":true,"trusted_types":[]}'
    assert SourcesLimit.model_validate_json(SourcesLimit(python=True).model_dump_json()) == SourcesLimit(python=True)
