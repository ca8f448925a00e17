"""Some rows of a log that is larger than memory, chosen while it is read.

A row is chosen by a hash of its request and its place there, so the same rows are chosen whatever the order of files
and however they are cut; the hash mixes well, so they are as good as drawn.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_RANK = "rank in the sample"  # a name that no feature has, since it is no word
_ORDER = [(name, "ascending") for name in (_RANK, "request_id", "row", "time")]
_NO_ROWS = pa.table({name: pa.nulls(0, pa.string()) for name in ("request_id", "row", "time")})
_HELD = 2  # times as many rows as are wanted, before those that were not chosen are let go
_GOLDEN, _FIRST, _SECOND = (np.uint64(one) for one in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True, slots=True)
class Sample:
    """`rows` of the `of` that there were; all of them where those are no more than were wanted."""

    rows: pa.Table
    of: int


def sample(pieces: Iterable[pa.Table], *, most: int) -> Sample:
    """Choose at most so many rows, in no order that means anything, and hold at most twice as many and a piece.

    Args:
        pieces: with the columns `request_id` and `row`, and `time`.

    Raises:
        pa.ArrowException: a column is of types in two pieces that do not go together.
    """
    held: list[pa.Table] = []
    seen, waiting, highest = 0, 0, np.uint64(2**64 - 1)
    for piece in pieces:
        seen += len(piece)
        ranks = _ranks(piece)
        ranked = piece.append_column(_RANK, pa.array(ranks)).filter(pa.array(ranks <= highest))
        held.append(ranked)
        waiting += len(ranked)
        if waiting > _HELD * most:
            held = [_lowest(held, most)]
            waiting, highest = most, np.uint64(held[0][_RANK][most - 1].as_py())
    return Sample(_lowest(held, most).drop_columns([_RANK]) if held else _NO_ROWS, seen)


def _lowest(tables: list[pa.Table], most: int) -> pa.Table:
    """In order of rank; what lies together is copied, so that nothing of the rest stays in memory."""
    together = pa.concat_tables(tables, promote_options="permissive")
    return together.take(pc.sort_indices(together, sort_keys=_ORDER).slice(0, most)).combine_chunks()


def _ranks(piece: pa.Table) -> npt.NDArray[np.uint64]:
    """A number a row, shape (N,): CRC-32 of the request and the place, mixed by SplitMix64 (Steele et al. 2014)."""
    coded = piece["request_id"].cast(pa.string()).combine_chunks().dictionary_encode()
    names = coded.dictionary.cast(pa.binary()).to_pylist()
    of_name = np.fromiter(map(zlib.crc32, names), np.uint64, len(names))
    places = pc.fill_null(coded.indices, len(names)).to_numpy()
    requests = np.append(of_name, np.uint64(0))[places]  # a row without a request is one of its own
    rows = pc.fill_null(piece["row"].cast(pa.int64()), 0).to_numpy().astype(np.uint64)
    return _mixed((requests << np.uint64(32)) ^ rows)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    mixed = numbers + _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
