"""A version with a share of the traffic: measured beside what has the rest, withdrawn if it is bad, else proposed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from slipway.adapters import canaries, deploy_tree, failed_rollouts, manifests, rollouts
from slipway.adapters.canaries import Trial
from slipway.adapters.records import Record
from slipway.adapters.rollout import Live
from slipway.adapters.webhook import SECRET
from slipway.adapters.workplace import Workplace
from slipway.cli.replay import replayed_incident
from slipway.domain.canary import CanaryEvidence, CanaryVerdicts
from slipway.domain.incident import IssueAction, Outcome
from slipway.domain.live import LiveState
from slipway.domain.release import Image, Proposal
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.domain.settings import RolloutEngine
from slipway.domain.tag import ReleaseTag
from slipway.domain.verdict import Verdict
from slipway.errors import RolloutFailed
from slipway.steps import (
    build_image,
    bump_manifest,
    compare_live,
    export_watch,
    judge,
    measure_canary,
    receive_pages,
    record_pages,
    revert_manifest,
    send_webhook,
    status,
    verify_rollout,
)

from tests.steps.test_failed_rollouts import follow, quarantined, runs
from tests.steps.test_send_webhook import told as told_by
from tests.steps.test_verify_rollout import InThisProcess, verify
from tests.team import ENVIRONMENT, MODEL, Team, Tip, copy_of
from tests.unit.adapters.receiver import receiver

_TODAY = datetime.now(UTC).date()
_BETTER, _BAD = "tip@v1.1.0", "tip@v2.0.0"
_WORSE = Tip(bias=0.2)  # so much that two days of any year show it
_POLICY = (
    "question: Q?\nmotivation: M.\nremedy: R.\n"
    "limit: {settle_seconds: 0, revert: pull-request, canary: {share: 0.25, hours: 24, rows: 200}}\n"
)


class OnACluster(Team):
    """Its images stay in a folder, where no cluster would find them: no test here asks one."""

    __slots__ = ()

    @property
    def workplace(self) -> Workplace:
        place = Workplace.around(self.root)
        return replace(place, settings=place.settings.model_copy(update={"rollout_engine": RolloutEngine.KUBERNETES}))


def on_a_cluster(team: Team, folder: Path) -> OnACluster:
    copied = copy_of(team, folder)
    return OnACluster(copied.root, copied.bare)


def with_canary(team: OnACluster, tag: str, tip: Tip) -> OnACluster:
    """Released, merged as a canary beside v1.0.0, and verified."""
    team.write("policies/rollout.yaml", _POLICY)
    team.publish(tag, tip, breaks="v2.0.0" if tag == _BAD else None)
    team.up_to_verdicts(tag)
    build_image.run(team.record(tag), workplace=Team(team.root, team.bare).workplace)
    team.record_pages(tag)
    name_canary(team, tag)
    roll_out_canary(team)
    team.record_pages(tag)
    return team


def name_canary(team: Team, tag: str) -> None:
    """As the merge of its pull request does."""
    forge, path = team.workplace.forge, deploy_tree.manifest_path(ENVIRONMENT, MODEL)
    head = forge.head("main")
    image = team.record(tag).page(Image, written_by="build-image").body
    content = forge.read(head or "", path)
    assert content is not None
    after = manifests.set_canary(
        content, name=MODEL, new_name=MODEL, tag=ReleaseTag.parse(tag).image_tag, digest=image.digest
    )
    forge.commit("main", onto=head, changes={path: after}, message="Merge a canary")


def roll_out_canary(team: Team, engine: InThisProcess | None = None) -> None:
    verify_rollout.run_on_canary(
        MODEL, environment=ENVIRONMENT, on=_TODAY, workplace=team.workplace, engine=engine or InThisProcess()
    )


@pytest.fixture(scope="session")
def _good(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    return with_canary(on_a_cluster(_live, tmp_path_factory.mktemp("good")), _BETTER, Tip(weight=0.0201))


@pytest.fixture(scope="session")
def _bad(_live: Team, tmp_path_factory: pytest.TempPathFactory) -> Team:
    return with_canary(on_a_cluster(_live, tmp_path_factory.mktemp("bad")), _BAD, _WORSE)


@pytest.fixture
def good(_good: Team, tmp_path: Path) -> Team:
    """v1.1.0 is a canary since today; it answers nearly as v1.0.0 does."""
    return on_a_cluster(_good, tmp_path)


@pytest.fixture
def bad(_bad: Team, tmp_path: Path) -> Team:
    """v2.0.0 is a canary since today; v1.0.0 does better."""
    return on_a_cluster(_bad, tmp_path)


def trial_in(team: Team) -> Trial:
    found = canaries.running(MODEL, environment=ENVIRONMENT, workplace=team.workplace)
    assert found is not None
    return found


def serve(team: Team, version: str, tip: Tip, *, rows: int = 120, labelled: bool = True) -> None:
    team.serve(version, [_TODAY, _TODAY + timedelta(days=1)], tip=tip, rows=rows, labelled=labelled)


def window(team: Team) -> Record:
    return team.workplace.window(MODEL, ENVIRONMENT, _TODAY.isoformat())


def measure(team: Team, *, hours: float = 30) -> CanaryEvidence:
    since = trial_in(team).since
    assert since is not None
    page = measure_canary.run(
        MODEL,
        environment=ENVIRONMENT,
        record=window(team),
        now=since + timedelta(hours=hours),
        policies=team.workplace.repository.policies(),
        workplace=team.workplace,
    )
    assert page is not None
    return page.body


def judged(team: Team, *, hours: float = 30) -> CanaryVerdicts:
    measure(team, hours=hours)
    repository = team.workplace.repository
    page = judge.run_on_canary(
        window(team),
        policies=repository.policies(),
        policies_digest=repository.policies_digest(),
        seen=_TODAY + timedelta(days=1),
    )
    assert page is not None
    record_pages.run_on_canary(window(team), ledger=team.workplace.ledger)
    return page.body


def failed(team: Team) -> Record:
    """The incident of a canary that was judged to be bad."""
    told = judged(team)
    page = verify_rollout.fail_canary(trial_in(team), told, workplace=team.workplace)
    return failed_rollouts.named(page.body.name, team.workplace)


def canary_of(team: Team) -> str | None:
    found = deploy_tree.canary(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    return None if found is None else found.tag


# --- it goes live -------------------------------------------------------------------------------------------


def test_a_canary_is_verified_beside_what_has_the_rest(good: Team) -> None:
    """Its page says that it is one: the watch's windows, and ways back, are about what has all of the traffic."""
    trial = trial_in(good)

    assert trial.verified is not None
    assert (trial.verified.body.version, trial.verified.body.canary) == ("v1.1.0", True)
    assert (runs(good), canary_of(good)) == ("v1.0.0", "v1.1.0")
    assert [one.version for one in good.history.rollouts(MODEL, ENVIRONMENT)] == ["v1.0.0"]


