"""All that any command imports, for a process from which commands are forked."""

from __future__ import annotations

import importlib
import pkgutil

import slipway.adapters.dry_run
import slipway.adapters.rollout.kubernetes
import slipway.reports
import slipway.steps
from slipway.cli import main

__all__ = ["main"]

_LATE = ("httpcore", "pyarrow.dataset", "sklearn.metrics")  # what commands import only where they need it

for rooms in (slipway.cli, slipway.reports, slipway.steps, slipway.adapters.rollout.kubernetes):
    for module in pkgutil.iter_modules(rooms.__path__, f"{rooms.__name__}."):
        importlib.import_module(module.name)
for library in _LATE:
    importlib.import_module(library)
