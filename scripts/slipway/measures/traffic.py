"""Merged yesterday, how many of production's decisions would have differed?"""

from __future__ import annotations

from slipway.domain.model import Decision
from slipway.domain.release import ServedWindow, TrafficEvidence
from slipway.domain.rows import Batch, rows_in, scores
from slipway.maths.classification import decide, flips


def measure(
    *,
    served: ServedWindow,
    version: str,
    deployed: Batch,
    candidate: Batch,
    decision: Decision,
    deployed_decision: Decision,
) -> TrafficEvidence:
    """Each version decides by its own output and threshold."""
    before = decide(scores(deployed, deployed_decision.output), threshold=deployed_decision.threshold)
    after = decide(scores(candidate, decision.output), threshold=decision.threshold)
    return TrafficEvidence(
        since=served.since,
        until=served.until,
        version=version,
        rows=rows_in(candidate),
        flips=flips(before, after).total,
    )
