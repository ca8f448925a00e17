"""The bounds hold: scipy's number, from all the rows, lies inside them."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance
from slipway.maths.absence import Absent
from slipway.maths.columns import round_sorted
from slipway.maths.distances import (
    CategoryDistance,
    Interval,
    RateChange,
    category_distance,
    kolmogorov_smirnov,
    missing_rate,
    normalised_wasserstein,
    wasserstein,
)
from slipway.maths.profile import profile_of_categories, profile_of_numeric, sketch

from tests.unit.maths.columns_of_numbers import NUMBERS, FloatArray

CATEGORIES = st.lists(st.sampled_from("ABCDEF"), min_size=1, max_size=60).map(lambda names: np.array(names, object))


def _rounded(values: FloatArray) -> FloatArray:
    return round_sorted(np.sort(values), digits=6)


def _kolmogorov_smirnov(left: FloatArray, right: FloatArray) -> float:
    with warnings.catch_warnings(action="ignore"):  # about the p-value, which nobody here asks for
        return float(ks_2samp(_rounded(left), _rounded(right), method="asymp").statistic)


def _total_variation(left: np.ndarray, right: np.ndarray) -> float:
    return 0.5 * math.fsum(abs((left == name).mean() - (right == name).mean()) for name in "ABCDEF")


def _category_distance(left: np.ndarray, right: np.ndarray, *, listed: int = 1000) -> CategoryDistance:
    profile = profile_of_categories(left, listed=listed)
    found = category_distance(profile, sketch(profile, right))
    assert isinstance(found, CategoryDistance)
    return found


@given(NUMBERS, NUMBERS)
def test_the_true_kolmogorov_smirnov_distance_is_inside_its_bounds(reference: FloatArray, window: FloatArray) -> None:
    """An alarm rests on the lower bound: above the truth, it would be false."""
    profile = profile_of_numeric(reference, bins=32)
    truth = _kolmogorov_smirnov(reference, window)

    bounds = kolmogorov_smirnov(profile, sketch(profile, window))

    assert isinstance(bounds, Interval)
    assert bounds.low - 1e-12 <= truth <= bounds.high + 1e-12
    assert bounds.high - bounds.low <= profile.resolution + 1e-12


@given(NUMBERS, NUMBERS)
def test_the_true_wasserstein_distance_is_inside_its_bounds(reference: FloatArray, window: FloatArray) -> None:
    """The same for W1, where heavy tails make bounds wide but may not make them wrong."""
    profile = profile_of_numeric(reference, bins=32)
    truth = float(wasserstein_distance(_rounded(reference), _rounded(window)))

    bounds = wasserstein(profile, sketch(profile, window))

    slack = 1e-9 * max(np.abs(reference).max(), np.abs(window).max())
    assert isinstance(bounds, Interval)
    assert bounds.low - slack <= truth <= bounds.high + slack


@given(NUMBERS)
def test_a_window_like_the_reference_has_no_distance(values: FloatArray) -> None:
    """The control of every other test here."""
    profile = profile_of_numeric(values)
    same = sketch(profile, values)

    ks, w1 = kolmogorov_smirnov(profile, same), wasserstein(profile, same)

    assert isinstance(ks, Interval)
    assert isinstance(w1, Interval)
    assert (ks.low, w1.low) == (0.0, 0.0)


@pytest.mark.parametrize("shift", [0.25, 0.5, -2.0])
def test_a_shift_of_a_smooth_column_is_measured_closely(shift: float) -> None:
    """Bounds that hold are worth nothing when they are wide: 512 bins give KS to 0.002 and W1 to 2 %."""
    generator = np.random.default_rng(7)
    reference, window = generator.normal(size=20_000), generator.normal(shift, size=20_000)
    profile = profile_of_numeric(reference)
    seen = sketch(profile, window)

    ks, w1 = kolmogorov_smirnov(profile, seen), normalised_wasserstein(profile, seen)

    assert isinstance(ks, Interval)
    assert isinstance(w1, Interval)
    assert ks.high - ks.low < 0.0025
    assert w1.high - w1.low < 0.02 * w1.high
    assert abs(shift) == pytest.approx(w1.low, rel=0.1)


def test_a_change_of_unit_is_measured_exactly() -> None:
    """Minutes sent as seconds land beyond the reference, where nothing needs to be bounded."""
    minutes = np.random.default_rng(7).uniform(100, 600, 2000)
    profile = profile_of_numeric(minutes)

    bounds = wasserstein(profile, sketch(profile, minutes * 60))

    assert isinstance(bounds, Interval)
    truth = wasserstein_distance(_rounded(minutes), _rounded(minutes * 60))
    assert (bounds.low, bounds.high) == pytest.approx((truth, truth))


def test_a_stuck_sensor_is_measured_exactly_on_a_column_of_whole_numbers() -> None:
    """The fault of the demo: the distance is the share of flights that left early."""
    delays = np.round(np.random.default_rng(7).normal(-2, 20, 5000))
    profile = profile_of_numeric(delays)

    bounds = kolmogorov_smirnov(profile, sketch(profile, np.zeros(500)))

    truth = float(max((delays < 0).mean(), (delays > 0).mean()))
    assert isinstance(bounds, Interval)
    assert (bounds.low, bounds.high) == pytest.approx((truth, truth))


@pytest.mark.parametrize(("reference", "window"), [([1.0], []), ([], [1.0]), ([1.0, 2.0], [math.nan, math.inf])])
def test_no_number_on_one_side_is_no_distance(reference: list[float], window: list[float]) -> None:
    """0 would say that nothing moved, when nobody knows."""
    profile = profile_of_numeric(np.array(reference))
    seen = sketch(profile, np.array(window))

    for measure in (kolmogorov_smirnov, wasserstein, normalised_wasserstein):
        assert isinstance(measure(profile, seen), Absent)


def test_a_constant_reference_has_a_distance_but_no_normalised_one() -> None:
    """Divided by a spread of 0 it would be infinite, whatever happened."""
    profile = profile_of_numeric(np.full(100, 5.0))
    seen = sketch(profile, np.full(10, 7.0))

    assert isinstance(normalised_wasserstein(profile, seen), Absent)
    assert wasserstein(profile, seen) == Interval(2.0, 2.0)
    assert kolmogorov_smirnov(profile, seen) == Interval(1.0, 1.0)


@given(CATEGORIES, CATEGORIES)
def test_total_variation_is_what_its_definition_says(left: np.ndarray, right: np.ndarray) -> None:
    """Half the sum of the differences of all shares, between 0 and 1, the same in both directions."""
    there, back = _category_distance(left, right), _category_distance(right, left)

    assert there.total_variation.low == there.total_variation.high == pytest.approx(_total_variation(left, right))
    assert there.total_variation.low == pytest.approx(back.total_variation.low)
    assert 0 <= there.total_variation.low <= 1


@given(CATEGORIES, CATEGORIES, st.integers(0, 5))
def test_total_variation_is_inside_its_bounds_when_not_all_is_listed(
    left: np.ndarray, right: np.ndarray, listed: int
) -> None:
    """A column of a million names keeps a thousand; what follows from them must still be true."""
    bounds = _category_distance(left, right, listed=listed).total_variation

    assert bounds.low - 1e-12 <= _total_variation(left, right) <= bounds.high + 1e-12


def test_unseen_categories_are_named_and_counted() -> None:
    """ "3 rows have the carrier `aa`" is what leads a person to the fault."""
    found = _category_distance(np.array(["AA", "UA"]), np.array(["aa", "AA", "aa", "b6"]))

    assert (found.unseen, found.unseen_rows, found.certain) == ((("aa", 2), ("b6", 1)), 3, True)


def test_an_unlisted_category_may_be_one_of_the_rare_ones() -> None:
    """To call it unseen would be a guess, so the result says so."""
    found = _category_distance(np.array(["AA", "AA", "UA"]), np.array(["UA"]), listed=1)

    assert (found.unseen, found.certain) == ((("UA", 1),), False)


def test_nulls_alone_are_no_categories() -> None:
    """A column that went null has a rate of 1 and no distribution."""
    profile = profile_of_categories(np.array(["AA"], object))
    seen = sketch(profile, np.array([None, None], object))

    assert isinstance(category_distance(profile, seen), Absent)
    assert missing_rate(profile, seen) == RateChange(0.0, 1.0)


def test_missing_values_have_a_rate_of_their_own() -> None:
    """Kolmogorov-Smirnov is blind to 30 % NaN: the runtime takes them silently as "not late"."""
    profile = profile_of_numeric(np.array([1.0, 2.0, math.nan, 3.0]))
    seen = sketch(profile, np.array([1.0, None, math.nan, math.inf], object))

    missing = missing_rate(profile, seen)

    assert missing == RateChange(0.25, 0.5)
    assert isinstance(missing, RateChange)
    assert missing.change == 0.25


def test_no_rows_are_no_rate() -> None:
    """0 % missing of nothing would read as good news."""
    profile = profile_of_numeric(np.array([1.0]))

    assert isinstance(missing_rate(profile, sketch(profile, np.array([]))), Absent)


def test_a_sketch_of_another_profile_is_refused() -> None:
    """Its counts belong to other cells."""
    numbers, other = profile_of_numeric(np.array([1.0])), profile_of_numeric(np.array([2.0]))
    names = profile_of_categories(np.array(["a"]))

    with pytest.raises(ValueError, match="another profile"):
        kolmogorov_smirnov(numbers, sketch(other, np.array([1.0])))
    with pytest.raises(ValueError, match="another profile"):
        category_distance(names, sketch(profile_of_categories(np.array(["b"])), np.array(["a"])))
