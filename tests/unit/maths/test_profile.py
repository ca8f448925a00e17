"""Profiles are made once and are equal everywhere; sketches add up however a window was split."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slipway.maths.profile import (
    CategoryProfile,
    NumericProfile,
    profile_from_json,
    profile_of_categories,
    profile_of_columns,
    profile_of_numeric,
    sketch,
)

from tests.unit.maths.columns_of_numbers import NUMBERS, FloatArray

WINDOW = st.lists(st.one_of(st.floats(), st.integers(-3, 3).map(float)), max_size=50).map(np.array)
NAMES = st.lists(st.one_of(st.none(), st.sampled_from(["EWR", "JFK", "LGA", "", "ÅLB"]), st.text(max_size=2)))


def _column(values: list[str | None]) -> np.ndarray:
    return np.array(values, dtype=object)


@given(NUMBERS)
def test_a_numeric_profile_survives_json(values: FloatArray) -> None:
    """The profile travels as JSON in the image: a digit lost there would be drift."""
    profile = profile_of_numeric(values)

    assert profile_from_json(json.loads(json.dumps(profile.to_json()))) == profile


@given(NAMES)
def test_a_profile_of_categories_survives_json(values: list[str | None]) -> None:
    """Names outside ASCII and the empty name are data, too."""
    profile = profile_of_categories(_column(values))

    assert profile_from_json(json.loads(json.dumps(profile.to_json()))) == profile


@given(NUMBERS, st.randoms(use_true_random=False))
def test_the_order_of_the_reference_changes_no_byte(values: FloatArray, shuffled: object) -> None:
    """The profile is hashed into the image's layer, and a file of Parquet may come back in another order."""
    order = sorted(range(len(values)), key=lambda _: shuffled.random())  # type: ignore[attr-defined]

    assert json.dumps(profile_of_numeric(values[order]).to_json()) == json.dumps(profile_of_numeric(values).to_json())


@example(np.array([0.0, 6.48083999e-185]))
@given(NUMBERS)
def test_the_cells_hold_the_whole_reference(values: FloatArray) -> None:
    """Every distance is read from these counts and sums."""
    profile = profile_of_numeric(values)

    assert sum(profile.counts) == len(values)
    assert math.isclose(
        math.fsum(profile.sums), math.fsum(values), rel_tol=1e-5, abs_tol=1e-5 * np.abs(values).sum() + 1e-290
    )
    largest = np.abs(values).max() or 1.0
    deviation = (values / largest).std() * largest  # numpy's own squares of tiny numbers are all zero
    assert profile.standard_deviation == pytest.approx(deviation, rel=1e-3, abs=1e-5 * largest + 1e-290)
    assert (profile.minimum, profile.maximum) == pytest.approx((values.min(), values.max()), rel=1e-5, abs=1e-290)


def test_no_training_value_leaks() -> None:
    """The profile is published with the image: a salary in it must not identify its owner."""
    values = np.random.default_rng(7).lognormal(10, 1, 5000)

    published = {number for name in ("quantiles", "atoms") for number in profile_of_numeric(values).to_json()[name]}

    assert published.isdisjoint(values.tolist())


def test_a_large_column_has_at_most_512_quantile_bins() -> None:
    """Twenty-five features fit into 400 kB of JSON, and any distance is known to 0.002."""
    profile = profile_of_numeric(np.random.default_rng(7).normal(size=50_000))

    assert len(profile.quantiles) <= 513
    assert profile.resolution < 0.0025


def test_a_column_of_few_values_has_nothing_left_to_bound() -> None:
    """Hours, weekdays and flags are where a bound would be widest; a cell for each value makes them exact."""
    profile = profile_of_numeric(np.arange(24).repeat(100))

    assert profile.resolution == 0.0
    assert profile.atoms == tuple(range(24))


def test_a_frequent_value_in_a_smooth_column_is_an_atom() -> None:
    """A third of all flights with a delay of exactly 0 must not share a cell with those of 0.1."""
    smooth = np.random.default_rng(7).normal(size=20_000)

    profile = profile_of_numeric(np.concatenate([np.zeros(10_000), smooth]))

    assert profile.atoms == (0.0,)
    assert profile.resolution < 0.005


def test_a_constant_column_has_no_spread() -> None:
    """A spread of 1e-17 instead of 0 would make any change look infinitely large."""
    assert profile_of_numeric(np.full(1000, 0.1)).standard_deviation == 0.0


def test_huge_values_have_a_spread() -> None:
    """Their squares overflow float64."""
    assert profile_of_numeric(np.array([-1e300, 1e300])).standard_deviation == pytest.approx(1e300)


