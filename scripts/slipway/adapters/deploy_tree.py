"""What the default branch says should run, and what must not."""

from __future__ import annotations

from slipway.adapters import manifests
from slipway.adapters.forge import Branches
from slipway.adapters.manifests import Deployed
from slipway.domain.policy import QuarantineEntry

QUARANTINE = "deploy/quarantine.yaml"


def manifest_path(environment: str, model: str) -> str:
    return f"deploy/{environment}/{model}/kustomization.yaml"


def deployed(forge: Branches, *, environment: str, model: str) -> Deployed | None:
    """What the manifest at the head of the default branch deploys; None before the first release."""
    path = manifest_path(environment, model)
    content = _at_head(forge, path)
    return None if content is None else manifests.deployed(content, name=model, where=path)


def quarantine(forge: Branches) -> tuple[QuarantineEntry, ...]:
    content = _at_head(forge, QUARANTINE)
    return () if content is None else manifests.entries(content, where=QUARANTINE)


def quarantined(forge: Branches, *, model: str, version: str) -> QuarantineEntry | None:
    """The entry that holds a version, read `v1.4.0`."""
    return next((entry for entry in quarantine(forge) if entry.holds(model, version)), None)


def _at_head(forge: Branches, path: str) -> bytes | None:
    head = forge.head(forge.default_branch)
    return None if head is None else forge.read(head, path)
