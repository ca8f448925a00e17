"""MLflow is told what became of a model version, and a server that is away costs ten seconds and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest
from slipway.adapters.mlflow_write_back import TrackingServer
from slipway.domain.pages import Page
from slipway.domain.tag import ReleaseTag
from slipway.domain.write_back import Telling, WriteBack
from slipway.errors import TrackingServerRefused, Unreachable
from slipway.steps import tell_mlflow

from tests.mlflow.conftest import MLflow
from tests.mlflow.servers import Broken, dripping, refusing, silent
from tests.steps.test_announce_rollout import merge, verified
from tests.steps.test_tell_mlflow import came_from_mlflow
from tests.team import ENVIRONMENT, MODEL, ROOT, Team, Tip, copy_of, new_team

pytestmark = pytest.mark.xdist_group("mlflow")
_PLACE = "slipway.environment.production"
_TELLING = Telling(
    model_name="tip", model_version="1", tags={"slipway.release": "x"}, alias=None, place=_PLACE, replaced="no"
)


@pytest.fixture(scope="session")
def _released(tmp_path_factory: pytest.TempPathFactory) -> Team:
    """v1.0.0 and v1.1.0 were made of versions 1 and 2 of MLflow's `tip`; the newer one runs."""
    team = new_team(tmp_path_factory.mktemp("released"))
    (team.root / "requirements" / "sources.txt").write_bytes((ROOT / "requirements" / "sources.txt").read_bytes())
    for tag, tip, version in (("tip@v1.0.0", Tip(), "1"), ("tip@v1.1.0", Tip(weight=0.0201), "2")):
        merge(team, team.release(team.publish(tag, tip)))
        verified(team)
        came_from_mlflow(team, tag, version=version)
    return team


@pytest.fixture
def released(_released: Team, tmp_path: Path) -> Team:
    return copy_of(_released, tmp_path)


