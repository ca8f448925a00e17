"""What `served_log` and `labels` of slipway.yaml name, opened: files of a folder or a bucket, or a table."""

from __future__ import annotations

from pathlib import Path

from slipway.adapters.log_places import LogPlace
from slipway.adapters.log_tables import LogTable
from slipway.adapters.served_files import LogFiles
from slipway.domain.log_address import is_table


def opened(address: str, *, environment: str, model: str, variable: str, root: Path) -> LogFiles | LogTable:
    """The rows of one model in one environment; folders and files of this machine are meant from `root`.

    Args:
        variable: of the environment, that holds the secret of a database.

    Raises:
        BadFile: the library of a bucket's store is not installed.
    """
    if is_table(address):
        return LogTable.of(address, environment=environment, model=model, variable=variable, root=root)
    return LogFiles(LogPlace.open(address, root=root).below(environment, model))
