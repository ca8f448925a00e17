"""`enforce: audit`: a gate tells what it would refuse, and nothing follows from it until a team says `block`."""

from __future__ import annotations

from datetime import date

import pytest
from slipway.domain.identity import Identity
from slipway.domain.incident import IssueAction, Outcome
from slipway.domain.tag import Bump
from slipway.domain.verdict import Finding, Verdict
from slipway.reports.refusal import refusal
from slipway.reports.release_summary import release_summary
from slipway.steps import judge, rejudge, status

from tests.team import TODAY, Team, Tip, days_from

_METRICS = "policies/metrics.yaml"


def audit(team: Team, *gates: str) -> None:
    for gate in gates:
        path = f"policies/{gate}.yaml"
        team.write(path, (team.root / path).read_text() + "\nenforce: audit\n")


def test_what_a_gate_in_audit_finds_stops_no_release(team: Team) -> None:
    """A new gate is looked at for some releases before it may refuse one, with all its numbers."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    record = team.measure("tip@v1.0.0")
    blocked = team.judge(record).body
    audit(team, "metrics")
    audited = team.judge(record).body

    assert (blocked.verdict, audited.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert [one for one in audited.findings if one.would_refuse] == [
        one.model_copy(update={"audit": True}) for one in blocked.findings if one.verdict is Verdict.FAIL
    ]


def test_the_other_gates_go_on_refusing(team: Team) -> None:
    """Audit is of one gate; and what it would have refused is told beside what was."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35, nan_above=47.0))
    record = team.measure("tip@v1.0.0")
    audit(team, "metrics")
    verdicts = team.judge(record).body

    text = refusal(record.page(Identity, written_by="resolve-tag").body, verdicts)
    refused, told = text.split("\nin audit, told and not held against it:\n")
    assert verdicts.verdict is Verdict.FAIL
    assert "NaN" in refused
    assert "F1" in told


def test_a_model_can_be_in_audit_alone(team: Team) -> None:
    """A team tightens model by model; the reason stands beside the exception."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    record = team.measure("tip@v1.0.0")
    override = "{reason: new labels come in June, enforce: audit, limit: {f1: {floor: 0.75}}}"
    team.write(_METRICS, (team.root / _METRICS).read_text() + f"\nmodels: {{tip: {override}, other: {override}}}\n")
    mine = team.judge(record).body
    team.edit(_METRICS, f"tip: {override}, ", "")

    assert mine.verdict is Verdict.PASS
    assert team.judge(record).body.verdict is Verdict.FAIL


def test_a_model_can_be_held_to_what_is_in_audit_for_others(team: Team) -> None:
    """The way out of audit is one model at a time."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    record = team.measure("tip@v1.0.0")
    audit(team, "metrics")
    override = "{reason: it decides about money, enforce: block, limit: {f1: {floor: 0.75}}}"
    team.write(_METRICS, (team.root / _METRICS).read_text() + f"models: {{tip: {override}}}\n")

    assert team.judge(record).body.verdict is Verdict.FAIL


def test_a_promise_in_audit_asks_for_no_greater_number(live: Team) -> None:
    """What `check` proposes to tag must be what the gates let through."""
    live.publish("tip@v1.0.1", Tip(inputs=("bill", "kitchen", "guests")))
    record = live.measure("tip@v1.0.1")
    blocked = live.judge(record).body
    audit(live, "promise")
    audited = live.judge(record).body

    assert (blocked.verdict, blocked.smallest_bump) == (Verdict.FAIL, Bump.MAJOR)
    assert (audited.verdict, audited.smallest_bump) == (Verdict.PASS, Bump.PATCH)


def test_the_summary_says_which_findings_are_in_audit(team: Team) -> None:
    """A `fail` that let the release through must not puzzle its reader."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    record = team.measure("tip@v1.0.0")
    audit(team, "metrics")
    text = release_summary(record.page(Identity, written_by="resolve-tag").body, team.judge(record).body)

    assert "fail (audit)" in text
    assert "in audit, told and not held against it:\n  F1 is 0." in text


def test_status_counts_what_would_be_refused_until_the_policy_blocks(team: Team) -> None:
    """Otherwise a gate stays in audit for years, for nobody is reminded."""
    audit(team, "metrics")
    team.commit("Look at the metrics first")
    team.publish("tip@v1.0.0", Tip(bias=-0.35))
    team.release("tip@v1.0.0")
    team.go_live("tip@v1.0.0", on=date(2026, 3, 1))

    (row,) = status.run(workplace=team.workplace)
    assert (row.version, row.in_audit) == ("v1.0.0", 1)


def test_a_better_version_before_is_no_ground_to_retrain_in_audit_either() -> None:
    """`retrain` says that going back would not help; whoever only audits that question has not answered it."""
    finding = Finding(gate="previous_version", title="t", verdict=Verdict.FAIL, measured="m", allowed="a", audit=True)
    found = {"metrics": Verdict.FAIL, "previous_version": judge.may_decide(finding), "drift": Verdict.PASS}

    assert judge.outcome_of(found) is Outcome.UNCLEAR


def test_whoever_lets_a_gate_block_sees_whom_it_hits(live: Team) -> None:
    """That is the pull request that ends an audit."""
    live.edit(_METRICS, "floor: 0.75", "floor: 0.99")
    audit(live, "metrics")
    live.commit("A higher floor, to be looked at")
    live.edit(_METRICS, "enforce: audit", "enforce: block")
    place = live.workplace

    (one,) = rejudge.run(policies=place.repository.policies(), today=TODAY, workplace=place).judged

    assert (one.before, one.after) == (Verdict.PASS, Verdict.FAIL)
    assert [(each.before.in_words, each.after.in_words) for each in one.changed if each.before and each.after][-1] == (
        "fail (audit)",
        "fail",
    )


@pytest.mark.parametrize(
    ("in_audit", "outcome"),
    [((), Outcome.REVERT), (("previous-version",), Outcome.QUIET)],
)
def test_a_gate_of_the_watch_in_audit_reverts_nothing(worse: Team, in_audit: tuple[str, ...], outcome: Outcome) -> None:
    """Nor does it file an issue; its finding stands in the verdicts all the same."""
    audit(worse, *in_audit)
    worse.serve("v2.0.0", days_from(date(2026, 4, 1), 14), tip=Tip(bias=0.1))
    worse.look(date(2026, 4, 7))
    _, verdicts, issue = worse.look(date(2026, 4, 14))[:3]

    assert verdicts.body.outcome is outcome
    assert (issue.body.action is IssueAction.NONE) is (outcome is Outcome.QUIET)
    assert any(one.would_refuse for one in verdicts.body.findings) is bool(in_audit)
