"""A deploy/ with one released model, and what kustomize makes of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from slipway.adapters.manifests import new_manifest, set_image
from slipway.domain.settings import RolloutEngine

ROOT = Path(__file__).parents[2]
MODEL, ENVIRONMENT = "flight-delay", "production"
DIGEST = f"sha256:{'3f' * 32}"
IMAGE = f"ghcr.io/acme/{MODEL}:v1.4.0@{DIGEST}"
KUBECTL = Path(sys.executable).parent / "kubectl"

Document = dict[str, Any]


def released(folder: Path, *, engine: RolloutEngine, model: str = MODEL, environment: str = ENVIRONMENT) -> Path:
    """Write the first manifest of a model, as a release does, beside this repository's deploy/base."""
    base = folder / "deploy" / "base"
    if not base.exists():
        shutil.copytree(ROOT / "deploy" / "base", base)
    manifest = folder / "deploy" / environment / model / "kustomization.yaml"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    new = new_manifest(model, environment=environment, engine=engine)
    manifest.write_bytes(set_image(new, name=model, new_name=f"ghcr.io/acme/{model}", tag="v1.4.0", digest=DIGEST))
    return manifest.parent


def rendered(folder: Path) -> list[Document]:
    """What `kubectl apply -k` would send."""
    done = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(kind: str, documents: list[Document]) -> Document:
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text, f"{path.name}: {before}"
    path.write_text(text.replace(before, after), encoding="utf-8")