def test_the_engine_is_told_that_it_is_one(good: Team) -> None:
    """It would else replace what has the rest."""
    engine = InThisProcess()
    roll_out_canary(good, engine)
    assert [(one.version, one.is_canary) for one in engine.started] == [("v1.1.0", True)]


def test_one_that_answers_wrongly_is_withdrawn_and_nothing_else_changes(good: Team) -> None:
    """No version is gone back to: what had the rest has all of it again."""
    other = "tip@v1.2.0"
    good.publish(other, Tip(weight=0.0202))
    good.up_to_verdicts(other)
    build_image.run(good.record(other), workplace=Team(good.root, good.bare).workplace)
    good.record_pages(other)
    name_canary(good, other)
    with pytest.raises(RolloutFailed) as caught:
        roll_out_canary(good, InThisProcess(off=0.01))
    verdicts, reversion, filed = follow(good, failed_rollouts.named(caught.value.incident, good.workplace))

    assert verdicts.outcome is Outcome.REVERT
    assert reversion is not None
    assert reversion.pull is not None
    assert filed.title == "tip, production: the canary v1.2.0 answers wrongly, withdraw it"
    good.workplace.forge.merge_pull(reversion.pull)
    assert (runs(good), canary_of(good)) == ("v1.0.0", None)
    assert quarantined(good) == [("v1.2.0", "slipway rollout")]


# --- what is measured ---------------------------------------------------------------------------------------


