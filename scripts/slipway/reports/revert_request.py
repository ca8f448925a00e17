"""What a reviewer reads who is asked to send an environment back."""

from __future__ import annotations

from slipway.reports import rendering
from slipway.reports.marker import marker


def revert_title(*, model: str, environment: str, version: str, back_to: str) -> str:
    return f"{model}: back from {version} to {back_to}, {environment}"


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
) -> str:
    """Markdown, with the incident's marker at its end.

    `refused` is why the commit that the policy asks for was not taken, empty where it asks for none.
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
    )
    return text + marker(kind="revert", model=model, environment=environment, incident=incident)
