"""A table of any database that has a driver of PEP 249, which is imported by its name.

What the driver says is told in our words, without the secret. Rows come some at a time, so that memory does not grow
with them where the driver, too, keeps them at the database.
"""

from __future__ import annotations

import importlib.util
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from slipway.adapters.sql_dialects import STYLES, Condition, Dialect, Parameters
from slipway.domain.log_address import LogAddress
from slipway.errors import BadFile, Unreachable

_ROWS_AT_ONCE = 1 << 13
_NOT_LET_IN = ("authentication", "incorrect username or password", "invalid username", "access denied", "login failed")
_NO_SUCH = ("no such table", "does not exist", "doesn't exist", "unknown table")
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Database:
    """An open connection, and how its driver is spoken to."""

    address: LogAddress
    driver: ModuleType
    connection: Any
    secret: str | None = field(repr=False)

    @property
    def dialect(self) -> Dialect:
        return Dialect.of(self.address.driver, self.driver.paramstyle)

    def columns(self) -> list[str]:
        """What the table's columns are called."""
        text, bound = self.dialect.select("*", self.address.table)
        with self._asked(f"{text} WHERE 1 = 0", bound) as cursor:
            cursor.fetchmany(1)  # some drivers describe only what was fetched
            return [str(column[0]) for column in cursor.description]

    def newest(self, column: str, conditions: Sequence[Condition]) -> Any:
        """The largest value of a column; None without any row."""
        text, bound = self.dialect.select(self.dialect.newest(column), self.address.table, conditions)
        with self._asked(text, bound) as cursor:
            return cursor.fetchmany(1)[0][0]

    def rows(self, columns: Sequence[str], conditions: Sequence[Condition]) -> Iterator[list[Row]]:
        """Rows of the table, some at a time, in no order."""
        text, bound = self.dialect.select(self.dialect.columns(columns), self.address.table, conditions)
        with self._asked(text, bound) as cursor:
            while some := cursor.fetchmany(_ROWS_AT_ONCE):
                yield some

    @contextmanager
    def _asked(self, text: str, bound: Parameters) -> Iterator[Any]:
        telling = _in_our_words(self.address, self.driver, self.secret)
        with telling, closing(self.connection.cursor(**self.address.cursor)) as cursor:
            cursor.arraysize = _ROWS_AT_ONCE
            cursor.execute(text, bound)
            yield cursor


@contextmanager
def opened(address: LogAddress, *, secret: str | None, variable: str, root: Path) -> Iterator[Database]:
    """Connect, and leave again. A file of SQLite is meant from `root`, and only read.

    Args:
        variable: of the environment, where the secret comes from; named to whom the database lets not in.

    Raises:
        BadFile: no such driver, table or column, or the database lets nobody in who says that.
        Unreachable: it does not answer.
    """
    driver = _driver(address)
    if address.driver == "sqlite3":
        arguments = {**address.connect, **_read_only(address, root)}
    else:
        arguments = {**address.connect, **({address.secret: secret} if secret else {})}
    with _in_our_words(address, driver, secret, variable=variable):
        try:
            connection = driver.connect(**arguments)
        except (TypeError, ValueError) as error:
            raise BadFile(
                f"{address}: {_said(error, secret)}", mend=f"give the arguments that {address.driver}.connect takes"
            ) from None
    with closing(connection):
        yield Database(address, driver, connection, secret)


def _driver(address: LogAddress) -> ModuleType:
    if not _is_installed(address.driver.partition(".")[0]):
        raise BadFile(
            f"{address}: the driver {address.driver} is not installed here",
            mend=f"install the package that holds {address.driver} beside Slipway",
        )
    try:
        driver = importlib.import_module(address.driver)
    except ImportError as error:
        raise BadFile(
            f"{address}: the driver {address.driver} cannot be imported: {_said(error, None)}",
            mend=f"install the package that holds {address.driver} beside Slipway, and what it needs",
        ) from None
    speaks = hasattr(driver, "connect") and hasattr(driver, "Error")
    if not speaks or getattr(driver, "paramstyle", None) not in STYLES:
        raise BadFile(
            f"{address}: {address.driver} is no driver of databases",
            mend="name a module that speaks PEP 249, such as sqlite3 or psycopg",
        )
    return driver


def _is_installed(package: str) -> bool:
    """Whether a package is one of the environment: a file of a repository is no driver, whoever names it."""
    if package in sys.modules:
        return True  # no code runs that has not run already
    spec = importlib.util.find_spec(package)
    if spec is None:
        return False
    paths = sysconfig.get_paths()
    homes = [Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.has_location and spec.origin else ())]
    return all(any(Path(place).resolve().is_relative_to(home) for home in homes) for place in places)


def _read_only(address: LogAddress, root: Path) -> dict[str, Any]:
    """SQLite would make a file that is missing."""
    file = root / str(address.connect.get("database", ""))
    if not file.is_file():
        raise BadFile(f"{address}: there is no file {file}", mend="correct the path, or let somebody write it")
    return {"database": f"file:{quote(str(file))}?mode=ro", "uri": True}


@contextmanager
def _in_our_words(
    address: LogAddress, driver: ModuleType, secret: str | None, *, variable: str | None = None
) -> Iterator[None]:
    try:
        yield
    except (driver.Error, OSError) as error:
        said = _said(error, secret)
        told = f"{address}: {type(error).__name__}: {said}"
        if variable is not None and _lets_nobody_in(error, said):
            raise BadFile(told, mend=f"correct the user in slipway.yaml, or the secret in {variable}") from None
        if variable is None and (isinstance(error, driver.ProgrammingError) or _any_of(_NO_SUCH, said)):
            raise BadFile(told, mend="name a table or view that is there, and that this user may read") from None
        if isinstance(error, driver.OperationalError | driver.InterfaceError | OSError):
            raise Unreachable(told, mend="run again when the database answers") from None
        raise BadFile(told, mend="correct the table, or read it through a view that casts its columns") from None


def _lets_nobody_in(error: BaseException, said: str) -> bool:
    """Class 28 of SQL's states, where a driver tells it."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or ""
    return str(state).startswith("28") or _any_of(_NOT_LET_IN, said)


def _any_of(words: Sequence[str], said: str) -> bool:
    return any(word in said.lower() for word in words)


def _said(error: BaseException, secret: str | None) -> str:
    line = " ".join(str(error).split())[:300]
    return line.replace(secret, "***") if secret else line
