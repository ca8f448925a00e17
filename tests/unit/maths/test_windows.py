"""A window is counted batch by batch; how it was cut must show nowhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.columns import CountedWords
from slipway.maths.profile import ColumnProfile, profile_of_columns
from slipway.maths.windows import SeenWindow, ServedBatch, Values, count_window

_TRAINED = {"hour": np.arange(24.0).repeat(3), "carrier": np.array(["AA", "HA", "UA"] * 24, dtype=object)}
_PROFILES: dict[str, ColumnProfile] = profile_of_columns(_TRAINED, categories={"carrier"})
_HOURS = st.one_of(st.floats(), st.integers(-3, 30).map(float))
_CARRIERS = st.one_of(st.none(), st.sampled_from(["AA", "HA", "", "ZZ"]))
_ROWS = st.lists(st.tuples(_HOURS, _CARRIERS), max_size=30)


def batch(rows: list[tuple[Any, Any]], *, absent: bool = False) -> ServedBatch:
    hours = np.array([hour for hour, _ in rows], np.float64)
    carriers: Values = np.array([carrier for _, carrier in rows], dtype=object)
    if absent:
        carriers = CountedWords({}, null=len(rows))
    return ServedBatch(len(rows), {"hour": hours, "carrier": carriers}, frozenset({"carrier"} if absent else ()))


@given(_ROWS, st.data())
def test_order_and_size_of_batches_change_no_digit(rows: list[tuple[Any, Any]], data: st.DataObject) -> None:
    """A page is written once: a window that a rerun reads in other batches must be the same to the last byte."""
    order = data.draw(st.permutations(rows))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    parts = [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]

    whole = count_window(_PROFILES, [batch(rows)])

    assert count_window(_PROFILES, map(batch, parts)) == whole
    assert count_window(_PROFILES, map(batch, parts)).to_bytes() == whole.to_bytes()


@given(st.tuples(_ROWS, _ROWS, _ROWS))
def test_windows_add_up_in_any_order(parts: tuple[list[tuple[Any, Any]], ...]) -> None:
    """Shards and processes count by themselves; who is added to whom must not matter."""
    one, two, three = (count_window(_PROFILES, [batch(rows, absent=not rows)]) for rows in parts)

    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + SeenWindow() == one


@given(_ROWS, st.booleans())
def test_a_window_comes_back_from_its_bytes(rows: list[tuple[Any, Any]], absent: bool) -> None:
    """What one process counted another one adds; a digit that got lost on the way would be drift of nobody's."""
    window = count_window(_PROFILES, [batch(rows, absent=absent)])

    assert SeenWindow.from_bytes(window.to_bytes(), _PROFILES) == window


def test_a_window_counted_against_another_profile_is_refused() -> None:
    """Its cells would be taken for cells of this one."""
    others = profile_of_columns({"hour": np.arange(5.0), "carrier": _TRAINED["carrier"]}, categories={"carrier"})
    window = count_window(others, [batch([(1.0, "AA")])])

    with pytest.raises(ValueError, match="cells were counted"):
        SeenWindow.from_bytes(window.to_bytes(), _PROFILES)


def test_words_counted_before_are_words() -> None:
    """A reader of files counts equal words faster than Python; nothing else may differ."""
    words = np.array(["AA", None, "ZZ", "AA", ""], dtype=object)
    counted = CountedWords.of(["AA", None, "ZZ", ""], [2, 1, 1, 1])
    hours = np.zeros(5)

    assert count_window(_PROFILES, [ServedBatch(5, {"hour": hours, "carrier": counted})]) == count_window(
        _PROFILES, [ServedBatch(5, {"hour": hours, "carrier": words})]
    )


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (CountedWords({"nine": 4}, null=1), {"words"}),
        (CountedWords({}, null=5), set()),
        (np.array(["2026-03-01"] * 5, "datetime64[D]"), {"times"}),
        (np.array([{}] * 5, object), {"words"}),
        (np.full(5, np.nan), set()),
    ],
)
def test_what_is_no_number_is_told_and_missing(values: Values, kinds: set[str]) -> None:
    """One file in a hundred with words is a broken schema, whichever batch it was in."""
    numbers = ServedBatch(2, {"hour": np.array([1.0, 2.0]), "carrier": CountedWords({"AA": 2})})
    strange = ServedBatch(5, {"hour": values, "carrier": CountedWords({"AA": 5})})

    hour = count_window(_PROFILES, [numbers, strange]).columns["hour"]

    assert hour.other_kinds == kinds
    assert sum(hour.sketch.counts) == 2
    assert hour == count_window(_PROFILES, [strange, numbers]).columns["hour"]


def test_rows_of_files_without_a_column_are_told_and_missing() -> None:
    """Half a window without a feature is a rate; a whole one is a broken schema."""
    rows = [(1.0, "AA"), (2.0, "HA")]

    carrier = count_window(_PROFILES, [batch(rows), batch(rows, absent=True)]).columns["carrier"]

    assert carrier.absent == 2
    assert (carrier.sketch.counts, getattr(carrier.sketch, "null", None)) == ((1, 1, 0), 2)
