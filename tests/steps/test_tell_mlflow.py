"""What MLflow is told of a rollout, and when it is told nothing; tests/mlflow has a server that listens."""

from __future__ import annotations

from datetime import date

import pytest
from slipway.domain.identity import Identity
from slipway.domain.origin import FetchedFile, Origin, Training
from slipway.domain.pages import Page, digest_of
from slipway.domain.write_back import WriteBack
from slipway.steps import tell_mlflow

from tests.steps.test_announce_rollout import merge, verified
from tests.team import ENVIRONMENT, MODEL, Team, Tip

_AWAY = "http://127.0.0.1:9"


def came_from_mlflow(team: Team, tag: str, *, version: str | None = "3", server: str = "127.0.0.1") -> None:
    """As if its source had been fetched from there: the page `identity` tells of the run."""
    record = team.record(tag)
    identity = record.page(Identity, written_by="resolve-tag").body
    training = Training(
        tracking_server=server, run_id="r" * 32, model_name="tip" if version else None, model_version=version
    )
    origin = Origin(
        address=f"models:/tip/{version}",
        resolved=f"models:/tip/{version}",
        sha256=identity.source_digest,
        files=(FetchedFile(name="weights.json", sha256="0" * 64, size=1),),
        training=training,
    )
    told = identity.model_copy(update={"origin": origin})
    record.once(Identity, reads={"identity": digest_of(told.model_dump_json().encode())}, make=lambda: told)
    team.record_pages(tag)


def tell(team: Team, *, away: str = "") -> Page[WriteBack] | None:
    return tell_mlflow.run(MODEL, environment=ENVIRONMENT, workplace=team.workplace, away=away)


@pytest.fixture
def released(team: Team) -> Team:
    """Its v1.0.0 was merged, and is verified in production."""
    merge(team, team.release(team.tag("tip@v1.0.0", "Begin")))
    verified(team)
    return team


def test_a_model_version_is_told_its_release_its_commits_and_where_it_runs(
    released: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds the version in MLflow a year later finds the way to its release."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    came_from_mlflow(released, "tip@v1.0.0")
    page = tell(released)

    assert page is not None
    telling = page.body.telling
    identity = released.record("tip@v1.0.0").page(Identity, written_by="resolve-tag").body
    assert (telling.model_name, telling.model_version, telling.alias) == ("tip", "3", ENVIRONMENT)
    assert telling.tags["slipway.release"] == "tip@v1.0.0"
    assert telling.tags["slipway.commit"] == identity.commit
    assert telling.tags["slipway.environment.production"] == "runs since 2026-04-01"
    assert telling.tags["slipway.environment.production.pull_request"] == "#1"
    assert all(telling.tags[f"slipway.{name}"].startswith("sha256:") for name in ("onnx", "image"))


def test_a_source_of_the_repository_has_nobody_to_be_told(released: Team) -> None:
    """A team without MLflow has no page about it."""
    assert tell(released) is None


def test_a_run_without_a_registered_version_has_no_place_for_tags(released: Team) -> None:
    """`runs:/…` names no version of a registered model."""
    came_from_mlflow(released, "tip@v1.0.0", version=None)
    assert tell(released) is None


def test_what_was_not_verified_is_not_told(team: Team) -> None:
    """An alias that ran ahead of the rollout would name what nobody was answered by."""
    merge(team, team.release(team.tag("tip@v1.0.0", "Begin")))
    came_from_mlflow(team, "tip@v1.0.0")
    assert tell(team) is None


def test_what_a_hosted_runner_only_tried_gets_tags_and_no_alias(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves nobody."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", _AWAY)
    merge(team, team.release(team.tag("tip@v1.0.0", "Begin")))
    verified(team, stays=False)
    came_from_mlflow(team, "tip@v1.0.0")
    page = tell(team, away="it is away")

    assert page is not None
    assert page.body.telling.alias is None
    assert "slipway.environment.production" not in page.body.telling.tags


def test_without_a_server_the_page_says_so(released: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to guess why MLflow knows nothing."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    came_from_mlflow(released, "tip@v1.0.0")
    page = tell(released)

    assert page is not None
    assert (page.body.problem, page.body.unanswered) == ("MLFLOW_TRACKING_URI is not set", False)


def test_another_server_than_the_one_it_came_from_is_not_told(released: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version 3 may be anything."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", _AWAY)
    came_from_mlflow(released, "tip@v1.0.0", server="mlflow.example")
    page = tell(released)

    assert page is not None
    assert "came from the MLflow server mlflow.example" in page.body.problem


def test_a_server_that_stays_away_has_one_page(released: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is shut down for good would add a page a model to the ledger, at each rollout, for ever."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", _AWAY)
    came_from_mlflow(released, "tip@v1.0.0")
    first, again = tell(released, away="it is away"), tell(released, away="no answer in time")

    assert first is not None and again is not None
    assert (first.body.unanswered, first.body.problem) == (True, "it is away")
    assert again == first
    assert [page.number for page in released.record("tip@v1.0.0").pages(WriteBack)] == [1]


def test_another_reason_than_before_has_the_next_number(released: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it answers now, and says no, is news: somebody has to mend something."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    came_from_mlflow(released, "tip@v1.0.0")
    first, second, third = tell(released, away="it is away"), tell(released), tell(released)

    assert first is not None and second is not None and third is not None
    assert [page.body.unanswered for page in (first, second)] == [True, False]
    assert [page.number for page in (first, second, third)] == [1, 2, 2]


def test_a_way_back_is_told_anew(released: Team) -> None:
    """The alias has to go back as well."""
    came_from_mlflow(released, "tip@v1.0.0")
    first = tell(released, away="it is away")
    tag = released.publish("tip@v1.1.0", Tip(weight=0.0201))
    merge(released, released.release(tag))
    verified(released)
    came_from_mlflow(released, tag, version="4")
    second = tell(released, away="it is away")

    assert first is not None and second is not None
    assert (second.body.version, second.body.telling.model_version) == ("v1.1.0", "4")
    assert second.body.telling.replaced == "replaced by tip@v1.1.0"
    assert date.fromisoformat(second.body.telling.tags["slipway.environment.production"][-10:])
