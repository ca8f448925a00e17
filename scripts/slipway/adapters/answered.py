"""What a version answered in a window, read once and added up: rows by day, and what its answers let expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from slipway.adapters import tables
from slipway.adapters.served_log import ServedLog
from slipway.domain.model import Feature
from slipway.domain.rows import Batch
from slipway.errors import BadFile
from slipway.maths.unlabelled import Expected

_WHERE = Path("served log")
_MICROSECONDS_A_DAY = 86_400_000_000
Count = Callable[[Batch, npt.NDArray[np.int64]], Expected | None]


@dataclass(frozen=True, slots=True)
class AnsweredWindow:
    """`rows` by day, as a number of days since 1970; `expected` is None where the log has no such answers."""

    rows: Mapping[int, int]
    expected: Expected | None


def add_up(
    served: ServedLog, start: date, end: date, *, version: str, output: Feature | None, count: Count
) -> AnsweredWindow:
    """Read a window piece by piece; `count` adds up what the `output` says, where one is asked for.

    Raises:
        BadFile: a file that cannot be read. An output that is missing, or of another type, is no estimate.
    """
    rows: Counter[int] = Counter()
    total = None if output is None else Expected()
    for piece in served.answers(start, end, version=version, output=output):
        if "time" not in piece.column_names:
            continue
        timed = piece.filter(piece["time"].is_valid())
        days = tables.days(timed["time"], where=_WHERE, name="time")
        found, numbers = np.unique(days, return_counts=True)
        rows.update(dict(zip(found.tolist(), numbers.tolist(), strict=True)))
        if output is not None and total is not None:
            more = _expected(timed, days, output, count)
            total = None if more is None else total + more
    return AnsweredWindow(dict(sorted(rows.items())), total)


def delays(labelled: pa.Table) -> npt.NDArray[np.float64] | None:
    """Days from each row to its label, as far as labels tell when they came; None where they do not."""
    if "labelled_at" not in labelled.column_names or len(labelled) == 0:
        return None
    known = labelled.filter(labelled["labelled_at"].is_valid())
    moments = [known[name].cast(pa.timestamp("us"), safe=False).cast(pa.int64()) for name in ("labelled_at", "time")]
    came, asked = (np.asarray(one.to_numpy(), np.float64) for one in moments)
    return (came - asked) / _MICROSECONDS_A_DAY


def _expected(piece: pa.Table, days: npt.NDArray[np.int64], output: Feature, count: Count) -> Expected | None:
    try:
        return count(tables.to_batch(piece, [output], where=_WHERE), days)
    except BadFile:  # the drift of outputs tells
        return None
