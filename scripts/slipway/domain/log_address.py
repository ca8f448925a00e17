"""A table of a database that holds a served log or labels, as slipway.yaml names it.

    sqlite3://?database=served.db&table=served_{model}
    psycopg://?host=db.internal&dbname=logs&user=reader&table={environment}.{model}&cursor.name=slipway

Before `://?` stands the driver, a module that speaks PEP 249; behind it what its `connect` is given, by its own names.
Ours are `table`, `secret` (the argument that takes the secret, `password` unless said) and `cursor.` before what
its `cursor` is given. `{environment}` and `{model}` in a table's name stand for what is watched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

_MARK = "://?"
_DRIVER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_PART = re.compile(r"([A-Za-z0-9_$-]|\{model\}|\{environment\})+", re.ASCII)
_NAMES_A_SECRET = re.compile(r"passw|pwd|secret|token|private|credential|api_?key", re.IGNORECASE)
_HOLDS_A_SECRET = re.compile(r"(password|pwd|token)\s*=|://[^/@]*:[^/@]*@", re.IGNORECASE)
_SECRET = "password"  # noqa: S105 - the name of an argument
_DEEPEST = 3  # catalog.schema.table
Argument = str | int


def is_table(address: str) -> bool:
    """Whether an address means a table, and not a folder or a bucket."""
    return _MARK in address


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAddress:
    """A table and how it is come by; no secret is part of it."""

    driver: str
    table: str
    connect: Mapping[str, Argument] = field(default_factory=dict)
    cursor: Mapping[str, Argument] = field(default_factory=dict)
    secret: str = _SECRET

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read an address.

        Raises:
            ValueError: it is none, or it holds what looks like a secret.
        """
        driver, _, rest = address.partition(_MARK)
        pairs = parse_qsl(rest, keep_blank_values=True, strict_parsing=True) if rest else []
        told = dict(pairs)
        if _DRIVER.fullmatch(driver) is None or len(told) != len(pairs):
            raise ValueError("must be DRIVER://?database=…&table=…, each argument once")
        table, secret = told.pop("table", ""), told.pop("secret", _SECRET)
        _refuse_secrets(told)
        _refuse_odd_names(table)
        cursor = {name.removeprefix("cursor."): _argument(text) for name, text in told.items() if _of_cursor(name)}
        connect = {name: _argument(text) for name, text in told.items() if not _of_cursor(name)}
        return cls(driver=driver, table=table, connect=connect, cursor=cursor, secret=secret)

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self.connect.items())
        return f"{self.driver}({arguments}), table {self.table}"


def _of_cursor(name: str) -> bool:
    return name.startswith("cursor.")


def _argument(text: str) -> Argument:
    """Drivers want a port as a number; names of people and databases are no numbers."""
    return int(text) if text.isascii() and text.isdecimal() else text


def _refuse_secrets(told: Mapping[str, str]) -> None:
    for name, text in told.items():
        if _NAMES_A_SECRET.search(name) or _HOLDS_A_SECRET.search(text):
            raise ValueError(f"`{name}` looks like a secret: that comes from the environment")


def _refuse_odd_names(table: str) -> None:
    parts = table.split(".")
    if len(parts) > _DEEPEST or any(_PART.fullmatch(part) is None for part in parts):
        raise ValueError("table= must name one, as served or schema.served_{model}, by letters, digits, _, $ and -")
