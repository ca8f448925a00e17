"""A window that others count in parts is the window that one counts alone."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from slipway.maths.arrow_batches import AskedColumn, to_batch
from slipway.maths.parts_of_windows import PartOfWindow, whole
from slipway.maths.profile import ColumnProfile, profile_of_columns
from slipway.maths.windows import SeenWindow, count_window

_TRAINED = {"bill": np.arange(40.0), "kitchen": np.array(["thai", "pizza"] * 20, dtype=object)}
_PROFILES: dict[str, ColumnProfile] = profile_of_columns(_TRAINED, categories={"kitchen"})
_PART = PartOfWindow(
    _PROFILES, columns=(AskedColumn("kitchen", words=True), AskedColumn("bill")), names=("bill", "kitchen")
)
_ROWS = st.lists(st.tuples(st.none() | st.floats(), st.none() | st.sampled_from(["thai", "", "soup"])), max_size=20)


def record_batch(rows: list[tuple[Any, Any]]) -> pa.RecordBatch:
    bills, kitchens = [bill for bill, _ in rows], [kitchen for _, kitchen in rows]
    return pa.record_batch({"c0": pa.array(bills, pa.float64()), "c1": pa.array(kitchens, pa.string())})


def counted(part: PartOfWindow, *batches: pa.RecordBatch) -> bytes:
    (told,) = part(iter(batches))
    (window,) = told["window"].to_pylist()
    assert isinstance(window, bytes)
    return window


@given(st.lists(_ROWS, max_size=4), st.data())
def test_parts_in_any_order_make_the_whole(parts: list[list[tuple[Any, Any]]], data: st.DataObject) -> None:
    """Processes end when they end, and some were given nothing."""
    carried = pickle.loads(pickle.dumps(_PART))
    rows = [row for part in parts for row in part]
    alone = [to_batch(record_batch(rows).rename_columns(_PART.names), _PART.columns)] if rows else []

    told = [counted(carried, record_batch(part), record_batch([])) for part in data.draw(st.permutations(parts))]

    assert whole(told, _PROFILES).to_bytes() == count_window(_PROFILES, alone).to_bytes()


def test_no_part_is_an_empty_window() -> None:
    """A log without files has no rows, and nothing is wrong with it."""
    assert whole([], _PROFILES) == SeenWindow()
