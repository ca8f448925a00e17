"""What was asked and answered, a row each, as Parquet.

request_id · row · time (UTC) · version · a column an input · a column an output
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from serving.errors import CannotStart
from serving.served import Encoded, LogFile, Served
from serving.tensors import Array, TensorSpecification

OWN_COLUMNS = ("request_id", "row", "time", "version")
_TIME = pa.timestamp("us", tz="UTC")
_ARROW = {
    "FP16": pa.float32(),  # each fits, and readers of Parquet know it
    "FP32": pa.float32(),
    "FP64": pa.float64(),
    "INT8": pa.int8(),
    "INT16": pa.int16(),
    "INT32": pa.int32(),
    "INT64": pa.int64(),
    "UINT8": pa.uint8(),
    "UINT16": pa.uint16(),
    "UINT32": pa.uint32(),
    "UINT64": pa.uint64(),
    "BOOL": pa.bool_(),
    "BYTES": pa.string(),
}


@dataclass(frozen=True)
class Rows:
    """Writes every value of every row.

    Raises:
        CannotStart: the model calls a tensor as the log calls a column of its own.
    """

    version: str
    columns: Mapping[str, TensorSpecification]

    def __post_init__(self) -> None:
        taken = [name for name in OWN_COLUMNS if name in self.columns]
        if taken:
            raise CannotStart(
                f"the model calls a tensor `{taken[0]}`, as the served log calls a column of its own",
                mend="rename the tensor, or start without --served-log",
            )

    def encode(self, batch: Sequence[Served]) -> Encoded:
        """A file a day; nothing is kept back."""
        return Encoded([_file(day, table) for day, table in _by_date(self._table(batch))], kept_back=[])

    def _table(self, batch: Sequence[Served]) -> pa.Table:
        columns: dict[str, pa.Array] = {
            "request_id": pa.array([served.request_id for served in batch for _ in served.times], pa.string()),
            "row": pa.array(np.concatenate([np.arange(served.rows, dtype=np.int32) for served in batch])),
            "time": pa.array([moment for served in batch for moment in served.times], _TIME),
        }
        columns["version"] = pa.array([self.version] * len(columns["row"]), pa.string())
        for name, specification in self.columns.items():
            columns[name] = _column(specification, [(served.values.get(name), served.rows) for served in batch])
        return pa.table(columns)


def _file(day: date, table: pa.Table) -> LogFile:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return LogFile(day=day, ending=".parquet", content=sink.getvalue().to_pybytes(), rows=len(table))


def _column(specification: TensorSpecification, parts: Iterable[tuple[Array | None, int]]) -> pa.Array:
    """One value a row; a list a row where the tensor is wider; null where it has no row for each row asked."""
    arrow = _ARROW[specification.kind.datatype]
    wide = np.prod(specification.shape[1:]) != 1
    kind = pa.list_(arrow) if wide else arrow
    chunks = []
    for array, rows in parts:
        if array is None or array.ndim == 0 or len(array) != rows:
            chunks.append(pa.nulls(rows, kind))
        elif wide:
            chunks.append(pa.array(array.reshape(rows, -1).tolist(), kind))
        else:
            chunks.append(pa.array(array.reshape(rows), kind))
    return pa.chunked_array(chunks, kind)


def _by_date(table: pa.Table) -> Iterable[tuple[date, pa.Table]]:
    days = np.asarray(table["time"].cast(pa.int64())) // 86_400_000_000
    for day in np.unique(days):
        rows = table if (days == day).all() else table.filter(pc.equal(pa.array(days), int(day)))
        yield date(1970, 1, 1) + timedelta(days=int(day)), rows