@pytest.mark.parametrize("values", [[], [math.nan, math.inf]])
def test_a_column_without_a_number_has_a_profile(values: list[float]) -> None:
    """A feature that is never filled must be reported, not crash a release."""
    profile = profile_of_numeric(np.array(values))

    assert (profile.mean, profile.standard_deviation, profile.minimum) == (None, None, None)
    assert sum(sketch(profile, np.array([1.0, 2.0])).counts) == 2


@given(NUMBERS, WINDOW, st.data())
def test_a_numeric_sketch_is_the_sum_of_its_parts(
    reference: FloatArray, window: FloatArray, data: st.DataObject
) -> None:
    """Batch size, order of files and Spark's partitions must change no digit of what the ledger says."""
    profile = profile_of_numeric(reference)
    whole = sketch(profile, window)
    order = data.draw(st.permutations(range(len(window))))
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(window))] * 2)))
    a, b, c = (sketch(profile, part) for part in np.split(window[order], [first, second]))

    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == whole


@given(NAMES, NAMES, st.data())
def test_a_sketch_of_categories_is_the_sum_of_its_parts(
    reference: list[str | None], window: list[str | None], data: st.DataObject
) -> None:
    """The same for text, including the names that the reference never had."""
    profile = profile_of_categories(_column(reference), listed=2)
    order = data.draw(st.permutations(window))
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(window))] * 2)))
    parts = (order[:first], order[first:second], order[second:])
    a, b, c = (sketch(profile, _column(part)) for part in parts)

    assert a + b == b + a
    assert (a + b) + c == a + (b + c) == sketch(profile, _column(window))


@given(st.lists(st.integers(0, 2500), min_size=1100, max_size=1500), st.integers(0, 1100))
def test_names_beyond_the_thousandth_are_dropped_the_same_way_in_any_split(numbers: list[int], cut: int) -> None:
    """A column of identifiers must neither fill the memory nor make a report depend on the batch size."""
    profile = profile_of_categories(_column(["EWR"]))
    window = _column([f"N{number}" for number in numbers])

    parts = sketch(profile, window[cut:]) + sketch(profile, window[:cut])

    assert parts == sketch(profile, window)
    assert parts.others == len(numbers)
    assert len(parts.other_names) == min(1000, len(set(numbers)))


@given(NUMBERS)
def test_a_sketch_of_the_reference_repeats_its_profile(values: FloatArray) -> None:
    """A window equal to the reference must have a distance of exactly 0."""
    profile = profile_of_numeric(values)
    same = sketch(profile, values)

    assert (same.counts, same.sums, same.counters) == (profile.counts, profile.sums, profile.counters)


def test_sketches_of_two_profiles_do_not_add_up() -> None:
    """Counts of other cells would add up silently to nonsense."""
    numbers = [sketch(profile_of_numeric(np.array(values)), np.array([1.0])) for values in ([1.0], [2.0])]
    names = [sketch(profile_of_categories(_column([name])), _column(["x"])) for name in "ab"]

    with pytest.raises(ValueError, match="two different profiles"):
        numbers[0] + numbers[1]
    with pytest.raises(ValueError, match="two different profiles"):
        names[0] + names[1]


@given(NAMES, st.integers(1, 5))
def test_categories_are_listed_by_count_and_then_by_name(values: list[str | None], listed: int) -> None:
    """Ties broken by the order of rows would give the same data two digests."""
    profile = profile_of_categories(_column(values), listed=listed)
    counted = Counter(value for value in values if value is not None)

    assert profile.categories == tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:listed])
    assert sum(count for _, count in profile.categories) + profile.rest + profile.null == profile.rows == len(values)


def test_a_batch_is_profiled_by_the_kinds_of_its_columns() -> None:
    """A string column of digits is text because the signature says so, not because it looks like it."""
    batch = {"hour": np.array([[5.0], [6.0]]), "carrier": np.array([["9E"], ["9E"]])}

    profiles = profile_of_columns(batch, categories={"carrier"})

    assert list(profiles) == ["carrier", "hour"]
    assert isinstance(profiles["carrier"], CategoryProfile)
    assert isinstance(profiles["hour"], NumericProfile)


def test_a_page_with_a_cell_too_few_is_no_profile() -> None:
    """A profile cut short would answer with wrong distances."""
    page = profile_of_numeric(np.array([1.0, 2.0])).to_json()
    page["counts"] = page["counts"][:-1]

    with pytest.raises(ValueError, match="one count and one sum"):
        profile_from_json(page)
