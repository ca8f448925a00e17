"""The rulesets under .github/rulesets: they come with the template, are yours to edit, and GitHub imports them too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slipway.adapters.yaml_files import read_bounded
from slipway.errors import BadFile

FOLDER = Path(".github") / "rulesets"
_NEEDED = ("name", "target", "enforcement", "conditions", "rules", "bypass_actors")


def read_rulesets(root: Path) -> tuple[Mapping[str, Any], ...]:
    """In the order of the files' names.

    Raises:
        BadFile: one is no JSON, or lacks a field.
    """
    return tuple(_read(path) for path in sorted((root / FOLDER).glob("*.json")))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(read_bounded(path))
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is no JSON: {error}", mend=f"correct {path}, or export the ruleset again") from error
    missing = [field for field in _NEEDED if field not in told] if isinstance(told, dict) else list(_NEEDED)
    if missing:
        raise BadFile(f"{path} lacks {', '.join(missing)}", mend=f"add what is missing to {path}")
    return {field: told[field] for field in _NEEDED}  # an export holds ids of where it came from
