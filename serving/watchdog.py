"""Stops a run in the event loop that takes far longer than the warm-up promised.

How long a model takes may depend on the values (a loop, a search), and a warm-up of zeros does not know them. While a
run is in the loop nobody else is answered, so a thread looks after it; onnxruntime lets other threads run meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from serving.inference import stoppable

_LOOKS_A_SECOND = 4

Result = TypeVar("Result")


class RunStopped(Exception):
    """The run took too long."""


class Watchdog:
    """Looks after one run at a time."""

    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._run = stoppable()
        self._lock = threading.Lock()  # a run that just ended must not spoil the next one
        self._looking: threading.Thread | None = None

    def over(self, work: Callable[[Any], Result]) -> Result:
        """Call `work` with what stops a run of onnxruntime.

        Raises:
            RunStopped: it took too long.
        """
        if self._looking is None:
            self._looking = threading.Thread(target=self._look, name="watchdog", daemon=True)
            self._looking.start()
        with self._lock:
            self._since = time.monotonic()
        try:
            return work(self._run)
        except Exception:
            if self._run.terminate:
                raise RunStopped from None
            raise
        finally:
            with self._lock:
                self._since = None
                if self._run.terminate:
                    self._run = stoppable()

    def _look(self) -> None:
        while True:
            time.sleep(1 / _LOOKS_A_SECOND)
            with self._lock:
                if self._since is not None and time.monotonic() - self._since > self._seconds:
                    self._run.terminate = True
