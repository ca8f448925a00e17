"""What the watch reads of a bucket is what the server put there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from slipway.adapters.log_places import LogPlace
from slipway.adapters.served_files import LogFiles
from slipway.adapters.served_log import ServedLog
from slipway.errors import BadFile, Unreachable
from slipway.maths.counts import count
from slipway.maths.profile import profile_of_columns

from tests.object_stores.stores import SECRET, Store
from tests.unit.serving.processes import Server
from tests.unit.serving.traffic import Traffic

Serve = Callable[..., Server]
To = Callable[[Server], Traffic]


def log_of(store: Store) -> ServedLog:
    """As `served_log` and `labels` of slipway.yaml name it."""
    rows, labels = (
        LogPlace.open(f"{store.scheme}://{store.bucket}/{name}", root=Path("/nowhere")) for name in ("served", "labels")
    )
    return ServedLog(LogFiles(rows), LogFiles(labels))


def test_rows_and_labels_are_read_as_from_a_folder(serve: Serve, traffic_to: To, store: Store) -> None:
    """A window must not depend on where its files lie."""
    server = serve()
    traffic = traffic_to(server)
    for _ in range(3):
        traffic.ask(10)
        server.say(b"flush")
    keys = {"request_id": traffic.acknowledged[:20], "row": pa.array([0] * 20, pa.int64())}
    with store.client().open(f"{store.bucket}/labels/date={today()}/a.parquet", "wb") as file:
        pq.write_table(pa.table({**keys, "label": [True, False] * 10}), file)
    log = log_of(store)
    rows = log.rows(today(), today(), version="v1.1.0")

    assert rows["request_id"].to_pylist() == traffic.acknowledged
    assert rows["hour"].to_pylist() == [float(number) for number in range(30)]
    assert log.labelled(today(), today(), version="v1.1.0")["label"].to_pylist() == [True, False] * 10
    assert log.last_day(version="v1.1.0") == today()
    assert len(log.rows(today(), today(), version="v1.0.0")) == 0


def test_counts_are_read_as_from_a_folder(serve: Serve, traffic_to: To, store: Store, model_directory: Path) -> None:
    """Sketches of many servers lie there side by side, and no value with them."""
    carriers = np.array(["AA", "UA"] * 50, dtype=object)
    profiles = profile_of_columns({"hour": np.arange(100.0), "carrier": carriers}, categories=["carrier"])
    (model_directory / "profile.json").write_text(json.dumps({name: one.to_json() for name, one in profiles.items()}))
    traffic = traffic_to(serve("--log-mode", "sketch"))
    for _ in range(2):
        traffic.ask(60)
        assert traffic.server.say(b"flush") == {"flushed": True}
    log, contents = log_of(store), store.client().cat(store.client().find(store.bucket))
    profile = json.loads(next(iter(contents.values())))["profile"]
    window = log.counted(today(), today(), version="v1.1.0", profiles=profiles, profile=profile)

    assert window is not None
    assert window.rows == 120
    assert window.columns["hour"] == count(profiles["hour"], np.arange(120.0))
    assert window.columns["carrier"] == count(profiles["carrier"], np.array(["HA"] * 120, dtype=object))
    assert len(contents) == 2
    assert not any(b"request-" in content or b"HA" in content for content in contents.values())


def test_a_bucket_without_a_log_is_empty(store: Store) -> None:
    """Before the first request there is nothing, and that is no fault."""
    log = log_of(store)

    assert len(log.rows(today(), today(), version="v1.1.0")) == 0
    assert log.last_day(version="v1.1.0") is None


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_wrong_key_is_somebodys_to_mend(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another exit code than a store that is down: to run again would not help."""
    wrong = "another-secret-that-nobody-may-read"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", wrong)

    with pytest.raises(BadFile, match=r"signature|denied|Forbidden") as refusal:
        log_of(store).rows(today(), today())

    assert refusal.value.mend == "give this job credentials that may read it, in its environment"
    assert wrong not in str(refusal.value)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_store_that_is_down_is_no_empty_log(store: Store) -> None:
    """An empty window would be judged; this one has to be looked at again."""
    store.kill()

    with pytest.raises(Unreachable) as down:
        log_of(store).rows(today(), today())

    assert down.value.mend == "run again when the store answers"


def today() -> date:
    return datetime.now(UTC).date()
