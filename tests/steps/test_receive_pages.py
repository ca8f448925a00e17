"""What a job that ran foreign code hands on is data, and only what it was asked for."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters.records import Record
from slipway.domain.conversion import Conversion
from slipway.errors import BadFile, DigestMismatch
from slipway.steps import receive_pages, resolve_tag

from tests.team import Team, days_from

DAY = date(2026, 3, 7)
KINDS = ("conversion",)


@pytest.fixture
def handed_on(team: Team, tmp_path: Path) -> tuple[Record, Path]:
    """The record of the next job, and the folder that came from the one that converted."""
    tag = team.tag("tip@v1.0.0")
    resolve_tag.run(tag, workplace=team.workplace)
    elsewhere = Record(tmp_path / "converting", subject=tag)
    shutil.copytree(team.record(tag).folder, elsewhere.folder)
    team.convert(elsewhere)
    received = tmp_path / "received"
    received.mkdir()
    shutil.copy(elsewhere.folder / "conversion.1.json", received)
    shutil.copytree(elsewhere.folder / "blobs", received / "blobs")
    return team.record(tag), received


def test_what_was_asked_for_is_taken_in_whole(handed_on: tuple[Record, Path]) -> None:
    """The next step must find the page and every file that it names."""
    record, received = handed_on
    assert receive_pages.run(record, received=received, kinds=KINDS) == ["conversion.1.json"]
    assert record.path(record.page(Conversion, written_by="convert-to-onnx").body.onnx).is_file()


def test_receiving_twice_changes_nothing(handed_on: tuple[Record, Path]) -> None:
    """A second attempt of a job downloads the same again."""
    record, received = handed_on
    receive_pages.run(record, received=received, kinds=KINDS)
    before = record.contents()
    receive_pages.run(record, received=received, kinds=KINDS)
    assert record.contents() == before


def test_a_page_that_nobody_asked_for_is_refused(handed_on: tuple[Record, Path]) -> None:
    """The job that runs the model must not be able to write its own verdict."""
    record, received = handed_on
    shutil.copy(received / "conversion.1.json", received / "verdicts.1.json")
    with pytest.raises(BadFile, match=r"verdicts\.1\.json is no page that this job was to write"):
        receive_pages.run(record, received=received, kinds=KINDS)


def test_a_folder_without_the_page_is_refused(handed_on: tuple[Record, Path]) -> None:
    """An artifact that unpacks one folder deeper than thought must not read as a job that had nothing to say."""
    record, received = handed_on
    with pytest.raises(BadFile, match=r"holds no page `conversion` of tip@v1\.0\.0"):
        receive_pages.run(record, received=received.parent, kinds=KINDS)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("subject", "tip@v9.0.0", r"is about tip@v9\.0\.0"),
        ("number", 7, r"conversion\.7\.json"),
        ("schema_version", 99, "this Slipway reads up to"),
        ("body", {}, "Field required"),
    ],
)
def test_a_page_that_says_something_else_is_refused(
    handed_on: tuple[Record, Path], field: str, value: object, problem: str
) -> None:
    """Its name and its content must tell the same release."""
    record, received = handed_on
    path = received / "conversion.1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(Exception, match=problem):
        receive_pages.run(record, received=received, kinds=KINDS)
    assert record.latest(Conversion) is None


@pytest.mark.parametrize("harm", ["changed", "missing", "a link"])
def test_a_file_that_is_not_what_its_page_says_is_refused(
    handed_on: tuple[Record, Path], harm: str, tmp_path: Path
) -> None:
    """Another model under the digest of the one that was measured would be served."""
    record, received = handed_on
    told = json.loads((received / "conversion.1.json").read_text())
    blob = received / "blobs" / told["body"]["onnx"]["sha256"]
    content = blob.read_bytes()
    blob.unlink()
    if harm == "changed":
        blob.write_bytes(content[:-1] + b"\0")
    if harm == "a link":
        (tmp_path / "elsewhere").write_bytes(content)
        blob.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DigestMismatch, match="mend: "):
        receive_pages.run(record, received=received, kinds=KINDS)


def test_files_that_no_page_names_stay_outside(handed_on: tuple[Record, Path]) -> None:
    """The record holds what its pages speak of."""
    record, received = handed_on
    (received / "blobs" / "stowaway").write_bytes(b"x")
    receive_pages.run(record, received=received, kinds=KINDS)
    assert not (record.folder / "blobs" / "stowaway").exists()


@pytest.fixture
def watched(live: Team, tmp_path: Path) -> tuple[Team, Path]:
    """Another machine's disk after its share of a watch, as the artifacts of two shards."""
    live.serve("v1.0.0", days_from(date(2026, 3, 1), 7))
    live.look_only(DAY)
    received = tmp_path / "received"
    received.mkdir()
    (live.workplace.state / "windows").rename(received / "watched-0")
    return live, received


def test_windows_are_taken_in_from_every_shard(watched: tuple[Team, Path]) -> None:
    """One commit tells of all of them."""
    team, received = watched
    (record,) = receive_pages.run_on_windows(received, workplace=team.workplace)
    assert record.folder == team.window(DAY).folder
    assert sorted(record.contents()) == ["incident-verdicts.1.json", "window.1.json"]


def test_no_shard_hands_on_nothing(live: Team, tmp_path: Path) -> None:
    """Nothing is deployed yet."""
    assert receive_pages.run_on_windows(tmp_path / "nowhere", workplace=live.workplace) == []


def test_a_window_that_was_not_judged_is_left_for_the_next_run(watched: tuple[Team, Path]) -> None:
    """Its shard broke off between the two."""
    team, received = watched
    next(received.rglob("incident-verdicts.1.json")).unlink()
    assert receive_pages.run_on_windows(received, workplace=team.workplace) == []


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("window.1.json", "model", "other"),
        ("window.1.json", "environment", "elsewhere"),
        ("incident-verdicts.1.json", "incident", "../../tip/v1.0.0"),
    ],
)
def test_a_window_cannot_be_put_where_it_does_not_belong(
    watched: tuple[Team, Path], name: str, field: str, value: str
) -> None:
    """The runner that reaches production is a machine of its own; the ledger decides what may run."""
    team, received = watched
    path = next(received.rglob(name))
    told = json.loads(path.read_text())
    path.write_text(json.dumps({**told, "body": {**told["body"], field: value}}))
    with pytest.raises(BadFile, match=r"holds a page"):
        receive_pages.run_on_windows(received, workplace=team.workplace)


def test_a_shard_hands_on_nothing_to_post(watched: tuple[Team, Path]) -> None:
    """The job that takes it in would sign it, and a pager would believe it."""
    team, received = watched
    folder = next(received.rglob("window.1.json")).parent
    shutil.copy(folder / "window.1.json", folder / "delivery.1.json")
    (record,) = receive_pages.run_on_windows(received, workplace=team.workplace)
    assert sorted(record.contents()) == ["incident-verdicts.1.json", "window.1.json"]


def test_a_release_cannot_be_handed_on_as_a_window(watched: tuple[Team, Path]) -> None:
    """A verdict on a release is none of the watch's pages."""
    team, received = watched
    folder = next(received.rglob("window.1.json")).parent
    shutil.copy(team.record("tip@v1.0.0").folder / "verdicts.1.json", folder)
    with pytest.raises(BadFile, match=r"verdicts\.1\.json is no page that this job was to write"):
        receive_pages.run_on_windows(received, workplace=team.workplace)
