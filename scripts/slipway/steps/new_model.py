"""Lay down a new model's folder: what has to be filled in is marked, and nothing that is there is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

from slipway.adapters import crash_points
from slipway.adapters.repository import Repository
from slipway.domain.cluster_names import refused_model
from slipway.domain.tag import is_model_name
from slipway.errors import BadTag, NotReleasable
from slipway.reports.new_model import new_model_files


def plan(model: str, *, repository: Repository) -> dict[Path, str]:
    """Path → text of what a new model starts with.

    Raises:
        BadTag: the name could be in no tag, or be no Service of the cluster.
        NotReleasable: the folder is there already.
    """
    if not is_model_name(model):
        raise BadTag(
            f"`{model}` is no model's name: it has lower-case letters, digits and single dashes, at most 63 characters",
            mend="slipway new-model my-model",
        )
    _refuse_what_no_cluster_takes(model, repository)
    folder = repository.root / "models" / model
    if folder.exists():
        raise NotReleasable(f"{folder} is there already", mend="choose another name, or edit what is there")
    return {folder / name: text for name, text in new_model_files(model).items()}


def _refuse_what_no_cluster_takes(model: str, repository: Repository) -> None:
    """Else the first release would find out, at the end of its way."""
    engine = repository.settings().rollout_engine
    refused = refused_model(model) if engine.is_cluster else None
    if refused is not None:
        raise BadTag(
            f"`{model}` is no name for a model here: slipway.yaml: rollout_engine is {engine}, and {refused}",
            mend="choose a shorter name that begins with a letter: slipway new-model my-model",
        )


def run(model: str, *, repository: Repository) -> list[Path]:
    """Write the files, all or none, and return their paths."""
    planned = plan(model, repository=repository)
    folder, unfinished = repository.root / "models" / model, repository.state / "new-model" / model
    shutil.rmtree(unfinished, ignore_errors=True)
    for path, text in planned.items():
        file = unfinished / path.relative_to(folder)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    folder.parent.mkdir(exist_ok=True)
    with crash_points.external_write("new-model"):
        unfinished.rename(folder)
    return list(planned)
