"""What does it take to run the candidate, and how much more than what runs now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from slipway.domain.cost import Clocked, Cost, CostRatio, ModelCost, Times
from slipway.domain.verdict import Estimate
from slipway.maths.turns import Interval, quantile_of, quantiles_beside

_ENOUGH_FOR_P99 = 100  # requests: of fewer it would be the slowest one


def measure(*, candidate: Clocked, deployed: Mapping[str, Clocked], platform: str, batch_rows: int) -> Cost:
    """Reduce what was clocked in turns; `deployed` is by version, and may be empty."""
    taken = _cost(candidate)
    return Cost(
        platform=platform,
        batch_rows=batch_rows,
        candidate=taken,
        ratios=tuple(_ratio(candidate, clocked, version) for version, clocked in sorted(deployed.items())),
    )


def _cost(clocked: Clocked) -> ModelCost:
    return ModelCost(
        size=clocked.size,
        memory=int(np.median(clocked.memories)) if clocked.memories else None,
        load=_quantile(clocked.loads, 0.5),
        p50=_quantile(clocked.requests, 0.5),
        p99=_quantile(clocked.requests, 0.99) if len(clocked.requests) >= _ENOUGH_FOR_P99 else None,
        batch=_quantile(clocked.batches, 0.5),
        memory_range=_estimate(quantile_of(clocked.memories, 0.5)),
        load_range=_estimate(quantile_of(clocked.loads, 0.5)),
        p50_range=_estimate(quantile_of(clocked.requests, 0.5)),
        p99_range=_estimate(quantile_of(clocked.requests, 0.99)) if _has_p99(clocked) else None,
    )


def _ratio(clocked: Clocked, clocked_before: Clocked, version: str) -> CostRatio:
    candidate, before = _cost(clocked), _cost(clocked_before)
    return CostRatio(
        version=version,
        size=_rounded(candidate.size / before.size),
        memory=_times(candidate.memory, before.memory),
        load=_times(candidate.load, before.load),
        p50=_times(candidate.p50, before.p50),
        p99=_times(candidate.p99, before.p99),
        batch=_times(candidate.batch, before.batch),
        size_times=_counted(clocked.size, clocked_before.size),
        memory_times=_beside(clocked.memories, clocked_before.memories, 0.5),
        load_times=_beside(clocked.loads, clocked_before.loads, 0.5),
        p50_times=_beside(clocked.requests, clocked_before.requests, 0.5),
        p99_times=_beside(clocked.requests, clocked_before.requests, 0.99)
        if _has_p99(clocked) and _has_p99(clocked_before)
        else None,
    )


def _has_p99(clocked: Clocked) -> bool:
    return len(clocked.requests) >= _ENOUGH_FOR_P99


def _counted(candidate: int, before: int) -> Times | None:
    """The bytes of a file are counted, and have no interval."""
    if not before:
        return None
    ratio, more = candidate / before, float(candidate - before)
    return Times(ratio=_certain(ratio), more=_certain(more))


def _beside(candidate: Sequence[float], before: Sequence[float], share: float) -> Times | None:
    found = quantiles_beside(candidate, before, share)
    return None if found is None else Times(ratio=_told(found[0]), more=_told(found[1]))


def _estimate(interval: Interval | None) -> Estimate | None:
    return None if interval is None else _told(interval)


def _told(interval: Interval) -> Estimate:
    return Estimate(value=_rounded(interval.value), low=_rounded(interval.low), high=_rounded(interval.high))


def _certain(number: float) -> Estimate:
    return Estimate(value=_rounded(number), low=_rounded(number), high=_rounded(number))


def _quantile(seconds: Sequence[float], share: float) -> float | None:
    return _rounded(float(np.quantile(seconds, share))) if seconds else None


def _times(candidate: float | None, before: float | None) -> float | None:
    return _rounded(candidate / before) if candidate is not None and before else None


def _rounded(number: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{number:.4g}")
