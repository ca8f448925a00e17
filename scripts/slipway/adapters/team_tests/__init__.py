"""Functions in which a team says how a model must behave: `tests/models/<name>/behaviour*.py`.

They are somebody's code, so they run as a source does, in a process of its own without a token. What they may ask is
the ONNX file alone.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from slipway.adapters.processes import environments
from slipway.adapters.processes.environments import Limits
from slipway.domain.evidence import TeamTest
from slipway.domain.model import Model
from slipway.errors import BadFile, ConversionFailed


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tests: tuple[TeamTest, ...]


def files_of(folder: Path) -> tuple[Path, ...]:
    """Those of one model; `make test` does not collect them, since they need an ONNX file to ask."""
    return tuple(sorted(folder.glob("behaviour*.py")))


def digest_of(files: Sequence[Path]) -> str:
    """Of the names and bytes of all; `none` without a file."""
    if not files:
        return "none"
    told = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        told.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return told.hexdigest()


def run(
    files: Sequence[Path], *, model: Model, onnx: Path, samples: Path, folder: Path, limits: Limits | None = None
) -> tuple[TeamTest, ...]:
    """Run every function whose name begins with `test_`, with the fixtures `ask`, `decide` and `samples`.

    Raises:
        BadFile: the process crashed, hung, or left no result: what the model does is not known then.
    """
    job = {
        "files": [str(file.resolve()) for file in files],
        "onnx": str(onnx.resolve()),
        "samples": str(samples.resolve()),
        "declaration": model.model_dump(mode="json"),
    }
    try:
        answer = environments.run(
            Path(sys.executable), "slipway.adapters.team_tests", job, folder=folder, limits=limits
        )
        return _Answer.model_validate(answer).tests
    except (ConversionFailed, ValidationError) as error:
        where = f"tests/models/{model.name}"
        words = error.problem if isinstance(error, ConversionFailed) else str(error)
        raise BadFile(
            f"{where}: the functions in behaviour*.py came to no end: {words}",
            mend=f"correct them: they run alone, without network or variables; {folder / 'log.txt'} has what they say",
        ) from error
