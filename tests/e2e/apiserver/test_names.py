"""The names that Slipway refuses are those that an apiserver refuses, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from slipway.adapters.manifests import set_canary
from slipway.domain.cluster_names import refused_model
from slipway.domain.settings import RolloutEngine

from tests.deploy.trees import DIGEST, released, rendered
from tests.e2e.apiserver.conftest import Shop

pytestmark = pytest.mark.xdist_group("apiserver")
_KINDS = {"Deployment", "Service", "NetworkPolicy"}  # that Kubernetes 1.20 has in the form of deploy/base


def refusal(shop: Shop, model: str, folder: Path) -> str:
    """What the apiserver says to the manifest of a release and its canary; empty where it takes all of it."""
    manifest = released(folder, engine=RolloutEngine.KUBERNETES, model=model, environment=shop.environment)
    path = manifest / "kustomization.yaml"
    path.write_bytes(set_canary(path.read_bytes(), name=model, new_name=f"h/{model}", tag="v1.5.0", digest=DIGEST))
    documents = [one for one in rendered(manifest) if one["kind"] in _KINDS]
    assert len(documents) == len(_KINDS) + 1
    words = ("apply", "--dry-run=server", "--filename=-", "--output=name")
    taken = shop.plane.kubectl(*words, stdin=yaml.safe_dump_all(documents), check=False)
    return "" if len(taken.split()) == len(documents) else taken or "nothing of it"


@pytest.mark.parametrize("model", ["a" * 56, "a" * 57, "3d-shapes"])
def test_an_apiserver_takes_the_names_that_are_not_refused(shop: Shop, model: str, tmp_path: Path) -> None:
    """A limit that is too narrow costs a team its name, one that is too wide its first release."""
    assert bool(refusal(shop, model, tmp_path)) == bool(refused_model(model))
