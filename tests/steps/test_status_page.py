"""The pages of what runs where: whole, the same for the same branches, and harmless whatever people wrote."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from slipway.domain.status_site import StatusSite
from slipway.errors import BadFile
from slipway.steps import status_page

from tests.fleet import Fleet
from tests.team import Team, copy_of

NOW = datetime(2026, 3, 8, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&"
_COMMAND = "from slipway.cli import main; main()"


@pytest.fixture(scope="session")
def _fleet(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Fleet(models=10, windows=20).team(tmp_path_factory.mktemp("fleet"))


@pytest.fixture
def fleet(_fleet: Team, tmp_path: Path) -> Team:
    return copy_of(_fleet, tmp_path)


def written(team: Team, out: Path) -> StatusSite:
    return status_page.run(out=out, now=NOW, workplace=team.workplace)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_there_is_an_overview_and_a_page_a_model(fleet: Team, tmp_path: Path) -> None:
    """A model's history would make one page of a thousand models too large to open."""
    site = written(fleet, tmp_path / "page")

    names = sorted(path.relative_to(tmp_path / "page").as_posix() for path in (tmp_path / "page").rglob("*.html"))
    assert names == ["index.html", *sorted(f"models/{name}.html" for name in Fleet(models=10).names)]
    assert (site.models, site.files) == (10, 11)
    assert site.index_bytes == (tmp_path / "page" / "index.html").stat().st_size


def test_the_overview_tells_each_place_and_what_is_open(fleet: Team, tmp_path: Path) -> None:
    """What runs where since when, who let it in, on what evidence, and how the watch found it last."""
    written(fleet, tmp_path / "page")
    text = (tmp_path / "page" / "index.html").read_text()

    assert len(re.findall(r"<tr data-s=", text)) == 30
    assert "<td>staging</td><td>v1.1.0</td><td>2026-02-26</td><td>Mary Somerville #32</td>" in text
    assert "<td>pass, 11 of 11</td><td>quiet, to 2026-03-07</td>" in text
    assert "issue #10008" in text and "(2026-03-07-drift)" in text
    assert '<time datetime="2026-03-07" data-beat>' in text


def test_the_page_of_a_model_tells_how_it_came_to_that(fleet: Team, tmp_path: Path) -> None:
    """Drift over time, each version with who let it in, and its incidents."""
    written(fleet, tmp_path / "page")
    text = (tmp_path / "page" / "models" / "load-baggage-0008.html").read_text()

    assert text.count("<polyline") == 6  # drift and F1 in three places
    assert "20 windows, to 2026-02-16 the first and to 2026-03-07 the last: least 0.05, most 0.06" in text
    assert (
        '<tr><th scope="row">v1.0.0</th><td data-name="Since">2026-02-15</td><td data-name="Until">2026-02-26</td>'
        in text
    )
    assert "2026-03-07-drift: <strong" in text


