"""How a driver of PEP 249 wants a question written: marks of parameters, and quotes around names.

All values are bound; names, which cannot be bound, are quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Condition = tuple[str, str, Any]  # column, operator, value
Parameters = list[Any] | dict[str, Any]
_MARKS: Mapping[str, Callable[[int], str]] = {
    "qmark": lambda _: "?",
    "numeric": lambda place: f":{place}",
    "named": lambda place: f":p{place}",
    "format": lambda _: "%s",
    "pyformat": lambda place: f"%(p{place})s",
}
STYLES = frozenset(_MARKS)
_BY_NAME = ("named", "pyformat")
_WITH_PERCENT = ("format", "pyformat")
_BACKTICKS = frozenset({"MySQLdb", "databricks", "google", "mariadb", "mysql", "pyhive", "pymysql"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """`style` is a driver's `paramstyle`."""

    style: str
    quote: str = '"'

    @classmethod
    def of(cls, driver: str, style: str) -> Dialect:
        return cls(style, "`" if driver.partition(".")[0] in _BACKTICKS else '"')

    def name(self, *parts: str) -> str:
        """A column, or a table of a schema, exactly as it is called."""
        quoted = ".".join(f"{self.quote}{part.replace(self.quote, self.quote * 2)}{self.quote}" for part in parts)
        return quoted.replace("%", "%%") if self.style in _WITH_PERCENT else quoted

    def columns(self, names: Sequence[str]) -> str:
        return ", ".join(self.name(name) for name in names)

    def newest(self, name: str) -> str:
        return f"MAX({self.name(name)})"

    def select(self, what: str, table: str, conditions: Sequence[Condition] = ()) -> tuple[str, Parameters]:
        """The text of a question and its parameters; rows must meet all conditions."""
        said = [
            f"{self.name(column)} {operator} {_MARKS[self.style](place)}"
            for place, (column, operator, _) in enumerate(conditions, start=1)
        ]
        text = f"SELECT {what} FROM {self.name(*table.split('.'))}"  # noqa: S608 - quoted above; values are bound
        values = [value for _, _, value in conditions]
        by_name = self.style in _BY_NAME
        bound = {f"p{place}": value for place, value in enumerate(values, start=1)} if by_name else values
        return (f"{text} WHERE {' AND '.join(said)}" if said else text), bound
