"""What clients notice of a served log that cannot be written, in a real server: nothing."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Timer

import pyarrow.parquet
import pytest

from tests.unit.serving.processes import PATIENCE, Server
from tests.unit.serving.traffic import Traffic

Start = Callable[..., Server]
To = Callable[[Server], Traffic]

QUICK = ("--log-file-seconds", "0.05", "--log-waiting-bytes", "200000")
_FULL = 40_000  # bytes


@dataclass(frozen=True)
class Disk:
    """A small one: `shrink` leaves a server no room on it, `mend` gives room again."""

    folder: Path
    shrink: Callable[[Server], None]
    mend: Callable[[Server], None]


@pytest.fixture
def traffic_to() -> Iterator[To]:
    with contextlib.ExitStack() as opened:
        yield lambda server: opened.enter_context(contextlib.closing(Traffic(server)))


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A file system of 40 kB, where we may mount one; else a limit on the size of the server's files."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = _mount(folder, f"size={_FULL}")
    if mounted:
        yield Disk(folder, lambda server: None, lambda server: _remount(folder))
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
    else:
        yield Disk(folder, lambda server: _limit_files(server, 100), lambda server: _limit_files(server, 10_000_000))


def _mount(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _remount(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=50000000", str(folder)], check=True)


def _limit_files(server: Server, most: int) -> None:
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def ids_in(folder: Path) -> list[str]:
    """Of all files that carry their name, each of which must be whole."""
    files = sorted(folder.rglob("[!.]*.parquet"))
    return [name for file in files for name in pyarrow.parquet.read_table(file)["request_id"].to_pylist()]


def test_a_full_disk_costs_rows_and_no_answer(start: Start, traffic_to: To, disk: Disk) -> None:
    """It fills up at night; in the morning somebody makes room, and restarts nothing."""
    server = start("--served-log", str(disk.folder), *QUICK)
    traffic = traffic_to(server)
    usual = traffic.ask(200)
    disk.shrink(server)
    traffic.ask_until(lambda: traffic.count('slipway_log_rows_dropped_total{cause="full"}') > 100)
    assert traffic.ask(200) < 3 * usual + 0.01  # as quick as before, on a machine with other work
    assert traffic.count("slipway_log_waiting_bytes") <= 200_000

    written = traffic.count("slipway_log_rows_written_total")
    disk.mend(server)
    traffic.ask_until(lambda: traffic.count("slipway_log_rows_written_total") > written)
    traffic.ask(5)  # there is room again
    assert server.leave() == 0
    found = ids_in(disk.folder)
    assert traffic.acknowledged[-1] in found
    assert len(found) == len(set(found))
    assert not list(disk.folder.rglob(".*"))


def test_rows_are_all_there_or_counted_as_dropped(start: Start, traffic_to: To, disk: Disk) -> None:
    """Whoever computes on the log has to know how much of the traffic it is."""
    server = start("--served-log", str(disk.folder), *QUICK)
    traffic = traffic_to(server)
    disk.shrink(server)
    traffic.ask_until(lambda: traffic.count('slipway_log_rows_dropped_total{cause="full"}') > 100)
    disk.mend(server)
    traffic.ask(50)
    assert server.say(b"flush") == {"flushed": True}
    assert server.say(b"flush") == {"flushed": True}  # what came while the first one was written
    dropped = traffic.count('slipway_log_rows_dropped_total{cause="full"}')

    assert len(ids_in(disk.folder)) + dropped == len(traffic.acknowledged)


def test_a_folder_that_is_gone_is_told_and_made_again(start: Start, traffic_to: To, tmp_path: Path) -> None:
    """Somebody tidied up, and put a file in its place; then they put it right."""
    folder = tmp_path / "served"
    server = start("--served-log", str(folder), *QUICK)
    traffic = traffic_to(server)
    traffic.ask_until(folder.is_dir)
    while not folder.is_file():  # the server is as quick as we are
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(IsADirectoryError):
            folder.write_text("a file where the folder should be")
    traffic.ask_until(lambda: traffic.count('slipway_log_failures_total{cause="gone"}') > 0)
    assert server.say(b"flush") == {"flushed": False}
    folder.unlink()
    traffic.ask_until(lambda: folder.is_dir() and bool(ids_in(folder)))


def test_a_server_that_is_told_to_leave_writes_what_it_answered(start: Start, traffic_to: To, tmp_path: Path) -> None:
    """A rollout ends servers every day: none of their last seconds may be missing in the window."""
    server = start("--served-log", str(tmp_path), "--log-file-seconds", "1000")
    traffic = traffic_to(server)
    traffic.ask(500)
    assert server.leave() == 0
    assert ids_in(tmp_path) == traffic.acknowledged


@pytest.mark.parametrize("after", [0.21, 0.34, 0.47])
def test_a_server_that_is_killed_loses_its_last_file_at_most(
    start: Start, traffic_to: To, tmp_path: Path, after: float
) -> None:
    """What is promised of the log: all that was answered, but for the time that a file is collected and written."""
    server = start("--served-log", str(tmp_path), "--log-file-seconds", "0.05")
    traffic = traffic_to(server)
    traffic.ask_until(lambda: bool(ids_in(tmp_path)))
    answered_at: dict[str, float] = {}
    killer = Timer(after, server.process.kill)
    killer.start()
    with contextlib.suppress(OSError, HTTPException):
        while True:
            traffic.ask(1)
            answered_at[traffic.acknowledged[-1]] = time.monotonic()
    server.process.wait(PATIENCE)
    killer.join()
    found = ids_in(tmp_path)
    lost = traffic.acknowledged[len(found) :]

    assert found[: len(traffic.acknowledged)] == traffic.acknowledged[: len(found)]
    # a twentieth of a second is collected and then written, which a busy machine may take its time for
    assert all(answered_at[name] > max(answered_at.values()) - 2.0 for name in lost)
    assert len(lost) < len(traffic.acknowledged)
