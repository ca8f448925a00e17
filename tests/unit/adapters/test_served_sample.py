"""Which rows of a large log are looked at depends on the rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.served_sample import sample

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows_of(requests: list[str | None], *, a_request: int = 1) -> pa.Table:
    """So many rows of each request, an hour apart by request."""
    number = np.arange(len(requests) * a_request)
    return pa.table(
        {
            "request_id": pa.array([requests[one // a_request] for one in number.tolist()], pa.string()),
            "row": pa.array(number % a_request, pa.int64()),
            "time": pa.array([_NOON + timedelta(hours=one) for one in number.tolist()], pa.timestamp("us", tz="UTC")),
            "bill": pa.array(number, pa.float32()),
        }
    )


def chosen(pieces: list[pa.Table], *, most: int) -> list[float]:
    return sorted(sample(pieces, most=most).rows["bill"].to_pylist())


@given(
    requests=st.lists(st.text(max_size=8), unique=True, min_size=1, max_size=40),
    a_request=st.integers(1, 3),
    most=st.integers(1, 60),
    cuts=st.lists(st.integers(0, 120), max_size=6),
    random=st.randoms(use_true_random=False),
)
def test_neither_order_nor_files_change_which_rows_are_chosen(
    requests: list[str | None], a_request: int, most: int, cuts: list[int], random: Random
) -> None:
    """Two runs of a release, or a replay of it, would else see other traffic; each row lies in one file of some."""
    whole = rows_of(requests, a_request=a_request)
    order = list(range(len(whole)))
    random.shuffle(order)
    shuffled = whole.take(pa.array(order, pa.int64()))
    ends = sorted({0, *(min(cut, len(whole)) for cut in cuts), len(whole)})
    pieces = [shuffled.slice(start, end - start) for start, end in pairwise(ends)]

    assert chosen(pieces, most=most) == chosen([whole], most=most)
    assert sample(pieces, most=most).of == len(whole)
    assert len(chosen(pieces, most=most)) == min(most, len(whole))


def test_fewer_rows_than_are_wanted_are_all_there() -> None:
    """A small service is replayed whole, as it was before there were large ones."""
    found = sample([rows_of(["a", None]), rows_of(["b"])], most=10)

    assert (len(found.rows), found.of) == (3, 3)
    assert found.rows.column_names == ["request_id", "row", "time", "bill"]


def test_a_log_without_rows_is_an_empty_sample() -> None:
    """A first release has none."""
    found = sample([], most=10)

    assert (len(found.rows), found.of) == (0, 0)


@pytest.mark.parametrize("name", ["{:06}", "a-{}", "{:032x}"])
def test_the_rows_are_as_good_as_drawn(name: str) -> None:
    """Ids that count up must not bring one day or one server alone: each tenth of the log has a tenth of the sample.

    1,000 of 20,000 rows: a tenth has 100 of them, give or take four standard deviations of 9.2.
    """
    whole = rows_of([name.format(one) for one in range(20_000)])
    bills = np.array(chosen([whole], most=1_000))

    counts = np.bincount((bills // 2_000).astype(int), minlength=10)
    assert np.abs(counts - 100).max() < 37


def test_a_request_of_many_rows_is_not_chosen_as_a_whole() -> None:
    """Else one batch of a night could be all that is looked at."""
    whole = rows_of(["night"], a_request=20_000)
    bills = np.array(chosen([whole], most=1_000))

    assert np.abs(np.bincount((bills // 2_000).astype(int), minlength=10) - 100).max() < 37


def test_rows_that_were_not_chosen_do_not_stay_in_memory() -> None:
    """However large the log is: a piece and twice the sample are held at any time, not the 40 MB that went by."""
    before, held = pa.total_allocated_bytes(), []

    def pieces() -> Iterator[pa.Table]:
        for number in range(40):
            held.append(pa.total_allocated_bytes() - before)
            keys = {"request_id": [f"{number}"] * 5_000, "row": range(5_000), "time": [number] * 5_000}
            yield pa.table({**keys, "wide": pa.array([b"x" * 200] * 5_000)})

    found = sample(pieces(), most=1_000)

    assert (len(found.rows), found.of) == (1_000, 200_000)
    assert max(held) < 5_000_000
