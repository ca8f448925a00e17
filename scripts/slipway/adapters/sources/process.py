"""Start what fetches a source: a process with the credentials, watched while it writes.

It runs no code of a model. What it may use is bounded from here, since a library shows nobody how much it writes: bytes
and files are counted as they lie there, and time runs. It gets the person's own environment or, in a workflow, that and
the lines of SLIPWAY_SOURCE_ENVIRONMENT; what it says is shown without their values.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from slipway import errors
from slipway.adapters.processes.pinned import environment_for, our_code
from slipway.adapters.sources import FETCHERS, secrets
from slipway.adapters.sources.fetched import Fetched, too_many_bytes, too_many_files
from slipway.domain.origin import Training
from slipway.domain.source_address import SourceAddress
from slipway.domain.source_limit import SourceLimit
from slipway.errors import FetchingFailed, SlipwayError, Unreachable

_LOOK_EACH = 0.2  # seconds
_TAIL = 3  # lines
_LONGEST_TAIL = 65_536  # bytes


def fetch(
    address: SourceAddress, *, into: Path, limit: SourceLimit, requirements: Path, environment: Mapping[str, str]
) -> Fetched:
    """Write the files of `address` below `into`, an empty folder beside which there is room for the process.

    `requirements` is the folder of hashed requirements files, `environment` the variables of this process.

    Raises:
        SourceRefused: it is not there, not given to us, or more than the limit.
        Unreachable: it does not answer, or not within the limit.
    """
    group = FETCHERS[address.scheme].requirements
    python = environment_for(group, requirements=requirements / f"{group}.txt") if group else Path(sys.executable)
    variables = secrets.for_the_process(environment)
    with tempfile.TemporaryDirectory(prefix="slipway-source-") as folder:
        aside = Path(folder)
        job = {"address": address.text, "into": str(into.resolve()), "limit": limit.model_dump()}
        told = _run_module(python, job, aside, limit=limit, into=into, variables=variables)
    _raise_told(told, variables)
    training = Training.model_validate(told["training"]) if told["training"] else None
    return Fetched(secrets.hidden(told["resolved"], variables), training)


def say_why(
    python: Path, module: str, argument: str, *, cwd: Path, limit: SourceLimit, variables: Mapping[str, str]
) -> None:
    """Have a module of ours find out, in the environment of another's program, why that failed in `cwd`.

    Raises:
        SlipwayError: what it found; nothing is raised where it found nothing.
    """
    with tempfile.TemporaryDirectory(prefix="slipway-source-") as folder:
        aside, result = Path(folder), Path(folder) / "result.json"
        command = [str(python), "-s", "-P", "-m", module, argument, str(result)]
        with contextlib.suppress(FetchingFailed):  # then what the program itself said is all that is known
            run_watched(
                command, cwd=cwd, watched=cwd, limit=limit, variables={**variables, "PYTHONPATH": str(our_code(aside))}
            )
            _raise_told(json.loads(result.read_text()), variables)


def _raise_told(told: Mapping[str, Any], variables: Mapping[str, str]) -> None:
    refusal = errors.refused({name: secrets.hidden(str(text), variables) for name, text in told.items()})
    if refusal is not None:
        raise refusal


def _run_module(
    python: Path, job: dict[str, Any], aside: Path, *, limit: SourceLimit, into: Path, variables: Mapping[str, str]
) -> dict[str, Any]:
    result = aside / "result.json"
    (aside / "job.json").write_text(json.dumps({**job, "result": str(result)}))
    command = [str(python), "-s", "-P", "-m", "slipway.adapters.sources", str(aside / "job.json")]
    run_watched(
        command, cwd=aside, watched=into, limit=limit, variables={**variables, "PYTHONPATH": str(our_code(aside))}
    )
    told: dict[str, Any] = json.loads(result.read_text())
    return told


def run_watched(
    command: Sequence[str],
    *,
    cwd: Path,
    watched: Path,
    limit: SourceLimit,
    variables: Mapping[str, str],
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    shared: Sequence[Path] = (),
) -> None:
    """Run a command until it ends, and end it when what lies in `watched` is more than the limit.

    Of `shared`, folders that others write into as well, what changed since it began must not be more either.
    Without `stdin`, it gets one that ends when we do; what it says is told where it fails.

    Raises:
        SourceRefused: it wrote too much.
        FetchingFailed: it ended with an error.
        Unreachable: it took too long.
    """
    began = time.time()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(variables),
            stdin=stdin or subprocess.PIPE,
            stdout=stdout or log,
            stderr=log,
            start_new_session=True,
        )
        try:
            _watch(process, lambda: _refuse_too_much_of(watched, shared, limit=limit, began=began), limit=limit)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        refuse_too_much(watched, limit)
        if process.returncode != 0:
            log.seek(-min(_LONGEST_TAIL, log.seek(0, os.SEEK_END)), os.SEEK_END)
            raise _failed(log.read().decode(errors="replace"), variables)


def _watch(process: subprocess.Popen[bytes], look: Callable[[], None], *, limit: SourceLimit) -> None:
    ends = time.monotonic() + limit.seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_LOOK_EACH)
            return
        look()
        if time.monotonic() > ends:
            raise Unreachable(
                f"the source was not there within {limit.seconds:,} s",
                mend="run again; where it is large, raise `limit: fetched: seconds` in policies/sources.yaml",
            )


def _refuse_too_much_of(watched: Path, shared: Sequence[Path], *, limit: SourceLimit, began: float) -> None:
    refuse_too_much(watched, limit)
    for folder in shared:
        refuse_too_much(folder, limit, since=began)


def refuse_too_much(folder: Path, limit: SourceLimit, *, since: float = 0.0) -> None:
    """Say no to more bytes or files than the limit; a file may be moved while it is looked at.

    Only files that changed after `since` count, in seconds of the clock of files.
    """
    sizes = []
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                told = Path(where, name).lstat()
                sizes.extend([told.st_size] if told.st_mtime >= since else [])
    if sum(sizes) > limit.bytes:
        raise too_many_bytes(limit)
    if len(sizes) > limit.files:
        raise too_many_files(limit)


def _failed(log: str, variables: Mapping[str, str]) -> SlipwayError:
    said = [line for line in log.splitlines() if line[:1].strip()]  # a trace is indented, but for its last line
    words = "\n    ".join(said[-_TAIL:])
    return FetchingFailed(
        f"what fetches the source failed:\n    {secrets.hidden(words, variables)}",
        mend="correct what its last words name, then run again; docs/sources.md has what each kind of address needs",
    )
