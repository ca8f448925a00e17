"""How a version that was merged and does not run is told, wherever it is."""

from __future__ import annotations

from slipway.domain import commands
from slipway.domain.rollout_failure import RolloutFailure, RolloutProblem
from slipway.reports.markdown import Markdown, fenced

_IN_WORDS = {
    RolloutProblem.NEVER_READY: "never became ready",
    RolloutProblem.WRONG_ANSWERS: "answers wrongly",
    RolloutProblem.FELL_OVER: "fell over",
    RolloutProblem.WORSE: "is worse on what it answered",
}


def in_words(failure: RolloutFailure) -> str:
    """What the version did, to follow its name."""
    return _IN_WORDS[failure.problem]


def golden_in_words(failure: RolloutFailure) -> str:
    if failure.golden_equal is None:
        return f"Its {failure.golden_rows} golden rows were not asked."
    return f"{failure.golden_equal} of {failure.golden_rows} golden rows were answered as when it was judged."


def serves_in_words(failure: RolloutFailure) -> str:
    """What clients get until somebody acts."""
    if failure.canary and failure.problem is RolloutProblem.NEVER_READY:
        return f"`{failure.back_to}` answers all requests."
    if failure.canary:
        return f"**`{failure.version}` answers a share of the requests until then**, and `{failure.back_to}` the rest."
    if failure.serves is None:
        return f"Nothing was seen to answer in `{failure.environment}` since."
    if failure.serves == failure.version:
        return f"**`{failure.version}` is what clients get until then.**"
    return f"`{failure.serves}` still answers."


def printed(failure: RolloutFailure) -> Markdown:
    """The last lines of its server, as a block of code."""
    return fenced("\n".join(failure.log))


def next_steps(failure: RolloutFailure) -> str:
    """What `rollout` does by itself, for who runs the steps one by one."""
    steps = ("judge", "revert-manifest", "file-issue", "record-pages")
    return (
        f"{commands.rollout(failure.model, environment=failure.environment)} tells its owners and goes back, "
        f"as policies/rollout.yaml says; one by one: {', '.join(steps)}, each with {failure.name}"
    )
