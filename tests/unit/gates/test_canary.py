"""Whether a canary may have all of the traffic is decided from one page and the policies, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipway.adapters.repository import Repository
from slipway.domain.canary import CanaryEvidence, CanaryVerdicts
from slipway.domain.evidence import MetricsEvidence, SliceEvidence, SlicesEvidence, TrafficEvidence
from slipway.domain.incident import FeatureDrift, PreviousEvidence, Window
from slipway.domain.limits import DriftLimit, OutputsLimit, PreviousVersionLimit, PromiseLimit, SlicesLimit
from slipway.domain.metric_limits import MetricsLimit
from slipway.domain.policy import Enforcement, Policies, Policy
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.verdict import Estimate, Finding, Verdict
from slipway.gates import canary, canary_labels, verdicts_of_canary

_SINCE = datetime(2026, 4, 1, 12, tzinfo=UTC)
_DAY = date(2026, 4, 3)
_ASKED = {"share": 0.25, "hours": 24.0, "rows": 2000}


def window(**changes: Any) -> Window:
    told = {
        "start": date(2026, 4, 1),
        "end": _DAY,
        "version": "v1.1.0",
        "rows": 3000,
        "labelled": 0,
        "drift": (),
        "schema_breaks": (),
        "trailing": None,
        "previous": None,
    }
    return Window.model_validate({**told, **changes})


def evidence(**changes: Any) -> CanaryEvidence:
    told = {
        "model": "tip",
        "environment": "production",
        "version": "v1.1.0",
        "digest": "sha256:" + "1" * 64,
        "commit": "c" * 40,
        "stable": "v1.0.0",
        "stable_digest": "sha256:" + "0" * 64,
        "since": _SINCE,
        "hours": 30.0,
        "window": window(),
        "at_release": {"f1": Estimate(value=0.9, low=0.88, high=0.92)},
        "not_finite": {"score": 0},
        "replayed": TrafficEvidence(since="2026-04-01", until="2026-04-03", version="v1.0.0", rows=3000, flips=7),
    }
    return CanaryEvidence.model_validate({**told, **changes})


def policies(limit: dict[str, Any] | None = None, *, audits: str = "") -> Policies:
    """Whatever this repository's own are; the one named by `audits` decides nothing."""
    limits: dict[str, Any] = {
        "rollout": RolloutLimit.model_validate({"canary": _ASKED if limit is None else limit}),
        "outputs": OutputsLimit(),
        "promise": PromiseLimit(),
        "metrics": MetricsLimit.model_validate({"f1": {"floor": 0.75, "drop": 0.05}, "positives": 100}),
        "previous_version": PreviousVersionLimit(gain=0.02, windows=2),
        "slices": SlicesLimit(),
        "drift": DriftLimit(distance=0.15, rows=500),
    }
    found = Repository.around(Path(__file__).parent).policies()
    words = {"question": "Q?", "motivation": "M.", "remedy": "R."}
    return found.model_copy(update={name: _policy(one, words, name == audits) for name, one in limits.items()})


def _policy(limit: Any, words: dict[str, Any], audits: bool) -> Policy[Any]:
    enforce = Enforcement.AUDIT if audits else Enforcement.BLOCK
    return Policy.model_construct(**words, limit=limit, enforce=enforce, models={}, waivers=())


def judged(told: CanaryEvidence, asked: Policies | None = None) -> CanaryVerdicts:
    return verdicts_of_canary(told, asked or policies(), policies_digest="sha256:p", seen=_DAY)


def finding(found: CanaryVerdicts, gate: str) -> Finding:
    return next(one for one in found.findings if one.gate == gate and one.verdict is not Verdict.PASS)


def gain(value: float) -> PreviousEvidence:
    """What going back to the stable version would have won, sure to a hundredth."""
    sure = Estimate(value=value, low=value - 0.01, high=value + 0.01)
    f1 = Estimate(value=0.8, low=0.78, high=0.82)
    return PreviousEvidence(version="v1.0.0", rows=900, deployed=f1, previous=f1, difference=sure)


