"""What does it take to run the candidate, and how much more than what runs now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slipway.domain.cost import Clocked, Cost, CostRatio, ModelCost

_ENOUGH_FOR_P99 = 100  # requests: of fewer it would be the slowest one


def measure(*, candidate: Clocked, deployed: Mapping[str, Clocked], platform: str, batch_rows: int) -> Cost:
    """Reduce what was clocked in turns; `deployed` is by version, and may be empty."""
    taken = _cost(candidate)
    return Cost(
        platform=platform,
        batch_rows=batch_rows,
        candidate=taken,
        ratios=tuple(_ratio(taken, _cost(clocked), version) for version, clocked in sorted(deployed.items())),
    )


def _cost(clocked: Clocked) -> ModelCost:
    return ModelCost(
        size=clocked.size,
        memory=clocked.memory,
        load=_quantile(clocked.loads, 0.0),  # the fastest: they take no turns, and other work only adds to them
        p50=_quantile(clocked.requests, 0.5),
        p99=_quantile(clocked.requests, 0.99) if len(clocked.requests) >= _ENOUGH_FOR_P99 else None,
        batch=_quantile(clocked.batches, 0.5),
    )


def _ratio(candidate: ModelCost, before: ModelCost, version: str) -> CostRatio:
    return CostRatio(
        version=version,
        size=_rounded(candidate.size / before.size),
        memory=_times(candidate.memory, before.memory),
        load=_times(candidate.load, before.load),
        p50=_times(candidate.p50, before.p50),
        p99=_times(candidate.p99, before.p99),
        batch=_times(candidate.batch, before.batch),
    )


def _quantile(seconds: Sequence[float], share: float) -> float | None:
    return _rounded(float(np.quantile(seconds, share))) if seconds else None


def _times(candidate: float | None, before: float | None) -> float | None:
    return _rounded(candidate / before) if candidate is not None and before else None


def _rounded(number: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{number:.4g}")