def test_numbers_are_links_where_the_repository_can_be_read_in_a_browser(
    fleet: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number that nobody can follow is a search for somebody."""
    place = fleet.workplace
    monkeypatch.setenv("GITHUB_REPOSITORY", "waiters/models")
    status_page.run(out=tmp_path / "page", now=NOW, workplace=place)
    index = (tmp_path / "page" / "index.html").read_text()
    model = (tmp_path / "page" / "models" / "load-baggage-0008.html").read_text()

    assert '<a href="https://github.com/waiters/models/pull/32">#32</a>' in index
    assert '<a href="https://github.com/waiters/models/issues/10008">#10008</a>' in index
    for text in (index, model):
        assert (
            re.findall(r"(?<![>&\w])#[0-9]+\b(?!</a>)", re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)) == []
        )


def test_equal_branches_give_equal_bytes_and_nothing_stays_beside(fleet: Team, tmp_path: Path) -> None:
    """A page that differs each day without a reason is deployed each day without a reason."""
    written(fleet, tmp_path / "page")
    first = contents(tmp_path / "page")
    status_page.run(out=tmp_path / "page", now=datetime(2026, 9, 1, tzinfo=UTC), workplace=fleet.workplace)

    assert contents(tmp_path / "page") == first
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_the_page_of_a_model_that_is_gone_goes(fleet: Team, tmp_path: Path) -> None:
    """It would say for ever what ran once."""
    written(fleet, tmp_path / "page")
    gone = Fleet(models=10).names[0]
    (fleet.root / "models" / gone / "model.yaml").unlink()
    written(fleet, tmp_path / "page")

    assert not (tmp_path / "page" / "models" / f"{gone}.html").exists()
    assert len(list((tmp_path / "page" / "models").iterdir())) == 9


def test_a_folder_of_somebody_else_is_not_replaced(fleet: Team, tmp_path: Path) -> None:
    """`--out .` would be the end of a repository."""
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "thesis.txt").write_text("years of work")

    with pytest.raises(BadFile, match="no status page wrote"):
        written(fleet, tmp_path / "page")
    assert (tmp_path / "page" / "thesis.txt").exists()


def test_a_dry_run_writes_nothing_and_counts(fleet: Team, tmp_path: Path) -> None:
    """How large it would be can be asked before it is there."""
    site = status_page.run(out=tmp_path / "page", now=NOW, workplace=fleet.workplace, dry_run=True)

    assert (site.files, (tmp_path / "page").exists()) == (11, False)


def test_what_people_wrote_is_text_and_nothing_else(tmp_path: Path) -> None:
    """Names of people and of features come from commits and logs; on this page they would run in a browser."""
    team = Fleet(models=1, windows=3, named=HOSTILE.replace("<", "[").replace(">", "]"), feature=HOSTILE).team(
        tmp_path / "team"
    )
    written(team, tmp_path / "page")

    for page in (tmp_path / "page").rglob("*.html"):
        text = page.read_text()
        assert "alert(1)" in text
        assert "<script>alert" not in text and "'&<" not in text
        assert text.count("<script") == text.count("</script>") == (page.name == "index.html")


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_a_killed_run_leaves_a_whole_page_or_none_and_the_next_one_mends_it(
    fleet: Team, tmp_path: Path, side: str, again: bool
) -> None:
    """GitHub serves what is in the folder, whatever happened to the run that wrote it."""
    out = tmp_path / "page"
    if again:
        written(fleet, out)
    environment = {**os.environ, "SLIPWAY_KILL_AT": f"{side}:status-page:1"}
    command = [sys.executable, "-c", _COMMAND, "status-page", "--out", str(out)]
    killed = subprocess.run(command, cwd=fleet.root, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert out.exists() is (again or side == "after")
    assert not out.exists() or len(list(out.rglob("*.html"))) == 11

    written(fleet, out)

    assert len(list(out.rglob("*.html"))) == 11
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


@pytest.mark.parametrize(("side", "of_today"), [("before", False), ("after", True)])
def test_a_run_that_is_killed_while_it_replaces_pages_leaves_those_of_one_day(
    fleet: Team, tmp_path: Path, side: str, of_today: bool
) -> None:
    """An overview that says one thing and a model's page that says another are worse than both of yesterday."""
    out = tmp_path / "page"
    written(fleet, out)
    yesterday = contents(out)
    fleet.edit("slipway.yaml", "[{", "[{name: canary-yard}, {")
    fleet.commit("Have one more environment, which every page tells")
    written(fleet, tmp_path / "other")
    today = contents(tmp_path / "other")
    environment = {**os.environ, "SLIPWAY_KILL_AT": f"{side}:status-page:1"}
    command = [sys.executable, "-c", _COMMAND, "status-page", "--out", str(out)]
    killed = subprocess.run(command, cwd=fleet.root, env=environment, capture_output=True, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert all(today[name] != yesterday[name] for name in yesterday if name.endswith(".html"))
    assert contents(out) == (today if of_today else yesterday)

    written(fleet, out)

    assert contents(out) == today
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_before_anything_is_recorded_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    """The workflow can be switched on before the first release."""
    team = Fleet(models=0, windows=1).team(tmp_path / "team")
    written(team, tmp_path / "page")

    text = (tmp_path / "page" / "index.html").read_text()
    assert "<b>0</b> models" in text


def test_a_model_that_never_ran_has_a_page_too(team: Team, tmp_path: Path) -> None:
    """It is declared, and waits for somebody."""
    written(team, tmp_path / "page")

    assert "production: nothing runs" in (tmp_path / "page" / "models" / "tip.html").read_text()
