"""What counts as missing, as infinite, as a number and as a category."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.columns import Counters, read_categories, read_numbers, round_sorted

MEASURABLE = st.floats(min_value=-1e300, max_value=1e300)


@given(MEASURABLE.filter(lambda value: value == 0 or abs(value) > 1e-290))
def test_a_number_keeps_six_significant_digits(value: float) -> None:
    """More would let a reader of the profile recognise a training row; fewer would blur the distances."""
    (rounded,) = round_sorted(np.array([value]), digits=6)

    assert math.isclose(rounded, value, rel_tol=5.1e-6)
    assert len(Decimal(f"{rounded:.12e}").normalize().as_tuple().digits) <= 6


@given(MEASURABLE)
def test_rounding_twice_is_rounding_once(value: float) -> None:
    """A window that was already rounded must fall on the atoms of a profile made from raw values."""
    once = round_sorted(np.array([value]), digits=6)

    assert np.allclose(round_sorted(once, digits=6), once, rtol=1e-15, atol=0)


@given(st.integers(-999_999, 999_999), st.integers(0, 16))
def test_everyday_decimals_are_left_as_they_are(whole: int, places: int) -> None:
    """0.24 must stay the float that a person writes as 0.24, or the profile's JSON is unreadable."""
    value = float(f"{whole}e-{places}")

    assert round_sorted(np.array([value]), digits=6)[0] == value


@given(st.lists(st.one_of(st.floats(), st.integers(-40, 40).map(lambda power: 10.0**power)), max_size=40))
def test_a_value_is_rounded_the_same_whatever_stands_beside_it(values: list[float]) -> None:
    """A column is rounded power by power of ten; a value that its neighbours could move would depend on the batch."""
    together, counters = read_numbers(np.array(values, np.float64))
    alone = [read_numbers(np.array([value])) for value in values]

    assert together.tolist() == sorted(value for numbers, _ in alone for value in numbers.tolist())
    assert counters == sum((counters for _, counters in alone), Counters())


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int16, np.uint8])
def test_a_narrow_column_is_read_as_a_wide_one(dtype: type[np.generic]) -> None:
    """Narrow numbers are sorted before they are widened, which must show nowhere."""
    values = (np.random.default_rng(3).normal(0, 40, 500).clip(-100, 100) + 100).astype(dtype)

    assert read_numbers(values)[0].tolist() == read_numbers(values.astype(np.float64))[0].tolist()


def test_no_minus_zero_reaches_a_profile() -> None:
    """-0.0 and 0.0 are equal but print differently: the same column would have two digests."""
    assert not np.signbit(read_numbers(np.array([-0.0, -1e-310]))[0]).any()


def test_what_is_no_number_is_counted_and_left_out() -> None:
    """A feature that goes missing must show as missing, not as a shifted distribution."""
    values = np.array([2.0, None, math.nan, 1.0, math.inf, -math.inf, 1e305], dtype=object)

    numbers, counters = read_numbers(values)

    assert numbers.tolist() == [1.0, 2.0]
    assert counters == Counters(rows=7, null=1, nan=1, positive_inf=2, negative_inf=1)
    assert (counters.missing, counters.infinite, counters.finite) == (2, 3, 2)


@pytest.mark.parametrize("dtype", [np.bool_, np.int8, np.uint64, np.float16, np.float32])
def test_every_numeric_type_is_read(dtype: type[np.generic]) -> None:
    """A model's inputs come in all of these."""
    assert read_numbers(np.array([[1], [0]], dtype))[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "values", [np.array(["1.5"]), np.array(["1.5", None], object), np.array(["2013-01-01"], "datetime64[D]")]
)
def test_text_and_dates_are_no_numbers(values: np.ndarray) -> None:
    """numpy would turn "1.5" into 1.5 and hide that the schema broke."""
    with pytest.raises(TypeError, match="numeric column"):
        read_numbers(values)


def test_a_row_has_one_value() -> None:
    """An embedding counted as one long column would be a distribution of nothing."""
    with pytest.raises(ValueError, match=r"one value a row"):
        read_numbers(np.ones((3, 2)))


def test_nulls_are_no_category_but_the_empty_text_is() -> None:
    """An airline that is written as "" is a fault to be named; a null is a rate."""
    values = np.array([["EWR"], [""], [None], [math.nan], ["EWR"], [b"JFK"]], dtype=object)

    assert read_categories(values) == ({"EWR": 2, "": 1, "JFK": 1}, 2)


def test_an_empty_column_is_read() -> None:
    """A window without traffic is normal at night."""
    assert read_numbers(np.array([]))[1].rows == 0
    assert read_numbers(np.array([None], object))[1] == Counters(rows=1, null=1)
    assert read_categories(np.array([], dtype=object)) == ({}, 0)
