"""A table as slipway.yaml names it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from slipway.domain.log_address import LogAddress, is_table
from slipway.domain.settings import LogMode, Settings, WatchOn

_ADDRESS = "psycopg://?host=db.internal&port=5432&dbname=logs&cursor.name=slipway&table={environment}.served_{model}"


def test_an_address_tells_driver_table_and_arguments() -> None:
    """What the driver is given is called as the driver calls it."""
    found = LogAddress.parse(_ADDRESS)

    assert (found.driver, found.table, found.secret) == ("psycopg", "{environment}.served_{model}", "password")
    assert found.connect == {"host": "db.internal", "port": 5432, "dbname": "logs"}
    assert found.cursor == {"name": "slipway"}
    assert LogAddress.parse("databricks.sql://?table=a&secret=access_token").secret == "access_token"


@pytest.mark.parametrize("address", ["s3://bucket/served", "gs://bucket/served", "/var/log/served", ".slipway/served"])
def test_folders_and_buckets_are_no_tables(address: str) -> None:
    """Both go on to be read as they were."""
    assert not is_table(address)
    assert Settings(image_registry="layout:x", served_log=address).served_log == address


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("psycopg://?host=a&password=b&table=c", "`password` looks like a secret"),
        ("psycopg://?conninfo=host%3Da%20password%3Db&table=c", "`conninfo` looks like a secret"),
        ("psycopg://?conninfo=postgresql://me:b@a/c&table=c", "`conninfo` looks like a secret"),
        ("databricks.sql://?access_token=b&table=c", "`access_token` looks like a secret"),
        ("sqlite3://?database=a", "table= must name one"),
        ('sqlite3://?database=a&table=b"; DROP TABLE c', "table= must name one"),
        ("sqlite3://?database=a&table=a.b.c.d", "table= must name one"),
        ("sqlite3://?database=a&table={year}", "table= must name one"),
        ("sqlite3://?database=a&database=b&table=c", "each argument once"),
        ("os; import sys://?table=c", "must be DRIVER"),
        ("://?table=c", "must be DRIVER"),
    ],
)
def test_what_is_no_address_is_refused_with_the_settings(address: str, says: str) -> None:
    """A secret in git stays there for ever, and a name is part of a question's text."""
    with pytest.raises(ValidationError, match=says):
        Settings(image_registry="layout:x", labels=address)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Nothing else may come out of a line that somebody misspelt, nor a name that ends the quotes around it."""
    try:
        found = LogAddress.parse(f"sqlite3://?database=a&table={text}")
    except ValueError:
        return
    assert not set(found.table) & set("\"'`;\\ %")


def test_counts_of_servers_need_files() -> None:
    """A server that may log no rows would log nothing at all, and the watch see nothing."""
    with pytest.raises(ValidationError, match="log_mode: servers write counts into folders"):
        Settings(image_registry="layout:x", served_log="sqlite3://?database=a&table=b", log_mode=LogMode.SKETCH)


def test_spark_reads_files() -> None:
    """It would read a table through the process that watches, row by row."""
    with pytest.raises(ValidationError, match="watch_on: spark reads folders and buckets"):
        Settings(image_registry="layout:x", served_log="sqlite3://?database=a&table=b", watch_on=WatchOn.SPARK)
