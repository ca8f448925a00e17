"""Does the version cost no more to run than is allowed: its file, its memory, how long it loads and answers?

Seconds are judged by their interval, and against the deployed version that took turns with it: a machine that is busy
makes a question open, and fails nobody. No two runs measure the same, so what passes is told without its seconds;
these stand beside the evidence, in its circumstances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from slipway.domain.case import ReleaseCase
from slipway.domain.cost import CostRatio, ModelCost
from slipway.domain.limits import BudgetsLimit
from slipway.domain.verdict import Estimate, Finding, Verdict, at_most

_FILE = "policies/budgets.yaml"
_WITHIN = "within its limit"


@dataclass(frozen=True, slots=True)
class _Times:
    """How many times, and how much more than, what is deployed; `noticeable` is the least difference that counts."""

    title: str
    ratio: Estimate
    more: Estimate
    noticeable: float

    def verdict(self, limit: float) -> Verdict:
        """A multiple of next to nothing is nothing: both must exceed, each beyond noise."""
        each = {at_most(self.ratio, limit), at_most(self.more, self.noticeable)}
        if Verdict.PASS in each:
            return Verdict.PASS
        return Verdict.FAIL if each == {Verdict.FAIL} else Verdict.NOT_ENOUGH_EVIDENCE


def judge(case: ReleaseCase, limit: BudgetsLimit) -> tuple[Finding, ...]:
    """Nothing where the cost was not measured; a first release is held to what is absolute."""
    if case.cost is None:
        return ()
    beside = (finding for ratio in case.cost.ratios for finding in _beside(ratio, limit))
    return (*_alone(case.cost.candidate, limit), *beside)


# --- the candidate by itself ---------------------------------------------------------------------------------------


def _alone(taken: ModelCost, limit: BudgetsLimit) -> Iterator[Finding]:
    for title, taken_bytes, most in (
        ("File size", _sure(taken.size), limit.size_bytes),
        ("Memory", taken.memory_range or _sure(taken.memory), limit.memory_bytes),
    ):
        if most is not None and taken_bytes is not None:
            yield _bytes(title, taken_bytes, most)
    for title, seconds, most_ms in (
        ("Load time", taken.load_range, limit.load_ms),
        ("Latency of one row, p50", taken.p50_range, limit.p50_ms),
        ("Latency of one row, p99", taken.p99_range, limit.p99_ms),
    ):
        if most_ms is not None and seconds is not None:
            yield _milliseconds(title, _scaled(seconds, 1e3), most_ms)


def _sure(count: int | None) -> Estimate | None:
    """Of what was counted once."""
    return None if count is None else Estimate(value=count, low=count, high=count)


def _bytes(title: str, taken: Estimate, most: int) -> Finding:
    interval = "" if taken.low == taken.high else f" [{taken.low:,.0f}, {taken.high:,.0f}]"
    return _held(title, at_most(taken, most), f"{taken.value:,.0f} bytes{interval}", f"≤ {most:,} bytes")


def _milliseconds(title: str, taken: Estimate, most: float) -> Finding:
    verdict = at_most(taken, most)
    measured = f"{taken.value:.3g} ms [{taken.low:.3g}, {taken.high:.3g}]"
    return _held(title, verdict, measured, f"≤ {most:g} ms")


# --- beside what is deployed ---------------------------------------------------------------------------------------


def _beside(ratio: CostRatio, limit: BudgetsLimit) -> Iterator[Finding]:
    of = f"× {ratio.version}"
    compared = (
        (f"File size {of}", ratio.size_times, limit.noticeable_bytes, limit.size_ratio),
        (f"Memory {of}", ratio.memory_times, limit.noticeable_bytes, limit.memory_ratio),
        (f"Load time {of}", ratio.load_times, limit.noticeable_load_ms / 1e3, limit.load_ratio),
        (f"Latency p50 {of}", ratio.p50_times, limit.noticeable_ms / 1e3, limit.p50_ratio),
        (f"Latency p99 {of}", ratio.p99_times, limit.noticeable_ms / 1e3, limit.p99_ratio),
    )
    for title, times, noticeable, most in compared:
        if times is not None and most is not None:
            yield _multiple(_Times(title, times.ratio, times.more, noticeable), most)


def _multiple(times: _Times, most: float) -> Finding:
    measured = f"×{times.ratio.value:.2f} [{times.ratio.low:.2f}, {times.ratio.high:.2f}]"
    return _held(times.title, times.verdict(most), measured, f"≤ ×{most:g}")


def _held(title: str, verdict: Verdict, measured: str, allowed: str) -> Finding:
    if verdict is Verdict.PASS:
        return Finding(gate="budgets", title=title, verdict=verdict, measured=_WITHIN, allowed=allowed)
    fails = verdict is Verdict.FAIL
    return Finding(
        gate="budgets",
        title=title,
        verdict=verdict,
        measured=measured,
        allowed=allowed,
        problem=f"{title[:1].lower()}{title[1:]}: {measured}, allowed is {allowed}"
        + ("" if fails else "; the rounds differ too much to tell"),
        mend=_smaller() if fails else f"waive it in {_FILE}, or tag the next number: it is measured anew",
    )


def _smaller() -> str:
    return f"make the model smaller, or give it a budget of its own under `models:` in {_FILE}"


def _scaled(estimate: Estimate, by: float) -> Estimate:
    return Estimate(value=estimate.value * by, low=estimate.low * by, high=estimate.high * by)