def scored(f1: float) -> MetricsEvidence:
    sure = Estimate(value=f1, low=f1 - 0.01, high=f1 + 0.01)
    return MetricsEvidence(rows=900, positives=400, days=3, metrics={"f1": sure}, always_positive_f1=0.6, auc=0.9)


def sliced(worse: float) -> SlicesEvidence:
    """One kitchen on which it is so much worse than on all rows, sure to a hundredth."""
    sure = Estimate(value=worse, low=worse - 0.01, high=worse + 0.01)
    one = SliceEvidence(column="kitchen", value="thai", rows=400, positives=200, value_of=None, against_all=sure)
    overall = Estimate(value=0.8, low=0.78, high=0.82)
    return SlicesEvidence(metric="f1", overall=overall, slices=(one,), gaps=(), columns=("kitchen",))


# --- enough of it -------------------------------------------------------------------------------------------


def test_enough_rows_and_hours_with_nothing_wrong_pass() -> None:
    """Nothing else holds a canary back, or a team waits for what nobody asked for."""
    found = judged(evidence())

    assert found.verdict is Verdict.PASS
    assert (found.rows, found.rows_needed, found.hours, found.hours_needed) == (3000, 2000, 30.0, 24.0)


def test_rows_that_were_only_counted_do_not_count() -> None:
    """A canary of which nobody knows one answer would get all of the traffic."""
    found = judged(evidence(window=window(rows=9_000, counted=8_900), not_finite={"score": 0}))

    assert (found.verdict, found.rows) == (Verdict.NOT_ENOUGH_EVIDENCE, 100)
    assert "8,900 more rows were counted alone (log_mode: sketch)" in next(one.notice for one in found.findings)


def test_what_is_still_to_come_is_counted_in_rows_and_hours() -> None:
    """Who reads it decides whether to go for a coffee or for the weekend."""
    found = judged(evidence(hours=10.0, window=window(rows=500)))

    assert found.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert [one.needed for one in found.open_yet] == ["1,500 rows more, some 30 hours like these", "14 hours more"]
    assert found.earliest == datetime(2026, 4, 2, 12, tzinfo=UTC)


def test_a_canary_that_nobody_asked_anything_waits() -> None:
    """No traffic is no evidence: neither good nor bad, and no division by zero."""
    found = judged(evidence(hours=0.0, window=window(rows=0), replayed=None, not_replayed="no row of it was logged"))

    assert found.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert found.open_yet[0].needed == "2,000 rows more"


def test_where_the_policy_asks_for_no_canary_any_more_none_is_held() -> None:
    """A team that takes the limit away while one runs must not be left with it for ever."""
    nowhere = policies({**_ASKED, "environments": ["staging"]})
    assert judged(evidence(hours=0.1, window=window(rows=3)), nowhere).verdict is Verdict.PASS


@given(
    rows=st.integers(0, 10_000),
    hours=st.floats(0, 100, allow_nan=False),
    asked_rows=st.integers(1, 5_000),
    asked_hours=st.floats(0.1, 50, allow_nan=False),
)
def test_a_canary_passes_exactly_when_rows_and_hours_are_there(
    rows: int, hours: float, asked_rows: int, asked_hours: float
) -> None:
    """Never a row or a minute too early, and nothing that is there is waited for."""
    limit = {"share": 0.25, "rows": asked_rows, "hours": asked_hours}
    found = judged(evidence(hours=hours, window=window(rows=rows)), policies(limit))

    assert (found.verdict is Verdict.PASS) == (rows >= asked_rows and hours >= asked_hours)
    assert found.verdict is not Verdict.FAIL
    assert bool(found.open_yet) == (found.verdict is Verdict.NOT_ENOUGH_EVIDENCE)
    assert all(one.needed for one in found.open_yet)