def test_what_it_answered_is_counted_beside_what_the_rest_answered(good: Team) -> None:
    """Its own rows alone; those of the stable version tell its share."""
    serve(good, "v1.1.0", Tip(weight=0.0201), rows=60)
    serve(good, "v1.0.0", Tip(), rows=180)
    found = measure(good)

    assert (found.version, found.stable, found.hours) == ("v1.1.0", "v1.0.0", 30.0)
    assert (found.window.rows, found.stable_rows, found.share) == (120, 360, 0.25)
    assert found.not_finite == {"score": 0}


def test_the_same_rows_are_put_to_both_versions(good: Team) -> None:
    """Flips and labels are those of the very rows that the canary answered."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    found = measure(good)

    assert found.replayed is not None
    assert (found.replayed.version, found.replayed.rows, found.replayed.of) == ("v1.0.0", 240, 240)
    assert sum(one.flips for one in found.replayed.slices) == found.replayed.flips
    assert found.window.previous is not None
    assert (found.window.previous.version, found.window.previous.rows) == ("v1.0.0", 240)
    assert found.window.trailing is not None
    assert found.slices is not None


def test_answers_that_are_no_numbers_are_counted_in_all_rows(good: Team) -> None:
    """A sample could miss the one that a user got."""
    serve(good, "v1.1.0", Tip(nan_above=30.0))
    found = measure(good)
    assert found.not_finite["score"] > 0


def test_a_difference_of_two_days_is_no_surer_than_its_few_rows_let_it_be(bad: Team) -> None:
    """Whole days are drawn; of two that agree by luck, that alone would call a dozen labels sure."""
    serve(bad, "v2.0.0", _WORSE, rows=6)
    of_few = measure(bad).window.previous
    serve(bad, "v2.0.0", _WORSE, rows=300)
    of_many = measure(bad).window.previous

    assert of_few is not None
    assert of_many is not None
    assert of_many.difference is not None
    assert of_few.difference is None or of_few.difference.low < 0.02 < of_few.difference.high
    assert of_many.difference.low > 0.02


def test_what_the_stable_version_answers_without_a_number_is_counted_beside(good: Team) -> None:
    """A feed that broke gives both rows that none of them was made for."""
    serve(good, "v1.1.0", Tip(nan_above=30.0))
    serve(good, "v1.0.0", Tip(nan_above=30.0))
    found = measure(good)

    assert found.not_finite == found.stable_not_finite != {"score": 0}
    assert found.stable_slices is not None
    assert judged(good).verdict is Verdict.PASS


def test_without_labels_and_rows_it_is_measured_as_well(good: Team) -> None:
    """On its first morning nobody asked it anything yet."""
    found = measure(good, hours=1)

    assert (found.window.rows, found.replayed, found.not_replayed) == (0, None, "no row of it was logged")
    assert found.window.previous is None


def test_measuring_again_writes_the_same_page(good: Team) -> None:
    """A watch that is run again after it was killed."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    assert measure(good) == measure(good)
    assert len(window(good).pages(CanaryEvidence)) == 1


def test_where_no_canary_runs_nothing_is_measured(live: Team) -> None:
    """Each watch of each model asks."""
    found = measure_canary.run(
        MODEL,
        environment=ENVIRONMENT,
        record=window(live),
        now=datetime.now(UTC),
        policies=live.workplace.repository.policies(),
        workplace=live.workplace,
    )
    assert found is None


# --- what follows -------------------------------------------------------------------------------------------


def test_a_good_one_waits_until_it_has_rows_and_hours_and_says_so(good: Team) -> None:
    """`status` and the summary of `rollout` tell until when."""
    good.serve("v1.1.0", [_TODAY], tip=Tip(weight=0.0201), rows=120)  # ten hours may end on the next day, or not
    told = judged(good, hours=10)
    (waits,) = rollouts.onward(good.workplace, now=told.since + timedelta(hours=10))

    assert told.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert waits.wait is not None
    assert waits.wait.reasons == ("it has 120 rows of 200 rows and 10 hours of 24 hours",)
    assert waits.wait.until == told.since + timedelta(hours=24)
    (exported,) = export_watch.run(now=told.since, workplace=good.workplace).watched
    assert (exported.canary, exported.canary_told) == ("v1.1.0", told)
    (row,) = status.run(workplace=good.workplace, now=told.since)
    assert [(one.version, one.canary) for one in row.on_its_way] == [("v1.1.0", True)]


