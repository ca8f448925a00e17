"""A canary by commands alone: what `watch` prints and does about it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from slipway.adapters import deploy_tree, manifests
from slipway.cli import canaries
from slipway.domain.canary import CanaryVerdicts
from slipway.domain.incident import Reversion
from slipway.domain.release import Proposal
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.steps import judge, record_pages, revert_manifest

from tests.steps.conftest import WORSE
from tests.steps.test_canary import OnACluster, canary_of, failed, judged, measure, serve, window, with_canary
from tests.team import ENVIRONMENT, MODEL, Team, Tip, copy_of
from tests.unit.cli.conftest import OF_GITHUB, Run


@pytest.fixture(scope="session")
def _worse(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_live, tmp_path_factory.mktemp("worse canary"))
    return with_canary(OnACluster(team.root, team.bare), "tip@v2.0.0", WORSE)


def judged_only(team: Team) -> None:
    """What a shard of the watch leaves of it; nobody looked at what has the rest."""
    measure(team, hours=30)
    repository = team.workplace.repository
    judge.run_on_canary(
        window(team),
        policies=repository.policies(),
        policies_digest=repository.policies_digest(),
        seen=datetime.now(UTC).date(),
    )


@pytest.fixture
def team(_worse: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """v2.0.0 is a canary beside v1.0.0."""
    for name in OF_GITHUB:
        monkeypatch.delenv(name, raising=False)
    copied = copy_of(_worse, tmp_path)
    monkeypatch.chdir(copied.root)
    return copied


def test_the_watch_withdraws_a_bad_one_at_once(team: Team, run: Run) -> None:
    """Nobody waits for a rollout: the run that reaches the log says what failed, and opens the way out of it."""
    serve(team, "v2.0.0", Tip(nan_above=30.0))
    said = run("watch", MODEL)

    assert said.code == 11
    assert "canary v2.0.0 beside v1.0.0 in production: fail" in said.out
    assert "Answers of the canary finite? fail: " in said.out
    assert "tip in production: the canary v2.0.0 is withdrawn by pull request #" in said.out
    (pull,) = team.workplace.forge.open_pulls()
    (issue,) = team.workplace.forge.open_issues()
    assert pull.title == "tip: withdraw the canary v2.0.0 beside v1.0.0, production"
    assert issue.title == "tip, production: the canary v2.0.0 is worse on what it answered, withdraw it"
    told = team.history.canary_page(MODEL, ENVIRONMENT, "v2.0.0", CanaryVerdicts)
    assert told is not None
    assert told.body.verdict is Verdict.FAIL

    run("watch", MODEL)
    assert [one.number for one in team.workplace.forge.open_pulls()] == [pull.number]
    assert [one.number for one in team.workplace.forge.open_issues()] == [issue.number]
    team.workplace.forge.merge_pull(pull.number)
    assert canary_of(team) is None


def test_what_a_shard_found_of_a_canary_is_recorded_where_nobody_could_look_at_the_rest(
    team: Team, run: Run, tmp_path: Path
) -> None:
    """Without it in the ledger, a canary that passed would wait for ever beside a version that has no evidence."""
    serve(team, "v2.0.0", WORSE, labelled=False)
    judged_only(team)
    received = tmp_path / "received"
    (team.workplace.state / "windows").rename(received)

    said = run("record-watch", "--from", str(received))

    assert said.code == 0, said.err
    found = team.history.canary_page(MODEL, ENVIRONMENT, "v2.0.0", CanaryVerdicts)
    assert found is not None
    assert found.body.verdict is Verdict.PASS
    assert team.history.windows(MODEL, ENVIRONMENT, version="v1.0.0") == ()


def test_a_rollout_ends_what_a_watch_that_was_killed_had_begun(team: Team, run: Run) -> None:
    """It was judged, and the run was gone before anybody was told: whoever looks next goes on, and nothing is twice."""
    serve(team, "v2.0.0", Tip(nan_above=30.0))
    assert judged(team).verdict is Verdict.FAIL
    assert team.workplace.forge.open_pulls() == []

    for _ in range(2):
        assert canaries.follow_all(lambda model, environment: model == MODEL) == 0
        (pull,) = team.workplace.forge.open_pulls()
        assert pull.title == "tip: withdraw the canary v2.0.0 beside v1.0.0, production"
    assert canaries.follow_all(lambda model, environment: model == "another") == 0


def test_a_watch_ends_what_one_that_was_killed_had_withdrawn(team: Team, run: Run) -> None:
    """The manifest names no canary any more, and nobody was told: the owners would learn nothing until a rollout."""
    team.edit("policies/rollout.yaml", "revert: pull-request", "revert: commit")
    team.commit("Go back without asking")
    serve(team, "v2.0.0", Tip(nan_above=30.0))
    record = failed(team)
    repository = team.workplace.repository
    judge.run_on_rollout(record, policies=repository.policies(), policies_digest=repository.policies_digest())
    record_pages.run_on_rollout(record, ledger=team.workplace.ledger)
    revert_manifest.run_on_rollout(record, workplace=team.workplace)
    (record.folder / "reversion.1.json").unlink()
    assert canary_of(team) is None

    for _ in range(2):
        run("watch", MODEL)
        (issue,) = team.workplace.forge.open_issues()
        assert issue.title == "tip, production: the canary v2.0.0 is worse on what it answered, withdraw it"
    incident = record.subject.rpartition("/")[2]
    (told,) = team.history.incident_pages(MODEL, ENVIRONMENT, incident, Reversion)
    assert (told.body.version, told.body.pull) == ("v2.0.0", None)


def test_a_rollout_proposes_all_of_the_traffic_for_one_that_passed(team: Team, run: Run) -> None:
    """One pull request, however often; labels that are not there yet hold it as little as they hold the watch."""
    serve(team, "v2.0.0", WORSE, labelled=False)
    assert judged(team).verdict is Verdict.PASS
    team.edit("slipway.yaml", "layout:.slipway/registry", "registry.example.org/waiters\nrollout_engine: kubernetes")
    team.commit("Serve on a cluster")

    for _ in range(2):
        assert canaries.follow_all(lambda *_: True) == 0
        (pull,) = team.workplace.forge.open_pulls()
    team.workplace.forge.merge_pull(pull.number)
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    assert (live.tag, canary_of(team)) == ("v2.0.0", None)
    assert [page.body.canary for page in team.history.pages(ReleaseTag.parse("tip@v2.0.0"), Proposal)] == [None]


def test_one_that_was_asked_too_little_waits_and_says_for_what(team: Team, run: Run) -> None:
    """Step by step, as somebody tries it on a laptop; and nothing is changed."""
    measured = run("measure-canary", MODEL)
    judged = run("judge", MODEL, "--canary")

    assert measured.out == "v2.0.0 beside v1.0.0: 0 rows answered in 0 hours\n"
    assert judged.code == 11
    assert "Has the canary answered enough? not enough evidence: 0 rows (200 rows more)" in judged.out
    assert team.workplace.forge.open_pulls() == []


def test_where_no_canary_runs_the_commands_say_so(team: Team, run: Run) -> None:
    """A name that is right, and nothing to look at."""
    path = deploy_tree.manifest_path(ENVIRONMENT, MODEL)
    forge = team.workplace.forge
    head = forge.head("main")
    content = forge.read(head or "", path)
    assert content is not None
    forge.commit("main", onto=head, changes={path: manifests.without_canary(content, name=MODEL)}, message="Alone")

    assert run("measure-canary", MODEL).out == "tip in production: no canary runs\n"
    assert run("judge", MODEL, "--canary").out == "tip in production: no canary was measured\n"
