"""What asks for verdicts meets a baseline in their place: it works with it, or says what it cannot do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from slipway.adapters import known_answers, rollouts
from slipway.adapters.canary_rows import version_of
from slipway.adapters.failed_rollouts import opened
from slipway.adapters.rollout.process import ProcessRollout, stop_all
from slipway.adapters.wanted_rollouts import wanted
from slipway.domain.live import LiveState
from slipway.domain.release import Announcement, Proposal, Verdicts
from slipway.domain.rollout_failure import RolloutFailure
from slipway.domain.tag import ReleaseTag
from slipway.errors import BadFile, NotReleasable, RolloutFailed
from slipway.steps import (
    announce_rollout,
    compare_live,
    measure_drift,
    rebase,
    reconcile,
    record_pages,
    replay,
    verify_rollout,
)

from tests.steps.test_adopt import adopted_by, forget_the_ledger, manifest_of_head
from tests.steps.test_compare_live import Told, running
from tests.steps.test_verify_rollout import InThisProcess
from tests.team import ENVIRONMENT, MODEL, TODAY, Team, Tip

_TAG = ReleaseTag.parse("tip@v1.0.0")
_OPAQUE = f"sha256:{'7' * 64}"
_ON = date(2026, 4, 1)


@pytest.fixture
def adopted(live: Team) -> Team:
    """Its manifest names an image of ours, and the ledger what it was adopted as; nothing was released."""
    there = manifest_of_head(live)
    forget_the_ledger(live)
    adopted_by(live, image=there.digest, version="v1.0.0")
    return live


@pytest.fixture
def opaque(team: Team) -> Team:
    adopted_by(team, image=_OPAQUE, image_name="registry.example.org/tips", version="v1.0.0")
    team.commit("Say what runs")
    return team


def _verify(team: Team, engine: InThisProcess | ProcessRollout) -> None:
    verify_rollout.run(MODEL, environment=ENVIRONMENT, on=_ON, workplace=team.workplace, engine=engine)
    record_pages.run(team.workplace.release(_TAG), tag=_TAG, ledger=team.workplace.ledger)


def test_nothing_that_runs_is_touched_by_the_merge(adopted: Team) -> None:
    """It runs already; a second server beside it, started overnight, is what people fear of a new tool."""
    assert rollouts.due(adopted.workplace) == ()
    assert reconcile.run(today=TODAY, workplace=adopted.workplace).rollouts == ()


def test_it_is_served_and_verified_when_a_person_says_so(adopted: Team, tmp_path: Path) -> None:
    """By a real server: the golden answers of the adoption are asked, and a deployment is noted without notes."""
    try:
        _verify(adopted, ProcessRollout(state=tmp_path / "rollout"))
    finally:
        stop_all(tmp_path / "rollout")

    verified = adopted.history.rollouts(MODEL, ENVIRONMENT)
    assert [(one.version, one.golden_rows, one.golden_equal) for one in verified] == [("v1.0.0", 50, 50)]
    told = announce_rollout.run(MODEL, environment=ENVIRONMENT, workplace=adopted.workplace).body
    assert (told.deployment, told.release) == (f"{ENVIRONMENT}/{MODEL}", None)
    assert isinstance(told, Announcement)


def test_to_go_back_to_it_is_a_rollout_like_any_other(adopted: Team) -> None:
    """Once a release took its place, what ran before runs no more: git alone would bring nobody back."""
    adopted.release(adopted.publish("tip@v1.1.0", Tip(weight=0.0201)))
    adopted.go_live("tip@v1.1.0", on=_ON)
    way = adopted.go_back("v1.0.0", reason="It lies", day="2026-04-02")
    assert way.body.pull is not None
    adopted.workplace.forge.merge_pull(way.body.pull)

    assert rollouts.due(adopted.workplace) == ((ENVIRONMENT, MODEL),)
    _verify(adopted, InThisProcess())
    assert adopted.history.rollouts(MODEL, ENVIRONMENT)[0].version == "v1.0.0"


def test_a_first_release_that_does_not_run_leads_back_to_it(adopted: Team) -> None:
    """It has users still, and it is the first night with a new tool."""
    adopted.release(adopted.publish("tip@v1.1.0", Tip(weight=0.0201)))
    proposal = adopted.record("tip@v1.1.0").page(Proposal, written_by="bump-manifest").body
    assert proposal.pull is not None
    adopted.workplace.forge.merge_pull(proposal.pull)

    with pytest.raises(RolloutFailed) as failed:
        _verify(adopted, InThisProcess(falls_over=True))

    assert failed.value.incident is not None
    record = opened(MODEL, ENVIRONMENT, failed.value.incident.rpartition("/")[2], adopted.workplace)
    told = record.page(RolloutFailure, written_by="verify-rollout").body
    baseline = adopted.history.baseline(_TAG)
    assert baseline is not None
    assert (told.back_to, told.back_to_digest) == ("v1.0.0", baseline.image)


def test_what_answers_otherwise_than_it_was_adopted_is_a_failure(adopted: Team) -> None:
    """A golden answer of a baseline is one: the model that is served must be the one that was recorded."""
    with pytest.raises(RolloutFailed, match="50 of 50 golden rows otherwise"):
        _verify(adopted, InThisProcess(off=0.5))


def test_a_server_that_runs_it_runs_what_is_known(adopted: Team) -> None:
    """Else its digest would be told each day as one that never passed."""
    found = wanted(MODEL, environment=ENVIRONMENT, workplace=adopted.workplace)
    assert found is not None
    report = compare_live.run(workplace=adopted.workplace, engine=Told(runs=running(found.digest)))

    assert [(row.version, row.state) for row in report.rows] == [("v1.0.0", LiveState.IN_STEP)]


def test_what_no_engine_of_ours_runs_is_not_missed(adopted: Team) -> None:
    """It runs by other means, which the engine that is asked knows nothing of."""
    assert compare_live.run(workplace=adopted.workplace, engine=Told(runs={})).is_well


def test_the_watch_looks_at_it_from_its_day(adopted: Team) -> None:
    """A model that was never released here drifts as well."""
    assert set(known_answers.places_to_watch(adopted.workplace)) == {(ENVIRONMENT, MODEL)}
    adopted.serve("v1.0.0", [date(2026, 3, day) for day in range(1, 30)])

    evidence, verdicts = adopted.look_only(date(2026, 3, 29))

    assert (evidence.body.window.version, evidence.body.back_to) == ("v1.0.0", None)
    assert verdicts.body.limits


def test_a_night_without_a_log_of_it_is_no_red_run(opaque: Team) -> None:
    """Nothing of an opaque image can be watched; a run that is red each night is looked at by nobody."""
    assert known_answers.places_to_watch(opaque.workplace) == {}
    assert reconcile.run(today=TODAY, workplace=opaque.workplace).missed == ()
    policies = opaque.workplace.repository.policies()
    with pytest.raises(NotReleasable, match="adopted without answers to compare with"):
        measure_drift.run(MODEL, environment=ENVIRONMENT, until=_ON, policies=policies, workplace=opaque.workplace)


def _verify_opaque(team: Team) -> None:
    _verify(team, InThisProcess())


def _go_back(team: Team) -> object:
    return _ahead(team).go_back("v1.0.0", reason="It lies", day="2026-04-02")


def _ahead(team: Team) -> Team:
    """Its manifest names a version above the baseline."""
    path = f"deploy/{ENVIRONMENT}/{MODEL}/kustomization.yaml"
    team.edit(path, "newTag: v1.0.0", "newTag: v1.1.0")
    team.edit(path, _OPAQUE, f"sha256:{'8' * 64}")
    team.commit("Go ahead")
    return team


def _rebase(team: Team) -> object:
    return rebase.plan(MODEL, environment=ENVIRONMENT, workplace=team.workplace)


def _beside_a_canary(team: Team) -> object:
    found = wanted(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    assert found is not None
    return version_of(found, team.workplace)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (_verify_opaque, "adopted by its digest alone: Slipway neither starts nor asks it"),
        (_go_back, "adopted by its digest alone: nobody can start it here"),
        (_rebase, "adopted as what ran before the first release"),
        (_beside_a_canary, "adopted, and not released"),
    ],
)
def test_what_cannot_be_done_with_it_says_why(opaque: Team, asked: Callable[[Team], object], words: str) -> None:
    """Nothing that is refused may read as if something were broken."""
    with pytest.raises(NotReleasable, match=words) as refused:
        asked(opaque)

    assert refused.value.mend


def test_a_replay_of_it_says_that_there_is_no_verdict(adopted: Team) -> None:
    """There is nothing that could be measured again and come out otherwise."""
    with pytest.raises(BadFile, match=r"no verdict of tip@v1\.0\.0"):
        replay.prepare("tip@v1.0.0", workplace=adopted.workplace)
    assert adopted.history.page(_TAG, Verdicts) is None


def test_a_page_tells_the_moment_of_the_adoption(adopted: Team) -> None:
    """Stories are sorted by it, beside moments of commits."""
    baseline = adopted.history.baseline(_TAG)
    assert baseline is not None
    assert datetime.fromisoformat(baseline.when) == datetime(2026, 2, 1, 12, tzinfo=UTC)
