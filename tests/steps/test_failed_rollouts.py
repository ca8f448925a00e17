"""A version that was merged and does not run: one incident, a way back with the reason, one issue, and then an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from slipway.adapters import deploy_tree, failed_rollouts, git, manifests
from slipway.adapters.records import Record
from slipway.adapters.rollout import Deployment, Live
from slipway.domain.incident import IncidentVerdicts, IssueAction, IssueFiled, Outcome, Reversion
from slipway.domain.limits import Reversion as Means
from slipway.domain.pages import Page
from slipway.domain.policy import QuarantineEntry
from slipway.domain.release import Proposal
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.errors import NoSuchImage, NotReleasable, RolloutFailed, ServerRefused, Unreachable
from slipway.reports.marker import read_marker
from slipway.steps import file_issue, judge, record_pages, revert_manifest

from tests.steps.test_no_way_back import lose_image
from tests.steps.test_verify_rollout import Batch, InThisProcess, merge_all, merged, verify
from tests.team import ENVIRONMENT, MODEL, Team, Tip

_APRIL = date(2026, 4, 1)


@dataclass
class NeverReady(InThisProcess):
    """Its server prints on and on, also what moves a cursor, and leaves."""

    def apply(self, deployment: Deployment) -> Live:
        printed = [f"line {number}" for number in range(40)] + ["\x1b[31mno memory\x1b[0m", "x" * 5_000]
        problem = f"{deployment.model} {deployment.version} does not go live: its server left with code 137"
        raise RolloutFailed(problem, mend="read its log", log=printed)


@dataclass
class Refusing(InThisProcess):
    def ask(self, live: Live, batch: Batch, **more: object) -> Batch:
        raise ServerRefused("tip v1.1.0 answered 500: no memory", mend="the answer names the field to mend")


def fail(team: Team, engine: InThisProcess | None = None, *, on: date = _APRIL) -> Record:
    """The record of the incident, as far as the rollout alone brings it."""
    with pytest.raises(RolloutFailed) as caught:
        verify(team, engine or InThisProcess(off=0.01), on=on)
    return failed_rollouts.named(caught.value.incident, team.workplace)


def failure_in(record: Record) -> RolloutFailure:
    return record.page(RolloutFailure, written_by="verify-rollout").body


def follow(team: Team, record: Record) -> tuple[IncidentVerdicts, Reversion | None, IssueFiled]:
    """What `rollout` does after a version failed."""
    repository = team.workplace.repository
    verdicts = judge.run_on_rollout(
        record, policies=repository.policies(), policies_digest=repository.policies_digest()
    )
    reversion = revert_manifest.run_on_rollout(record, workplace=team.workplace)
    filed = file(team, record)
    record_pages.run_on_rollout(record, ledger=team.workplace.ledger)
    return verdicts.body, reversion.body if reversion else None, filed.body


def file(team: Team, record: Record) -> Page[IssueFiled]:
    owners = team.workplace.repository.owners(MODEL)
    return file_issue.run_on_rollout(record, workplace=team.workplace, owners=owners)


def limit(team: Team, text: str) -> None:
    team.write(
        "policies/rollout.yaml", f"question: Q?\nmotivation: M.\nremedy: R.\nlimit: {{{text}, settle_seconds: 0}}\n"
    )
    team.commit("Limit rollouts otherwise")


def runs(team: Team) -> str:
    live = deploy_tree.deployed(team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
    assert live is not None
    return live.tag


def quarantined(team: Team) -> list[tuple[str, str]]:
    return [(entry.version, entry.by) for entry in deploy_tree.quarantine(team.workplace.forge)]


def titles(team: Team) -> list[str]:
    return [issue.title for issue in team.workplace.forge.open_issues()]


# --- what is measured ---------------------------------------------------------------------------------------


def test_wrong_answers_are_counted(live: Team) -> None:
    """How many, of how many, and who answers meanwhile: a reviewer decides by these."""
    failure = failure_in(fail(merged(live)))

    assert (failure.problem, failure.golden_rows, failure.golden_equal) == (RolloutProblem.WRONG_ANSWERS, 50, 0)
    assert (failure.version, failure.back_to, failure.put_back_after) == ("v1.1.0", "v1.0.0", None)
    assert failure.commit == live.workplace.forge.head("release/production/tip/v1.1.0")
    assert failure.incident == "2026-04-01-rollout-failed-v1.1.0"


def test_what_its_server_printed_is_kept_bounded_and_clean(live: Team) -> None:
    """It ends in an issue and in a terminal; a server prints what its model wants it to."""
    failure = failure_in(fail(merged(live), NeverReady()))

    assert (failure.problem, failure.golden_equal) == (RolloutProblem.NEVER_READY, None)
    assert failure.said == "tip v1.1.0 does not go live: its server left with code 137"
    assert len(failure.log) == 10
    assert failure.log[-2] == "U+001B[31mno memoryU+001B[0m"
    assert max(map(len, failure.log)) == 300


def test_one_that_falls_over_after_its_golden_answers_failed(live: Team) -> None:
    """It answered well once, and nobody is served by it."""
    failure = failure_in(fail(merged(live), InThisProcess(falls_over=True)))
    assert (failure.problem, failure.golden_equal) == (RolloutProblem.FELL_OVER, 50)


def test_one_that_dies_of_its_first_question_fell_over(live: Team) -> None:
    """The connection is cut, and what runs it says that it is gone: its own fault, and no outage."""
    failure = failure_in(fail(merged(live), InThisProcess(reachable=False, falls_over=True)))
    assert (failure.problem, failure.golden_equal) == (RolloutProblem.FELL_OVER, None)


def test_one_that_refuses_what_it_answered_at_release_answers_wrongly(live: Team) -> None:
    """A refusal is an answer, and not the one that it was judged by."""
    failure = failure_in(fail(merged(live), Refusing()))

    assert (failure.problem, failure.golden_equal) == (RolloutProblem.WRONG_ANSWERS, 0)
    assert failure.said.endswith("tip v1.1.0 answered 500: no memory")


def nothing_answers(team: Team) -> None:
    verify(team, InThisProcess(reachable=False))


def held(team: Team) -> None:
    path = team.root / deploy_tree.QUARANTINE
    path.write_bytes(
        manifests.add_entry(path.read_bytes(), QuarantineEntry(model=MODEL, version="v1.1.0", reason="no", by="A"))
    )
    team.commit("Hold")
    verify(team, InThisProcess())


def gone(team: Team) -> None:
    lose_image(team, "v1.1.0")
    verify(team, InThisProcess())


@pytest.mark.parametrize(
    ("look", "error"), [(nothing_answers, Unreachable), (held, NotReleasable), (gone, NoSuchImage)]
)
def test_what_is_no_fault_of_the_version_is_no_incident(
    live: Team, look: Callable[[Team], None], error: type[Exception]
) -> None:
    """An outage at night must not send a good version into quarantine."""
    merged(live)
    with pytest.raises(error) as caught:
        look(live)

    assert not isinstance(caught.value, RolloutFailed)
    assert failed_rollouts.newest_of_all(live.workplace) == {}


def test_a_version_that_was_verified_and_dies_later_is_no_rollout_that_failed(live: Team) -> None:
    """It ran; that its machine is full today is nothing that its merge brought."""
    verify(merged(live), InThisProcess())

    with pytest.raises(RolloutFailed) as caught:
        verify(live, NeverReady())

    assert caught.value.incident == ""
    assert failed_rollouts.newest_of_all(live.workplace) == {}


@pytest.mark.parametrize("on", [_APRIL, date(2026, 4, 2)])
def test_the_same_failure_seen_again_is_the_same_incident(live: Team, on: date) -> None:
    """A job that is started again, the same day or the next, must tell nobody twice."""
    first = fail(merged(live))
    follow(live, first)

    again = fail(live, NeverReady(), on=on)

    assert again == first
    assert failure_in(again) == failure_in(first)
    follow(live, again)
    assert len(live.workplace.forge.open_pulls()) == len(titles(live)) == 1


def test_another_machine_knows_the_incident_too(live: Team) -> None:
    """A runner of GitHub begins empty; what it knows is the ledger."""
    follow(live, fail(merged(live)))
    other = live.clone("elsewhere")
    (other.workplace.state / "registry").parent.mkdir(parents=True, exist_ok=True)
    (other.workplace.state / "registry").symlink_to(live.workplace.state / "registry")

    record = fail(other, NeverReady(), on=date(2026, 4, 9))

    assert failure_in(record).incident == "2026-04-01-rollout-failed-v1.1.0"
    head = other.workplace.forge.head("ledger")
    follow(other, record)
    assert other.workplace.forge.head("ledger") == head


# --- the way back -------------------------------------------------------------------------------------------


def test_a_pull_request_goes_back_with_the_reason_and_nothing_else(live: Team) -> None:
    """Whoever is woken by it merges, and what ran before runs."""
    record = fail(merged(live), NeverReady())
    live.write("deploy/production/other.txt", "Somebody else's, merged meanwhile\n")
    live.commit("Go on")

    verdicts, reversion, _ = follow(live, record)

    assert (verdicts.outcome, verdicts.means) == (Outcome.REVERT, Means.PULL_REQUEST)
    assert reversion is not None and reversion.pull is not None
    forge = live.workplace.forge
    pull = forge.pull(reversion.pull)
    assert pull.title == "tip: back from v1.1.0 to v1.0.0, production"
    assert "v1.1.0 never became ready: tip v1.1.0 does not go live: its server left with code 137" in pull.body
    assert "no memory" in pull.body
    (commit,) = forge.commits(reversion.branch, beyond="main")
    changed = git.run("diff", "--name-only", f"main...{commit.id}", cwd=live.bare).decode().split()
    assert changed == ["deploy/production/tip/kustomization.yaml", "deploy/quarantine.yaml"]
    forge.merge_pull(reversion.pull)
    assert (runs(live), quarantined(live)) == ("v1.0.0", [("v1.1.0", "slipway rollout")])


def test_the_policy_can_ask_for_a_commit(live: Team) -> None:
    """Where nobody is awake to merge."""
    limit(live, "revert: commit")
    _, reversion, filed = follow(live, fail(merged(live)))

    assert reversion is not None
    assert (reversion.pull, runs(live), quarantined(live)) == (None, "v1.0.0", [("v1.1.0", "slipway rollout")])
    assert filed.number is not None
    assert "`slipway rollout tip --environment production`" in live.workplace.forge.issue(filed.number).body


def test_the_policy_can_ask_for_an_issue_only(live: Team) -> None:
    """People decide; the issue has the command."""
    limit(live, "revert: never")
    verdicts, reversion, filed = follow(live, fail(merged(live)))

    assert (verdicts.outcome, verdicts.means, reversion) == (Outcome.REVERT, Means.NEVER, None)
    assert runs(live) == "v1.1.0"
    assert filed.number is not None
    body = live.workplace.forge.issue(filed.number).body
    assert "1. `slipway rollback tip --environment production --to v1.0.0`" in body


def test_a_first_release_has_nothing_to_go_back_to(team: Team) -> None:
    """An issue, and no pull request that names no version."""
    team.release(team.tag("tip@v1.0.0"))
    merge_all(team)

    verdicts, reversion, filed = follow(team, fail(team))

    assert (verdicts.outcome, reversion) == (Outcome.UNCLEAR, None)
    assert titles(team) == ["tip, production: v1.0.0 answers wrongly, there is no way back"]
    assert filed.number is not None
    body = team.workplace.forge.issue(filed.number).body
    assert "nothing that was verified ran in production before v1.0.0" in body
    assert "take v1.0.0 out of deploy/production/tip/kustomization.yaml" in body


def test_a_version_that_was_merged_and_never_ran_is_no_way_back(live: Team) -> None:
    """v1.1.0 failed, v1.2.0 was merged over it and fails as well: what ran is v1.0.0."""
    follow(live, fail(merged(live)))
    live.release(live.publish("tip@v1.2.0", Tip(weight=0.0202)))
    live.workplace.forge.merge_pull(live.record("tip@v1.2.0").page(Proposal, written_by="b").body.pull or 0)

    failure = failure_in(fail(live))

    assert (failure.version, failure.back_to) == ("v1.2.0", "v1.0.0")
    assert [(one.version, one.failed) for one in failure.history] == [("v1.1.0", True), ("v1.0.0", False)]


def test_a_version_before_that_is_gone_ends_in_an_issue_that_says_so(live: Team) -> None:
    """A way back that no machine can pull is none."""
    record = fail(merged(live))
    lose_image(live, "v1.0.0")

    _, reversion, filed = follow(live, record)

    assert reversion is not None and filed.number is not None
    assert "tip@v1.0.0 cannot be pulled" in reversion.no_way_back
    assert live.workplace.forge.open_pulls() == []
    assert titles(live) == ["tip, production: v1.1.0 answers wrongly, there is no way back"]
    body = live.workplace.forge.issue(filed.number).body
    assert "Nothing was changed: tip@" in body
    assert "release the tag of v1.0.0 again, which restores its image" in body


def test_two_versions_do_not_take_turns(live: Team) -> None:
    """What was put back fails too: with nobody looking, each would be left for the other, for ever."""
    limit(live, "revert: commit")
    follow(live, fail(merged(live)))

    verdicts, reversion, filed = follow(live, fail(live))

    assert (verdicts.outcome, reversion) == (Outcome.UNCLEAR, None)
    assert (runs(live), [version for version, _ in quarantined(live)]) == ("v1.0.0", ["v1.1.0"])
    assert filed.action is IssueAction.UPDATED
    assert titles(live) == ["tip, production: v1.0.0 answers wrongly, there is no way back"]
    assert filed.number is not None
    assert "v1.0.0 was itself put back, after v1.1.0" in live.workplace.forge.issue(filed.number).body


def test_what_people_merged_meanwhile_is_not_gone_back_over(live: Team) -> None:
    """They were faster; their version is looked at for itself."""
    record = fail(merged(live))
    live.release(live.publish("tip@v1.2.0", Tip(weight=0.0202)))
    merge_all(live)

    _, reversion, _ = follow(live, record)

    assert (reversion, runs(live)) == (None, "v1.2.0")


# --- the issue ----------------------------------------------------------------------------------------------


def test_the_issue_belongs_to_the_owners_and_is_known_by_its_marker(live: Team) -> None:
    """A model and an environment have one, beside that of the watch, which would close it when inputs are quiet."""
    _, reversion, filed = follow(live, fail(merged(live)))

    assert filed.number is not None and reversion is not None
    issue = live.workplace.forge.issue(filed.number)
    assert issue.title == "tip, production: v1.1.0 answers wrongly, go back to v1.0.0"
    assert (issue.labels, issue.assignees) == (("slipway", "rollout:production/tip"), ("waiters",))
    assert read_marker(issue.body)["incident"] == "2026-04-01-rollout-failed-v1.1.0"
    assert f"1. Merge pull request #{reversion.pull}" in issue.body
    live.serve("v1.1.0", [date(2026, 4, day) for day in range(1, 8)], tip=Tip(weight=0.0201))
    assert live.history.open_incident(MODEL, ENVIRONMENT) is None


def test_the_next_rollout_that_is_verified_closes_it(live: Team) -> None:
    """Merged, rolled out, over: nobody has to remember the issue."""
    record = fail(merged(live))
    _, reversion, filed = follow(live, record)
    assert reversion is not None and reversion.pull is not None and filed.number is not None
    live.workplace.forge.merge_pull(reversion.pull)
    assert file(live, record).body.action is IssueAction.OPENED  # merged is not yet verified
    verify(live, InThisProcess(), on=date(2026, 4, 2))

    closed = file(live, record).body

    assert (closed.number, closed.action) == (filed.number, IssueAction.CLOSED)
    assert live.workplace.forge.comments(filed.number)[-1] == (
        "v1.0.0 is live in production, 50 of 50 golden answers: closed by the rollout."
    )
    assert file(live, record).body == closed
    assert revert_manifest.run_on_rollout(record, workplace=live.workplace) is not None
    assert live.workplace.forge.open_pulls() == []


def test_a_version_that_runs_after_all_closes_it_and_names_the_pull_request(live: Team) -> None:
    """A machine was full, and is not any more: merged later, the way back would hold a good version."""
    record = fail(merged(live))
    _, reversion, _ = follow(live, record)
    verify(live, InThisProcess())

    filed = file(live, record).body

    assert filed.action is IssueAction.CLOSED and filed.number is not None and reversion is not None
    assert f"Close pull request #{reversion.pull}" in live.workplace.forge.comments(filed.number)[-1]


def test_closed_by_hand_before_it_is_over_it_is_opened_again_once(live: Team) -> None:
    """The manifest still names it, and the next rollout still fails."""
    record = fail(merged(live))
    _, _, filed = follow(live, record)
    assert filed.number is not None
    live.workplace.forge.close_issue(filed.number, "Nonsense.")

    again = file(live, fail(live)).body

    assert (again.number, again.action) == (filed.number, IssueAction.REOPENED)
    assert live.workplace.forge.comments(filed.number)[-1].startswith("It is not over: production is to run v1.1.0")
    assert file(live, record).body == again