@given(rows=st.integers(0, 10_000), hours=st.floats(0, 100, allow_nan=False), bad=st.integers(1, 100))
def test_what_is_bad_is_bad_at_once(rows: int, hours: float, bad: int) -> None:
    """Nobody waits for two thousand rows of NaN."""
    found = judged(evidence(hours=hours, window=window(rows=rows + bad), not_finite={"score": bad}))
    assert found.verdict is Verdict.FAIL


@given(st.lists(st.sampled_from(Verdict)), st.lists(st.sampled_from(Verdict)))
def test_open_questions_of_other_gates_hold_nobody(mine: list[Verdict], others: list[Verdict]) -> None:
    """Labels can take months: a canary would run until the next version, and each one after it."""
    told = [*(("canary", one) for one in mine), *(("metrics", one) for one in others)]
    findings = [Finding(gate=gate, verdict=one, title="?", measured="", allowed="") for gate, one in told]
    found = canary.verdict_of_canary(findings)

    failed = Verdict.FAIL in (*mine, *others)
    assert (found is Verdict.FAIL) == failed
    assert (found is Verdict.PASS) == (not failed and Verdict.NOT_ENOUGH_EVIDENCE not in mine)


# --- what is wrong ------------------------------------------------------------------------------------------


def test_answers_that_are_no_numbers_fail_and_say_how_many() -> None:
    """Users got these; the samples of the release had none."""
    found = judged(evidence(not_finite={"odds": 0, "score": 3}))

    assert [one.gate for one in found.failed] == ["outputs"]
    assert finding(found, "outputs").problem == "output `score` was NaN, infinite or empty in 3 of 3,000 answers"


def test_a_patch_that_decides_otherwise_fails() -> None:
    """Its number promises the same answers, and real rows know no sample's limits."""
    found = judged(evidence(same_answers=True))

    assert [one.gate for one in found.failed] == ["promise"]
    assert finding(found, "promise").problem == (
        "7 of 3,000 rows that it answered are decided otherwise than by v1.0.0, and v1.1.0 promises the same answers"
    )


def test_flips_of_a_minor_version_are_told_and_decide_nothing() -> None:
    """That is what its number is for."""
    found = judged(evidence())
    told = next(one for one in found.findings if one.gate == "promise")
    assert (told.verdict, told.measured) == (Verdict.PASS, "7 of 3,000 rows otherwise")


def test_rows_that_could_not_be_put_to_both_are_told() -> None:
    """A gate that was not asked must not look like one that passed."""
    found = judged(evidence(replayed=None, not_replayed="served log has no column `guests`"))
    assert finding(found, "promise").measured == "not asked: served log has no column `guests`"
    assert found.verdict is Verdict.PASS


def test_a_stable_version_that_does_better_beyond_noise_fails_the_canary() -> None:
    """On the same labelled rows, at the first look: its days add up, and no second window is needed."""
    found = judged(evidence(window=window(labelled=900, previous=gain(0.10))))

    assert "previous_version" in [one.gate for one in found.failed]
    assert "v1.0.0 would have had an F1 0.10 higher" in finding(found, "previous_version").problem


@pytest.mark.parametrize("value", [-0.1, 0.0, 0.015])
def test_a_stable_version_that_does_no_better_fails_nobody(value: float) -> None:
    """Within noise, or within what the policy allows."""
    assert judged(evidence(window=window(labelled=900, previous=gain(value)))).verdict is Verdict.PASS


def test_a_metric_that_is_worse_for_both_is_the_worlds() -> None:
    """To withdraw a canary because the world changed would keep the version that copes no better."""
    found = judged(evidence(window=window(labelled=900, previous=gain(0.0), trailing=scored(0.5))))
    told = next(one for one in found.findings if one.gate == "metrics")

    assert found.verdict is Verdict.PASS
    assert told.notice.endswith("v1.0.0 does no better on the same rows")


