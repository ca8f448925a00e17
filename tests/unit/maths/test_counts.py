"""Windows that were kept as counts alone say of drift what the rows would have said, and nothing else."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.absence import Absent
from slipway.maths.counts import ColumnSketch, CountedWindow, count, from_json, to_json, version_of, without_values
from slipway.maths.distances import Interval, category_distance, kolmogorov_smirnov, missing_rate, wasserstein
from slipway.maths.profile import (
    CategoryProfile,
    CategorySketch,
    ColumnProfile,
    NumericSketch,
    profile_of_categories,
    profile_of_numeric,
    sketch,
)

from tests.unit.maths.columns_of_numbers import NUMBERS, FloatArray

WINDOW = st.lists(st.one_of(st.floats(), st.integers(-3, 3).map(float)), min_size=1, max_size=60)
NAMES = st.lists(
    st.one_of(st.none(), st.sampled_from(["EWR", "JFK", "LGA", "", "ÅLB"]), st.text(max_size=2)), min_size=1
)
CUTS = st.lists(st.integers(0, 60), max_size=4)


def _total_variation(profile: CategoryProfile, seen: CategorySketch) -> Interval | Absent:
    found = category_distance(profile, seen)
    return found if isinstance(found, Absent) else found.total_variation


def words(values: list[str | None]) -> Any:
    return np.array(values, dtype=object)


def merged(profile: Any, values: Any, cuts: list[int], order: Any) -> ColumnSketch:
    """The window in parts of any size, each through JSON, added up in any order."""
    ends = sorted({0, len(values), *(cut for cut in cuts if cut < len(values))})
    parts = [values[start:end] for start, end in pairwise(ends)]
    order.shuffle(parts)
    pages = [json.dumps(to_json(count(profile, part))) for part in parts]
    total = from_json(profile, json.loads(pages[0]))
    for page in pages[1:]:
        total = total + from_json(profile, json.loads(page))  # type: ignore[operator]
    return total


@given(NUMBERS, WINDOW, CUTS, st.randoms(use_true_random=False))
def test_numbers_count_the_same_however_they_were_split(
    reference: FloatArray, window: list[float], cuts: list[int], order: Any
) -> None:
    """Many servers write many files a day, at moments that nobody chose."""
    profile, values = profile_of_numeric(reference), np.array(window)
    order.shuffle(window)

    counted = merged(profile, np.array(window), cuts, order)

    assert counted == count(profile, values) == without_values(sketch(profile, values))


@given(NAMES, NAMES, CUTS, st.randoms(use_true_random=False))
def test_categories_count_the_same_however_they_were_split(
    reference: list[str | None], window: list[str | None], cuts: list[int], order: Any
) -> None:
    """The same, for words; also for those that the profile does not list."""
    profile = profile_of_categories(words(reference))

    counted = merged(profile, words(window), cuts, order)

    assert counted == count(profile, words(window)) == without_values(sketch(profile, words(window)))


@given(NUMBERS, WINDOW)
def test_distances_and_rates_are_those_of_the_rows(reference: FloatArray, window: list[float]) -> None:
    """A team that may not keep payloads gets the same alarms, to the last digit."""
    profile, values = profile_of_numeric(reference), np.array(window)
    rows, counts = sketch(profile, values), count(profile, values)

    assert isinstance(counts, NumericSketch)
    assert kolmogorov_smirnov(profile, counts) == kolmogorov_smirnov(profile, rows)
    assert missing_rate(profile, counts) == missing_rate(profile, rows)


@given(NAMES, NAMES)
def test_the_distance_of_categories_is_that_of_the_rows(reference: list[str | None], window: list[str | None]) -> None:
    """The same, for words."""
    profile = profile_of_categories(words(reference))
    rows, counts = sketch(profile, words(window)), count(profile, words(window))

    assert isinstance(counts, CategorySketch)
    assert _total_variation(profile, counts) == _total_variation(profile, rows)


def test_what_counts_cannot_tell_is_absent() -> None:
    """A number that were only nearly right would look like one that is."""
    profile = profile_of_numeric(np.arange(10.0))
    counted = count(profile, np.arange(10.0) + 100)

    assert isinstance(counted, NumericSketch)
    assert isinstance(wasserstein(profile, counted), Absent)
    assert "kept as counts" in str(wasserstein(profile, counted))


def test_no_value_and_no_name_is_in_the_file() -> None:
    """That is the whole point: also of a single row, and of a word that nobody expected."""
    numbers, names = profile_of_numeric(np.arange(1000.0)), profile_of_categories(words(["EWR", "JFK"]))
    columns = {
        "bill": count(numbers, np.array([123.456])),
        "name": count(names, words(["Ada Lovelace", "EWR", None])),
    }
    text = CountedWindow("v1.0.0", "sha256:0", 3, columns).to_bytes().decode()

    assert not any(value in text for value in ("123.4", "123.5", "123", "Ada", "Lovelace", "EWR", "JFK"))
    assert json.loads(text)["columns"]["name"] == {
        "kind": "category",
        "rows": 3,
        "null": 1,
        "others": 1,
        "cells": {"0": 1},
    }


PROFILES: dict[str, ColumnProfile] = {
    "bill": profile_of_numeric(np.arange(5.0)),
    "name": profile_of_categories(words(["a", "b"])),
}


def window_of(*bills: float) -> CountedWindow:
    columns = {"bill": count(PROFILES["bill"], np.array(bills)), "name": count(PROFILES["name"], words(["a"]))}
    return CountedWindow("v1.0.0", "sha256:0", len(bills), columns)


def test_a_file_comes_back_as_it_was_and_files_add_up() -> None:
    """What is written is what is read, and two intervals are one longer one."""
    one, other = window_of(1.0, 2.0), window_of(3.0)

    assert CountedWindow.from_bytes(one.to_bytes(), PROFILES, profile="sha256:0") == one
    assert one + other == other + one
    assert (one + other).rows == 3
    assert (one + other).columns["bill"] == count(PROFILES["bill"], np.array([3.0, 1.0, 2.0]))
    assert version_of(one.to_bytes()) == "v1.0.0"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"profile": "sha256:1"}, "another profile"),
        ({"format": 2}, "newer server"),
        ({"columns": {"bill": {"kind": "category"}}}, "kind category"),
        ({"columns": {"bill": {"kind": "numeric", "cells": {}}}}, "rows"),
    ],
)
def test_what_was_counted_against_something_else_is_refused(change: dict[str, Any], problem: str) -> None:
    """Cells of another profile would add up, and mean nothing."""
    page = json.loads(window_of(1.0).to_bytes()) | change

    with pytest.raises((KeyError, ValueError), match=problem):
        CountedWindow.from_bytes(json.dumps(page).encode(), PROFILES, profile="sha256:0")


@pytest.mark.parametrize(
    ("name", "cells"), [("bill", {"99": 1}), ("bill", {"-1": 1}), ("bill", {"1": -1}), ("bill", {"1": 7}), ("name", {})]
)
def test_counts_that_cannot_be_are_refused(name: str, cells: dict[str, int]) -> None:
    """A file that somebody edited, or half of one, must not pass for a quiet day."""
    page = to_json(window_of(1.0).columns[name]) | {"cells": cells}

    with pytest.raises(ValueError, match=r"no cell|rows lie in cells"):
        from_json(PROFILES[name], page)


def test_windows_of_two_profiles_do_not_add_up() -> None:
    """Nor of two versions; each is held against its own."""
    other = CountedWindow("v1.1.0", "sha256:0", 0, {})

    with pytest.raises(ValueError, match="two versions"):
        window_of(1.0) + other
