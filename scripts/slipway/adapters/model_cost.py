"""Take the time and the memory of models: they are loaded in turns, each time in a new process, then asked in turns."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slipway.adapters import onnx_loading, onnx_session
from slipway.adapters.onnx_session import OnnxModel
from slipway.adapters.processes import bounded_process
from slipway.domain.cost import Clocked
from slipway.domain.rows import Batch, rows_in, take
from slipway.errors import ModelFailed, ModelRefused

BATCH_ROWS = 1024
_SECONDS = 0.4  # of asking, shared by all models, for rows and for batches each
_LEAST_REQUESTS = 10  # also of a slow model: of fewer, nobody could say how sure their median is
_MOST_REQUESTS = 500
_MOST_BATCHES = 20
_LONGEST = 180  # seconds of loading, shared by all models; what was told until then counts
_SLOW = 1.0  # seconds: a load of which somebody who waits is told
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

log = logging.getLogger(__name__)


def clock(models: Mapping[str, Path], rows: Batch) -> dict[str, Clocked]:
    """Measure ONNX files beside each other, each under its name.

    Args:
        models: a few, since all of them are open at once.
        rows: to ask, at least one. A model that cannot be opened, or cannot answer them, is not asked.
    """
    loaded = _loaded_in_turns(models)
    batch = take(rows, slice(BATCH_ROWS))
    opened = {name: model for name, path in models.items() if (model := _that_answers(path, batch)) is not None}
    singles = [take(rows, slice(row, row + 1)) for row in range(min(rows_in(rows), _MOST_REQUESTS))]
    requests = _in_turns(opened, singles, least=_LEAST_REQUESTS, most=_MOST_REQUESTS)
    batches = _in_turns(opened, [batch], least=1, most=_MOST_BATCHES)
    return {
        name: Clocked(
            size=path.stat().st_size,
            memories=tuple(loaded[name].memories),
            loads=tuple(loaded[name].seconds),
            requests=requests.get(name, ()),
            batches=batches.get(name, ()),
        )
        for name, path in models.items()
    }


def this_platform() -> str:
    """As images are named, `linux/amd64`."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}/{_ARCHITECTURES.get(machine, machine)}"


def _that_answers(path: Path, rows: Batch) -> OnnxModel | None:
    try:
        model = onnx_session.open_model(path)
        model.predict(rows)
    except (ModelFailed, ModelRefused) as problem:
        log.info("%s is not timed: %s", path, problem.problem)
        return None
    return model


def _in_turns(
    models: Mapping[str, OnnxModel], questions: Sequence[Batch], *, least: int, most: int
) -> dict[str, tuple[float, ...]]:
    """Ask all the same question before the next, so that what else the machine does meets all of them alike.

    Each round begins with another model. The first round is not counted: it sets up what later ones have.
    """
    taken: dict[str, list[float]] = {name: [] for name in models}
    names, ends = list(models), time.monotonic() + _SECONDS
    for number in range(most + 1 if names else 0):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            taken[name].append(_seconds(models[name], questions[number % len(questions)]))
        if number >= least and time.monotonic() > ends:
            break
    return {name: tuple(seconds[1:]) for name, seconds in taken.items()}


def _seconds(model: OnnxModel, rows: Batch) -> float:
    started = time.perf_counter()
    model.predict(rows)
    return time.perf_counter() - started


# --- loading: what `onnx_loading` tells, line by line --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Loads:
    """Of one file, in the order of its rounds; `memories` is shorter where the system does not tell them."""

    seconds: list[float] = field(default_factory=list)
    memories: list[int] = field(default_factory=list)

    def add(self, told: Mapping[str, Any]) -> None:
        self.seconds.append(told["seconds"])
        if told["memory"] is not None:
            self.memories.append(told["memory"])


def _loaded_in_turns(models: Mapping[str, Path]) -> dict[str, _Loads]:
    """No times of a file that cannot be loaded; what ends badly or late decides nothing, and keeps what was told."""
    log.info("loading %s in turns, each time in a new process", " and ".join(models))
    loads, names = {name: _Loads() for name in models}, list(models)
    for told in _told_by_a_process(list(models.values())):
        name, seconds = names[told["file"]], told["seconds"]
        loads[name].add(told)
        if seconds > _SLOW:
            log.info("loaded %s in %.1f s (load %d)", name, seconds, len(loads[name].seconds))
    return loads


def _told_by_a_process(paths: Sequence[Path]) -> Iterator[Mapping[str, Any]]:
    launcher = [sys.executable, "-s", "-P", bounded_process.__file__, "{}", onnx_loading.__name__]
    process = subprocess.Popen(
        [*launcher, *map(str, paths)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},  # it forks
        stdin=subprocess.PIPE,  # never written to: its end tells the process that we are gone
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    late = threading.Timer(_LONGEST, _end, [process])
    late.start()
    try:
        yield from map(json.loads, _whole_lines(process))
        process.wait()
    finally:
        late.cancel()
        _end(process)
        process.communicate()
    if process.returncode != 0:
        log.warning("not every load could be measured: the process of the loads ended with %s", process.returncode)


def _whole_lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """One that was cut short when the process ended is none."""
    assert process.stdout is not None
    return (line for line in process.stdout if line.endswith("\n"))


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):  # when nobody of the group is left
        os.killpg(process.pid, signal.SIGKILL)