def test_a_metric_that_is_worse_fails_where_nobody_can_say_that_the_stable_version_is_as_bad() -> None:
    """It is measured, and beyond its interval."""
    found = judged(evidence(window=window(labelled=900, trailing=scored(0.5))))
    assert [one.gate for one in found.failed] == ["metrics"]


def test_a_worse_metric_waits_while_nobody_knows_whether_the_stable_version_does_better() -> None:
    """To withdraw it could be for what the world did, and to go on could be wrong: both are asked more rows."""
    unsure = gain(0.03).model_copy(update={"difference": Estimate(value=0.03, low=-0.02, high=0.08)})
    found = judged(evidence(window=window(labelled=900, previous=unsure, trailing=scored(0.5))))
    (waits,) = found.open_yet

    assert found.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert waits.title == "Is it worse than v1.0.0, or is the world?"
    assert waits.needed.endswith("days like these")
    assert "allowed is 0.85" in finding(found, "metrics").problem


def test_a_worse_metric_in_audit_holds_nobody() -> None:
    """What decides nothing may not keep a canary waiting either."""
    unsure = gain(0.03).model_copy(update={"difference": Estimate(value=0.03, low=-0.02, high=0.08)})
    told = evidence(window=window(labelled=900, previous=unsure, trailing=scored(0.5)))
    assert judged(told, policies(audits="metrics")).verdict is Verdict.PASS


def test_a_handful_of_labels_withdraws_nobody() -> None:
    """On two days with two labels each, one of two equal versions is the better for sure, by luck alone."""
    few = gain(0.5).model_copy(update={"rows": 4})
    of_four = scored(0.9).model_copy(update={"rows": 4, "positives": 3})
    found = judged(evidence(window=window(labelled=4, previous=few, trailing=of_four)))
    told = finding(found, "previous_version")

    assert found.verdict is Verdict.PASS
    assert told.verdict is Verdict.NOT_ENOUGH_EVIDENCE
    assert told.problem.endswith("that is of 3 labelled positives, and policies/metrics.yaml asks for 100")
    assert told.needed == "about 97 labelled positives more, some 97 days like these"


def test_what_one_look_would_call_sure_need_not_be_at_the_twentieth() -> None:
    """Who looks each day, and stops at the first bad one, is wrong far more often than once in twenty."""
    surely = gain(0.032)  # at least 0.022, where 0.02 is allowed
    at_once = evidence(window=window(labelled=900, previous=surely, end=date(2026, 4, 1)))
    later = evidence(window=window(labelled=900, previous=surely, end=date(2026, 4, 20)))

    assert judged(at_once).verdict is Verdict.FAIL
    assert judged(later).verdict is Verdict.PASS
    clear = gain(0.06)
    assert judged(evidence(window=window(labelled=900, previous=clear, end=date(2026, 4, 20)))).verdict is Verdict.FAIL


def test_equal_versions_are_told_apart_seldom_however_often_one_looks() -> None:
    """Of 300 canaries that are as good as what runs, each looked at on thirty days, one in forty may be withdrawn."""
    drawn = np.random.default_rng(4).normal(0.02, 0.1, (300, 30))  # by days; as bad as is allowed
    days = np.arange(1, 31)
    value, wide = np.cumsum(drawn, axis=1) / days, 1.96 * 0.1 / np.sqrt(days)
    withdrawn = alone = 0
    for values in value:
        looks = [
            gain(0.0).model_copy(update={"difference": Estimate(value=one, low=one - half, high=one + half)})
            for one, half in zip(values.tolist(), wide.tolist(), strict=True)
        ]
        alone += any(one.gain is not None and one.gain.low > 0.02 for one in looks)
        wider = [
            canary_labels.over_all_looks(evidence(window=window(start=_DAY, end=_DAY + timedelta(day), previous=one)))
            for day, one in enumerate(looks)
        ]
        gains = [one.window.previous.gain for one in wider if one.window.previous]
        withdrawn += any(one is not None and one.low > 0.02 for one in gains)

    assert withdrawn <= 300 * 0.025
    assert alone > 300 * 0.1


