"""All that any command imports, for a process from which commands are forked."""

from __future__ import annotations

import importlib
import pkgutil

import slipway.adapters.dry_run
import slipway.reports
import slipway.steps
from slipway.cli import main

__all__ = ["main"]

for rooms in (slipway.cli, slipway.reports, slipway.steps):
    for module in pkgutil.iter_modules(rooms.__path__, f"{rooms.__name__}."):
        importlib.import_module(module.name)
