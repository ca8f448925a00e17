"""A version soaks before it is proposed for the next environment, freezes hold it back; then it goes on by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slipway.adapters import deploy_tree, manifests, rollouts
from slipway.adapters.disturbances import disturbances
from slipway.domain.policy import QuarantineEntry
from slipway.domain.promotion import Onward, Wait
from slipway.domain.release import Rollout
from slipway.domain.tag import ReleaseTag
from slipway.domain.upkeep import DueRollout, OnItsWay
from slipway.errors import BadFile
from slipway.steps import reconcile, status

from tests.steps.conftest import WORSE
from tests.steps.test_announce_rollout import announce, merge, propose_next, verified, wanted
from tests.steps.test_failed_rollouts import fail, follow
from tests.steps.test_verify_rollout import merged
from tests.team import MODEL, TODAY, Team, Tip, copy_of, days_from

_DAY = timedelta(days=1)
_LIVE = ReleaseTag.parse("tip@v1.0.0")


@pytest.fixture(scope="session")
def _soaking(_fresh: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    team = copy_of(_fresh, tmp_path_factory.mktemp("soaking"))
    team.edit("slipway.yaml", "[{name: production}]", "[{name: staging}, {name: production}]")
    team.write("policies/rollout.yaml", _policy("{soak_hours: 24}"))
    team.commit("Let it soak")
    merge(team, team.release(team.tag("tip@v1.0.0"), environment="staging"))
    verified(team, "staging")
    announce(team, "staging")
    return team


@pytest.fixture
def soaking(_soaking: Team, tmp_path: Path) -> Team:
    """v1.0.0 was merged and verified in staging just now; it is to run there for a day."""
    return copy_of(_soaking, tmp_path)


def _policy(limit: str) -> str:
    return f"question: Does it run?\nmotivation: Things break.\nremedy: Mend it.\nlimit: {limit}\n"


def now() -> datetime:
    return datetime.now(UTC)


def only_onward(team: Team, at: datetime | None = None) -> Onward:
    (one,) = rollouts.onward(team.workplace, now=at)
    return one


def only_wait(team: Team, at: datetime | None = None) -> Wait:
    wait = only_onward(team, at).wait
    assert wait is not None
    return wait


def verified_at(team: Team, *, number: int = -1) -> datetime:
    pages = team.history.pages(_LIVE, Rollout)
    return datetime.fromisoformat(pages[number].circumstances.written_at)


def test_what_soaks_is_not_due_and_says_until_when(soaking: Team) -> None:
    """A run that finds it due each hour and does nothing would tell nobody."""
    one, wait = only_onward(soaking), only_wait(soaking)

    assert (one.tag, one.environment, one.following) == (_LIVE, "staging", "production")
    assert wait.until == verified_at(soaking) + _DAY
    assert wait.reasons == ("it has run in staging for 0 of 24 hours (soak_hours)",)
    assert rollouts.due(soaking.workplace) == ()


def test_when_its_time_has_come_it_is_due_and_proposed(soaking: Team) -> None:
    """No event arrives then: whoever computes what is due finds it."""
    later = verified_at(soaking) + _DAY

    assert rollouts.due(soaking.workplace, now=later - timedelta(seconds=1)) == ()
    assert rollouts.due(soaking.workplace, now=later) == (("staging", MODEL),)
    assert only_onward(soaking, later).wait is None
    proposal = propose_next(soaking, wanted(soaking, "staging"))
    assert proposal is not None and proposal.body.environment == "production"
    assert rollouts.due(soaking.workplace, now=later) == ()
    assert rollouts.onward(soaking.workplace, now=later) == ()


def test_a_rerun_does_not_prolong_the_soak(soaking: Team) -> None:
    """Each push to deploy/ verifies again what runs; the hours would begin anew for ever."""
    before = only_wait(soaking).until

    soaking.commit("Change something else")
    verified(soaking, "staging")
    announce(soaking, "staging")

    assert only_wait(soaking).until == before


def test_what_comes_back_after_another_version_soaks_anew(soaking: Team) -> None:
    """What ran well last week was taken away for a reason."""
    path = deploy_tree.manifest_path("staging", MODEL)
    manifest = soaking.workplace.forge.read("main", path)
    merge(soaking, soaking.release(soaking.publish("tip@v1.1.0", Tip(weight=0.0201)), environment="staging"))
    head = soaking.workplace.forge.head("main")
    soaking.workplace.forge.commit("main", onto=head, changes={path: manifest}, message="Go back")
    verified(soaking, "staging")
    announce(soaking, "staging")

    assert verified_at(soaking) > verified_at(soaking, number=0)
    assert only_wait(soaking).until == verified_at(soaking) + _DAY


def test_a_limit_of_one_model_is_its_own(soaking: Team) -> None:
    """A model that decides about money soaks longer than one that sorts a list."""
    limit = f"{{{MODEL}: {{reason: It decides about money, limit: {{soak_hours: 72}}}}}}"
    soaking.write("policies/rollout.yaml", f"{_policy('{soak_hours: 1}')}models: {limit}\n")

    assert only_wait(soaking).until == verified_at(soaking) + 3 * _DAY


def test_a_freeze_holds_it_though_it_soaked(soaking: Team) -> None:
    """Nobody is there to see what it does to users."""
    freeze = "{reason: Holidays, start: 2000-01-01T00:00Z, end: 2999-01-01T00:00+02:00, environments: [production]}"
    soaking.write("policies/rollout.yaml", _policy(f"{{freezes: [{freeze}]}}"))

    assert only_wait(soaking) == Wait(
        until=datetime(2998, 12, 31, 22, tzinfo=UTC), reasons=("production is frozen: Holidays",)
    )


def test_quarantine_holds_it_and_says_whose_it_is(soaking: Team) -> None:
    """A person took it out of use; the clock must not bring it further."""
    path = soaking.root / deploy_tree.QUARANTINE
    entry = QuarantineEntry(model=MODEL, version="v1.0.0", reason="answers late", by="Ada")
    path.write_bytes(manifests.add_entry(path.read_bytes(), entry))
    soaking.commit("Hold it back")

    assert only_wait(soaking, now() + 9 * _DAY) == Wait(
        until=None, reasons=("v1.0.0 is quarantined by Ada: answers late",)
    )
    assert rollouts.due(soaking.workplace, now=now() + 9 * _DAY) == ()


def test_an_open_incident_of_the_version_holds_it_until_it_is_closed(live: Team) -> None:
    """It drifts where it runs: what it would do in the next environment is known already."""
    days = days_from(datetime(2026, 3, 1, tzinfo=UTC).date(), 21)
    live.serve("v1.0.0", days[:14], change={"bill": 1.0}, labelled=False)
    live.serve("v1.0.0", days[14:])
    for day in (days[6], days[13]):
        live.look(day)
    issue = live.history.open_incident(MODEL, "production")
    assert issue is not None
    (held,) = disturbances(_LIVE, "production", history=live.history)
    assert (held.why, held.until) == (f"the incident {issue.verdicts.incident} is open (#{issue.issue})", None)

    live.look(days[20])

    (over,) = disturbances(_LIVE, "production", history=live.history)
    assert over.until is not None and held.since == over.since < over.until < now()


def test_an_incident_of_another_version_or_one_that_was_asked_for_holds_nothing(worse: Team) -> None:
    """v2.0.0 is sent back; v1.0.0 did nothing."""
    worse.serve("v2.0.0", days_from(datetime(2026, 4, 1, tzinfo=UTC).date(), 14), tip=WORSE)
    for day in (7, 14):
        worse.look(datetime(2026, 4, day, tzinfo=UTC).date())

    assert disturbances(_LIVE, "production", history=worse.history) == ()
    assert len(disturbances(ReleaseTag.parse("tip@v2.0.0"), "production", history=worse.history)) == 1


def test_a_rollout_that_failed_holds_its_version_beside_what_the_watch_found(live: Team) -> None:
    """Two kinds of incidents, each with an issue of its own: the end of one is not that of the other."""
    live.serve("v1.0.0", days_from(datetime(2026, 3, 1, tzinfo=UTC).date(), 14), change={"bill": 1.0}, labelled=False)
    for day in (7, 14):
        live.look(datetime(2026, 3, day, tzinfo=UTC).date())
    follow(live, fail(merged(live)))

    (failed,) = disturbances(ReleaseTag.parse("tip@v1.1.0"), "production", history=live.history)
    (drifted,) = disturbances(_LIVE, "production", history=live.history)

    assert "-rollout-failed-v1.1.0 is open (#" in failed.why and failed.until is None
    assert "-drift is open (#" in drifted.why and drifted.until is None


def test_a_broken_page_of_an_incident_is_named(soaking: Team) -> None:
    """Passed over, an incident would hold nothing."""
    path = "tip/staging/incidents/2026-04-01-drift/window.1.json"
    soaking.workplace.ledger.append({path: b"{}"}, message="Break it")

    with pytest.raises(BadFile, match=path):
        disturbances(_LIVE, "staging", history=soaking.history)
    assert rollouts.due(soaking.workplace) == (("staging", MODEL),)  # whoever rolls it out says so


def test_status_tells_what_is_on_its_way_until_it_is_there(soaking: Team) -> None:
    """One look says whether production waits for a clock, for the next run, or for a person."""
    staging, production = status.run(workplace=soaking.workplace)
    assert (staging.version, staging.on_its_way, production.version) == ("v1.0.0", (), None)
    assert staging.runtime is not None
    assert production.on_its_way == (OnItsWay(version="v1.0.0", wait=only_wait(soaking)),)

    later = verified_at(soaking) + _DAY
    assert status.run(workplace=soaking.workplace, now=later)[1].on_its_way == (OnItsWay(version="v1.0.0"),)

    proposal = propose_next(soaking, wanted(soaking, "staging"))
    assert proposal is not None
    _, production = status.run(workplace=soaking.workplace, now=later)
    assert production.on_its_way == (OnItsWay(version="v1.0.0", pull=proposal.body.pull),)

    merge(soaking, proposal)
    _, production = status.run(workplace=soaking.workplace, now=later)
    assert (production.version, production.on_its_way) == ("v1.0.0", ())


def test_a_way_back_is_on_its_way_too(newer: Team) -> None:
    """Whoever is called at night sees that somebody was faster."""
    page = newer.go_back("v1.0.0")

    (row,) = status.run(workplace=newer.workplace)

    assert (row.version, row.on_its_way) == ("v1.1.0", (OnItsWay(version="v1.0.0", pull=page.body.pull),))


def test_reconcile_finds_what_may_go_on_by_now(soaking: Team) -> None:
    """Nothing happens in a repository on the day on which the hours are over."""
    later = verified_at(soaking) + _DAY
    found = {
        at: reconcile.run(today=TODAY, workplace=soaking.workplace, moment=at).rollouts
        for at in (later - timedelta(minutes=1), later)
    }

    assert found[later] == (DueRollout(model=MODEL, environment="staging"),)
    assert found[later - timedelta(minutes=1)] == ()


def test_reconcile_starts_no_rollout_that_failed_but_one_that_could_not_be_looked_at(staged: Team) -> None:
    """What failed last night fails tonight, and its owners know; an outage is over by then."""
    merge(staged, staged.release(staged.tag("tip@v1.0.0"), environment="staging"))
    staged.commit("Bring what was merged")
    due, forge = (DueRollout(model=MODEL, environment="staging"),), staged.workplace.forge
    commit = wanted(staged, "staging").commit
    mark = {"context": "slipway/staging/tip", "description": "tip@v1.0.0: …"}

    assert reconcile.run(today=TODAY, workplace=staged.workplace).rollouts == due
    forge.set_status(commit, state="error", **mark)
    assert reconcile.run(today=TODAY, workplace=staged.workplace).rollouts == due
    forge.set_status(commit, state="failure", **mark)
    assert reconcile.run(today=TODAY, workplace=staged.workplace).rollouts == ()