def test_a_slice_on_which_the_stable_version_fails_as_well_is_the_worlds() -> None:
    """Both find rows of that kind hard by now; the one that is withdrawn would be replaced by one that is no better."""
    alone = judged(evidence(slices=sliced(-0.4)))
    beside = judged(evidence(slices=sliced(-0.4), stable_slices=sliced(-0.35)))

    assert [one.gate for one in alone.failed] == ["slices"]
    assert beside.verdict is Verdict.PASS
    assert any(one.notice.endswith("so does v1.0.0") for one in beside.findings)


def test_answers_that_are_no_numbers_of_both_versions_are_the_worlds() -> None:
    """A feed that broke gives both of them rows that none was made for."""
    both = evidence(not_finite={"score": 30}, stable_rows=9000, stable_not_finite={"score": 92})
    seldom = evidence(not_finite={"score": 30}, stable_rows=9000, stable_not_finite={"score": 9})

    assert judged(both).verdict is Verdict.PASS
    assert judged(both).findings[3].notice.endswith("in 30 of 3,000 answers; of v1.0.0 as often")
    assert judged(seldom).verdict is Verdict.FAIL


def test_a_canary_that_answers_nothing_for_all_of_its_hours_is_noticed() -> None:
    """It may refuse what clients send, and a refusal is in no served log."""
    none = evidence(window=window(rows=0), stable_rows=9000, replayed=None)

    assert "none of the 9,000 rows" in judged(none).open_yet[0].notice
    assert judged(none.model_copy(update={"hours": 3.0})).open_yet[0].notice == ""
    assert judged(none.model_copy(update={"stable_rows": 0})).open_yet[0].notice == ""


@given(tenths=st.integers(0, 239))
def test_hours_that_are_missing_are_told_to_the_tenth(tenths: int) -> None:
    """24 − 23.9 is a little more than a tenth to a computer, and no two tenths to a person."""
    found = judged(evidence(hours=tenths / 10))
    assert found.open_yet[0].needed == f"{(240 - tenths) / 10:g} hours more"


def test_drift_of_its_inputs_is_told_and_withdraws_nothing() -> None:
    """The stable version is asked the same: another version is no remedy."""
    moved = FeatureDrift(feature="bill", measure="KS", low=0.6, high=0.62, wasserstein=1.0, null_rate_change=0.0)
    found = judged(evidence(window=window(rows=3000, drift=(moved,))))
    told = next(one for one in found.findings if one.gate == "drift")

    assert (found.verdict, told.verdict) == (Verdict.PASS, Verdict.PASS)
    assert told.notice.endswith("v1.0.0 is asked the same")


def test_a_policy_in_audit_withdraws_nothing() -> None:
    """As everywhere: it is told, with what it would have done."""
    found = judged(evidence(not_finite={"score": 9}), policies(audits="outputs"))

    assert found.verdict is Verdict.PASS
    assert finding(found, "outputs").audit


# --- its share ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stable_rows", "noticed"), [(9000, False), (8900, False), (6000, True), (None, False)])
def test_more_than_its_share_is_noticed_and_is_no_fault_of_the_version(stable_rows: int | None, noticed: bool) -> None:
    """A client that keeps one connection can do that; chance alone is not told."""
    found = judged(evidence(stable_rows=stable_rows))

    assert found.verdict is Verdict.PASS
    assert any("the policy says 25%" in one.notice for one in found.findings) == noticed


def test_a_page_from_before_a_field_was_kept_is_judged() -> None:
    """Pages are written once, and read by every Slipway after."""
    told = evidence().model_dump(
        mode="json",
        exclude={"stable_rows", "not_finite", "replayed", "not_replayed", "slices", "same_answers", "calibration"},
    )
    assert judged(CanaryEvidence.model_validate(told)).verdict is Verdict.PASS
