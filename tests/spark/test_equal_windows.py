"""A window counted by two processes of Spark is the window that one process counts, to the last byte.

One session for all of it: to start one takes ten seconds.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from slipway.adapters.served_log import ServedLog
from slipway.domain.incident import WindowEvidence
from slipway.domain.model import Feature
from slipway.domain.signature import DataType
from slipway.maths.profile import profile_of_columns
from slipway.maths.windows import SeenWindow, count_window
from slipway.measures.drift import measure

from tests.spark.environment import settings_for, spark_python
from tests.team import Team, days_from, new_team

pytestmark = pytest.mark.xdist_group("spark")
ROOT = Path(__file__).parents[2]
_DAY = date(2026, 3, 1)
_FEATURES = (
    Feature(name="bill", dtype=DataType.FLOAT64, meaning="-"),
    Feature(name="guests.now", dtype=DataType.INT64, meaning="-"),
    Feature(name="late", dtype=DataType.BOOL, meaning="-"),
    Feature(name="kitchen", dtype=DataType.STRING, meaning="-"),
    Feature(name="vector", dtype=DataType.FLOAT32, shape=(2,), meaning="-"),
)


def columns(rows: int, *, seed: int, shift: float = 0.0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    bills = np.where(random.random(rows) < 0.2, 7.5, random.lognormal(shift, 3, rows))
    for value in (np.nan, np.inf, -np.inf, 0.0, -0.0):
        bills[random.integers(0, rows, rows // 100)] = value
    return {
        "bill": pa.array(bills, mask=random.random(rows) < 0.01),
        "guests.now": pa.array(random.integers(0, 30, rows), mask=random.random(rows) < 0.02),
        "late": pa.array(random.random(rows) < 0.3),
        "kitchen": pa.array([f"k{int(one)}" for one in random.pareto(1, rows) * 20]),  # thousands of names
        "vector": pa.array(list(random.normal(0, 1, (rows, 2)).astype(np.float32)), pa.list_(pa.float32())),
    }


def table(rows: int, *, seed: int, version: str = "v1.0.0", shift: float = 0.0) -> pa.Table:
    requests = ["slipway-golden.1" if row % 50 == 0 else None if row % 51 == 0 else f"r{row}" for row in range(rows)]
    time = pa.array([datetime(2026, 3, 1, 9, tzinfo=UTC)] * rows, pa.timestamp("us", tz="UTC"))
    own = {"request_id": pa.array(requests, pa.string()), "row": [0] * rows, "time": time, "version": [version] * rows}
    return pa.table({**own, **columns(rows, seed=seed, shift=shift)})


def write(folder: Path, **files: pa.Table) -> Path:
    (folder / f"date={_DAY}").mkdir(parents=True)
    for name, rows in files.items():
        pq.write_table(rows, folder / f"date={_DAY}" / f"{name}.parquet", row_group_size=4_000)
    return folder


def logs(folder: Path) -> dict[str, Path]:
    """One of many rows, one whose files differ in all that files may differ in, and one of another version alone."""
    rows = table(2_000, seed=3)
    words = rows.set_column(4, "bill", pa.array(["nine"] * len(rows)))
    narrow = rows.set_column(4, "bill", rows["bill"].cast(pa.float32()))
    differing = write(
        folder / "differing",
        as_trained=rows,
        of_words=words,
        narrow=narrow,
        lacking=rows.drop_columns(["late", "vector"]),
        old=table(500, seed=4, version="v0.9.0"),
        known=rows.set_column(7, "kitchen", rows["kitchen"].combine_chunks().dictionary_encode()),
    )
    pacsv.write_csv(rows.drop_columns(["vector"]), differing / f"date={_DAY}" / "export.csv")
    many = {f"part{number}": table(20_000, seed=number, shift=0.3) for number in range(3)}
    return {
        "many": write(folder / "many", **many),
        "differing": differing,
        "others": write(folder / "others", old=table(500, seed=4, version="v0.9.0")),
    }


def trained() -> dict[str, Any]:
    words = {"kitchen": object}
    told = {name: np.asarray(one.to_pylist(), words.get(name, float)) for name, one in columns(5_000, seed=9).items()}
    return {name: one.ravel() for name, one in told.items()}


PROFILES = profile_of_columns(trained(), categories={"kitchen"})


@dataclass(frozen=True)
class Told:
    """What the process with Spark said, and what it was asked of."""

    logs: dict[str, Path]
    windows: dict[str, str]
    modules: dict[str, str]
    master: str
    team: Team

    @property
    def asked(self) -> tuple[str, str]:
        return str(self.logs["many"].parent / "asked.json"), str(self.team.root)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("spark")
    settings = settings_for(folder / "settings")
    team = new_team(folder / "team")
    team.release(team.tag("tip@v1.0.0", "Begin"))
    team.go_live("tip@v1.0.0", on=_DAY)
    team.serve("v1.0.0", days_from(_DAY, 7))
    team.look_only(date(2026, 3, 7))
    team.edit("slipway.yaml", "image_registry", "watch_on: spark\nimage_registry")
    found = logs(folder)
    asked = {
        "day": str(_DAY),
        "features": [feature.model_dump(mode="json") for feature in _FEATURES],
        "profiles": {name: one.to_json() for name, one in PROFILES.items()},
        "logs": {name: str(path) for name, path in found.items()},
    }
    (folder / "asked.json").write_text(json.dumps(asked))
    ran = ask(settings, str(folder / "asked.json"), str(team.root))
    assert ran.returncode == 0, ran.stderr
    return Told(logs=found, team=team, **json.loads(ran.stdout.splitlines()[-1]))


def ask(settings: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT / "scripts"), str(ROOT)])
    known = {"SPARK_CONF_DIR": str(settings), "PYTHONPATH": paths}
    command = [str(spark_python()), str(ROOT / "tests" / "spark" / "counting.py"), *arguments, "2026-03-07"]
    return subprocess.run(
        command, env={**os.environ, **known, **environment}, capture_output=True, text=True, check=False, timeout=300
    )


def alone(folder: Path) -> SeenWindow:
    log = ServedLog.at(folder, Path("/nowhere"))
    return count_window(PROFILES, log.batches(_DAY, _DAY, version="v1.0.0", features=_FEATURES))


@pytest.mark.parametrize("name", ["many", "differing", "others"])
def test_spark_counts_the_same_bytes(told: Told, name: str) -> None:
    """An incident that Spark found is replayed on a laptop: another last digit would be another window."""
    window = alone(told.logs[name])

    assert told.windows[name] == window.to_bytes().decode()
    if window.rows:
        assert measure(PROFILES, SeenWindow.from_bytes(told.windows[name].encode(), PROFILES)) == measure(
            PROFILES, window
        )


def test_all_rows_of_the_version_but_golden_ones_are_counted(told: Told) -> None:
    """Both could be wrong in the same way."""
    golden = sum(row % 50 == 0 for row in range(20_000))

    assert json.loads(told.windows["many"])["rows"] == 3 * (20_000 - golden)
    assert json.loads(told.windows["others"])["rows"] == 0


def test_workers_need_the_arithmetic_alone(told: Told) -> None:
    """Whoever runs a cluster installs numpy and pyarrow there, and nothing of ours."""
    assert "slipway.maths.parts_of_windows" in told.modules
    assert [name for name in told.modules if name != "slipway" and not name.startswith("slipway.maths")] == []
    assert [file for file in told.modules.values() if "slipway_maths.zip" not in file] == []


def test_sparks_own_settings_say_where_it_runs(told: Told) -> None:
    """A team that has Spark has them already."""
    assert told.master == "local[2]"


def test_a_watch_on_spark_finds_the_window_that_it_knows(told: Told) -> None:
    """The page is keyed by what was counted: where that is the same, nothing is measured again."""
    pages = told.team.window(date(2026, 3, 7)).pages(WindowEvidence)

    assert [page.body.window.rows for page in pages] == [840]


def test_without_java_it_is_told_what_to_install(told: Told, tmp_path: Path) -> None:
    """Spark itself says `JAVA_GATEWAY_EXITED`."""
    ran = ask(settings_for(tmp_path / "settings"), *told.asked, JAVA_HOME=str(tmp_path))

    assert "BadFile: Spark needs Java, and there is none in JAVA_HOME" in ran.stderr
    assert "openjdk-17-jre-headless" in ran.stderr


def test_spark_that_does_not_start_is_told_in_a_line(told: Told, tmp_path: Path) -> None:
    """Settings of a cluster that is gone."""
    (tmp_path / "spark-defaults.conf").write_text("spark.master nowhere\nspark.ui.enabled false\n")

    ran = ask(tmp_path, *told.asked)

    assert "BadFile: Spark does not start: " in ran.stderr