def test_a_good_one_is_proposed_for_all_of_the_traffic(good: Team) -> None:
    """One pull request that names it as what runs, and takes the canary out."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    told = judged(good)
    later = told.since + timedelta(hours=30)

    assert told.verdict is Verdict.PASS
    assert [(one.tag, one.wait) for one in rollouts.onward(good.workplace, now=later)] == [
        (ReleaseTag.parse(_BETTER), None)
    ]
    proposal = bump_manifest.run(good.record(_BETTER), environment=ENVIRONMENT, workplace=good.workplace).body
    good.record_pages(_BETTER)
    assert proposal.pull is not None
    assert rollouts.onward(good.workplace, now=later) == ()
    good.workplace.forge.merge_pull(proposal.pull)
    assert (runs(good), canary_of(good)) == ("v1.1.0", None)


def test_only_a_proposal_for_this_very_trial_counts_as_one(good: Team) -> None:
    """A canary that is tried again after a way back would else wait for a pull request that was closed long ago."""
    trial = trial_in(good)
    assert trial.since is not None
    of_before = {"canary": canaries.passed_on(trial.since - timedelta(days=9))}
    of_now = {"canary": canaries.passed_on(trial.since)}

    assert not is_proposed_by(good, of_before)
    assert not is_proposed_by(good, {**of_now, "deployed": "sha256:" + "7" * 64})
    assert is_proposed_by(good, of_now)


def is_proposed_by(team: Team, reads: dict[str, str]) -> bool:
    """Whether a page that read this, written now, says that the canary was proposed for all of the traffic."""
    trial = trial_in(team)
    page = Proposal(environment=ENVIRONMENT, branch="b", pull=7, title="t", draft=False, replaces="v1.0.0")
    told = {"environment": ENVIRONMENT, "deployed": trial.stable.digest, **reads}
    team.record(str(trial.tag)).once(Proposal, reads=told, make=lambda: page)
    team.record_pages(str(trial.tag))
    return canaries.is_proposed_for_all(trial, team.workplace)


def test_a_bad_one_is_withdrawn_once_with_the_gate_that_failed(bad: Team) -> None:
    """The stable version does better on the same rows: its lines go, and it is quarantined, by one pull request."""
    serve(bad, "v2.0.0", _WORSE, rows=300)
    record = failed(bad)
    verdicts, reversion, filed = follow(bad, record)
    again = follow(bad, failed(bad))

    assert [one.gate for one in verdicts.findings if one.verdict is Verdict.FAIL] == ["previous_version"]
    assert reversion is not None
    assert again[1] == reversion
    assert (filed.action, again[2].number) == (IssueAction.OPENED, filed.number)
    assert len(bad.workplace.forge.open_pulls()) == len(bad.workplace.forge.open_issues()) == 1
    assert reversion.pull is not None
    before = bad.workplace.forge.read("main", deploy_tree.manifest_path(ENVIRONMENT, MODEL))
    bad.workplace.forge.merge_pull(reversion.pull)
    after = bad.workplace.forge.read("main", deploy_tree.manifest_path(ENVIRONMENT, MODEL))
    assert before is not None
    assert after == manifests.without_canary(before, name=MODEL)
    assert quarantined(bad) == [("v2.0.0", "slipway watch")]


def test_one_that_passed_and_is_bad_after_all_is_proposed_no_more(bad: Team) -> None:
    """Labels come late: all of the traffic was proposed on the first day, and nobody may merge that on the second."""
    serve(bad, "v2.0.0", _WORSE, rows=300, labelled=False)
    assert judged(bad).verdict is Verdict.PASS
    proposal = bump_manifest.run(bad.record(_BAD), environment=ENVIRONMENT, workplace=bad.workplace).body
    assert proposal.pull is not None
    serve(bad, "v2.0.0", _WORSE, rows=300)
    _, reversion, _ = follow(bad, failed(bad))

    assert reversion is not None
    assert [one.number for one in bad.workplace.forge.open_pulls()] == [reversion.pull]
    (comment,) = bad.workplace.forge.comments(proposal.pull)
    assert comment.startswith("Closed: `v2.0.0` of `tip` is withdrawn as a canary from `production`.")


def test_one_that_was_bad_once_is_not_good_by_a_later_look(bad: Team) -> None:
    """Else a canary that is looked at often enough gets all of the traffic beside the request to withdraw it."""
    serve(bad, "v2.0.0", _WORSE, rows=300)
    follow(bad, failed(bad))
    serve(bad, "v2.0.0", _WORSE, rows=300, labelled=False)
    shutil.rmtree(bad.workplace.served_log(MODEL, ENVIRONMENT).labels_folder)
    told = judged(bad, hours=40)
    (waits,) = rollouts.onward(bad.workplace, now=told.since + timedelta(hours=40))

    assert told.verdict is Verdict.PASS
    assert waits.wait is not None
    assert waits.wait.reasons == (f"it was found to be bad on {_TODAY + timedelta(days=1)}, and is to be withdrawn",)
    proposed = bump_manifest.run(bad.record(_BAD), environment=ENVIRONMENT, workplace=bad.workplace).body
    assert (proposed.pull, proposed.canary) == (None, 0.25)


def test_its_issue_is_closed_when_it_is_gone_from_what_runs(bad: Team) -> None:
    """That nobody sends it a request any more is seen, and not concluded from a merge."""
    serve(bad, "v2.0.0", _WORSE, rows=300)
    record = failed(bad)
    _, reversion, _ = follow(bad, record)
    assert reversion is not None
    assert reversion.pull is not None
    bad.workplace.forge.merge_pull(reversion.pull)

    assert follow(bad, record)[2].action is not IssueAction.CLOSED
    assert (ENVIRONMENT, MODEL) in rollouts.due(bad.workplace)
    verify(bad, InThisProcess())
    bad.record_pages("tip@v1.0.0")
    (gone,) = verify_rollout.note_withdrawn(MODEL, environment=ENVIRONMENT, workplace=bad.workplace)
    bad.record_pages(_BAD)
    assert gone.body.version == "v2.0.0"
    assert follow(bad, record)[2].action is IssueAction.CLOSED
    assert verify_rollout.note_withdrawn(MODEL, environment=ENVIRONMENT, workplace=bad.workplace) == ()


def test_a_bad_one_runs_and_is_told_as_what_it_is(bad: Team) -> None:
    """It ran, and was judged: another failure than of one that never ran; and seen again it is the same."""
    serve(bad, "v2.0.0", _WORSE, rows=300)
    first = failed(bad)
    failure = first.page(RolloutFailure, written_by="verify-rollout").body

    assert failed(bad).subject == first.subject
    assert (failure.problem, failure.canary, failure.back_to) == (RolloutProblem.WORSE, True, "v1.0.0")
    assert failure.serves == "v1.0.0"


def test_a_receiver_is_told_of_how_many_answers_it_was_withdrawn_for(
    bad: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that weighs how sure an incident is reads rows and labels, and days from which they are."""
    monkeypatch.setenv(SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    serve(bad, "v2.0.0", _WORSE, rows=300)
    record = failed(bad)
    with receiver() as pager:
        bad.edit("slipway.yaml", "environments:", f"incident_webhook: {pager.url}\nenvironments:")
        follow(bad, record)
        send_webhook.run_on_rollout(record, workplace=bad.workplace)
        [(kind, data)] = told_by(pager)

    assert kind == "incident.opened"
    assert (data["version"], data["back_to"], data["rows"], data["labelled"]) == ("v2.0.0", "v1.0.0", 600, 600)
    assert (data["since"], data["until"]) == (str(_TODAY), str(_TODAY + timedelta(days=1)))


def test_a_person_withdraws_a_canary_by_going_back_to_what_has_the_rest(good: Team) -> None:
    """The command that people know at night."""
    page = revert_manifest.run_on_request(
        MODEL,
        environment=ENVIRONMENT,
        back_to="v1.0.0",
        reason="I do not trust it",
        by="@ada",
        day=_TODAY.isoformat(),
        workplace=good.workplace,
    )
    assert page.body.pull is not None
    good.workplace.forge.merge_pull(page.body.pull)

    assert (runs(good), canary_of(good)) == ("v1.0.0", None)
    assert quarantined(good) == [("v1.1.0", "@ada")]


def test_a_bad_one_can_be_measured_again(bad: Team) -> None:
    """Who doubts the issue asks the same rows again, also when it was withdrawn; lost rows are taken as recorded."""
    serve(bad, "v2.0.0", _WORSE, rows=300)
    record = failed(bad)
    _, reversion, _ = follow(bad, record)
    assert reversion is not None
    assert reversion.pull is not None
    judged(bad, hours=50)  # a later look is another one
    bad.workplace.forge.merge_pull(reversion.pull)

    again = replayed_incident(record.subject, bad.workplace)
    assert (again.recorded, again.now) == (Verdict.FAIL, Verdict.FAIL)
    assert (again.differences, again.missing) == ((), ())
    shutil.rmtree(bad.workplace.served_log(MODEL, ENVIRONMENT).rows_folder)
    lost = replayed_incident(record.subject, bad.workplace)
    assert (lost.now, [one.taken_as_recorded for one in lost.missing]) == (Verdict.FAIL, ["canary"])


# --- what really runs ---------------------------------------------------------------------------------------


@dataclass
class Beside(InThisProcess):
    """An engine that says what has the rest, and what runs beside it."""

    stable: str = ""
    beside: str | None = None

    def live(self, model: str, environment: str) -> Live | None:
        return Live(model=model, environment=environment, version="v1.0.0", digest=self.stable, url="")

    def canary(self, model: str, environment: str) -> Live | None:
        if self.beside is None:
            return None
        return Live(model=model, environment=environment, version="v1.1.0", digest=self.beside, url="", is_canary=True)


def test_a_canary_is_compared_with_git_in_a_row_of_its_own(good: Team) -> None:
    """What never passed may run beside what did, and has the issue of its place."""
    trial = trial_in(good)
    of_git = Beside(stable=trial.stable.digest, beside=trial.canary.digest)

    def states(engine: Beside) -> list[tuple[bool, LiveState]]:
        return [(row.canary, row.state) for row in compare_live.run(workplace=good.workplace, engine=engine).rows]

    assert states(of_git) == [(False, LiveState.IN_STEP), (True, LiveState.IN_STEP)]
    assert states(Beside(stable=trial.stable.digest))[1] == (True, LiveState.NOTHING)
    strange = Beside(stable=trial.stable.digest, beside="sha256:" + "e" * 64)
    compare_live.tell(compare_live.run(workplace=good.workplace, engine=strange), workplace=good.workplace)
    (issue,) = good.workplace.forge.open_issues(compare_live.NEVER_PASSED)
    assert "eeeeee" in issue.title


# --- how its pages travel -----------------------------------------------------------------------------------


def test_its_pages_travel_with_the_window_and_lie_by_its_version(good: Team, tmp_path: Path) -> None:
    """A shard of the watch hands on its windows, and another job writes the ledger."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    serve(good, "v1.0.0", Tip())
    good.look_only(_TODAY)
    measure(good)
    judge.run_on_canary(
        window(good), policies=good.workplace.repository.policies(), policies_digest="sha256:p", seen=_TODAY
    )
    other = good.clone("recorder")
    (received,) = receive_pages.run_on_windows(good.workplace.state / "windows", workplace=other.workplace)
    record_pages.run_on_windows([received], ledger=other.workplace.ledger)

    told = canaries.verdicts(trial_in(good), good.workplace)
    assert told is not None
    assert told.verdict is Verdict.PASS
    assert good.history.incidents(MODEL, ENVIRONMENT) == []


def test_two_canaries_of_one_day_are_kept_apart(good: Team) -> None:
    """One was withdrawn at noon and the next came: what the first showed is nothing that the second did."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    first = measure(good)
    second = first.model_copy(update={"version": "v1.2.0"})
    window(good).once(CanaryEvidence, reads={"canary": "the next"}, make=lambda: second)
    record_pages.run_on_canary(window(good), ledger=good.workplace.ledger)
    record_pages.run_on_canary(window(good), ledger=good.workplace.ledger)

    for told in (first, second):
        pages = good.history.canary_pages(MODEL, ENVIRONMENT, told.version, CanaryEvidence)
        assert [page.body for page in pages] == [told]


def test_what_was_judged_of_another_trial_says_nothing_about_this_one(good: Team) -> None:
    """A version that was good beside one stable version was never compared with the next."""
    serve(good, "v1.1.0", Tip(weight=0.0201))
    told = judged(good)
    other = told.model_copy(update={"stable_digest": "sha256:" + "7" * 64})

    assert canaries.is_about(told, trial_in(good))
    assert not canaries.is_about(other, trial_in(good))
