"""Where decisions flip, by the values that a reviewer knows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from slipway.domain.flips import flips_by_value
from slipway.domain.model import Feature
from slipway.domain.signature import DataType

_KITCHEN = Feature(name="kitchen", dtype=DataType.STRING, meaning="Kitchen that cooked")
_BILL = Feature(name="bill", dtype=DataType.FLOAT32, meaning="Sum on the bill")


@given(st.lists(st.tuples(st.sampled_from(["grill", "noodles", "pizza"]), st.booleans()), min_size=1))
def test_each_flip_is_counted_with_its_value_and_the_most_come_first(rows: list[tuple[str, bool]]) -> None:
    """Numbers have no values to tell apart, and a value without a flip is not worth a line."""
    words = np.array([[word] for word, _ in rows], object)
    flipped = np.array([flips for _, flips in rows])
    found = flips_by_value([_KITCHEN, _BILL], {"kitchen": words, "bill": np.zeros((len(rows), 1))}, flipped)

    assert sum(one.flips for one in found) == int(flipped.sum())
    assert all(one.column == "kitchen" and 0 < one.flips <= one.rows for one in found)
    assert [one.flips for one in found] == sorted((one.flips for one in found), reverse=True)


def test_of_many_values_a_few_are_told() -> None:
    """A column of names would fill the page."""
    words = np.array([[f"table {number}"] for number in range(100)], object)
    assert len(flips_by_value([_KITCHEN], {"kitchen": words}, np.ones(100, np.bool_))) == 8
