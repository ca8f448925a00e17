"""Lay down the file by which an orchestrator trains a model again and releases it; what a person edited is never
written over.
"""

from __future__ import annotations

from pathlib import Path

from slipway.adapters import atomic
from slipway.adapters.repository import Repository
from slipway.errors import NotReleasable, UnknownModel
from slipway.reports.flows import Orchestrator, flow_files


def plan(orchestrator: Orchestrator, model: str, *, receiver: bool, repository: Repository) -> dict[Path, str]:
    """Path → text of what is not there yet; nothing where all of it is.

    Raises:
        UnknownModel: there is no such model, or it has no train.py.
        NotReleasable: a file of that name is there, and is another one.
    """
    repository.model(model)
    script = f"models/{model}/train.py"
    if not (repository.root / script).is_file():
        raise UnknownModel(
            f"{script} is not there, and a flow begins by running it",
            mend=f"write {script}, which trains {model} and writes what model.yaml names as its source",
        )
    files = flow_files(orchestrator, model, receiver=receiver)
    planned = {repository.root / name: text for name, text in files.items()}
    return {path: text for path, text in planned.items() if not _is_there(path, text)}


def run(orchestrator: Orchestrator, model: str, *, receiver: bool, repository: Repository) -> list[Path]:
    """Write what is not there yet, and return the paths."""
    planned = plan(orchestrator, model, receiver=receiver, repository=repository)
    for path, text in planned.items():
        atomic.write(path, text.encode())
    return list(planned)


def _is_there(path: Path, text: str) -> bool:
    if not path.exists():
        return False
    if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != text:
        raise NotReleasable(
            f"{path} is there already, and is another file",
            mend=f"keep yours; or to have it laid down anew, first: git mv {path.name} somewhere else",
        )
    return True