def tell(team: Team) -> Page[WriteBack] | None:
    page = tell_mlflow.run(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    if page is not None:
        team.record_pages(page.subject)
    return page


def roll_back(team: Team) -> None:
    """Somebody merged the way back, and it is verified."""
    path = "deploy/production/tip/kustomization.yaml"
    before = team.workplace.history
    older = next(one for one in before.rollouts(MODEL, ENVIRONMENT) if one.version == "v1.0.0")
    newer = next(one for one in before.rollouts(MODEL, ENVIRONMENT) if one.version == "v1.1.0")
    team.commit("Bring what was merged")
    team.edit(path, newer.digest, older.digest)
    team.edit(path, "newTag: v1.1.0", "newTag: v1.0.0")
    team.commit("Go back")
    verified(team)


def test_a_version_gets_tags_and_an_alias_and_a_way_back_takes_the_alias_back(
    mlflow: MLflow, released: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What MLflow shows of `production` must be what git says that it runs, also at night."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.address)
    page = tell(released)

    assert page is not None and page.body.problem == ""
    assert mlflow.tags("tip", 2) == page.body.telling.tags
    assert mlflow.tags("tip", 2)["slipway.release"] == "tip@v1.1.0"
    assert mlflow.aliases("tip")[ENVIRONMENT] == "2"
    assert tell(released) is None  # it was told

    roll_back(released)
    back = tell(released)

    assert back is not None
    assert (back.body.problem, back.body.moved_from) == ("", "2")
    assert mlflow.aliases("tip")[ENVIRONMENT] == "1"
    assert mlflow.tags("tip", 1)[_PLACE].startswith("runs since ")
    assert mlflow.tags("tip", 2)[_PLACE] == "replaced by tip@v1.0.0"


def test_what_came_from_elsewhere_takes_the_alias_away_and_no_other(
    mlflow: MLflow, released: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alias that names what does not run is worse than none: somebody serves by it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.address)
    tell(released)
    merge(released, released.release(released.publish("tip@v1.2.0", Tip(weight=0.0202))))
    verified(released)
    page = tell(released)

    assert page is not None
    assert (page.body.problem, page.body.moved_from) == ("", "2")
    assert ENVIRONMENT not in mlflow.aliases("tip")
    assert mlflow.aliases("tip")["champion"] == "1"
    assert mlflow.tags("tip", 2)[_PLACE] == "replaced by tip@v1.2.0"
    assert tell(released) is None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_telling_that_is_killed_is_told_by_the_next_run(moment: str, mlflow: MLflow, released: Team) -> None:
    """Tags that were there already are the same tags; an alias is moved last."""
    killed = _command(released, mlflow.address, SLIPWAY_KILL_AT=f"{moment}:write-back:1")
    again = _command(released, mlflow.address)

    assert killed.returncode == -signal.SIGKILL
    assert again.returncode == 0, again.stderr
    assert mlflow.aliases("tip")[ENVIRONMENT] == "2"
    pages = released.history.pages(released.workplace.history.releases(MODEL)[-1], WriteBack)
    assert [page.body.problem for page in pages] == [""]


def test_a_server_that_is_away_is_warned_of_and_fails_nothing(released: Team) -> None:
    """A rollout that is done is green; who looks after MLflow finds the reason in the ledger."""
    done = _command(released, "http://127.0.0.1:9")

    assert done.returncode == 0
    assert "version 2, was not told: the MLflow server 127.0.0.1 does not answer" in done.stderr
    page = released.history.page(ReleaseTag.parse("tip@v1.1.0"), WriteBack)
    assert page is not None and page.body.unanswered


def test_a_server_that_came_back_is_told_by_the_next_run(
    mlflow: MLflow, released: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be away for a night of rollouts: one page says that, and the next is news."""
    for address in ("http://127.0.0.1:9", "http://127.0.0.1:9", mlflow.address):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        tell(released)

    pages = released.history.pages(ReleaseTag.parse("tip@v1.1.0"), WriteBack)
    assert [(page.number, page.body.unanswered, page.body.problem == "") for page in pages] == [
        (1, True, False),
        (2, False, True),
    ]
    assert mlflow.aliases("tip")[ENVIRONMENT] == "2"


def test_a_dry_run_says_what_would_be_told_and_tells_nobody(mlflow: MLflow, released: Team) -> None:
    """Who sets this up for the first time looks before anybody else does."""
    before = mlflow.tags("tip", 2)
    done = _command(released, mlflow.address, "--dry-run")

    assert "it would be: tip in production: MLflow's tip, version 2, has 7 tags and the alias" in done.stdout
    assert mlflow.tags("tip", 2) == before
    assert released.history.page(ReleaseTag.parse("tip@v1.1.0"), WriteBack) is None


def _command(team: Team, address: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from slipway.cli import main; main()", "tell-mlflow", "--all", *words],
        cwd=team.root,
        env={**os.environ, "MLFLOW_TRACKING_URI": address, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("hangs", [silent, dripping], ids=["never answers", "never ends its answer"])
def test_a_server_that_hangs_is_left_when_the_time_is_over(hangs: Callable[[], AbstractContextManager[Broken]]) -> None:
    """A client's own patience counts from byte to byte; the process that asks is ended, whatever it waits for."""
    with hangs() as broken:
        server = _server(broken.address, seconds=4.0)
        with pytest.raises(Unreachable) as away:
            server.tell(_TELLING)

        assert broken.came.is_set()
        assert broken.left.wait(timeout=60)  # its end of the connection is closed: nobody is left who asks
    assert away.value.problem == "the MLflow server 127.0.0.1 did not answer within 4 s; what asked it was ended"


def test_ten_seconds_are_what_a_rollout_waits_at_most() -> None:
    """Of everything that it does there; and a server that is away is not asked for the next model."""
    assert _server("http://127.0.0.1:9").seconds == 10.0


def test_what_asks_ends_by_itself_where_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    """A run that was killed must not leave a process behind that asks for ever."""
    with silent() as broken:
        running = _server(broken.address, seconds=600.0)
        job = tmp_path / "job.json"
        job.write_text(f'{{"telling": {_TELLING.model_dump_json()}, "seconds": 4, "result": "{tmp_path}/result"}}')
        asking = subprocess.Popen(running.command(job), env=running.environment(tmp_path), cwd=tmp_path)
        assert asking.wait(timeout=120) == -signal.SIGALRM


@pytest.mark.parametrize(("status", "kind"), [(401, TrackingServerRefused), (403, TrackingServerRefused)])
def test_who_may_not_write_is_told_so(status: int, kind: type[Exception]) -> None:
    """A right that is missing does not come by waiting."""
    with refusing(status) as address, pytest.raises(kind, match=f"\\({status}\\)"):
        _server(address).tell(_TELLING)


def test_a_version_that_is_gone_is_told_by_the_page_and_fails_nothing(
    mlflow: MLflow, released: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody cleaned up in MLflow; what runs goes on running."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow.address)
    came_from_mlflow(released, "tip@v1.1.0", version="77")
    page = tell(released)

    assert page is not None
    assert "has no models:/tip/77" in page.body.problem
    assert not page.body.unanswered


def test_a_password_is_in_no_page_and_no_argument(tmp_path: Path) -> None:
    """Everybody reads the ledger, and every user of a machine its processes' arguments."""
    with refusing(500) as address:
        server = _server(address, MLFLOW_TRACKING_USERNAME="ada", MLFLOW_TRACKING_PASSWORD="swordfish")
        with pytest.raises(Unreachable) as away:
            server.tell(_TELLING)

    assert "swordfish" not in repr(server) + str(away.value) + " ".join(server.command(tmp_path / "job.json"))


def _server(address: str, *, seconds: float | None = None, **more: str) -> TrackingServer:
    opened = TrackingServer.open({"MLFLOW_TRACKING_URI": address, **more}, requirements=ROOT / "requirements")
    if seconds is None:
        return opened
    return TrackingServer(opened.host, opened.variables, opened.requirements, seconds)


def test_the_day_of_a_tag_is_the_day_from_which_it_runs(released: Team) -> None:
    """The watch counts from the same day."""
    page = tell_mlflow.run(MODEL, environment=ENVIRONMENT, workplace=released.workplace, away="it is away")
    assert page is not None
    assert date.fromisoformat(page.body.telling.tags[_PLACE].removeprefix("runs since ")) == date(2026, 4, 1)
