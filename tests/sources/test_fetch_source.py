"""From an address in model.yaml to what is converted: recorded by digest, the same for ever, half never."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slipway.adapters import git
from slipway.domain.origin import Source
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, SourceRefused, Unreachable
from slipway.steps import fetch_source, replay, resolve_tag

from tests.sources.places import ROOT
from tests.sources.web import WebServer
from tests.team import MODEL, Team, copy_of, new_team
from tests.tip import TIP, Tip

TAG = "tip@v1.0.0"
PATH = "/tip/weights.json"


@pytest.fixture(scope="module")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = new_team(tmp_path_factory.mktemp("fresh"))
    shutil.copyfile(ROOT / "requirements" / "sources.txt", team.root / "requirements" / "sources.txt")
    return team


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    server = WebServer(tmp_path_factory.mktemp("web"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def team(_fresh: Team, web: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """Its source lies on a web server, whose certificate is known from the secret alone."""
    monkeypatch.setenv("SLIPWAY_SOURCE_ENVIRONMENT", f"# of the web server\nSSL_CERT_FILE={web.certificate}\n")
    team = copy_of(_fresh, tmp_path)
    _publish(team, web, TIP)
    return team


def _publish(team: Team, web: WebServer, tip: Tip, *, path: str = PATH) -> None:
    """Put a version's weights on the server, and its address into model.yaml."""
    web.files[path] = tip.as_json().encode()
    _point_at(team, web.address(path))


def _point_at(team: Team, address: str) -> None:
    team.write(f"models/{MODEL}/model.yaml", TIP.declaration().replace("source: source", f"source: {address}"))
    shutil.rmtree(team.folder / "source", ignore_errors=True)
    team.commit("Point at the source")


def _fetched(team: Team, tag: str = TAG) -> Source:
    page = fetch_source.run(tag, workplace=team.workplace)
    assert page is not None
    return page.body


def test_what_was_fetched_is_recorded_and_released(team: Team, web: WebServer) -> None:
    """Whoever asks a year later what a version was made of finds the bytes' digest in its pages."""
    team.tag(TAG)
    origin = _fetched(team).origin
    identity = resolve_tag.run(TAG, workplace=team.workplace).body

    (file,) = origin.files
    assert (file.path, file.sha256) == ("weights.json", hashlib.sha256(web.files[PATH]).hexdigest())
    assert (identity.origin, identity.source_digest) == (origin, origin.sha256)
    assert team.release(TAG).body.pull == 1
    told = team.history.page(ReleaseTag.parse(TAG), Source)
    assert told is not None and told.body.origin == origin


def test_running_again_fetches_nothing_and_writes_nothing(team: Team, web: WebServer) -> None:
    """A second attempt of a run, on a machine that has all of it."""
    team.tag(TAG)
    first = fetch_source.run(TAG, workplace=team.workplace)
    web.asked.clear()

    assert fetch_source.run(TAG, workplace=team.workplace) == first
    assert web.asked == []


def test_a_source_in_the_repository_is_left_to_the_commit(_fresh: Team, tmp_path: Path) -> None:
    """Most models: no page, no other key, so that their digests stay what they were."""
    team = copy_of(_fresh, tmp_path)
    team.write_model()
    team.commit()
    team.tag(TAG)

    assert fetch_source.run(TAG, workplace=team.workplace) is None
    page = resolve_tag.run(TAG, workplace=team.workplace)
    assert "origin" not in json.loads(page.to_json())["body"]


def test_a_source_that_was_not_fetched_is_told_with_the_command(team: Team) -> None:
    """The job that resolves has no credentials, and must say who has."""
    team.tag(TAG)

    with pytest.raises(SourceRefused, match="was not fetched") as caught:
        resolve_tag.run(TAG, workplace=team.workplace)

    assert f"slipway fetch-source {TAG}" in caught.value.mend


def test_an_address_that_changed_under_a_version_is_refused(team: Team, web: WebServer) -> None:
    """Two images of one version would be two models, and nobody would know which one is asked."""
    team.tag(TAG)
    _fetched(team)
    team.release(TAG)
    elsewhere = team.clone("elsewhere")
    page = team.record(TAG).latest(Source)
    assert page is not None
    changed = page.body.origin.model_copy(update={"sha256": f"sha256:{'0' * 64}"})
    _forge_ledger(team, changed.sha256)

    with pytest.raises(SourceRefused, match=r"changed under tip@v1\.0\.0"):
        fetch_source.run(TAG, workplace=elsewhere.workplace)


