"""What a reviewer reads who is asked to send an environment back."""

from __future__ import annotations

from slipway.domain.rollout_failure import RolloutFailure
from slipway.reports import rendering
from slipway.reports.markdown import code, prose
from slipway.reports.marker import marker
from slipway.reports.rollout_words import golden_in_words, printed, serves_in_words


def revert_title(*, model: str, environment: str, version: str, back_to: str) -> str:
    return f"{model}: back from {version} to {back_to}, {environment}"


def withdrawal_title(*, model: str, environment: str, version: str, back_to: str) -> str:
    return f"{model}: withdraw the canary {version} beside {back_to}, {environment}"


def withdrawn_comment(*, model: str, environment: str, version: str, reason: str) -> str:
    """What is written to who would have given that canary all of the traffic."""
    return (
        f"Closed: {code(version)} of {code(model)} is withdrawn as a canary from {code(environment)}. {prose(reason)}\n"
    )


def withdrawal_body(
    *,
    model: str,
    environment: str,
    version: str,
    back_to: str,
    digest: str,
    reason: str,
    incident: str,
    refused: str = "",
    failure: RolloutFailure | None = None,
) -> str:
    """As `revert_body`, where `version` is a canary, and `back_to` answers the rest from `digest`.

    `failure` is None where a person asks for it.
    """
    text = rendering.markdown(
        "withdrawal_request",
        model=model,
        environment=environment,
        version=version,
        back_to=back_to,
        digest=digest,
        reason=reason,
        incident=incident,
        refused=refused,
        failure=failure,
        findings=() if failure is None else failure.findings,
        printed=None if failure is None else printed(failure),
    )
    return text + marker(kind="revert", model=model, environment=environment, incident=incident)


def revert_body(
    *,
    model: str,
    environment: str,
    version: str,
    back_to: str,
    digest: str,
    reason: str,
    incident: str,
    refused: str = "",
    failure: RolloutFailure | None = None,
) -> str:
    """Markdown, with the incident's marker at its end.

    `refused` is why the commit that the policy asks for was not taken, empty where it asks for none. `failure` is the
    rollout that leads back, None where the watch or a person does.
    """
    text = rendering.markdown(
        "revert_request",
        model=model,
        environment=environment,
        version=version,
        back_to=back_to,
        digest=digest,
        reason=reason,
        incident=incident,
        refused=refused,
        policy="previous-version" if failure is None else "rollout",
        failure=failure,
        printed=None if failure is None else printed(failure),
        evidence=golden_in_words(failure) if failure else "",
        serves=serves_in_words(failure) if failure else "",
    )
    return text + marker(kind="revert", model=model, environment=environment, incident=incident)
