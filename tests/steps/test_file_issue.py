"""One issue for what is wrong, kept up to date, closed when recovery is shown."""

from __future__ import annotations

from datetime import date

from slipway.adapters import git
from slipway.adapters.forge.local import LocalForge
from slipway.domain.incident import IssueAction, IssueFiled, Outcome
from slipway.steps import file_issue

from tests.team import Team, Tip, days_from, samples_table

_MARCH, _APRIL = date(2026, 3, 1), date(2026, 4, 1)


def open_titles(team: Team) -> list[str]:
    return [issue.title for issue in team.workplace.forge.open_issues()]


def stuck_for_two_weeks(team: Team) -> int:
    """The sum on every bill is 1; returns the issue's number."""
    team.serve("v1.0.0", days_from(_MARCH, 14), change={"bill": 1.0}, labelled=False)
    team.look(date(2026, 3, 7))
    number = team.look(date(2026, 3, 14))[2].body.number
    assert number is not None
    return number


def test_an_incident_opens_one_issue(live: Team) -> None:
    """Who looks after the model reads what moved, how far, and what was done."""
    number = stuck_for_two_weeks(live)

    issue = live.workplace.forge.issue(number)
    assert issue.open
    assert "slipway:production/tip" in issue.labels
    assert "`bill` moved by KS" in issue.body
    assert "Nothing was changed automatically." in issue.body


def test_the_same_window_again_says_nothing_new(live: Team) -> None:
    """A scheduled job that runs twice must not write to people twice."""
    number = stuck_for_two_weeks(live)
    first = live.window(date(2026, 3, 14)).page(IssueFiled, written_by="file-issue")

    again = live.look(date(2026, 3, 14))[2]

    assert again == first
    assert (again.body.number, again.body.action) == (number, IssueAction.OPENED)
    assert len(open_titles(live)) == 1


def test_the_next_bad_window_updates_the_same_issue(live: Team) -> None:
    """A month of a broken sensor is one thing to mend."""
    number = stuck_for_two_weeks(live)
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 7), change={"bill": 1.0}, labelled=False)

    filed = live.look(date(2026, 3, 21))[2].body

    assert (filed.number, filed.action, filed.incident) == (number, IssueAction.UPDATED, "2026-03-14-drift")
    assert len(open_titles(live)) == 1
    assert "2026-03-21" in live.workplace.forge.issue(number).body


def test_recovery_closes_it(live: Team) -> None:
    """With the window that showed it, and the ledger knows too."""
    number = stuck_for_two_weeks(live)
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 7))

    filed = live.look(date(2026, 3, 21))[2].body

    assert (filed.number, filed.action) == (number, IssueAction.CLOSED)
    assert open_titles(live) == []
    assert list(live.workplace.forge.comments(number)) == [
        "v1.0.0 was quiet from 2026-03-15 to 2026-03-21: closed by the watch."
    ]
    live.serve("v1.0.0", days_from(date(2026, 3, 22), 7))
    assert live.look(date(2026, 3, 28))[0].body.open_incident is None


def recovered(team: Team) -> None:
    """A quiet week."""
    team.serve("v1.0.0", days_from(date(2026, 3, 15), 7))
    team.look(date(2026, 3, 21))


def test_what_comes_back_opens_the_same_issue_again(live: Team) -> None:
    """What was tried the first time stands there, and nobody looks for it in a second one."""
    number = stuck_for_two_weeks(live)
    recovered(live)
    live.serve("v1.0.0", days_from(date(2026, 3, 22), 7), change={"bill": 1.0}, labelled=False)

    filed = live.look(date(2026, 3, 28))[2].body

    assert (filed.number, filed.action, filed.incident) == (number, IssueAction.REOPENED, "2026-03-28-drift")
    assert len(open_titles(live)) == 1
    assert live.workplace.forge.comments(number)[-1] == (
        "It is back: v1.0.0 shows it from 2026-03-22 to 2026-03-28. Opened again by the watch."
    )
    assert "2026-03-28-drift" in live.workplace.forge.issue(number).body


