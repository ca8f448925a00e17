"""A canary is measured alike in whatever its log is kept; where that keeps no answers, it is not judged by it."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from slipway.adapters.registry.pull import pull_model_layer
from slipway.domain.verdict import Verdict

from serving.log_sketches import Sketches
from serving.served import Served
from tests.steps.test_canary import (  # noqa: F401  # fixtures, asked for by name
    _good,
    good,
    judged,
    measure,
    serve,
    trial_in,
)
from tests.steps.test_logs_in_a_database import move_into_tables
from tests.team import ENVIRONMENT, MODEL, Team, Tip


def write_as_csv(team: Team) -> None:
    """What another program would have logged."""
    log = team.workplace.served_log(MODEL, ENVIRONMENT)
    for folder in (log.rows_folder, log.labels_folder):
        for path in sorted(folder.glob("*/*.parquet")):
            pyarrow.csv.write_csv(pq.read_table(path, partitioning=None), path.with_suffix(".csv"))
            path.unlink()


def count_alone(team: Team) -> None:
    """What the server of the canary leaves that may log no row."""
    digest = trial_in(team).canary.digest
    files = pull_model_layer(team.workplace.registry, MODEL, digest, team.workplace.layers)
    counting = Sketches.open(files["profile.json"].parent, version="v1.1.0")
    for path in sorted(team.workplace.served_log(MODEL, ENVIRONMENT).rows_folder.glob("*/v1.1.0.parquet")):
        table = pq.read_table(path, partitioning=None)
        values = {name: table[name].to_numpy().reshape(-1, 1) for name in ("bill", "kitchen")}
        (file,) = counting.encode([Served("a", table["time"].cast(pa.int64()).to_pylist(), values)]).files
        path.with_name("v1.1.0.sketch.json").write_bytes(file.content)
        path.unlink()


@pytest.mark.parametrize("move", [write_as_csv, move_into_tables])
def test_files_and_tables_tell_the_same(move: Callable[[Team], None], good: Team) -> None:  # noqa: F811
    """A team keeps what it has; a canary that is good in Parquet must not be bad in SQL."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    of_parquet = measure(good)
    move(good)

    assert of_parquet.window.labelled > 0
    assert measure(good) == of_parquet


def test_counts_alone_show_nothing_of_a_version(good: Team) -> None:  # noqa: F811
    """It waits and says why, however many rows it answered; drift of its inputs is known all the same."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    count_alone(good)
    told = judged(good)

    assert (told.verdict, told.rows) == (Verdict.NOT_ENOUGH_EVIDENCE, 0)
    notices = [one.notice for one in told.findings]
    assert any("240 more rows were counted alone (log_mode: sketch)" in notice for notice in notices)
    assert measure(good).window.drift
