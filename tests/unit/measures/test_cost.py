"""Seconds and bytes, as multiples of what runs now."""

from __future__ import annotations

from slipway.domain.cost import Clocked, Cost
from slipway.measures.cost import measure

_CANDIDATE = Clocked(
    size=2_000,
    memories=(60, 61, 60, 60, 60),
    loads=(0.2, 0.2, 0.9, 0.2, 0.2),
    requests=(0.001,) * 99 + (0.1,) * 2,
    batches=(0.02,),
)
_BEFORE = Clocked(size=1_000, memories=(30,) * 5, loads=(0.1,) * 5, requests=(0.002,) * 101, batches=(0.01,))


def cost(candidate: Clocked = _CANDIDATE, **deployed: Clocked) -> Cost:
    return measure(candidate=candidate, deployed=deployed, platform="linux/amd64", batch_rows=1024)


def test_a_version_is_told_in_multiples_of_each_that_runs() -> None:
    """Seconds of one machine say little; ×2 of what is known to be quick enough says all."""
    found = cost(v1=_BEFORE, v0=_CANDIDATE)

    ratio = found.ratio_to("v1")
    assert ratio is not None
    assert (ratio.size, ratio.memory, ratio.load, ratio.p50, ratio.batch) == (2.0, 2.0, 2.0, 0.5, 2.0)
    assert ratio.p99 == 50.0
    same = found.ratio_to("v0")
    assert same is not None
    assert (same.size, same.memory, same.load, same.p50, same.p99, same.batch) == (1.0,) * 6
    assert found.ratio_to("v9") is None


def test_what_could_not_be_measured_is_no_number() -> None:
    """A version that cannot answer the same rows must not look infinitely fast, or equally fast."""
    silent = Clocked(size=1_000)

    ratio = cost(v1=silent).ratio_to("v1")
    backwards = cost(silent, v1=_BEFORE).ratio_to("v1")

    assert ratio is not None and backwards is not None
    for one in (ratio, backwards):
        assert (one.memory, one.load, one.p50, one.p99, one.batch) == (None,) * 5
        assert (one.memory_times, one.load_times, one.p50_times, one.p99_times) == (None,) * 4
    assert (ratio.size, backwards.size) == (2.0, 1.0)


def test_the_slowest_of_a_few_requests_is_no_p99() -> None:
    """Of 99 requests it would be the one that the garbage collector met."""
    few = Clocked(size=1, requests=(0.001,) * 99)

    assert cost(few).candidate.p50 == 0.001
    assert cost(few).candidate.p99 is None


def test_loads_and_memory_say_how_sure_they_are() -> None:
    """A machine that was busy during one load would otherwise refuse a version, or let it pass."""
    found = cost(v1=_BEFORE)

    (ratio,) = found.ratios
    assert ratio.load_times is not None and ratio.memory_times is not None
    assert (ratio.load_times.ratio.value, ratio.load_times.ratio.low) == (2.0, 2.0)
    assert 2.0 <= ratio.load_times.ratio.high <= 9.0
    assert (ratio.memory_times.ratio.value, ratio.memory_times.more.value) == (2.0, 30.0)
    assert found.candidate.memory_range is not None and found.candidate.load_range is not None
    assert (found.candidate.memory_range.low, found.candidate.load_range.value) == (60.0, 0.2)


def test_what_slows_both_in_turns_leaves_their_multiple_sure() -> None:
    """Each round met the same machine: seconds that differ tenfold still say twice as long."""
    busy = (0.1, 1.0, 0.3, 0.1, 0.7, 0.2)
    before, candidate = (Clocked(size=1, loads=tuple(times * one for one in busy)) for times in (1, 2))

    (ratio,) = cost(candidate, v1=before).ratios

    assert ratio.load_times is not None
    assert (ratio.load_times.ratio.low, ratio.load_times.ratio.high) == (2.0, 2.0)


def test_a_few_loads_have_no_interval() -> None:
    """A model that takes minutes to load is told with its time, and judged by nothing that nobody knows."""
    few = Clocked(size=1, loads=(60.0,) * 4, memories=(10**9,) * 4)

    found = cost(few, v1=few)

    assert (found.candidate.load, found.candidate.memory) == (60.0, 10**9)
    assert (found.candidate.load_range, found.candidate.memory_range) == (None, None)
    assert (found.ratios[0].load_times, found.ratios[0].memory_times) == (None, None)
