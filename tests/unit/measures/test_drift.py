"""Columns of production against the profile that the image carries."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from slipway.domain.rows import Batch
from slipway.maths.profile import profile_of_columns
from slipway.maths.windows import SeenWindow, ServedBatch, count_window
from slipway.measures.drift import calibrate, measure, self_test

_RANDOM = np.random.default_rng(1)
_TRAINED = {
    "hour": _RANDOM.normal(0, 1, 4_000),
    "carrier": _RANDOM.choice(["AA", "HA"], 4_000).astype(object),
    "fee": np.full(4_000, 3.0),
}
_PROFILE = profile_of_columns(_TRAINED, categories={"carrier"})


def seen(window: Batch) -> SeenWindow:
    """A window of these columns, of which those that are missing were in no file."""
    rows = max(map(len, window.values()))
    absent = frozenset(_PROFILE.keys() - window.keys())
    columns = {**dict.fromkeys(absent, np.full(rows, np.nan)), **window}
    return count_window(_PROFILE, [ServedBatch(rows, columns, absent)])


def test_the_same_rows_have_not_moved() -> None:
    """Or every window would be an alarm."""
    found, breaks = measure(_PROFILE, seen(_TRAINED))

    assert breaks == ()
    assert [one.feature for one in found] == list(_PROFILE)
    assert max(one.low for one in found) == pytest.approx(0.0, abs=0.01)


def test_a_shift_is_a_distance_on_the_scale_of_its_kind() -> None:
    """Kolmogorov-Smirnov for numbers, total variation for words."""
    moved = {**_TRAINED, "hour": np.asarray(_TRAINED["hour"]) + 10, "carrier": np.array(["UA"] * 4_000, object)}

    found = {one.feature: one for one in measure(_PROFILE, seen(moved))[0]}

    assert found["hour"].measure == "KS"
    assert found["hour"].low == pytest.approx(1.0, abs=0.01)
    lowest, highest = found["hour"].wasserstein, found["hour"].wasserstein_high
    assert lowest is not None and highest is not None
    assert lowest <= highest == pytest.approx(10.0, abs=0.2) == lowest
    assert found["carrier"].measure == "TV"
    assert found["carrier"].low == pytest.approx(1.0)
    assert found["carrier"].unseen == ("UA",)
    assert found["carrier"].wasserstein is None


def test_missing_values_are_a_change_of_their_own() -> None:
    """The numbers that are left may lie exactly where they lay."""
    holes = np.asarray(_TRAINED["hour"]).copy()
    holes[::4] = np.nan

    found = {one.feature: one for one in measure(_PROFILE, seen({**_TRAINED, "hour": holes}))[0]}

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
        window["hour"] = np.resize(column, 4_000)

    found, breaks = measure(_PROFILE, seen(window))

    assert "hour" not in [one.feature for one in found]
    assert len(breaks) == 1
    assert breaks[0].startswith(says)


def test_the_reference_is_looked_at_as_production_will_be() -> None:
    """A window a day, of as many days as the policy's, each feature in it; what says nothing is left out."""
    days = np.repeat(np.arange(15_706, 15_746), 100)  # from 2013-01-01 on

    found = calibrate(_PROFILE, _TRAINED, days, window_days=7)

    assert (found.window_days, found.since) == (7, date(2013, 1, 1))
    assert found.rows == (700,) * 34
    assert found.features.keys() == _PROFILE.keys()
    assert {len(one.distances) for one in found.features.values()} == {34}
    assert {one.null_rates for one in found.features.values()} == {()}
    assert [len(found.features[name].shifted) for name in ("carrier", "fee", "hour")] == [0, 0, 40]
    assert all(one is not None and one < 0.1 for one in found.features["hour"].distances)


def test_a_wide_feature_is_cut_into_days_by_its_rows() -> None:
    """An embedding has many values a row, and one day."""
    wide = {"embedding": np.arange(60.0).reshape(20, 3)}
    profile = profile_of_columns({"embedding": wide["embedding"].ravel()}, categories=())

    found = calibrate(profile, wide, np.repeat(np.arange(10), 2), window_days=1)

    assert found.rows == (2,) * 10
    assert found.features["embedding"].distances[0] == 1.0


def test_years_of_reference_make_no_endless_page() -> None:
    """The newest 400 windows are kept, with the days that they are of."""
    values = {"hour": np.arange(1_000.0)}
    profile = profile_of_columns(values, categories=())

    found = calibrate(profile, values, np.arange(1_000), window_days=7)

    assert len(found.rows) == len(found.features["hour"].distances) == 400
    assert found.since == date(1971, 8, 18)  # so the last window ends on the last day, 1972-09-26


def test_the_watch_is_tried_on_copies_that_are_known() -> None:
    """Made up from the profile that the image carries, they need no row of anybody's."""
    tested = self_test({**_PROFILE, "never": profile_of_columns({"never": [np.nan]}, categories=())["never"]})

    assert tested.schema_breaks == ()
    assert [one.feature for one in tested.clean] == [one.feature for one in tested.drifted] == list(_PROFILE)
    assert max(one.low for one in tested.clean) < 0.01
    assert [one.low for one in tested.drifted] == pytest.approx([0.5] * 3, abs=0.01)
