"""How a server is known to be alive."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from pathlib import Path

import pytest
from slipway.adapters.rollout.server_process import ServerProcess


def test_a_pid_that_belongs_to_somebody_else_now_is_not_touched(tmp_path: Path) -> None:
    """Pids are used again: after a restart of the machine, ours may be the database's."""
    (tmp_path / "server").mkdir()
    server = ServerProcess(tmp_path / "server")
    (server.folder / "alive").touch()
    (server.folder / "process.json").write_text(json.dumps({"pid": os.getpid(), "control": str(tmp_path / "control")}))

    assert not server.alive()
    server.end(patience=0)  # would end this test
    assert not server.folder.exists()


def test_a_lock_that_is_held_is_a_server_that_lives(tmp_path: Path) -> None:
    """The kernel lets go of it with the process, however that ended."""
    with (tmp_path / "alive").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert ServerProcess(tmp_path).alive()
    assert not ServerProcess(tmp_path).alive()


def test_a_server_that_does_not_answer_is_no_crash_of_ours(tmp_path: Path) -> None:
    """It may leave between two questions."""
    assert ServerProcess(tmp_path).command("status") is None
    assert not ServerProcess(tmp_path).accepts()


def test_the_control_socket_has_a_short_path_that_only_its_owner_enters(tmp_path: Path) -> None:
    """A state folder may lie deep; a Unix socket may not."""
    deep = tmp_path / ("d" * 200)
    control = ServerProcess(deep).control

    assert len(str(control)) < 100
    assert control.parent.stat().st_mode & 0o077 == 0


def test_a_deep_folder_for_temporary_files_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs get folders of their own, and a runner may be installed anywhere."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))

    control = ServerProcess(tmp_path / "server").control

    assert len(str(control)) <= 103
    assert control.parent.stat().st_mode & 0o777 == 0o700
