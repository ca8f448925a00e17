"""Verdicts of a release, in the words that its tagger reads, and of a window."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from slipway.domain.evidence import Evidence
from slipway.domain.identity import Identity
from slipway.domain.incident import Outcome
from slipway.domain.tag import Bump
from slipway.domain.verdict import Estimate, Verdict
from slipway.reports.refusal import refusal
from slipway.steps import measure_consistency
from slipway.steps.judge import outcome_of

from tests.team import TODAY, Team, Tip, days_from, samples_table

NEXT = "  next:  tip@v1.0.1, since this number keeps its verdict"
_WAIVER = """
waivers:
  - {model: tip, version: v1.0.0, reason: the waiter counted by hand, by: "@lead", until: 2026-06-01}
"""


def text_of(team: Team, tag: str) -> str:
    """What the terminal says."""
    page = team.up_to_verdicts(tag)
    return refusal(team.record(tag).page(Identity, written_by="resolve-tag").body, page.body)


# --- what a version was held to ---------------------------------------------------------------------------


FEAST = {"name": "feast", "inputs": {"bill": 40, "kitchen": "grill"}, "answers": {"score": 0.85}}


def test_a_golden_answer_that_was_edited_until_it_passes_is_refused(team: Team) -> None:
    """The next version answers otherwise, and so does the policy: v1.0.0 was held to another answer."""
    team.expect(golden=[FEAST])
    team.commit("Expect a tip of a feast")
    team.release(team.tag("tip@v1.0.0"))
    team.expect(golden=[{**FEAST, "answers": {"score": 0.854}}])
    team.publish("tip@v1.1.0", Tip(weight=0.0201))

    verdicts = team.up_to_verdicts("tip@v1.1.0").body

    found = {one.title: (one.verdict, one.measured) for one in verdicts.findings if one.gate == "behaviour"}
    assert found == {
        "Golden request feast": (Verdict.PASS, "score 0.854"),
        "Golden request feast as for v1.0.0": (Verdict.FAIL, "now score 0.854 ± 0.0001"),
    }


# --- refusals, word by word ---------------------------------------------------------------------------------


def test_a_minor_version_that_adds_an_input_is_refused(live: Team) -> None:
    """Clients of v1.0.0 do not send it; the number says that they need not."""
    live.publish("tip@v1.1.0", Tip(inputs=("bill", "kitchen", "guests")), message="Count the guests")

    assert text_of(live, "tip@v1.1.0") == (
        "tip@v1.1.0 breaks the promise of a minor version: fail\n"
        "  input `guests` (float32) is new; v1.0.0, the highest passed version, did not ask for it\n"
        "  mend: state the break in models/tip/README.md, commit, then\n"
        '        git tag -a tip@v2.0.0 -m "Count the guests" && git push origin tip@v2.0.0'
    )


def test_a_major_version_that_does_not_say_what_it_breaks_is_refused(live: Team) -> None:
    """Somebody's client will fail, and the pull request is where they look."""
    live.publish("tip@v2.0.0", Tip(inputs=("bill", "kitchen", "guests")))

    assert text_of(live, "tip@v2.0.0") == (
        "tip@v2.0.0 does not say what it breaks: fail\n"
        "  a major version may break its clients, and models/tip/README.md does not say what breaks\n"
        "  mend: add `### v2.0.1` under `## Breaking changes` of models/tip/README.md, commit, then\n"
        '        git tag -a tip@v2.0.1 -m "Change tip" && git push origin tip@v2.0.1'
    )


def test_a_major_version_that_states_its_break_passes(live: Team) -> None:
    """It may break anything; it must only say so."""
    live.publish("tip@v2.0.0", Tip(inputs=("bill", "kitchen", "guests")), breaks="v2.0.0")

    assert live.up_to_verdicts("tip@v2.0.0").body.verdict is Verdict.PASS


