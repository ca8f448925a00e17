"""What a reviewer reads who is asked to send an environment back."""

from __future__ import annotations

from dataclasses import dataclass

from slipway.domain.rollout_failure import RolloutFailure
from slipway.reports import rendering
from slipway.reports.markdown import code, prose
from slipway.reports.marker import marker
from slipway.reports.rollout_words import golden_in_words, printed, serves_in_words


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBackAsked:
    """What a reviewer is asked for: back from `version` to `back_to`, whose image is `digest`.

    Where it `withdraws`, `version` is a canary, and `back_to` answers the rest already. `refused` is why the commit
    that the policy asks for was not taken, empty where it asks for none. `failure` is the rollout that leads back,
    None where the watch or a person does.
    """

    model: str
    environment: str
    version: str
    back_to: str
    digest: str
    reason: str
    incident: str
    refused: str = ""
    failure: RolloutFailure | None = None
    withdraws: bool = False


def way_back_title(asked: WayBackAsked) -> str:
    if asked.withdraws:
        return f"{asked.model}: withdraw the canary {asked.version} beside {asked.back_to}, {asked.environment}"
    return f"{asked.model}: back from {asked.version} to {asked.back_to}, {asked.environment}"


def way_back_body(asked: WayBackAsked) -> str:
    """Markdown, with the incident's marker at its end."""
    failure = asked.failure
    text = rendering.markdown(
        "withdrawal_request" if asked.withdraws else "revert_request",
        asked=asked,
        policy="previous-version" if failure is None else "rollout",
        failure=failure,
        findings=() if failure is None else failure.findings,
        printed=None if failure is None else printed(failure),
        evidence=golden_in_words(failure) if failure else "",
        serves=serves_in_words(failure) if failure else "",
    )
    return text + marker(kind="revert", model=asked.model, environment=asked.environment, incident=asked.incident)


def withdrawn_comment(*, model: str, environment: str, version: str, reason: str) -> str:
    """What is written to who would have given that canary all of the traffic."""
    return (
        f"Closed: {code(version)} of {code(model)} is withdrawn as a canary from {code(environment)}. {prose(reason)}\n"
    )
