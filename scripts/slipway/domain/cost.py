"""What it takes to run a model: what the clock and the system said, beside what it is compared with.

No two runs measure the same, so none of this is part of what a page says; it stands in its circumstances.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from slipway.domain.verdict import Estimate


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocked:
    """One file as it was measured: bytes and seconds, each list in the order of its rounds.

    A list is empty where it could not be measured; `memories` are of the processes that `loads` took place in.
    """

    size: int
    memories: tuple[int, ...] = ()
    loads: tuple[float, ...] = ()
    requests: tuple[float, ...] = ()
    batches: tuple[float, ...] = ()


class ModelCost(_Told):
    """Bytes and seconds; `memory` is the most that a process takes that loads it, `p50` and `p99` are of single rows.

    A range is None where too few were taken to say, and on pages from before there were any.
    """

    size: int
    memory: int | None
    load: float | None
    p50: float | None
    p99: float | None
    batch: float | None
    memory_range: Estimate | None = None
    load_range: Estimate | None = None
    p50_range: Estimate | None = None
    p99_range: Estimate | None = None


class Times(_Told):
    """The candidate over another, and minus it, in bytes or seconds."""

    ratio: Estimate
    more: Estimate


class CostRatio(_Told):
    """The candidate as a multiple of `version`, which took turns with it; None where one of the two is unknown.

    What ends in `_times` says how sure the multiple is; pages from before do not have it.
    """

    version: str
    size: float
    memory: float | None
    load: float | None
    p50: float | None
    p99: float | None
    batch: float | None
    size_times: Times | None = None
    memory_times: Times | None = None
    load_times: Times | None = None
    p50_times: Times | None = None
    p99_times: Times | None = None


class Cost(_Told):
    """`platform` reads `linux/amd64`, `batch_rows` is how many rows a batch had."""

    platform: str
    batch_rows: int
    candidate: ModelCost
    ratios: tuple[CostRatio, ...]

    def ratio_to(self, version: str) -> CostRatio | None:
        return next((one for one in self.ratios if one.version == version), None)
