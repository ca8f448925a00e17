"""A served log, or labels, in a table of a database: the same rows as in files, asked for by day.

The table has the columns that files have, and `date`, or else `time`, by which a window is cut; text there reads as in
2026-03-01, in UTC. A table of several models has a column `model`, one of several environments `environment`, unless
its name tells them apart. Text in a column of numbers is read as in a CSV.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import pyarrow as pa

from slipway.adapters import database
from slipway.adapters.database import Database
from slipway.adapters.served_files import OWN, Asked, gathered, own_types, typed_text
from slipway.adapters.sql_dialects import Condition
from slipway.domain.log_address import LogAddress
from slipway.errors import BadFile

_DAYS = ("date", "time")  # the former where a table has both
_IDENTIFIERS = ("request_id", "version")  # which may be numbers in a table
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LogTable:
    """Rows of one model in one environment."""

    table: LogAddress
    only: Mapping[str, str]  # columns that tell whose rows these are
    variable: str  # of the environment, that holds the secret
    root: Path  # from which a file is meant

    @classmethod
    def of(cls, address: str, *, environment: str, model: str, variable: str, root: Path) -> Self:
        """What a setting names, of one model in one environment."""
        table = LogAddress.parse(address)
        names = {"environment": environment, "model": model}
        only = {name: value for name, value in names.items() if f"{{{name}}}" not in table.table}
        return cls(replace(table, table=table.table.format(**names)), only, variable, root)

    @property
    def address(self) -> str:
        return str(self.table)

    def newest_days(self) -> Iterator[date]:
        """Days that have rows, the newest first, each looked up when it is asked for."""
        with self._opened() as (opened, _, column):
            newest = opened.newest(column, self._whose())
            while newest is not None:
                day = self._day_of(newest, column)
                yield day
                newest = opened.newest(column, [*self._whose(), (column, "<", _bound(day, newest))])

    def pieces(self, start: date, end: date, asked: Asked) -> Iterator[pa.Table]:
        """Rows from `start` to `end`, both inclusive, in pieces of no order, none empty.

        Raises:
            BadFile: no such table or column, or a value that is none of its column.
            Unreachable: the database does not answer.
        """
        return gathered(filter(len, self._tables(start, end, asked)))

    def counts(self, start: date, end: date) -> Mapping[str, bytes]:  # noqa: ARG002 - as every source has it
        """None: servers write files of counts into folders alone."""
        return {}

    def _tables(self, start: date, end: date, asked: Asked) -> Iterator[pa.Table]:
        with self._opened() as (opened, names, column):
            self._need(names, asked.needed)
            newest = opened.newest(column, self._whose())
            if newest is None:
                return
            self._day_of(newest, column)  # or no day could be compared with it
            within = [(column, ">=", _bound(start, newest)), (column, "<", _bound(end + _ONE_DAY, newest))]
            version = [("version", "=", asked.version)] if asked.version is not None else []
            columns = asked.read(names)
            for rows in opened.rows(columns, [*self._whose(), *within, *version]):
                values = dict(zip(columns, zip(*rows, strict=True), strict=True))
                yield asked.kept(self._table(values, asked.words))

    def _table(self, values: Mapping[str, Sequence[Any]], words: Collection[str]) -> pa.Table:
        try:
            return own_types(pa.table({name: column_of(name, some, words) for name, some in values.items()}))
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise BadFile(
                f"{self.address}: the log cannot be read: {error}",
                mend="write request_id, row, time and version as the docs say, or read them through a view",
            ) from error

    @contextmanager
    def _opened(self) -> Iterator[tuple[Database, list[str], str]]:
        """The database, the table's columns, and the one that a window is cut by."""
        secret = os.environ.get(self.variable)
        with database.opened(self.table, secret=secret, variable=self.variable, root=self.root) as opened:
            names = opened.columns()
            self._need(names, self.only)
            column = next((name for name in _DAYS if name in names), None)
            if column is None:
                raise BadFile(f"{self.address}: there is no column `date` or `time`", mend="add one of them to it")
            yield opened, names, column

    def _need(self, names: Collection[str], needed: Collection[str]) -> None:
        missing = [name for name in needed if name not in names]
        if missing:
            or_name = f", or name the table by {{{missing[0]}}}" if missing[0] in self.only else ""
            raise BadFile(
                f"{self.address}: there is no column `{missing[0]}`",
                mend=f"add it to the table, or read a view that has it{or_name}",
            )

    def _whose(self) -> list[Condition]:
        return [(name, "=", value) for name, value in self.only.items()]

    def _day_of(self, value: Any, column: str) -> date:
        try:
            return _moment(value).date() if isinstance(value, datetime) else _date(value)
        except ValueError as error:
            raise BadFile(
                f"{self.address}: `{column}` holds {value!r}, which is no day",
                mend="let it hold dates, times, or text as 2026-03-01, in UTC",
            ) from error


def _bound(day: date, like: Any) -> Any:
    """A day in the type that the column has, so that it is compared as what it is."""
    if isinstance(like, datetime):
        return datetime.combine(day, time(), tzinfo=None if like.tzinfo is None else UTC)
    return day if isinstance(like, date) else day.isoformat()


def _date(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} is no day")  # noqa: TRY004 - it is told as any other value that is none
    return date.fromisoformat(value[:10])


def _moment(value: datetime | str) -> datetime:
    """In UTC, which is meant where no zone is told."""
    told = datetime.fromisoformat(value) if isinstance(value, str) else value
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def column_of(name: str, values: Sequence[Any], words: Collection[str]) -> pa.Array:
    """Values of a column as drivers give them, as what they hold.

    Raises:
        ValueError, TypeError, pyarrow.ArrowException: the log's own columns hold what is none of theirs.
    """
    plain = [_decoded(value) for value in values]
    kinds = {type(value) for value in plain} - {type(None)}
    if name == "time":
        return pa.array([None if value is None else _moment(value) for value in plain], OWN["time"])
    if name in words or name in _IDENTIFIERS:
        return _text(plain)
    if str in kinds:
        return typed_text(name, _text(plain), words)
    if kinds <= {bool, int, float, Decimal}:
        return _numbers(plain, kinds)
    try:
        return pa.array(plain)
    except pa.ArrowException:
        return _text(plain)


def _decoded(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode(errors="replace")
    return str(value) if isinstance(value, UUID) else value


def _text(values: Sequence[Any]) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _numbers(values: Sequence[Any], kinds: Set[type]) -> pa.Array:
    if kinds <= {int}:
        try:
            return pa.array(values, pa.int64() if kinds else None)
        except OverflowError:
            pass
    return pa.array([None if value is None else float(value) for value in values], pa.float64())
