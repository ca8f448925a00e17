"""The files that let an orchestrator train a model again and release it, and that let an incident start it."""

from __future__ import annotations

from enum import StrEnum

from slipway.reports import rendering


class Orchestrator(StrEnum):
    AIRFLOW = "airflow"
    PREFECT = "prefect"


def flow_files(orchestrator: Orchestrator, model: str, *, receiver: bool) -> dict[str, str]:
    """Path below the repository → text; a module's name has no dashes."""
    module = model.replace("-", "_")
    files = {f"flows/{orchestrator}/{module}.py": rendering.plain(f"flow_{orchestrator}.py", model=model)}
    if receiver:
        name = f"{orchestrator}_{module}"
        text = rendering.plain(f"receiver_{orchestrator}.py", model=model, module=name)
        files[f"flows/receivers/{name}.py"] = text
    return files
