"""What `served_log` and `labels` of slipway.yaml name, opened: files of a folder or a bucket, or a table.

Where `SLIPWAY_DATABASES` is `no`, a table is one without rows: check-models.yml reads the slipway.yaml of a pull
request, and nobody who opens one may let a job with a token connect to a database of theirs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from slipway.adapters.log_places import LogPlace
from slipway.adapters.log_tables import LogTable
from slipway.adapters.served_files import Asked, LogFiles
from slipway.domain.log_address import is_table


@dataclass(frozen=True, slots=True)
class UnreadTable:
    """A table that is not asked for anything."""

    address: str

    def newest_days(self) -> Iterator[date]:
        return iter(())

    def pieces(self, start: date, end: date, asked: Asked) -> Iterator[pa.Table]:  # noqa: ARG002 - as every source
        return iter(())

    def counts(self, start: date, end: date) -> Mapping[str, bytes]:  # noqa: ARG002 - as every source
        return {}


def opened(
    address: str, *, environment: str, model: str, variable: str, root: Path
) -> LogFiles | LogTable | UnreadTable:
    """The rows of one model in one environment; folders and files of this machine are meant from `root`.

    Args:
        variable: of the environment, that holds the secret of a database.

    Raises:
        BadFile: the library of a bucket's store is not installed.
    """
    if is_table(address):
        if os.environ.get("SLIPWAY_DATABASES") == "no":
            return UnreadTable(address)
        return LogTable.of(address, environment=environment, model=model, variable=variable, root=root)
    return LogFiles(LogPlace.open(address, root=root).below(environment, model))
