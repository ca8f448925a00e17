"""Numbers, written the same in every text."""

from __future__ import annotations

import pytest
from slipway.domain.verdict import Estimate
from slipway.reports import numbers


def test_absence_is_a_dash_and_never_a_zero() -> None:
    """ "0.00" for a metric that could not be measured would be the worst lie of a report."""
    assert [numbers.estimate(None), numbers.plain_value(None), numbers.share(0, 0)] == ["–", "–", "–"]


@pytest.mark.parametrize(
    ("octets", "written"),
    [(999, "999 bytes"), (1_500, "1.5 kB"), (24_310, "24 kB"), (2_400_000, "2.4 MB"), (31_000_000_000, "31 GB")],
)
def test_sizes_are_decimal(octets: int, written: str) -> None:
    """As registries count and bill them."""
    assert numbers.size(octets) == written


def test_other_forms() -> None:
    """Shares in per cent, changes with their sign, digests short enough to compare by eye."""
    assert numbers.share(312, 24_000) == "1.3 %"
    assert numbers.points(-0.034) == "-3.4"
    assert numbers.count(24_000) == "24,000"
    assert numbers.estimate(Estimate(value=0.5, low=0.25, high=0.75)) == "0.50 [0.25, 0.75]"
    assert numbers.short_digest("sha256:0123456789abcdef") == "0123456789ab"
