"""What it takes to run a version, in words: as multiples of what runs now, or as it is where nothing does."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.domain.cost import Cost, CostRatio, ModelCost
from slipway.reports import numbers


def cost_in_short(cost: Cost, *, beside: str | None) -> str:
    """`p50 ×1.02, memory ×1.00 of v1.3.0`; absolute where it was not measured beside that version."""
    ratio = _ratio(cost, beside)
    compared = [f"{name} {times(many)}" for name, many in (("p50", ratio.p50), ("memory", ratio.memory)) if many]
    told = [f"p50 {duration(cost.candidate.p50)}"] if cost.candidate.p50 and not ratio.p50 else []
    told += [f"memory {numbers.size(cost.candidate.memory)}"] if cost.candidate.memory and not ratio.memory else []
    of = [f"{', '.join(compared)} of {ratio.version}"] if compared else []
    return "; ".join([*([", ".join(told)] if told else []), *of]) or "speed and memory could not be measured"


def cost_in_full(cost: Cost, *, beside: str | None) -> str:
    """Each number with its multiple in brackets."""
    ratio = _ratio(cost, beside)
    compared = f"; in brackets: times {ratio.version}, asked in turns" if ratio.version else ""
    return f"{', '.join(_parts(cost.candidate, ratio, rows=cost.batch_rows))}{compared}"


def duration(seconds: float) -> str:
    for unit, of in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= of:
            return f"{seconds / of:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def times(many: float) -> str:
    return f"×{many:.2f}"


def _ratio(cost: Cost, version: str | None) -> CostRatio:
    unknown = CostRatio(version="", size=1.0, memory=None, load=None, p50=None, p99=None, batch=None)
    return (cost.ratio_to(version) if version else None) or unknown


def _parts(one: ModelCost, ratio: CostRatio, *, rows: int) -> Iterator[str]:
    yield f"file {numbers.size(one.size)}" + (f" ({times(ratio.size)})" if ratio.version else "")
    if one.memory:
        yield f"process {numbers.size(one.memory)}{_in_brackets(ratio.memory)}"
    for words, seconds, many in (
        ("loads in", one.load, ratio.load),
        ("one row p50", one.p50, ratio.p50),
        ("p99", one.p99, ratio.p99),
        (f"{numbers.count(rows)} rows in", one.batch, ratio.batch),
    ):
        if seconds:
            yield f"{words} {duration(seconds)}{_in_brackets(many)}"


def _in_brackets(many: float | None) -> str:
    return f" ({times(many)})" if many else ""