def test_the_same_on_another_version_is_another_issue(live: Team) -> None:
    """What mended the one says nothing about the other."""
    number = stuck_for_two_weeks(live)
    recovered(live)
    live.release(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    live.go_live("tip@v1.1.0", on=date(2026, 3, 22))
    live.serve("v1.1.0", days_from(date(2026, 3, 22), 14), change={"bill": 1.0}, labelled=False)
    live.look(date(2026, 3, 28))

    filed = live.look(date(2026, 4, 4))[2].body

    assert filed.action is IssueAction.OPENED
    assert filed.number != number
    assert not live.workplace.forge.issue(number).open


def test_what_a_person_closed_before_it_was_over_is_opened_again(live: Team) -> None:
    """A new issue each week for one broken sensor is what makes people switch a watch off."""
    number = stuck_for_two_weeks(live)
    live.workplace.forge.close_issue(number, "Nonsense.")
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 7), change={"bill": 1.0}, labelled=False)

    filed = live.look(date(2026, 3, 21))[2].body

    assert (filed.number, filed.action, filed.incident) == (number, IssueAction.REOPENED, "2026-03-14-drift")
    assert live.workplace.forge.comments(number)[-1].startswith("It is not over: v1.0.0 still shows it from 2026-03-15")
    assert live.look(date(2026, 3, 21))[2].body == filed


def test_its_owners_are_assigned_once_and_a_team_is_called(live: Team) -> None:
    """An issue of nobody is nobody's; who gives it back is not given it again at each window."""
    live.serve("v1.0.0", days_from(_MARCH, 21), change={"bill": 1.0}, labelled=False)
    live.edit(f"models/{live.folder.name}/model.yaml", '["@waiters"]', '["@waiters", "@acme/kitchen"]')
    live.look(date(2026, 3, 7))
    number = live.look(date(2026, 3, 14))[2].body.number
    assert number is not None
    forge = live.workplace.forge
    assert forge.issue(number).assignees == ("waiters",)
    assert " For @acme/kitchen." in forge.issue(number).body
    assert isinstance(forge, LocalForge)
    path = forge.folder.file("issues", number)
    path.write_text(path.read_text().replace("assignees:\n- waiters\n", "assignees: []\n"))

    live.look(date(2026, 3, 21))

    assert forge.issue(number).assignees == ()


def test_too_few_rows_are_no_recovery(live: Team) -> None:
    """A sensor that is switched off for repair has not been repaired."""
    number = stuck_for_two_weeks(live)
    live.serve("v1.0.0", days_from(date(2026, 3, 15), 7), rows=10)

    _, verdicts, issue = live.look(date(2026, 3, 21))

    assert verdicts.body.outcome is Outcome.QUIET
    assert (issue.body.number, issue.body.action) == (number, IssueAction.NONE)
    assert len(open_titles(live)) == 1


def test_labels_that_stay_away_are_no_recovery(newer: Team) -> None:
    """F1 was too low; that nobody measures it any more mends nothing."""
    newer.serve("v1.1.0", days_from(_APRIL, 35), tip=Tip(weight=0.0201), truth=Tip(bias=-0.25))
    newer.look(date(2026, 4, 28))
    opened = newer.look(date(2026, 5, 5))[2].body
    newer.serve("v1.1.0", days_from(date(2026, 5, 6), 28), tip=Tip(weight=0.0201), labelled=False)

    filed = newer.look(date(2026, 6, 2))[2].body

    assert opened.action is IssueAction.OPENED
    assert (filed.number, filed.action) == (opened.number, IssueAction.NONE)
    assert len(open_titles(newer)) == 1


def test_a_metric_of_a_version_that_runs_no_more_is_over_with_it(worse: Team) -> None:
    """After the way back nobody waits four weeks for labels to close what was about v2.0.0."""
    worse.serve("v2.0.0", days_from(_APRIL, 14), tip=Tip(bias=0.1))
    worse.look(date(2026, 4, 7))
    opened = worse.look(date(2026, 4, 14))[2].body
    worse.release(worse.publish("tip@v2.0.1", Tip(bias=0.1)))
    worse.go_live("tip@v2.0.1", on=date(2026, 4, 15))
    worse.serve("v2.0.1", days_from(date(2026, 4, 15), 7), labelled=False)

    filed = worse.look(date(2026, 4, 21))[2].body

    assert opened.number is not None
    assert (filed.number, filed.action) == (opened.number, IssueAction.CLOSED)


# --- releases -----------------------------------------------------------------------------------------------


def tell(team: Team, tag: str) -> IssueFiled:
    return file_issue.run_on_release(team.record(tag), forge=team.workplace.forge).body


def mark(team: Team) -> tuple[str, str]:
    """The newest commit's state and what it says."""
    status = team.workplace.forge.statuses(git.head_commit(team.root))["slipway/tip"]
    return status.state, status.description