def test_a_patch_whose_outputs_differ_is_refused_with_a_mend_that_works(live: Team) -> None:
    """The mend once named the same commit, which the next release refused."""
    live.publish("tip@v1.0.1", Tip(weight=0.0201), message="Train again")

    first, problem, *mend = text_of(live, "tip@v1.0.1").splitlines()

    assert first == "tip@v1.0.1 breaks the promise of a patch version: fail"
    assert problem.startswith("  outputs differ from v1.0.0 by up to 4.")
    assert "(allowed 2.0e-06) and " in problem
    assert problem.endswith(" of 1,500 decisions flip")
    assert mend == [
        (
            "  mend: a retrained model is at least a minor version: merge a commit of its own for it "
            "(an empty one will do), then"
        ),
        '        git tag -a tip@v1.1.0 -m "Train again" && git push origin tip@v1.1.0',
    ]
    live.commit("An empty one")
    live.tag("tip@v1.1.0", "Train again")
    assert live.up_to_verdicts("tip@v1.1.0").body.verdict is Verdict.PASS


def test_a_metric_below_its_floor_is_refused(team: Team) -> None:
    """With its error bars: the whole interval lies below."""
    team.publish("tip@v1.0.0", Tip(bias=-0.35))

    first, problem, mend, after = text_of(team, "tip@v1.0.0").splitlines()

    assert first == "tip@v1.0.0 is not good enough: fail"
    assert problem.startswith("  F1 is 0.")
    assert problem.endswith("] on held-out rows, below its floor 0.75")
    assert mend == (
        "  mend: train it better; the floor stands in policies/metrics.yaml and changes by a reviewed pull request only"
    )
    assert after == NEXT


def test_a_nan_output_is_refused(team: Team) -> None:
    """NaN is below every threshold: each such row would be decided negative in silence."""
    team.publish("tip@v1.0.0", Tip(nan_above=47.0))

    first, problem, mend, after = text_of(team, "tip@v1.0.0").splitlines()

    assert first == "tip@v1.0.0 answers with NaN, infinity or another shape than declared: fail"
    assert problem.startswith("  output `score` is NaN or infinite in ")
    assert problem.endswith(" of 1,500 sample rows")
    assert mend == ("  mend: find the sample rows with a missing or extreme input, and handle it inside the model")
    assert after == NEXT


def test_a_patch_that_nobody_could_compare_is_no_pass(live: Team) -> None:
    """The image of the version before is gone: that is a lack of evidence, with what brings it back."""
    live.lose_images()
    live.publish("tip@v1.0.1", Tip())

    page = live.up_to_verdicts("tip@v1.0.1")

    promise = [finding for finding in page.body.findings if finding.title == "Same answers as v1.0.0"]
    assert [finding.verdict for finding in promise] == [Verdict.NOT_ENOUGH_EVIDENCE]
    assert promise[0].problem.startswith("v1.0.0, the highest passed version, could not be asked: ")
    assert promise[0].mend == "release the tag of v1.0.0 again, which restores its image, then this one"
    assert page.body.smallest_bump is None


# --- the smallest bump --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tip", "smallest"),
    [
        (Tip(), Bump.PATCH),
        (Tip(weight=0.0201), Bump.MINOR),
        (Tip(weight=0.03), Bump.MAJOR),
        (Tip(inputs=("bill", "kitchen", "guests")), Bump.MAJOR),
    ],
)
def test_the_smallest_bump_is_the_smallest_promise_that_is_kept(live: Team, tip: Tip, smallest: Bump) -> None:
    """`slipway check` prints it, so that nobody has to know the rules by heart."""
    live.publish("tip@v1.0.1", tip)

    assert live.up_to_verdicts("tip@v1.0.1").body.smallest_bump is smallest


def test_a_first_version_has_no_promise_to_keep(team: Team) -> None:
    """It makes the first one."""
    team.tag("tip@v1.0.0")

    assert team.up_to_verdicts("tip@v1.0.0").body.smallest_bump is Bump.FIRST


