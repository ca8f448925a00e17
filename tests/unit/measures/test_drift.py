"""Columns of production against the profile that the image carries."""

from __future__ import annotations

import numpy as np
import pytest
from slipway.maths.profile import profile_of_columns
from slipway.measures.drift import measure

_RANDOM = np.random.default_rng(1)
_TRAINED = {
    "hour": _RANDOM.normal(0, 1, 4_000),
    "carrier": _RANDOM.choice(["AA", "HA"], 4_000).astype(object),
    "fee": np.full(4_000, 3.0),
}
_PROFILE = profile_of_columns(_TRAINED, categories={"carrier"})


def test_the_same_rows_have_not_moved() -> None:
    """Or every window would be an alarm."""
    found, breaks = measure(_PROFILE, _TRAINED)

    assert breaks == ()
    assert [one.feature for one in found] == list(_PROFILE)
    assert max(one.low for one in found) == pytest.approx(0.0, abs=0.01)


def test_a_shift_is_a_distance_on_the_scale_of_its_kind() -> None:
    """Kolmogorov-Smirnov for numbers, total variation for words."""
    moved = {**_TRAINED, "hour": np.asarray(_TRAINED["hour"]) + 10, "carrier": np.array(["UA"] * 4_000, object)}

    found = {one.feature: one for one in measure(_PROFILE, moved)[0]}

    assert found["hour"].measure == "KS"
    assert found["hour"].low == pytest.approx(1.0, abs=0.01)
    assert found["hour"].wasserstein == pytest.approx(10.0, abs=0.2)
    assert found["carrier"].measure == "TV"
    assert found["carrier"].low == pytest.approx(1.0)
    assert found["carrier"].unseen == ("UA",)
    assert found["carrier"].wasserstein is None


def test_missing_values_are_a_change_of_their_own() -> None:
    """The numbers that are left may lie exactly where they lay."""
    holes = np.asarray(_TRAINED["hour"]).copy()
    holes[::4] = np.nan

    found = {one.feature: one for one in measure(_PROFILE, {**_TRAINED, "hour": holes})[0]}

    assert found["hour"].null_rate_change == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (None, "`hour` is missing in what production was asked"),
        (np.array(["nine"] * 100, object), "`hour` cannot be compared: it holds words, and was trained on numbers"),
        (np.full(100, np.nan), "`hour` cannot be compared: "),
    ],
)
def test_a_column_that_cannot_be_compared_is_a_break_and_no_distance(column: np.ndarray | None, says: str) -> None:
    """Zero would say that all is well."""
    window = {name: values for name, values in _TRAINED.items() if name != "hour"}
    if column is not None:
        window["hour"] = column

    found, breaks = measure(_PROFILE, window)

    assert "hour" not in [one.feature for one in found]
    assert len(breaks) == 1
    assert breaks[0].startswith(says)
