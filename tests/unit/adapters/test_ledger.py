"""The ledger under many writers: pages are written once, and none is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters import git
from slipway.adapters.forge import Forge
from slipway.adapters.ledger import BRANCH, Ledger, _with_lines
from slipway.errors import PageExists

from tests.unit.adapters.conftest import Rig

RELEASE = "flight-delay/v1.4.0"
WINDOWS = "flight-delay/production/windows/2013-07.jsonl"

_WRITER = """
import sys
from pathlib import Path
from slipway.adapters.forge.local import LocalForge
from slipway.adapters.ledger import Ledger
writer, pages = sys.argv[2], int(sys.argv[3])
ledger = Ledger(LocalForge(Path(sys.argv[1])))
for number in range(1, pages + 1):
    path = f"model-{writer}/v1.0.0/evidence.{number}.json"
    line = '{"key": "%s-%s"}' % (writer, number)
    ledger.append({path: f"{writer} {number}".encode()}, lines={"all/windows.jsonl": [line]}, message=path)
"""


def start_writer(repository: Path, writer: int, pages: int, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(repository), str(writer), str(pages)],
        env={**os.environ, "PYTHONPATH": "scripts", **environment},
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def ledger(forge: Forge) -> Ledger:
    return Ledger(forge)


def commits(rig: Rig) -> int:
    return int(git.run("rev-list", "--count", BRANCH, cwd=rig.repository))


def test_eight_writers_of_fifty_pages_lose_none(repository: Path) -> None:
    """Releases of many models end at the same moment; a lost page is a release that nobody can explain."""
    writers = [start_writer(repository, writer, 50) for writer in range(8)]
    for writer in writers:
        _, said = writer.communicate()
        assert writer.returncode == 0, said.decode()

    from slipway.adapters.forge.local import LocalForge

    pages = Ledger(LocalForge(repository)).pages()
    lines = pages.pop("all/windows.jsonl").decode().splitlines()
    assert pages == {
        f"model-{writer}/v1.0.0/evidence.{number}.json": f"{writer} {number}".encode()
        for writer in range(8)
        for number in range(1, 51)
    }
    assert len(set(lines)) == len(lines) == 400
    assert git.run("rev-list", "--count", BRANCH, cwd=repository).strip() == b"400"
    assert git.ask("fsck", "--full", "--strict", cwd=repository).code == 0


@pytest.mark.parametrize("moment", ["before:ledger-commit:2", "after:ledger-commit:2", "before:branch-commit:2"])
def test_a_writer_killed_at_a_commit_runs_again_to_the_same_pages(repository: Path, moment: str) -> None:
    """A runner is taken away at any moment; the rerun must neither lose a page nor write one twice."""
    killed = start_writer(repository, 1, 3, SLIPWAY_KILL_AT=moment)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    again = start_writer(repository, 1, 3)
    again.communicate()
    assert again.returncode == 0
    assert git.run("rev-list", "--count", BRANCH, cwd=repository).strip() == b"3"


def test_a_release_is_one_commit_and_reads_back(rig: Rig, ledger: Ledger) -> None:
    """Eight pages in eight commits would be eight chances to meet another writer."""
    files = {f"{RELEASE}/{kind}.1.json": kind.encode() for kind in ("identity", "conversion", "evidence")}
    ledger.append(files, lines={WINDOWS: ['{"key": "a"}']}, message="Record")
    assert ledger.pages(RELEASE) == files
    assert ledger.pages("flight-delay/production") == {WINDOWS: b'{"key": "a"}\n'}
    assert ledger.read(f"{RELEASE}/identity.1.json") == b"identity"
    assert commits(rig) == 1


def test_an_empty_ledger_answers_with_nothing(ledger: Ledger) -> None:
    """The first release of a new repository finds no branch."""
    assert ledger.pages() == {}
    assert ledger.read("a") is None
    assert ledger.latest(RELEASE, "evidence") is None


def test_appending_the_same_again_makes_no_commit(rig: Rig, ledger: Ledger) -> None:
    """Running again after a kill is usual; the history must say what happened once."""
    for _ in range(2):
        commit = ledger.append({f"{RELEASE}/a.1.json": b"1"}, lines={WINDOWS: ['{"f1": 0.6}']}, message="Record")
    assert commits(rig) == 1
    assert commit == rig.forge.head(BRANCH)


def test_a_page_is_written_once(rig: Rig, ledger: Ledger) -> None:
    """The API would overwrite it without a word, and the evidence of a release would be another's."""
    ledger.append({f"{RELEASE}/a.1.json": b"1"}, message="Record")
    with pytest.raises(PageExists, match=r"a\.1\.json"):
        ledger.append({f"{RELEASE}/a.1.json": b"2", f"{RELEASE}/b.1.json": b"2"}, message="Again")
    assert ledger.pages() == {f"{RELEASE}/a.1.json": b"1"}
    assert commits(rig) == 1


