"""Rows that travel between processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.converters.batches import chunks, joined, read_batch, write_batch
from slipway.errors import BadFile

# numpy's fixed-width text drops NULs at its end, and no UTF-8 file holds half of a surrogate pair.
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@given(texts=st.lists(_TEXT, max_size=8))
def test_strings_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """A carrier that loses an accent on the way would be compared as another carrier."""
    path = tmp_path_factory.getbasetemp() / "strings.npz"
    column = np.array(texts, dtype=object).reshape(-1, 1)

    write_batch(path, {"carrier": column})

    assert read_batch(path)["carrier"].tolist() == column.tolist()


def test_any_name_can_be_an_input(tmp_path: Path) -> None:
    """numpy takes some names, such as `file`, for arguments of its own."""
    names = ["file", "allow_pickle", "a/b", "../x", "ä"]

    write_batch(tmp_path / "rows.npz", {name: np.ones((2, 1), np.float32) for name in names})

    assert list(read_batch(tmp_path / "rows.npz")) == names


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x93NUMPY"])
def test_a_file_that_is_no_batch_is_refused(tmp_path: Path, content: bytes) -> None:
    """A worker that was killed while it wrote leaves such a file."""
    (tmp_path / "rows.npz").write_bytes(content)

    with pytest.raises(BadFile):
        read_batch(tmp_path / "rows.npz")


def test_a_single_array_is_refused(tmp_path: Path) -> None:
    """numpy reads it without a word, and gives something else back."""
    np.save(tmp_path / "rows.npy", np.ones(3))

    with pytest.raises(BadFile):
        read_batch(tmp_path / "rows.npy")


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    """The file is written by a process that runs a team's model; unpickling it would run code here."""
    np.savez(tmp_path / "rows.npz", carrier=np.array([[{}]], dtype=object), allow_pickle=True)

    with pytest.raises(BadFile, match="pickle"):
        read_batch(tmp_path / "rows.npz")


@given(rows=st.integers(0, 20), at_once=st.integers(1, 7))
def test_chunks_hold_every_row_once_in_order(rows: int, at_once: int) -> None:
    """Answers are compared by position."""
    batch = {"hour": np.arange(rows).reshape(-1, 1)}

    parts = list(chunks(batch, rows_at_once=at_once))

    assert all(len(part["hour"]) <= at_once for part in parts)
    np.testing.assert_array_equal(joined(parts)["hour"], batch["hour"])
