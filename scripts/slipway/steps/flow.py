"""Lay down the file by which an orchestrator trains a model again and releases it; what a person edited is never
written over.
"""

from __future__ import annotations

import logging
from pathlib import Path

from slipway.adapters import atomic
from slipway.adapters.repository import Repository
from slipway.errors import NotReleasable, UnknownModel
from slipway.reports.flows import Orchestrator, flow_files

log = logging.getLogger(__name__)


def plan(orchestrator: Orchestrator, model: str, *, receiver: bool, repository: Repository) -> dict[Path, str]:
    """Path → text of what is not there yet; nothing where all of it is. What a team edited stays beside what is new.

    Raises:
        UnknownModel: there is no such model, or it has no train.py.
        NotReleasable: nothing is to be written, and a file of that name is another one; or no folder can be made there.
    """
    repository.model(model)
    script = f"models/{model}/train.py"
    if not (repository.root / script).is_file():
        raise UnknownModel(
            f"{script} is not there, and a flow begins by running it",
            mend=f"write {script}, which trains {model} and writes what model.yaml names as its source",
        )
    files = flow_files(orchestrator, model, receiver=receiver)
    there = {name: _there(name, repository.root) for name in files}
    edited = [name for name, text in files.items() if there[name] not in (None, text)]
    planned = {repository.root / name: text for name, text in files.items() if there[name] is None}
    if edited and not planned:
        raise NotReleasable(
            f"{edited[0]} is there already, and is another file",
            mend=f"keep yours; or to have it laid down anew: mv {edited[0]} {edited[0]}.old",
        )
    for name in edited:
        log.warning("%s is there already, and is left as it is", name)
    return planned


def run(orchestrator: Orchestrator, model: str, *, receiver: bool, repository: Repository) -> list[Path]:
    """Write what is not there yet, and return the paths."""
    planned = plan(orchestrator, model, receiver=receiver, repository=repository)
    for path, text in planned.items():
        atomic.write(path, text.encode())
    return list(planned)


def _there(name: str, root: Path) -> str | None:
    """The text of what is there, None where nothing is; a folder of that name is a text of nobody's."""
    for folder in (one for one in Path(name).parents if (root / one).exists()):
        if not (root / folder).is_dir():
            raise NotReleasable(
                f"{folder} is no folder, and {name} is to lie in it", mend=f"mv {folder} {folder}.old, then run again"
            )
    path = root / name
    if not path.exists():
        return None
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
