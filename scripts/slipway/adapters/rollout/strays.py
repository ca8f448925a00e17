"""What the engines of one machine find there that nobody asked them for: both keep a folder a model and environment."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from slipway.adapters.rollout import Live, Stray


def strays(
    state: Path, environment: str, *, known: Collection[Live], live: Callable[[str, str], Live | None]
) -> list[Stray]:
    """Of the folders under `state`, the models that serve and are not `known`; `live` says what serves.

    Raises:
        BadFile: what a rollout wrote there cannot be read.
    """
    asked = {one.model for one in known}
    models = sorted(path.parent.name for path in (state / environment).glob("*/live.json"))
    found = (live(model, environment) for model in models if model not in asked)
    return [
        Stray(live=one, ended_by=f"slipway stop {one.model} --environment {environment}")
        for one in found
        if one is not None
    ]