def test_a_refused_release_is_told_to_its_tagger_once(team: Team) -> None:
    """One issue, with the mend; a second run finds it."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    team.up_to_verdicts("tip@v1.0.0")

    first, again = tell(team, "tip@v1.0.0"), tell(team, "tip@v1.0.0")

    assert first == again
    assert open_titles(team) == ["tip@v1.0.0 is refused: it is not good enough"]
    assert mark(team) == ("failure", "fail: v1.0.0 (first release) is not good enough")
    [issue] = team.workplace.forge.open_issues()
    assert issue.labels == ("slipway", "release: refused", "model: tip")
    assert issue.body.index("**Mend:**") < issue.body.index("- F1 is ")
    assert "git tag -a tip@v1.0.1 -m " in issue.body


def test_a_policy_that_changes_closes_it_and_one_that_comes_back_opens_another(team: Team) -> None:
    """The verdict of the third run is that of the first; its issue was closed meanwhile."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    record = team.measure("tip@v1.0.0")
    actions = []
    for floor in ("0.75", "0.10", "0.75"):
        text = (team.root / "policies/metrics.yaml").read_text()
        team.write("policies/metrics.yaml", text.replace("0.10", "0.75").replace("floor: 0.75", f"floor: {floor}"))
        team.judge(record)
        actions.append(tell(team, "tip@v1.0.0").action)

    assert actions == [IssueAction.OPENED, IssueAction.CLOSED, IssueAction.OPENED]
    assert len(open_titles(team)) == 1
    assert mark(team)[0] == "failure"


def test_a_release_that_passed_is_marked_and_nobody_is_written_to(team: Team) -> None:
    """Silence is the good news."""
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")

    filed = tell(team, "tip@v1.0.0")

    assert (filed.number, filed.action) == (None, IssueAction.NONE)
    assert mark(team) == ("success", "pass: v1.0.0 (first release) passes")


def test_not_enough_evidence_is_neither_passed_nor_refused(team: Team) -> None:
    """A green mark on a commit that nobody could judge would be a lie."""
    team.write_model(samples=samples_table(days=4))
    team.commit("Few samples")
    team.tag("tip@v1.0.0")
    team.up_to_verdicts("tip@v1.0.0")

    filed = tell(team, "tip@v1.0.0")

    assert (filed.number, filed.action) == (None, IssueAction.NONE)
    said = "not enough evidence: v1.0.0 (first release) cannot be judged yet by Same answers as source"
    assert mark(team) == ("pending", said)


def test_words_below_its_text_do_not_hide_the_issue(team: Team) -> None:
    """A person who answers by editing the text must not be sent the same issue again at the next run."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    record = team.measure("tip@v1.0.0")
    team.judge(record)
    number = tell(team, "tip@v1.0.0").number
    assert number is not None
    forge = team.workplace.forge
    forge.update_issue(number, body=f"{forge.issue(number).body}\nI am on it.\n")
    team.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.76")
    team.judge(record)

    again = tell(team, "tip@v1.0.0")

    assert (again.number, again.action) == (number, IssueAction.UPDATED)
    assert len(open_titles(team)) == 1


def test_two_models_on_one_commit_have_a_mark_each(team: Team) -> None:
    """A context for all of them would show the verdict of whichever was judged last."""
    assert {file_issue.context_of(model) for model in ("tip", "late-fee")} == {"slipway/tip", "slipway/late-fee"}


def test_a_mark_leads_to_what_came_of_the_release(live: Team) -> None:
    """From a red mark in the list of commits it is one click to the mend, from a green one to the proposal."""
    web, forge = "https://git.example.org/acme/models", live.workplace.forge
    live.up_to_verdicts(live.publish("tip@v1.1.0", Tip(weight=0.0201)))
    pull = live.propose("tip@v1.1.0").body.pull
    file_issue.run_on_release(live.record("tip@v1.1.0"), forge=forge, web=web)
    passed = forge.statuses(git.head_commit(live.root))["slipway/tip"]
    live.up_to_verdicts(live.publish("tip@v1.2.0", Tip(bias=-0.35)))
    number = file_issue.run_on_release(live.record("tip@v1.2.0"), forge=forge, web=web).body.number

    refused = forge.statuses(git.head_commit(live.root))["slipway/tip"]

    assert (passed.state, passed.url) == ("success", f"{web}/issues/{pull}")
    assert (refused.state, refused.url) == ("failure", f"{web}/issues/{number}")
