"""Where a model runs, and how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from serving.errors import RequestRefused
from serving.execution import Execution, Pace
from serving.inference import Model
from tests.unit.serving import graphs

BATCH = {"hour": np.zeros((3, 1), dtype=np.float32), "carrier": np.full((3, 1), "AA", dtype=object)}


def test_a_batch_up_to_the_limit_runs_in_the_loop_and_one_above_it_in_a_thread(late: Model) -> None:
    """A thread costs a fast model more than its run; a slow run in the loop keeps the health check waiting."""
    up_to_six, up_to_five = (Execution(late, Pace(0.0, values), seconds=30.0) for values in (6, 5))

    assert up_to_six.is_quick(BATCH) and not up_to_five.is_quick(BATCH)
    assert up_to_six.run(BATCH, ("p_late",))["p_late"].tolist() == [[0.125]] * 3
    assert asyncio.run(up_to_five.run_in_thread(BATCH, ("p_late",)))["p_late"].tolist() == [[0.125]] * 3


def test_the_pace_of_a_small_model_is_quick_for_a_row_and_ends_at_some_batch(late: Model) -> None:
    """What is measured at the start decides how every request runs."""
    pace = Pace.measure(late)

    assert pace.one_row_seconds > 0
    assert 2 < pace.inline_values < 10**9 or pace.inline_values == 0  # on a machine that is this busy, rightly so


def test_a_model_that_fails_on_zeros_runs_in_threads(write_model: Callable[..., Path]) -> None:
    """Nobody knows how long it takes."""
    graph = "t (int64[N,1] row) => (float[N,1,1] y) <float[1,1] table = {1.0}, int64 one = {1}> "
    graph += "{ at = Add (row, one) y = Gather (table, at) }"
    pace = Pace.measure(Model.load(write_model(graph), name="m", version="v1.0.0"))

    assert pace.inline_values == 0
    assert "in threads" in pace.describe()


def test_a_run_beyond_its_time_is_stopped_and_the_thread_is_free_again(write_model: Callable[..., Path]) -> None:
    """An input that sends a model around in circles must cost its client, and not the next one, the answer."""
    model = Model.load(write_model(graphs.SLOW), name="slow", version="v1.0.0")

    async def ask() -> RequestRefused:
        execution = Execution(model, Pace(1.0, 0), seconds=0.2, threads=1)
        with pytest.raises(RequestRefused) as refusal:
            await execution.run_in_thread({"turns": np.ones(1, dtype=np.int64)}, ("y",))
        await asyncio.wait_for(execution.in_thread(lambda: None), timeout=60)
        return refusal.value

    start = time.monotonic()
    refusal = asyncio.run(ask())

    assert (refusal.status, refusal.cause) == (503, "overloaded")
    assert "no answer within 0.2 s" in refusal.reason
    assert time.monotonic() - start < 60


def test_a_run_that_nobody_waits_for_any_more_is_stopped(write_model: Callable[..., Path]) -> None:
    """A process that is told to leave would otherwise wait for the thread, and be killed in the end."""
    model = Model.load(write_model(graphs.SLOW), name="slow", version="v1.0.0")

    async def ask() -> None:
        execution = Execution(model, Pace(1.0, 0), seconds=600.0, threads=1)
        answering = asyncio.ensure_future(execution.run_in_thread({"turns": np.ones(1, dtype=np.int64)}, ("y",)))
        await asyncio.sleep(0.1)
        answering.cancel()
        await asyncio.wait_for(execution.in_thread(lambda: None), timeout=60)

    asyncio.run(ask())


def test_a_model_that_was_quick_for_zeros_only_is_stopped_once_and_runs_in_threads_from_then_on(
    write_model: Callable[..., Path],
) -> None:
    """One request with the wrong values would otherwise block the event loop, and with it everybody, for good."""
    model = Model.load(write_model(graphs.SLOW), name="slow", version="v1.0.0")
    one, zero = ({"turns": np.full(1, value, dtype=np.int64)} for value in (1, 0))

    execution = Execution(model, Pace.measure(model), seconds=0.3)
    assert execution.is_quick(one)
    assert execution.run(zero, ("y",))["y"].tolist() == [0]
    with pytest.raises(RequestRefused, match="it kept everybody else waiting"):
        execution.run(one, ("y",))

    assert not execution.is_quick(one)
    with pytest.raises(RequestRefused, match=r"no answer within 0.3 s"):
        asyncio.run(execution.run_in_thread(one, ("y",)))
