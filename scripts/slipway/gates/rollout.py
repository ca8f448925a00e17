"""Does what was merged run, and if it does not: is there a version to go back to?"""

from __future__ import annotations

from slipway.domain import commands
from slipway.domain.incident import Outcome
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.domain.rollout_limit import RolloutLimit
from slipway.domain.verdict import Finding, Verdict


def judge_rollout(failure: RolloutFailure, limit: RolloutLimit) -> tuple[Finding, ...]:
    """The first finding fails, for it was measured that the version does not run; the second one where it must stay.

    A canary that runs and is worse was judged already: what failed is told again, and nothing is judged anew.
    """
    if failure.problem is RolloutProblem.WORSE:
        return (*failure.findings, _can_be_withdrawn(failure))
    return (_runs(failure, limit), _can_be_withdrawn(failure) if failure.canary else _can_be_gone_back(failure))


def outcome_of(failure: RolloutFailure) -> Outcome:
    """`revert` where a version is there to go back to, `unclear` where somebody has to look."""
    return Outcome.UNCLEAR if _why_not(failure) else Outcome.REVERT


def _runs(failure: RolloutFailure, limit: RolloutLimit) -> Finding:
    return Finding(
        gate="rollout",
        title="Does what was merged run?",
        verdict=Verdict.FAIL,
        measured=_measured(failure),
        allowed=f"ready within {limit.ready_seconds:g} s, all {failure.golden_rows} golden answers, "
        f"up for {limit.settle_seconds:g} s more",
        problem=failure.said,
        mend=f"release a mended version: slipway check {failure.model}",
    )


def _can_be_withdrawn(failure: RolloutFailure) -> Finding:
    """Always: what answers the rest never left."""
    return Finding(
        gate="rollout",
        title="Does another version answer the rest?",
        verdict=Verdict.PASS,
        measured=failure.back_to or "none",
        allowed="one beside the canary",
    )


def _measured(failure: RolloutFailure) -> str:
    if failure.problem is RolloutProblem.WRONG_ANSWERS and failure.golden_equal is not None:
        return f"{failure.golden_equal} of {failure.golden_rows} golden answers"
    return str(failure.problem)


def _can_be_gone_back(failure: RolloutFailure) -> Finding:
    why_not = _why_not(failure)
    return Finding(
        gate="rollout",
        title="Is there a version to go back to?",
        verdict=Verdict.FAIL if why_not else Verdict.PASS,
        measured=failure.back_to or "none",
        allowed="one that ran here before",
        problem=f"there is no way back: {why_not}" if why_not else "",
        mend=_mend(failure) if why_not else "",
    )


def _why_not(failure: RolloutFailure) -> str:
    """Empty where there is a way back.

    A version that was put back is not left again for what ran before it: two versions would take turns, with nobody
    looking. A canary is taken out of the manifest, and leads back to nothing.
    """
    if failure.canary:
        return ""
    if failure.put_back_after is not None:
        return f"{failure.version} was itself put back, after {failure.put_back_after}"
    if failure.back_to is None:
        return f"nothing that was verified ran in {failure.environment} before {failure.version}"
    return ""


def _mend(failure: RolloutFailure) -> str:
    if failure.put_back_after is None:
        return f"take {failure.version} out of deploy/{failure.environment}/{failure.model}/kustomization.yaml"
    return (
        "look why no version runs there; to go back to another one: "
        f"{commands.rollback(failure.model, environment=failure.environment)}"
    )