def test_below_one_a_minor_version_may_break(team: Team) -> None:
    """SemVer promises nothing below 1.0.0, and nobody writes breaking changes into a card for it."""
    team.release(team.tag("tip@v0.1.0"))
    team.publish("tip@v0.2.0", Tip(inputs=("bill", "kitchen", "guests")))

    page = team.up_to_verdicts("tip@v0.2.0")

    assert page.body.verdict is Verdict.PASS


# --- waivers and changed policies ---------------------------------------------------------------------------


def few_rows(team: Team) -> str:
    team.write_model(samples=samples_table(days=4))
    team.write("policies/fidelity.yaml", (team.root / "policies/fidelity.yaml").read_text() + _WAIVER)
    team.commit("Fewer samples, and a waiver")
    return team.tag("tip@v1.0.0")


def test_a_waiver_lets_one_version_through_until_its_day(team: Team) -> None:
    """It says who answers for it; the day after, the question is open again."""
    record = team.measure(few_rows(team))

    waived = team.judge(record, today=date(2026, 6, 1)).body
    expired = team.judge(record, today=date(2026, 6, 2)).body

    finding = next(finding for finding in waived.findings if finding.gate == "fidelity")
    assert (waived.verdict, finding.verdict) == (Verdict.PASS, Verdict.PASS)
    assert finding.problem.endswith("; waived by @lead until 2026-06-01: the waiter counted by hand")
    assert [waiver.gate for waiver in waived.waivers] == ["fidelity"]
    assert (expired.verdict, expired.waivers) == (Verdict.NOT_ENOUGH_EVIDENCE, ())
    lapsed = next(finding for finding in expired.findings if finding.gate == "fidelity")
    assert lapsed.problem.endswith("; a waiver of @lead expired on 2026-06-01")


def test_a_waiver_without_an_end_in_sight_lets_nothing_through(team: Team) -> None:
    """Who writes 2099 has changed the limit, and means it to look like an exception."""
    record = team.measure(few_rows(team))

    early = team.judge(record, today=date(2025, 6, 1)).body
    in_range = team.judge(record, today=date(2025, 12, 3)).body

    finding = next(finding for finding in early.findings if finding.gate == "fidelity")
    assert finding.problem.endswith(
        "; a waiver of @lead until 2026-06-01 is not taken: its day must lie within 180 days"
    )
    assert (early.verdict, in_range.verdict) == (Verdict.NOT_ENOUGH_EVIDENCE, Verdict.PASS)


def test_a_waiver_for_another_version_lets_nothing_through(team: Team) -> None:
    """An exception is made once."""
    few_rows(team)
    team.commit("Once more")
    record = team.measure(team.tag("tip@v1.0.1"))

    assert team.judge(record).body.verdict is Verdict.NOT_ENOUGH_EVIDENCE


