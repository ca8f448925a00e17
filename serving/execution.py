"""Where a model runs: at once in the event loop where that is quick, else in one of a few threads, for a limited time.

A thread costs a fast model more than its run, and a slow run in the loop would keep every other client, and the
health check, waiting. A warm-up run says which of the two a model is, and up to how many values a batch is quick.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from serving.admission import overloaded
from serving.inference import Model, stoppable
from serving.tensors import Batch
from serving.watchdog import RunStopped, Watchdog

log = logging.getLogger(__name__)

INLINE_BELOW_SECONDS = 0.001
STOPPED_INLINE_AFTER_SECONDS = 1.0
_MANY_ROWS = 64

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Pace:
    """How quick a model is: `inline_values` is the size of a batch, in values of all inputs, that still is quick."""

    one_row_seconds: float
    inline_values: float

    @classmethod
    def measure(cls, model: Model) -> Pace:
        """Run a row of zeros, and many at once where the model takes them."""
        one = model.warm_up(rows=1)
        if one >= INLINE_BELOW_SECONDS:
            return cls(one, 0)
        if not model.takes_any_rows:
            return cls(one, math.inf)
        many = model.warm_up(rows=_MANY_ROWS)
        quick_rows = _MANY_ROWS * INLINE_BELOW_SECONDS / many
        return cls(one, max(1.0, quick_rows) * model.values_a_row)

    def describe(self) -> str:
        row = f"one row takes {self.one_row_seconds * 1000:.3f} ms"
        if not self.inline_values:
            return f"{row}: runs in threads"
        if math.isinf(self.inline_values):
            return f"{row}: runs in the event loop"
        return f"{row}: runs in the event loop up to {self.inline_values:.0f} values, in threads above"


class Execution:
    """Runs one model."""

    def __init__(self, model: Model, pace: Pace, *, seconds: float, threads: int | None = None) -> None:
        self._model = model
        self._pace = pace
        self._seconds = seconds
        self._watchdog = Watchdog(seconds=min(seconds, STOPPED_INLINE_AFTER_SECONDS))
        self._threads = ThreadPoolExecutor(threads or _processors(), thread_name_prefix="model")

    def is_quick(self, batch: Batch) -> bool:
        """Whether the batch may `run` while everybody else waits."""
        return sum(array.size for array in batch.values()) <= self._pace.inline_values

    def run(self, batch: Batch, outputs: tuple[str, ...]) -> Batch:
        """Answer a batch at once.

        Raises:
            RequestRefused: the model refuses the values, or the run took too long and was stopped.
        """
        try:
            return self._watchdog.over(lambda run: self._model.answer(batch, outputs, run=run))
        except RunStopped:
            self._pace = Pace(self._pace.one_row_seconds, 0)
            log.warning("%s is quick for some values only: from now on it runs in threads", self._model.name)
            raise overloaded("the run was stopped, for it kept everybody else waiting") from None

    async def run_in_thread(self, batch: Batch, outputs: tuple[str, ...]) -> Batch:
        """Answer a batch in one of the threads; raises as `run` does."""
        run = stoppable()
        try:
            async with asyncio.timeout(self._seconds):
                return await self.in_thread(lambda: self._model.answer(batch, outputs, run=run))
        except TimeoutError:
            raise overloaded(f"no answer within {self._seconds:g} s, waiting included") from None
        finally:  # also where the process leaves: onnxruntime looks at it between two operators
            run.terminate = True

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _processors() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
