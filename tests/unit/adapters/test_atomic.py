"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from slipway.adapters import atomic

_KILLED = """
import os, sys
from pathlib import Path
from slipway.adapters import atomic
atomic.write(Path(sys.argv[1]), b"new")
"""


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    """The first page of a record has no folder yet."""
    atomic.write(tmp_path / "a" / "b.json", b"{}")

    assert (tmp_path / "a" / "b.json").read_bytes() == b"{}"


def test_others_may_read_it(tmp_path: Path) -> None:
    """A temporary file is for one user; a page is for the next job, which may be another."""
    atomic.write(tmp_path / "page.json", b"{}")

    assert (tmp_path / "page.json").stat().st_mode & 0o777 == 0o644


def test_readers_see_the_old_or_the_new_and_never_a_part(tmp_path: Path) -> None:
    """Pages are read while a run writes."""
    path = tmp_path / "page"
    contents = [bytes([letter]) * 200_000 for letter in b"abcdefgh"]
    atomic.write(path, contents[0])

    def write_all() -> None:
        for content in contents * 5:
            atomic.write(path, content)

    writer = threading.Thread(target=write_all)
    writer.start()

    seen = set()
    while writer.is_alive():
        seen.add(path.read_bytes())
    writer.join()

    assert seen <= set(contents)


@pytest.mark.parametrize(("moment", "left"), [("before:file:1", b"old"), ("after:file:1", b"new")])
def test_a_kill_leaves_one_whole_file(tmp_path: Path, moment: str, left: bytes) -> None:
    """Before the rename the old one, after it the new one."""
    path = tmp_path / "page"
    path.write_bytes(b"old")

    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path)],
        env={**os.environ, "SLIPWAY_KILL_AT": moment, "PYTHONPATH": "scripts"},
        check=False,
    )

    assert done.returncode == -9
    assert path.read_bytes() == left


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """Temporary files would pile up in the record, and be recorded one day."""
    (tmp_path / "page").mkdir()

    with pytest.raises(OSError):  # which one depends on the system
        atomic.write(tmp_path / "page", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["page"]
