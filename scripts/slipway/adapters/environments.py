"""The environments of the frameworks, and the only place that starts a framework's process.

The process runs a team's model, so it gets nothing that it could lose: no variable of ours but a few named ones, an
empty home, no token, limits on memory, time and the size of a file. What it prints goes to a log.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import uv
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError

import slipway
from slipway import errors
from slipway.adapters import bounded_process
from slipway.domain.policy import SourcesLimit
from slipway.domain.signature import Signature
from slipway.errors import BadFile, ConversionFailed, SlipwayError, Unreachable

log = logging.getLogger(__name__)

_GIB = 1 << 30
_PACKAGE = Path(slipway.__file__).parent
_TAIL_LINES = 15
_LOOK_FOR_CODE = "look for code in the model that ends the process or writes its result"
_WITHOUT_CUDA = {"UV_TORCH_BACKEND": "cpu"}  # PyTorch's own index, asked for PyTorch alone
_MEND_OF_PYTORCH = (
    "PyTorch's build without CUDA is on its own index alone (UV_TORCH_BACKEND=cpu, which is the default): let it be "
    "reached, or put the wheel of the version in the file into a folder and name that in UV_FIND_LINKS; where the hash "
    "of this Python's wheel is missing in the file, compile it again from there: make requirements"
)
_NETWORK = ("failed to fetch", "failed to download", "error sending request", "dns error", "timed out", "offline")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may use; `memory` is address space, which TensorFlow reserves far more of than it uses."""

    seconds: float = 600.0
    cpu_seconds: int = 1200
    file_bytes: int = 4 * _GIB
    memory_bytes: int | None = 32 * _GIB

    def as_json(self) -> str:
        return json.dumps(
            {"RLIMIT_CPU": self.cpu_seconds, "RLIMIT_FSIZE": self.file_bytes, "RLIMIT_AS": self.memory_bytes}
        )


class Converted(BaseModel):
    """What a converter tells beside the files that it writes.

    `noise_floor` is, an output, the largest difference of the source to itself. `edges_that_raised` are the edge
    rows that the source refused; their outputs mean nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tools: dict[str, str]
    noise_floor: dict[str, float]
    edges_that_raised: tuple[int, ...]


def environment_for(group: str, *, requirements: Path) -> Path:
    """Return the Python of the environment that holds `requirements`, made if it is not there yet.

    It lies in the user's cache (or under SLIPWAY_CACHE), named by the digest of the file and the version of Python,
    and is shared by all who need the same. One that was not finished is made again.

    Raises:
        BadFile: the file is not there, or cannot be installed.
        Unreachable: the package index did not answer.
    """
    folder = _cache() / "environments" / f"{group}-{_digest(requirements)[:12]}"
    python, complete = folder / "bin" / "python", folder / ".complete"
    if complete.exists() and python.exists():
        return python
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (complete.exists() and python.exists()):
            _make(folder, python, group=group, requirements=requirements)
            complete.touch()
    return python


def convert(
    python: Path,
    converter: str,
    *,
    source: Path,
    samples: Path,
    edges: Path,
    signature: Signature,
    trust: SourcesLimit | None = None,
    out: Path,
    folder: Path,
    limits: Limits | None = None,
) -> Converted:
    """Convert `source` and ask it for `samples` and `edges` (npz files), in a process of its own.

    `trust` is what the source may hold, nothing without it. Into `out` go model.onnx, outputs-samples.npz and
    outputs-edges.npz; `folder` is for the process: see `run`.

    Raises:
        ConversionFailed, ModelRefused: as the converter or `run` says.
    """
    files = {"source": source, "samples": samples, "edges": edges, "out": out}
    job = {name: str(path.resolve()) for name, path in files.items()}
    trust = trust or SourcesLimit()
    declared = {**signature.model_dump(mode="json"), "trust": {"pickle": trust.pickle, "types": trust.trusted_types}}
    answer = run(python, "slipway.converters", {**job, **declared}, arguments=[converter], folder=folder, limits=limits)
    try:
        return Converted.model_validate(answer)
    except ValidationError as error:
        raise ConversionFailed(
            f"the model's process left a result that cannot be read: {error}", mend=_LOOK_FOR_CODE
        ) from error


def run(
    python: Path,
    module: str,
    job: Mapping[str, Any],
    *,
    folder: Path,
    arguments: Sequence[str] = (),
    packages: Sequence[Path] = (_PACKAGE,),
    limits: Limits | None = None,
) -> Any:
    """Run `python -m module ARGUMENTS job.json` apart from everything, and return the JSON that it leaves.

    `folder` gets job.json, result.json and log.txt; the module sees `packages` and what `python` has
    installed, and must write the file that the job's `result` names.

    Raises:
        ConversionFailed: it crashed, hung, ran out of memory or left no result; the message ends in its last words.
        SlipwayError: what the module itself reported as `{"refused": CLASS, "problem": …, "mend": …}`.
    """
    limits, folder = limits or Limits(), folder.resolve()
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    _lay_out(folder, packages)
    (folder / "job.json").write_text(json.dumps({**job, "result": str(result)}))
    launcher = [str(python), "-s", "-P", bounded_process.__file__, limits.as_json()]
    code = _run_apart([*launcher, module, *arguments, str(folder / "job.json")], folder=folder, seconds=limits.seconds)
    _clear(folder)
    if code != 0:
        raise _failure(code, folder / "log.txt", limits)
    return _result(result, folder / "log.txt")


def _make(folder: Path, python: Path, *, group: str, requirements: Path) -> None:
    log.info("making the environment of %s in %s (once; it takes a while)", group, folder)
    if folder.exists():
        shutil.rmtree(folder)
    _uv(["venv", "--no-project", "--python", sys.executable, str(folder)], requirements)
    # Compiled here, once: the processes that run a model write nothing into the environment.
    install = ["pip", "sync", "--require-hashes", "--no-build", "--compile-bytecode", "--python", str(python)]
    _uv([*install, str(requirements.resolve())], requirements)


def _uv(arguments: Sequence[str], requirements: Path) -> None:
    done = subprocess.run(
        [uv.find_uv_bin(), "--quiet", *arguments],
        cwd=_cache(),
        env={**_WITHOUT_CUDA, **os.environ} if not os.environ.get("UV_FIND_LINKS") else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    words = done.stderr.strip()
    if "hash mismatch" not in words.lower() and any(sign in words.lower() for sign in _NETWORK):
        raise Unreachable(
            f"the packages of {requirements} could not be fetched:\n{words}",
            mend=_MEND_OF_PYTORCH if "torch" in words else "run the same command again once the package index answers",
        )
    raise BadFile(
        f"{requirements} cannot be installed:\n{words}",
        mend=_MEND_OF_PYTORCH if "torch" in words else "compile it again from pyproject.toml: make requirements",
    )


def _cache() -> Path:
    return Path(os.environ.get("SLIPWAY_CACHE") or platformdirs.user_cache_dir("slipway")).resolve()


def _digest(requirements: Path) -> str:
    """Of what decides the content: the pinned files and the interpreter that they are for."""
    try:
        pinned = requirements.read_bytes()
    except OSError as error:
        raise BadFile(f"{requirements} cannot be read: {error}", mend="restore it from git") from error
    return hashlib.sha256(pinned + str(sys.implementation.cache_tag).encode()).hexdigest()


def _lay_out(folder: Path, packages: Sequence[Path]) -> None:
    """Link the packages alone: the folder that holds ours may hold all of the main environment's as well."""
    _clear(folder)
    for name in ("code", "home"):
        (folder / name).mkdir(parents=True)
    for package in packages:
        (folder / "code" / package.name).symlink_to(package.resolve())


