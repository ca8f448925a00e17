"""What a version costs, in the words of a reviewer."""

from __future__ import annotations

from typing import Any

import pytest
from slipway.domain.cost import Cost, CostRatio, ModelCost
from slipway.reports.running_it import cost_in_full, cost_in_short, duration

from tests import pages

_UNKNOWN = ModelCost(size=24_310, memory=None, load=None, p50=None, p99=None, batch=None)


def partly(**known: float) -> Cost:
    """Measured beside v1.3.0, but for what that version could not be asked."""
    blank: dict[str, Any] = {"memory": None, "load": None, "p50": None, "p99": None, "batch": None}
    return pages.cost(ratios=(CostRatio(version="v1.3.0", size=1.0, **{**blank, **known}),))


@pytest.mark.parametrize(
    ("cost", "beside", "told"),
    [
        (pages.cost(), "v1.3.0", "p50 ×1.02, memory ×1.00 of v1.3.0"),
        (pages.cost(), None, "p50 48.2 µs, memory 59 MB"),
        (pages.cost(), "v1.2.0", "p50 48.2 µs, memory 59 MB"),
        (partly(memory=1.0), "v1.3.0", "p50 48.2 µs; memory ×1.00 of v1.3.0"),
        (pages.cost(candidate=_UNKNOWN, ratios=()), None, "speed and memory could not be measured"),
    ],
)
def test_a_multiple_is_told_of_the_version_that_it_was_measured_beside(
    cost: Cost, beside: str | None, told: str
) -> None:
    """×1.02 of another version than the one that runs would be a wrong number."""
    assert cost_in_short(cost, beside=beside) == told


def test_all_numbers_are_told_where_there_is_room() -> None:
    """Who wonders about the p99 finds it in the folded part."""
    assert cost_in_full(pages.cost(), beside="v1.3.0") == (
        "file 24 kB (×1.00), process 59 MB (×1.00), loads in 4.91 ms (×0.97), one row p50 48.2 µs (×1.02), "
        "p99 113 µs (×1.08), 1,024 rows in 2.13 ms (×0.99); in brackets: times v1.3.0, asked in turns"
    )
    assert cost_in_full(pages.cost(candidate=_UNKNOWN), beside=None) == "file 24 kB"


@pytest.mark.parametrize(
    ("seconds", "written"), [(2.5, "2.5 s"), (1.0, "1 s"), (0.0123, "12.3 ms"), (0.000048, "48 µs")]
)
def test_times_have_a_unit_that_people_can_read(seconds: float, written: str) -> None:
    """0.0000482 s is no number to compare by eye."""
    assert duration(seconds) == written