@pytest.mark.parametrize("path", [f"{RELEASE}/a.1.json/b.json", "flight-delay"])
def test_a_page_never_takes_the_place_of_a_folder_or_of_a_page(ledger: Ledger, path: str) -> None:
    """Git lets a file replace a folder of the same name: all pages in it would be gone."""
    ledger.append({f"{RELEASE}/a.1.json": b"1"}, message="Record")
    with pytest.raises(PageExists):
        ledger.append({path: b"2"}, message="Take its place")
    assert ledger.pages() == {f"{RELEASE}/a.1.json": b"1"}


@pytest.mark.parametrize("path", ["/a", "../a", "a/../b", ".git/config", "a//b", "", "a b", "a\nb"])
def test_paths_that_lead_elsewhere_are_refused(ledger: Ledger, path: str) -> None:
    """A model's name comes into a path; no name may write beside the ledger."""
    with pytest.raises(ValueError, match="no path"):
        ledger.append({path: b"1"}, message="Elsewhere")


@pytest.mark.parametrize("line", ['{"a":\n1}', "[1]", "no JSON"])
def test_a_line_is_one_json_object(ledger: Ledger, line: str) -> None:
    """Half a line breaks every reader of the month."""
    with pytest.raises(ValueError, match=r"not one line|Expecting value"):
        ledger.append({}, lines={WINDOWS: [line]}, message="Window")


def test_a_window_is_told_once_by_its_key(ledger: Ledger) -> None:
    """The same window measured on two machines differs in its timings only."""
    ledger.append({}, lines={WINDOWS: ['{"key": "w1", "seconds": 1}']}, message="Window")
    ledger.append({}, lines={WINDOWS: ['{"key": "w1", "seconds": 2}', '{"key": "w2"}']}, message="Window")
    assert ledger.read(WINDOWS) == b'{"key": "w1", "seconds": 1}\n{"key": "w2"}\n'


def test_the_latest_page_is_the_one_with_the_highest_number(ledger: Ledger) -> None:
    """Ten comes after nine, though not in the alphabet; other kinds and deeper folders do not count."""
    numbered = {f"{RELEASE}/evidence.{number}.json": b"%d" % number for number in range(1, 11)}
    others = {f"{RELEASE}/evidence.x.json": b"", f"{RELEASE}/in/evidence.99.json": b"", f"{RELEASE}/image.50.json": b""}
    ledger.append({**numbered, **others}, message="Record")
    latest = ledger.latest(RELEASE, "evidence")
    assert latest is not None
    assert (latest.path, latest.number, latest.content) == (f"{RELEASE}/evidence.10.json", 10, b"10")


@given(st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=6), max_size=3), max_size=6))
def test_lines_are_added_in_order_whatever_they_hold(objects: list[dict[str, str]]) -> None:
    """A reason may hold any character, U+2028 included, which some readers take for the end of a line."""
    lines = [json.dumps(value, ensure_ascii=False) for value in objects]
    once = _with_lines(b"", lines)
    assert _with_lines(once, lines) == once
    assert [line for line in once.decode().split("\n") if line] == list(dict.fromkeys(_first_of_key(lines)))


def _first_of_key(lines: list[str]) -> list[str]:
    seen: set[str] = set()
    kept = []
    for line in lines:
        key = json.loads(line).get("key")
        if key is None or key not in seen:
            kept.append(line)
            seen |= {key} if key is not None else set()
    return kept
