"""Count served logs on Spark, in the environment that has it: python counting.py ASKED TEAM UNTIL

ASKED is a JSON file: {"profiles": {…}, "features": […], "logs": {name: folder}, "day": …}. Then `slipway
measure-drift` runs in the folder TEAM, by the same session. The last line tells all windows, and what workers imported.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from slipway.adapters import seen_windows, spark_session
from slipway.adapters.served_log import ServedLog
from slipway.cli import slipway
from slipway.domain.model import Feature
from slipway.domain.settings import WatchOn
from slipway.maths.profile import profile_from_json


def modules_of_a_worker(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Those of ours that it holds after it counted, each with its file."""
    list(batches)
    import slipway.maths.parts_of_windows  # noqa: F401

    ours = {name: str(module.__file__) for name, module in sys.modules.items() if name.split(".")[0] == "slipway"}
    yield pa.RecordBatch.from_pydict({"name": list(ours), "file": list(ours.values())})


def counted(asked: dict[str, Any], folder: str) -> str:
    day = date.fromisoformat(asked["day"])
    window = seen_windows.count(
        ServedLog.at(Path(folder), Path("/nowhere")),
        day,
        day,
        on=WatchOn.SPARK,
        version="v1.0.0",
        features=[Feature.model_validate(one) for one in asked["features"]],
        profiles={name: profile_from_json(one) for name, one in asked["profiles"].items()},
    )
    return window.to_bytes().decode()


def main(asked: Path, team: Path, until: str) -> None:
    told: dict[str, Any] = json.loads(asked.read_text())
    windows = {name: counted(told, folder) for name, folder in told["logs"].items()}
    os.chdir(team)
    slipway.main(["measure-drift", "tip", "--until", until], standalone_mode=False)
    rows = spark_session.session().range(4).mapInArrow(modules_of_a_worker, "name string, file string").collect()
    master = spark_session.session().sparkContext.master
    click.echo(json.dumps({"windows": windows, "modules": dict(map(tuple, rows)), "master": master}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