def _clear(folder: Path) -> None:
    for name in ("code", "home"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _run_apart(command: Sequence[str], *, folder: Path, seconds: float) -> int | None:
    """Return the exit code, None when time ran out; nothing that the process started is left."""
    with (folder / "log.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder / "home",
            env=_variables(folder),
            stdin=subprocess.PIPE,  # never written to: its end tells the process that we are gone
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # when nobody of the group is left
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _variables(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(folder / "code"),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",  # on a busy machine, threads that wait for each other take a hundred times as long
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }


def _failure(code: int | None, log_file: Path, limits: Limits) -> ConversionFailed:
    words = _last_words(log_file)
    out_of_memory = code in (bounded_process.OUT_OF_MEMORY, -signal.SIGKILL) or "bad_alloc" in words
    if code is None:
        problem, mend = (
            f"did not end within {limits.seconds:g} s and was stopped",
            "make the model or its samples smaller",
        )
    elif code == -signal.SIGXCPU:
        problem, mend = f"used more than {limits.cpu_seconds} s of CPU", "make the model or its samples smaller"
    elif out_of_memory:
        problem, mend = "ran out of memory", "use a machine with more memory, or make the model or its samples smaller"
    elif code < 0:
        problem, mend = f"crashed ({signal.Signals(-code).name})", "load and ask the source in its framework alone"
    else:
        problem, mend = f"failed (exit code {code})", "load and ask the source in its framework alone"
    return ConversionFailed(f"the model's process {problem}; its last words, from {log_file}:\n{words}", mend=mend)


def _result(result: Path, log_file: Path) -> Any:
    try:
        answer = json.loads(result.read_bytes())
    except (OSError, ValueError) as error:
        raise ConversionFailed(
            f"the model's process ended without a result; its last words, from {log_file}:\n{_last_words(log_file)}",
            mend=_LOOK_FOR_CODE,
        ) from error
    if isinstance(answer, dict) and "refused" in answer:
        raise _reported(answer)
    return answer


def _reported(answer: Mapping[str, Any]) -> SlipwayError:
    """The error that the worker met; only classes of ours, since the worker runs code of others."""
    kind = getattr(errors, str(answer["refused"]), None)
    known = kind if isinstance(kind, type) and issubclass(kind, SlipwayError) else ConversionFailed
    return known(str(answer.get("problem")), mend=str(answer.get("mend")))


def _last_words(log_file: Path) -> str:
    lines = log_file.read_text(errors="replace").strip().splitlines()[-_TAIL_LINES:]
    return "\n".join(f"  {line}" for line in lines) or "  (none)"
