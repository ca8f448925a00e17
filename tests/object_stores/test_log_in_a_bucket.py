"""The served log in a bucket: of OpenStack Swift by its S3 API, and of an emulator of Google Cloud Storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.object_stores.stores import ACCESS_KEY, SECRET, Store, Swift
from tests.unit.serving.processes import Server
from tests.unit.serving.traffic import Traffic, memory_of

Serve = Callable[..., Server]
To = Callable[[Server], Traffic]

QUICK = ("--log-file-seconds", "0.2", "--log-waiting-bytes", "300000", "--log-closing-seconds", "5")


def ids_in(store: Store) -> list[str]:
    """Of every file in the bucket, each of which must be whole."""
    client = store.client()
    tables = [pq.read_table(pa.BufferReader(client.cat_file(path))) for path in sorted(client.find(store.bucket))]
    return [name for table in tables for name in table["request_id"].to_pylist()]


def stored(traffic: Traffic) -> float:
    return traffic.count("slipway_log_rows_written_total")


def test_what_was_answered_lies_in_the_bucket_by_date(serve: Serve, traffic_to: To, store: Store) -> None:
    """The same files under the same names as in a folder, so that whoever reads them needs to know nothing else."""
    server = serve()
    traffic = traffic_to(server)
    traffic.ask(50)
    assert server.say(b"flush") == {"flushed": True}
    (path,) = store.client().find(store.bucket)

    assert path.startswith(f"{store.bucket}/served/date=20")
    assert path.endswith("-000001.parquet")
    assert ids_in(store) == traffic.acknowledged


def test_a_server_that_is_told_to_leave_stores_the_rest(serve: Serve, traffic_to: To, store: Store) -> None:
    """What stops a server gives it seconds, not minutes; they are enough for the last file."""
    server = serve("--log-file-seconds", "1000")
    traffic = traffic_to(server)
    traffic.ask(50)

    assert server.leave() == 0
    assert ids_in(store) == traffic.acknowledged


def test_a_store_that_is_down_costs_no_answer_and_gets_what_waited(serve: Serve, traffic_to: To, store: Store) -> None:
    """An outage of an hour is somebody else's; our clients must not notice, and the log goes on by itself."""
    server = serve(*QUICK)
    traffic = traffic_to(server)
    traffic.ask_until(lambda: stored(traffic) > 0)
    usual, memory = traffic.ask(200), memory_of(server)
    store.kill()
    traffic.ask_until(lambda: dropped(traffic) > 100)
    assert traffic.ask(200) < 3 * usual + 0.01  # as quick as before, on a machine with other work
    assert memory_of(server) < memory + 20_000_000

    store.start()
    before = stored(traffic)
    traffic.ask_until(lambda: stored(traffic) > before)
    traffic.ask(5)  # there is room again
    assert server.leave() == 0
    assert_complete(traffic, store)


def test_a_store_that_takes_connections_and_says_nothing_costs_no_answer(
    serve: Serve, traffic_to: To, store: Store
) -> None:
    """The worst of all failures, since no library notices it: what waits is bounded, and so is the end."""
    server = serve(*QUICK)
    traffic = traffic_to(server)
    traffic.ask_until(lambda: stored(traffic) > 0)
    usual = traffic.ask(200)
    store.stop()
    traffic.ask_until(lambda: dropped(traffic) > 100)
    assert traffic.ask(200) < 3 * usual + 0.01  # as quick as before, on a machine with other work
    assert traffic.count("slipway_log_waiting_bytes") <= 300_000

    store.go_on()
    before = stored(traffic)
    traffic.ask_until(lambda: stored(traffic) > before)
    traffic.ask(5)  # there is room again
    assert server.leave() == 0
    assert_complete(traffic, store)


def test_a_server_leaves_although_the_store_says_nothing(serve: Serve, traffic_to: To, store: Store) -> None:
    """Else it would be killed, and whoever looks at exit codes would look in the wrong place."""
    server = serve("--log-closing-seconds", "0.5")
    traffic = traffic_to(server)
    traffic.ask(20)
    store.stop()

    assert server.leave() == 0
    assert "the served log ends without" in server.said() or "does not end" in server.said()
    store.go_on()


def test_a_killed_server_leaves_whole_files_only(serve: Serve, traffic_to: To, store: Store) -> None:
    """A file of a bucket appears with its last byte; what was not answered for long is all that may be missing."""
    server = serve("--log-file-seconds", "0.05")
    traffic = traffic_to(server)
    traffic.ask_until(lambda: stored(traffic) > 100)
    server.process.kill()
    server.process.wait()
    found = ids_in(store)

    assert found == traffic.acknowledged[: len(found)]
    assert len(found) > 100


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_wrong_key_is_told_without_being_shown(
    serve: Serve, traffic_to: To, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store compares signatures; the text that says so is read by more people than the key."""
    wrong = "another-secret-that-nobody-may-read"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", wrong)
    server = serve(*QUICK)
    traffic = traffic_to(server)
    traffic.ask_until(lambda: traffic.count('slipway_log_failures_total{cause="refused"}') > 0)
    said = server.said() + traffic.metrics()

    assert "held up (refused)" in said
    assert "signature" in said
    assert not any(secret in said for secret in (wrong, SECRET, ACCESS_KEY))
    assert ids_in_with_right_key(store, monkeypatch) == []


def ids_in_with_right_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return ids_in(store)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_bucket_that_is_missing_is_told(serve: Serve, traffic_to: To, store: Swift) -> None:
    """A server must start where its log cannot be written: answers matter more."""
    store.client().rmdir(store.bucket)
    server = serve(*QUICK)
    traffic = traffic_to(server)
    traffic.ask_until(lambda: traffic.count('slipway_log_failures_total{cause="gone"}') > 0)

    assert "bucket does not exist" in server.said()
    store.client().mkdir(store.bucket)
    traffic.ask_until(lambda: stored(traffic) > 0)


def dropped(traffic: Traffic) -> float:
    """Under whichever cause."""
    lines = traffic.metrics().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("slipway_log_rows_dropped_total{"))


def assert_complete(traffic: Traffic, store: Store) -> None:
    """Nothing twice, nothing that was not answered, and the newest is there."""
    found: list[Any] = ids_in(store)
    assert len(found) == len(set(found))
    assert set(found) <= set(traffic.acknowledged)
    assert traffic.acknowledged[-1] in found
