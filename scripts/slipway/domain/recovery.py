"""When an incident is over, and when one that was is back."""

from __future__ import annotations

from slipway.domain.incident import IncidentKind, IncidentVerdicts, WindowEvidence
from slipway.domain.verdict import Verdict


def is_over(evidence: WindowEvidence, verdicts: IncidentVerdicts, *, opened_as: str) -> bool:
    """Recovery is shown, never taken from a lack of rows: what was wrong must pass.

    A metric of a version that runs no more is over with it. `opened_as` is the incident that an open issue names, empty
    where a person took that out.
    """
    unproven = {finding.gate for finding in verdicts.findings if finding.verdict is not Verdict.PASS}
    incident = evidence.open_incident or opened_as
    first = (*evidence.earlier, evidence.window)[0]
    of_this_version = incident[:10] >= first.start.isoformat()
    is_metric = incident.endswith(f"-{IncidentKind.METRIC}")
    return "drift" not in unproven and not (is_metric and of_this_version and "metrics" in unproven)


def is_back(evidence: WindowEvidence, verdicts: IncidentVerdicts, *, opened_as: str, version: str | None) -> bool:
    """Whether it belongs to an issue that was closed, about the incident `opened_as` of `version`.

    It does where it is the very incident, whose issue a person closed before it was over; and where it is of the same
    kind on the same version, which recovered and did not stay well. What another version shows has another cause.
    """
    of_this_kind = opened_as.endswith(f"-{verdicts.kind_of_incident}") and version == evidence.window.version
    return opened_as == verdicts.incident or of_this_kind
