"""Questions as each style of PEP 249 wants them."""

from __future__ import annotations

import pytest
from slipway.adapters.sql_dialects import STYLES, Dialect

_CONDITIONS = [("version", "=", "v1.0.0"), ("date", "<", "2026-03-02")]


@pytest.mark.parametrize(
    ("style", "said", "bound"),
    [
        ("qmark", '"version" = ? AND "date" < ?', ["v1.0.0", "2026-03-02"]),
        ("numeric", '"version" = :1 AND "date" < :2', ["v1.0.0", "2026-03-02"]),
        ("format", '"version" = %s AND "date" < %s', ["v1.0.0", "2026-03-02"]),
        ("named", '"version" = :p1 AND "date" < :p2', {"p1": "v1.0.0", "p2": "2026-03-02"}),
        ("pyformat", '"version" = %(p1)s AND "date" < %(p2)s', {"p1": "v1.0.0", "p2": "2026-03-02"}),
    ],
)
def test_values_are_bound_as_the_driver_wants(style: str, said: str, bound: object) -> None:
    """A value in the text would be SQL; a mark of another style is none."""
    dialect = Dialect.of("some_driver", style)

    text, parameters = dialect.select(dialect.columns(["bill"]), "logs.served", _CONDITIONS)

    assert (text, parameters) == (f'SELECT "bill" FROM "logs"."served" WHERE {said}', bound)


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_name_stays_a_name(style: str) -> None:
    """A column is called what a team called it, and may hold quotes and marks of parameters."""
    percent = "%%" if style in ("format", "pyformat") else "%"

    assert Dialect.of("some_driver", style).name('a" FROM x; -- %s') == f'"a"" FROM x; -- {percent}s"'


@pytest.mark.parametrize("driver", ["pymysql", "MySQLdb", "mysql.connector", "google.cloud.bigquery.dbapi"])
def test_some_databases_take_quotes_for_text(driver: str) -> None:
    """There `"bill"` would be a word, the same in every row."""
    assert Dialect.of(driver, "format").name("a`b") == "`a``b`"