def _forge_ledger(team: Team, sha256: str) -> None:
    """As if other bytes had lain at the address when the version was recorded."""
    folder = team.root.with_name("ledger")
    git.run("clone", "--quiet", "--branch", "ledger", str(team.bare), str(folder), cwd=team.bare)
    for path in folder.glob("tip/v1.0.0/*.json"):
        told = json.loads(path.read_text())
        if path.name.startswith(("source.", "identity.")):
            told["body"].get("origin", told["body"])["sha256"] = sha256
            path.write_text(json.dumps(told))
    git.run("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "-am", "Change", cwd=folder)
    git.run("push", "--quiet", "origin", "ledger", cwd=folder)


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/half", Unreachable, "could not be fetched"),
        ("/endless", SourceRefused, "more than 2,000,000 bytes"),
        ("/silent", Unreachable, "not there within 3 s"),
        ("/500", Unreachable, "could not be fetched"),
        ("/403", SourceRefused, "is not given to us"),
        ("/404", SourceRefused, "is not there"),
    ],
)
def test_a_server_that_fails_leaves_nothing_behind(
    team: Team, web: WebServer, path: str, kind: type[Exception], words: str
) -> None:
    """Half a file under a digest would be released as a whole one; and an outage is no fault of the model's."""
    team.edit("policies/sources.yaml", "{pickle: false}", "{fetched: {bytes: 2000000, seconds: 3}}")
    _point_at(team, web.address(path, b"x"))
    team.tag(TAG)

    with pytest.raises(kind, match=words):
        fetch_source.run(TAG, workplace=team.workplace)

    assert not list(team.record(TAG).folder.rglob("source.*.json"))
    assert not (team.record(TAG).folder / "blobs").exists()


def test_another_digest_than_the_address_says_is_refused(team: Team, web: WebServer) -> None:
    """Who can write to the server must not be able to change a model."""
    _point_at(team, web.address(PATH, b"what was meant"))
    team.tag(TAG)

    with pytest.raises(SourceRefused, match="not what its address says"):
        fetch_source.run(TAG, workplace=team.workplace)


def test_a_line_of_the_secret_that_is_none_is_not_repeated(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that was pasted without its name would stand in the log."""
    team.tag(TAG)
    monkeypatch.setenv("SLIPWAY_SOURCE_ENVIRONMENT", "hunter2-hunter2")

    with pytest.raises(BadFile, match="line 1") as caught:
        fetch_source.run(TAG, workplace=team.workplace)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("moment", ["before:blob:1", "after:blob:1", "before:file:1", "after:file:1"])
def test_killed_at_each_write_and_run_again_it_leaves_what_one_run_leaves(team: Team, moment: str) -> None:
    """A runner is taken away at any time; what is there then must be whole, and the next run must finish it."""
    team.tag(TAG)
    command = [str(Path(sys.executable).with_name("slipway")), "fetch-source", TAG]
    variables = {**os.environ, "SLIPWAY_KILL_AT": moment}
    killed = subprocess.run(command, cwd=team.root, env=variables, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL

    origin = _fetched(team).origin

    found = [path for path in team.record(TAG).folder.rglob("*") if path.is_file() and "tagged" not in path.parts]
    names = {path.name for path in found if not path.name.startswith(".writing-")}  # which nothing takes for a file
    assert names == {"source.1.json", *(file.sha256 for file in origin.files)}


def test_a_check_fetches_by_itself_each_time(team: Team, web: WebServer) -> None:
    """On a laptop nobody thinks of a step before; and what lies at an address may be newer than the last check."""
    first = fetch_source.run_on_working_tree(MODEL, workplace=team.workplace)
    _publish(team, web, Tip(weight=0.03), path="/tip/newer/weights.json")
    again = fetch_source.run_on_working_tree(MODEL, workplace=team.workplace)

    assert first is not None and again is not None
    assert first.body.origin.sha256 != again.body.origin.sha256
    identity = resolve_tag.run_on_working_tree(MODEL, workplace=team.workplace).body
    assert identity.origin == again.body.origin


def test_a_replay_uses_what_was_recorded_and_refuses_other_bytes(team: Team, web: WebServer) -> None:
    """An auditor who converts again must convert what was released, or be told that it is gone."""
    team.tag(TAG)
    _fetched(team)
    team.release(TAG)
    again = replay.prepare(TAG, workplace=team.workplace)
    replay.fetch_source(again, workplace=team.workplace)
    origin = again.recorded.identity.body.origin
    assert (again.differences, origin is not None and all(map(again.record.has, origin.files))) == ([], True)

    web.files[PATH] = Tip(weight=0.05).as_json().encode()
    elsewhere = team.clone("elsewhere")
    with pytest.raises(SourceRefused, match="not what its address says"):
        replay.fetch_source(replay.prepare(TAG, workplace=elsewhere.workplace), workplace=elsewhere.workplace)
