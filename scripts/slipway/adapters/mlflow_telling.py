"""The process that writes to an MLflow server: `python -m slipway.adapters.mlflow_telling JOB`.

JOB is a file of JSON with `telling` (as `domain/write_back.py` has it), `seconds` and `result`, the file that gets what
was found. It ends itself when its seconds are over, whatever it waits for and whoever waits for it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.adapters import mlflow_server
from slipway.errors import SlipwayError

_SHORT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}  # two of them are below the bound


def main(job_file: Path) -> None:
    job = json.loads(job_file.read_text())
    signal.setitimer(signal.ITIMER_REAL, job["seconds"])  # SIGALRM ends a process that does not ask for it
    try:
        told: dict[str, Any] = {"moved_from": tell(job["telling"])}
    except SlipwayError as error:
        told = error.as_refusal()
    Path(job["result"]).write_text(json.dumps(told))


def tell(telling: Mapping[str, Any]) -> str | None:
    """Write what is not there yet, the alias last; returns the version that had it before.

    So a telling that broke off is told again as if it had not begun.
    """
    name, version = telling["model_name"], telling["model_version"]
    client = mlflow_server.client(_SHORT)
    with mlflow_server.asking(mlflow_server.host_of(os.environ), f"models:/{name}/{version}"):
        there = client.get_model_version(name, version).tags
        for tag, value in telling["tags"].items():
            if there.get(tag) != value:
                client.set_model_version_tag(name, version, tag, value)
        if telling["takes_away"] is not None:
            return _take_away(client, telling)
        return None if telling["alias"] is None else _move(client, telling)


def _move(client: Any, telling: Mapping[str, Any]) -> str | None:
    name, version, alias = telling["model_name"], telling["model_version"], telling["alias"]
    before = _named_by(client, name, alias)
    if before is not None and before != version:
        _say_that_it_is_replaced(client, before, telling)
    client.set_registered_model_alias(name, alias, version)
    return None if before == version else before


def _take_away(client: Any, telling: Mapping[str, Any]) -> str | None:
    """Only from the version that got it here: a person may have given it to another one since."""
    name, version, alias = telling["model_name"], telling["model_version"], telling["takes_away"]
    if _named_by(client, name, alias) != version:
        return None
    _say_that_it_is_replaced(client, version, telling)
    client.delete_registered_model_alias(name, alias)
    return str(version)


def _named_by(client: Any, name: str, alias: str) -> str | None:
    version = client.get_registered_model(name).aliases.get(alias)
    return None if version is None else str(version)


def _say_that_it_is_replaced(client: Any, version: str, telling: Mapping[str, Any]) -> None:
    if telling["place"] in client.get_model_version(telling["model_name"], version).tags:
        client.set_model_version_tag(telling["model_name"], version, telling["place"], telling["replaced"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # no thread of the client's is waited for
