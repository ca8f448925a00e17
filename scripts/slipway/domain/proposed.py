"""What a pull request changes: models to check, and what deployed versions would be told under its policies."""

from __future__ import annotations

from typing import ClassVar

from slipway.domain.pages import Body, Frozen
from slipway.domain.release import VoidWaiver
from slipway.domain.verdict import Finding, Verdict


class ProposedChanges(Body):
    """`models` are those to check; `misnamed` folders hold a model.yaml, and no release can carry their name.

    `policies` says whether a policy or slipway.yaml changes: then all that is deployed is judged again.
    """

    kind: ClassVar[str] = "proposed-changes"

    models: tuple[str, ...]
    removed: tuple[str, ...]
    misnamed: tuple[str, ...]
    policies: bool


class ChangedFinding(Frozen):
    """One finding under both sets of policies; None where one of them does not ask."""

    before: Finding | None
    after: Finding | None


class Rejudged(Frozen):
    """A deployed version under the policies of today and under proposed ones; `changed` holds what differs.

    `void_waivers` are those of the proposed policies that name it and let nothing through.
    """

    environment: str
    tag: str
    before: Verdict
    after: Verdict
    changed: tuple[ChangedFinding, ...]
    void_waivers: tuple[VoidWaiver, ...] = ()


class Unjudged(Frozen):
    """What is deployed and cannot be judged again: that is no verdict."""

    environment: str
    model: str
    problem: str
    mend: str


class NobodysWaiver(Frozen):
    """A waiver of a model that is not declared, or of a version that was never judged: `unknown` says which."""

    gate: str
    model: str
    version: str
    unknown: str


class Rejudgement(Body):
    kind: ClassVar[str] = "rejudgement"

    judged: tuple[Rejudged, ...]
    unjudged: tuple[Unjudged, ...]
    waivers_of_nobody: tuple[NobodysWaiver, ...] = ()
