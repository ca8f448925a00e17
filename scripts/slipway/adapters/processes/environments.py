"""The only place that starts a framework's process, in the environment that `pinned` makes.

The process runs a team's model, so it gets nothing that it could lose: no variable of ours but a few named ones, an
empty home, no token, no network, limits on memory, time and the size of a file; see `isolation` for what keeps it
apart. What it prints goes to a log.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

import slipway
from slipway.adapters.processes import apart, bounded_process, endings, isolation
from slipway.adapters.processes.pinned import environment_for as environment_for  # noqa: PLC0414  # who runs something asks here
from slipway.domain.conversion import SplitProbes
from slipway.domain.limits import SourcesLimit
from slipway.domain.signature import Signature
from slipway.errors import ConversionFailed

log = logging.getLogger(__name__)

_GIB = 1 << 30
_PACKAGE = Path(slipway.__file__).parent


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


@dataclass(frozen=True, slots=True)
class Files:
    """What a process may read and write besides the system's files and its own home, where the system can hold it."""

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()


class Converted(BaseModel):
    """What a converter tells beside the files that it writes.

    `noise_floor` is, an output, the largest difference of the source to itself. `edges_that_raised` are the edge
    rows that the source refused; their outputs mean nothing. `splits` is None where the model has no trees.
    `isolation` is what kept the process apart, in the words of the module of that name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tools: dict[str, str]
    noise_floor: dict[str, float]
    edges_that_raised: tuple[int, ...]
    splits: SplitProbes | None = None
    isolation: tuple[str, ...] = ()


class Noise(BaseModel):
    """What a process tells that only asked a source again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    noise_floor: dict[str, float]


_Told = TypeVar("_Told", Converted, Noise)


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
    again: Mapping[str, str] | None = None,
) -> Converted:
    """Convert `source` and ask it for `samples` and `edges` (npz files), in a process of its own.

    `trust` is what the source may hold, nothing without it. Into `out` go model.onnx, outputs-samples.npz,
    outputs-edges.npz and, where rows at splits of trees were asked, probes.npz and outputs-probes.npz; `folder` is
    for the process: see `run`. With `again`, variables of the environment, a second process asks for the samples under
    these, and how far its answers are from the first ones counts as noise.

    Raises:
        ConversionFailed, ModelRefused: as the converter or `run` says.
    """
    job = _job_of(signature, trust or SourcesLimit(), source=source, samples=samples, edges=edges, out=out)
    ask = partial(run_and_tell, python, "slipway.converters", arguments=[converter], folder=folder, limits=limits)
    told = _converted(*ask(job=job, files=Files(reads=(source, samples, edges), writes=(out,))), out=out)
    if not again:
        return told
    answer, _ = ask(job={**job, "again": dict(again)}, files=Files(reads=(source, samples, out)))
    return _with_noise(told, _read(Noise, {}, answer))


def _job_of(signature: Signature, trust: SourcesLimit, **files: Path) -> dict[str, Any]:
    """What `python -m slipway.converters` reads."""
    allowed = {"pickle": trust.pickle, "types": trust.trusted_types, "python": trust.python}
    paths = {name: str(path.resolve()) for name, path in files.items()}
    return {**paths, **signature.model_dump(mode="json"), "trust": allowed}


def _converted(answer: Any, in_force: Sequence[str], *, out: Path) -> Converted:
    endings.refuse_all_but_files(out)
    return _read(Converted, {"isolation": in_force}, answer)


def _with_noise(told: Converted, noise: Noise) -> Converted:
    """The larger floor of each output: no conversion can be blamed for either."""
    floor = {name: max(one, noise.noise_floor.get(name, 0.0)) for name, one in told.noise_floor.items()}
    return told.model_copy(update={"noise_floor": floor})


def _read(kind: type[_Told], ours: Mapping[str, Any], theirs: Any) -> _Told:
    """What a model's process told, which may be anything, with what we know ourselves."""
    try:
        return kind.model_validate({**theirs, **ours})
    except (ValidationError, TypeError) as error:
        raise ConversionFailed(
            f"the model's process left a result that cannot be read: {error}", mend=endings.LOOK_FOR_CODE
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
    files: Files | None = None,
) -> Any:
    """Run `python -m module ARGUMENTS job.json` apart from everything, and return the JSON that it leaves.

    `folder` gets job.json, answer/result.json and log.txt; the module sees `packages` and what `python` has
    installed, and must write the file that the job's `result` names. Without `files`, it may read and write all
    that we may.

    Raises:
        ConversionFailed: it crashed, hung, ran out of something or left no result; the message ends in its last words.
        SlipwayError: what the module itself reported as `{"refused": CLASS, "problem": …, "mend": …}`.
    """
    answer, _ = run_and_tell(
        python, module, job, folder=folder, arguments=arguments, packages=packages, limits=limits, files=files
    )
    return answer


def run_and_tell(
    python: Path,
    module: str,
    job: Mapping[str, Any],
    *,
    folder: Path,
    arguments: Sequence[str] = (),
    packages: Sequence[Path] = (_PACKAGE,),
    limits: Limits | None = None,
    files: Files | None = None,
) -> tuple[Any, tuple[str, ...]]:
    """As `run`, with the answer and what kept the process apart, in the words of `isolation`."""
    limits, folder = limits or Limits(), folder.resolve()
    result = folder / "answer" / "result.json"
    _lay_out(folder, packages)
    (folder / "job.json").write_text(json.dumps({**job, "result": str(result)}))
    command = [bounded_process.__file__, limits.as_json(), module, *arguments, str(folder / "job.json")]
    rules = {"cpu_seconds": limits.cpu_seconds, "files": _files(files, folder, packages)}
    with (folder / "log.txt").open("w+b") as log_file:
        ended = apart.run(python, command, rules, folder=folder, seconds=limits.seconds, output=log_file)
        _clear(folder)
        if ended.code != 0:
            raise endings.failure(ended.code, log_file, **asdict(limits))
        if ended.left_behind:
            raise endings.left_behind(ended.left_behind, log_file)
        _say_what_is_missing(ended.isolation, files_held=files is not None)
        return endings.answer(result, log_file), ended.isolation


def _files(files: Files | None, folder: Path, packages: Sequence[Path]) -> dict[str, list[str]] | None:
    if files is None:
        return None
    reads = (Path(bounded_process.__file__), folder, *packages, *files.reads)
    writes = (folder / "home", folder / "answer", *files.writes)
    return {"reads": [str(path.resolve()) for path in reads], "writes": [str(path.resolve()) for path in writes]}


def _say_what_is_missing(in_force: Sequence[str], *, files_held: bool) -> None:
    if not {isolation.NAMESPACES, isolation.NO_SOCKETS} & {*in_force}:
        log.warning("this system cannot take the network away from the model's process, so it had it")
    elif isolation.NAMESPACES not in in_force:
        log.info("the model's process had no namespaces of its own: sockets were refused to it instead")
    if files_held and isolation.FILES not in in_force:
        log.warning("this system cannot take other files away from the model's process, so it had those of its user")


def _lay_out(folder: Path, packages: Sequence[Path]) -> None:
    """Link the packages alone: the folder that holds ours may hold all of the main environment's as well."""
    _clear(folder)
    shutil.rmtree(folder / "answer", ignore_errors=True)  # an old answer is none
    for name in ("code", "home", "answer"):
        (folder / name).mkdir(parents=True)
    for package in packages:
        (folder / "code" / package.name).symlink_to(package.resolve())


def _clear(folder: Path) -> None:
    for name in ("code", "home"):
        shutil.rmtree(folder / name, ignore_errors=True)