def test_a_changed_policy_judges_again_beside_the_old_verdict(team: Team) -> None:
    """Nothing is overwritten, and nothing is measured again for it."""
    record = team.measure(team.tag("tip@v1.0.0"))
    first = team.judge(record)
    team.edit("policies/metrics.yaml", "f1: {floor: 0.75, drop: 0.05}", "f1: {floor: 0.99, drop: 0.05}")
    stricter = team.judge(record)

    assert (first.body.verdict, stricter.body.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert (first.number, stricter.number) == (1, 2)
    assert (record.folder / "verdicts.1.json").is_file()
    assert measure_consistency.run(record, policies=team.workplace.repository.policies()).number == 1


def test_a_changed_limit_tells_other_false_alarms_without_measuring(team: Team) -> None:
    """Whoever tightens the policy sees in the same pull request how often it will cry wolf."""
    team.edit("policies/drift.yaml", "rows: 500", "rows: 1, window_days: 1")
    record = team.measure(team.tag("tip@v1.0.0"))
    first = team.judge(record)
    team.edit("policies/drift.yaml", "distance: 0.15", "distance: 0.001, windows: 1, of_last: 1")
    stricter = team.judge(record)

    told = [page.body.false_alarms for page in (first, stricter)]
    few, many = (one.a_month for one in told if one is not None)
    assert isinstance(few, Estimate)
    assert isinstance(many, Estimate)
    assert few.value < many.value
    assert first.body.verdict == stricter.body.verdict
    assert len(record.pages(Evidence)) == 1


def test_a_policy_that_is_put_back_counts_again(team: Team) -> None:
    """The newest page counts, so an old answer is written once more as the newest."""
    record = team.measure(team.tag("tip@v1.0.0"))
    first = team.judge(record)
    team.edit("policies/metrics.yaml", "floor: 0.75", "floor: 0.99")
    team.judge(record)
    team.edit("policies/metrics.yaml", "floor: 0.99", "floor: 0.75")
    third = team.judge(record)

    assert (third.number, third.body, third.key) == (3, first.body, first.key)
    assert team.judge(record) == third


# --- windows ------------------------------------------------------------------------------------------------


def outcome(metrics: Verdict, previous: Verdict, drift: Verdict) -> Outcome:
    return outcome_of({"metrics": metrics, "previous_version": previous, "drift": drift})


_PASS, _FAIL, _OPEN = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_EVIDENCE


@pytest.mark.parametrize(
    ("metrics", "previous", "drift", "expected"),
    [
        (_PASS, _PASS, _PASS, Outcome.QUIET),
        (_OPEN, _OPEN, _OPEN, Outcome.QUIET),
        (_PASS, _PASS, _OPEN, Outcome.QUIET),
        (_PASS, _PASS, _FAIL, Outcome.WATCH),
        (_PASS, _OPEN, _FAIL, Outcome.WATCH),
        (_OPEN, _OPEN, _FAIL, Outcome.UNCLEAR),
        (_FAIL, _PASS, _PASS, Outcome.RETRAIN),
        (_FAIL, _PASS, _FAIL, Outcome.RETRAIN),
        (_FAIL, _OPEN, _PASS, Outcome.UNCLEAR),
        (_FAIL, _FAIL, _PASS, Outcome.REVERT),
        (_PASS, _FAIL, _PASS, Outcome.REVERT),
        (_OPEN, _FAIL, _OPEN, Outcome.REVERT),
    ],
)
def test_what_is_done_follows_from_three_questions(
    metrics: Verdict, previous: Verdict, drift: Verdict, expected: Outcome
) -> None:
    """One table, so that nobody has to guess what the watch will do at night."""
    assert outcome(metrics, previous, drift) is expected


@pytest.mark.parametrize(("metrics", "drift"), list(product(Verdict, Verdict)))
def test_nobody_goes_back_to_what_cannot_answer(metrics: Verdict, drift: Verdict) -> None:
    """However much better it is: a person has to look."""
    verdicts = {"metrics": metrics, "previous_version": _FAIL, "drift": drift}

    assert outcome_of(verdicts, can_go_back=False) is Outcome.UNCLEAR


@pytest.mark.parametrize(("metrics", "previous"), list(product(Verdict, (_PASS, _OPEN))))
def test_drift_alone_never_reverts(metrics: Verdict, previous: Verdict) -> None:
    """When the world changes, the version before is no better."""
    assert outcome(metrics, previous, _FAIL) is not Outcome.REVERT


def test_without_waivers_the_day_plays_no_part(team: Team) -> None:
    """A release that is judged again next year has the same page, or every day would bring a new verdict."""
    record = team.measure(team.tag("tip@v1.0.0"))

    assert team.judge(record, today=TODAY) == team.judge(record, today=date(2030, 1, 1))


def test_a_window_s_verdicts_keep_what_it_was_held_to(newer: Team) -> None:
    """A report draws these lines; it must not read a policy that was edited since."""
    newer.serve("v1.1.0", days_from(date(2026, 4, 1), 7))
    evidence, verdicts = newer.look_only(date(2026, 4, 7))
    at_release = evidence.body.at_release["f1"]

    assert at_release is not None
    assert verdicts.body.metric_limit == round(at_release.value - 0.05, 6)
    assert [one.feature for one in verdicts.body.limits] == [one.feature for one in evidence.body.window.drift]
    assert {one.null_rate for one in verdicts.body.limits} == {0.03}
