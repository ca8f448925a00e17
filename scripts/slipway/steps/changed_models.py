"""Tell which models a branch changes, and whether policies do. Asks git alone, and reads nothing that was changed."""

from __future__ import annotations

import re

from slipway.adapters import git
from slipway.adapters.repository import SETTINGS, Repository
from slipway.domain.proposed import ProposedChanges
from slipway.domain.tag import is_model_name
from slipway.errors import BadFile

_IN_A_MODEL = re.compile(r"models/([^/]+)/.", re.DOTALL)
_JUDGES = re.compile(rf"policies/[^/]+\.yaml|{re.escape(SETTINGS)}")


def run(*, base: str, repository: Repository) -> ProposedChanges:
    """Compare HEAD with where it left `base`, a branch or a commit.

    Raises:
        GitRefused: `base` is no commit here, or git lacks the history between the two.
    """
    changed = git.changed_paths(repository.root, base=base)
    touched = sorted({match[1] for path in changed if (match := _IN_A_MODEL.match(path))})
    there = [name for name in touched if _is_declared(name, repository)]
    return ProposedChanges(
        models=tuple(name for name in there if is_model_name(name)),
        removed=tuple(name for name in touched if name not in there and f"models/{name}/model.yaml" in changed),
        misnamed=tuple(name for name in there if not is_model_name(name)),
        policies=any(_JUDGES.fullmatch(path) for path in changed),
    )


def refuse_misnamed(changes: ProposedChanges) -> None:
    """Said after what can be checked was handed over: one bad name stops no other model.

    Raises:
        BadFile: a folder holds a model.yaml, and has no name that a release can carry.
    """
    if changes.misnamed:
        raise BadFile(
            f"models/{changes.misnamed[0]}/: a model's name has lower-case letters, digits and single dashes only",
            mend="rename the folder, and `name` in its model.yaml",
        )


def _is_declared(name: str, repository: Repository) -> bool:
    return git.read_file(repository.root, "HEAD", f"models/{name}/model.yaml") is not None
