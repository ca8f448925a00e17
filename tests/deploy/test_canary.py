"""What a cluster is sent while a canary runs: one pod more behind the same Service, and nothing else moves."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipway.adapters.manifests import set_canary, without_canary
from slipway.domain.settings import RolloutEngine

from tests.deploy.test_rendered import validate
from tests.deploy.trees import IMAGE, MODEL, Document, edit, of_kind, released, rendered

DIGEST = f"sha256:{'5c' * 32}"
CANARY_IMAGE = f"ghcr.io/acme/{MODEL}:v1.5.0@{DIGEST}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return released(tmp_path, engine=RolloutEngine.KUBERNETES)


def with_canary(folder: Path) -> list[Document]:
    manifest = folder / "kustomization.yaml"
    wanted = {"new_name": f"ghcr.io/acme/{MODEL}", "tag": "v1.5.0", "digest": DIGEST}
    manifest.write_bytes(set_canary(manifest.read_bytes(), name=MODEL, **wanted))
    return rendered(folder)


def named(name: str, documents: list[Document]) -> Document:
    (found,) = [one for one in documents if one["kind"] == "Deployment" and one["metadata"]["name"] == name]
    return found


def test_all_but_what_sends_requests_stays_as_it_is(folder: Path) -> None:
    """What runs is not touched by what is tried: no pod of it is replaced."""
    before, after = rendered(folder), with_canary(folder)

    validate(after)
    changed = {(one["kind"], one["metadata"]["name"]) for one in after if one not in before}
    assert changed == {
        ("Deployment", f"{MODEL}-server-canary"),
        ("Service", f"{MODEL}-server"),
        ("NetworkPolicy", f"{MODEL}-server"),
    }
    assert len(after) == len(before) + 1


def test_a_canary_is_one_pod_that_differs_by_its_image_alone(folder: Path) -> None:
    """Where it had other resources, or logged elsewhere, it would be judged for something else than its model."""
    edit(folder.parents[1] / "base" / "deployment.yaml", "# args: [", "args: [")
    documents = with_canary(folder)
    stable, canary = named(f"{MODEL}-server", documents), named(f"{MODEL}-server-canary", documents)

    (server,) = stable["spec"]["template"]["spec"]["containers"]
    (trial,) = canary["spec"]["template"]["spec"].pop("containers")
    assert (server["image"], trial["image"]) == (IMAGE, CANARY_IMAGE)
    assert "--log-mode=rows" in trial["args"]
    assert trial | {"image": IMAGE} == server
    assert canary["spec"]["template"]["spec"].items() <= stable["spec"]["template"]["spec"].items()
    assert canary["spec"]["replicas"] == 1
    assert canary["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_one_service_asks_both_and_neither_deployment_takes_the_pods_of_the_other(folder: Path) -> None:
    """Who asks cannot tell which answered; who counts pods must."""
    documents = with_canary(folder)
    stable, canary = named(f"{MODEL}-server", documents)["spec"], named(f"{MODEL}-server-canary", documents)["spec"]
    labels = [one["template"]["metadata"]["labels"].items() for one in (stable, canary)]

    for selector in (
        of_kind("Service", documents)["spec"]["selector"],
        of_kind("NetworkPolicy", documents)["spec"]["podSelector"]["matchLabels"],
    ):
        assert all(selector.items() <= told for told in labels)
    assert stable["selector"]["matchLabels"].items() <= labels[0]
    assert not stable["selector"]["matchLabels"].items() <= labels[1]
    assert canary["selector"]["matchLabels"].items() <= labels[1]
    assert not canary["selector"]["matchLabels"].items() <= labels[0]
    budget = of_kind("PodDisruptionBudget", documents)["spec"]["selector"]["matchLabels"]
    assert not budget.items() <= labels[1]


def test_what_is_left_of_a_canary_that_was_withdrawn_gets_no_request(folder: Path) -> None:
    """`kubectl apply` deletes nothing: until somebody does, its pod runs on and must not answer."""
    labels = named(f"{MODEL}-server-canary", with_canary(folder))["spec"]["template"]["metadata"]["labels"]
    manifest = folder / "kustomization.yaml"
    manifest.write_bytes(without_canary(manifest.read_bytes(), name=MODEL))

    assert not of_kind("Service", rendered(folder))["spec"]["selector"].items() <= labels.items()
