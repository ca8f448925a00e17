"""Drivers of PEP 249 for a database that asks for a password, in each style of parameters; SQLite answers below.

They are strict where SQLite is not: marks of another style are no SQL to them, a host may be down, a stranger is not
let in, and what they say then holds the password, as some drivers do.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from types import ModuleType
from typing import Any

PASSWORD = "dragon-under-the-bridge"
_MARKS = {
    "qmark": r"\?",
    "numeric": r":(\d+)",
    "named": r":p(\d+)",
    "format": r"%s",
    "pyformat": r"%\(p(\d+)\)s",
}


def driver(style: str) -> ModuleType:
    """A module with `paramstyle` and `connect`, to be imported by its name."""
    module = ModuleType(f"strict_{style}")
    module.__dict__.update(
        paramstyle=style,
        connect=lambda **told: _Connection(style, **told),
        Error=sqlite3.Error,
        OperationalError=sqlite3.OperationalError,
        InterfaceError=sqlite3.InterfaceError,
        ProgrammingError=sqlite3.ProgrammingError,
    )
    return module


class _Connection:
    def __init__(self, style: str, *, host: str, database: str, password: str = "") -> None:
        if host == "down":
            raise sqlite3.OperationalError(f"connection refused (host={host} password={password})")
        if password != PASSWORD:
            raise sqlite3.OperationalError(f'password authentication failed for user "reader" (password={password})')
        self._style, self._below = style, sqlite3.connect(database)

    def cursor(self, *, name: str = "") -> _Cursor:
        return _Cursor(self._style, self._below.cursor())

    def close(self) -> None:
        self._below.close()


class _Cursor:
    arraysize = 1

    def __init__(self, style: str, below: sqlite3.Cursor) -> None:
        self._style, self._below = style, below

    @property
    def description(self) -> Any:
        return self._below.description

    def execute(self, text: str, bound: Sequence[Any] | dict[str, Any]) -> None:
        """In the words of SQLite."""
        assert isinstance(bound, dict) == (self._style in ("named", "pyformat"))
        values = list(bound.values()) if isinstance(bound, dict) else list(bound)
        told, marks = re.subn(rf"(?<!%){_MARKS[self._style]}", "?", text)
        if marks != len(values):
            raise sqlite3.ProgrammingError(f"{marks} marks for {len(values)} values in {text}")
        self._below.execute(told.replace("%%", "%"), values)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return self._below.fetchmany(size or self.arraysize)

    def close(self) -> None:
        self._below.close()
