"""What the default branch says should run."""

from __future__ import annotations

import pytest
from slipway.adapters import deploy_tree, manifests
from slipway.adapters.forge import Forge
from slipway.domain.settings import RolloutEngine
from slipway.errors import BadFile

_PATH = "deploy/production/tip/kustomization.yaml"
_DIGEST = f"sha256:{'a' * 64}"


def put(forge: Forge, path: str, content: bytes) -> None:
    forge.commit("main", onto=forge.head("main"), changes={path: content}, message="Put")


def manifest(tag: str) -> bytes:
    new = manifests.new_manifest("tip", environment="production", engine=RolloutEngine.PROCESS)
    return manifests.set_image(new, name="tip", new_name="registry/tip", tag=tag, digest=_DIGEST)


def test_before_the_first_release_nothing_is_deployed(forge: Forge) -> None:
    """Without a manifest, and with one that names no image yet."""
    assert deploy_tree.deployed(forge, environment="production", model="tip") is None
    put(forge, _PATH, manifests.new_manifest("tip", environment="production", engine=RolloutEngine.PROCESS))
    assert deploy_tree.deployed(forge, environment="production", model="tip") is None


def test_the_head_of_the_default_branch_counts(forge: Forge) -> None:
    """An open pull request deploys nothing."""
    put(forge, _PATH, manifest("v1.0.0"))
    forge.commit("next", onto=None, parent=forge.head("main"), changes={_PATH: manifest("v2.0.0")}, message="Next")

    found = deploy_tree.deployed(forge, environment="production", model="tip")

    assert found is not None
    assert (found.tag, found.digest) == ("v1.0.0", _DIGEST)


@pytest.mark.parametrize("tag", ["latest", "1.0.0", "v1", ""])
def test_a_tag_that_is_no_version_is_a_problem_of_the_manifest(forge: Forge, tag: str) -> None:
    """Its mend is in that file: nobody has to look for a git tag."""
    put(forge, _PATH, manifest(tag))

    with pytest.raises(BadFile) as caught:
        deploy_tree.deployed(forge, environment="production", model="tip")

    assert caught.value.problem == f"{_PATH}: newTag: `{tag}` is no version of tip"


def test_quarantine_holds_versions_by_name(forge: Forge) -> None:
    """Without the file nothing is held."""
    assert deploy_tree.quarantined(forge, model="tip", version="v1.0.0") is None
    entries = b"entries:\n  - {model: tip, version: v1.0.0, reason: late, by: Ada}\n"
    put(forge, deploy_tree.QUARANTINE, entries)

    held = deploy_tree.quarantined(forge, model="tip", version="v1.0.0")
    assert held is not None
    assert held.by == "Ada"
    assert deploy_tree.quarantined(forge, model="tip", version="v1.0.1") is None


def test_a_misspelt_quarantine_is_refused_with_its_line(forge: Forge) -> None:
    """An entry that holds nothing is worse than none."""
    put(forge, deploy_tree.QUARANTINE, b"entries:\n  - {model: tip, version: 1.0.0, reason: late, by: Ada}\n")

    with pytest.raises(BadFile, match=r"deploy/quarantine\.yaml, line 2: .*must read like v1\.4\.0, or \*"):
        deploy_tree.quarantine(forge)
