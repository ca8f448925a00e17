"""Train a model again by the team's own script, with the packages that its source will be converted with."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from slipway.adapters import training
from slipway.adapters.processes import environments
from slipway.adapters.repository import Repository
from slipway.converters import CONVERTERS
from slipway.errors import UnknownModel

log = logging.getLogger(__name__)


def run(model: str, arguments: Sequence[str], *, repository: Repository, requirements: Path | None = None) -> None:
    """Run models/<model>/train.py from the repository's root.

    Args:
        model: its name.
        arguments: what the script is given.
        repository: the checkout.
        requirements: a hashed file of packages; those of the model's framework, where it is left out.

    Raises:
        UnknownModel: there is no such model, or it has no train.py.
        TrainingFailed: the script ended with another code than 0.
        BadFile, Unreachable: the environment cannot be made.
    """
    script, locked = plan(model, repository=repository, requirements=requirements)
    python = environments.environment_for(locked.stem, requirements=locked)
    log.info("running %s with the packages of %s", script.relative_to(repository.root), locked.name)
    training.run(python, script, arguments, folder=repository.root)


def plan(model: str, *, repository: Repository, requirements: Path | None = None) -> tuple[Path, Path]:
    """The script, and the file of packages that it gets."""
    declared = repository.model(model)
    script = repository.root / "models" / model / "train.py"
    if not script.is_file():
        raise UnknownModel(
            f"models/{model}/train.py is not there",
            mend=f"write it: it trains {model}, and writes what model.yaml names as its source",
        )
    ours = repository.root / "requirements" / f"{CONVERTERS[declared.framework].requirements}.txt"
    return script, requirements or ours
