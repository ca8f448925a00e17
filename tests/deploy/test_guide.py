"""The manifests of docs/kubernetes.md are valid, and name the digest of the release."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from slipway.adapters.manifests import deployed
from slipway.adapters.processes import environments
from slipway.domain.settings import RolloutEngine

from tests.deploy.test_rendered import validate
from tests.deploy.trees import IMAGE, MODEL, ROOT, Document, of_kind, rendered

GUIDE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
KSERVE, VOLUME = "The same digest as a KServe model", "The model as an image volume"
ROLLOUTS, GATEWAY = "A share by Argo Rollouts", "A share by the Gateway API"


def written(section: str, folder: Path) -> Path:
    """The files of a section, beside deploy/base; each begins with its path."""
    shutil.copytree(ROOT / "deploy" / "base", folder / "deploy" / "base")
    text = GUIDE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    files = re.findall(r"```yaml\n# (\S+)\n(.*?)```", text, re.DOTALL)
    assert len(files) >= 2
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return Path(folder, files[0][0]).parent


def fields_that_kserve_lacks(manifest: Document) -> list[str]:
    """By the models of KServe's own client; its controller does not run here."""
    python = environments.environment_for("contract", requirements=ROOT / "requirements" / "contract.txt")
    command = [str(python), str(Path(__file__).with_name("kserve_fields.py"))]
    done = subprocess.run(command, input=json.dumps(manifest), capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.split()


@pytest.mark.parametrize("section", [KSERVE, VOLUME, ROLLOUTS, GATEWAY])
def test_a_release_can_change_it(section: str, tmp_path: Path) -> None:
    """It is a manifest like any other: `images:` names the model."""
    found = deployed((written(section, tmp_path) / "kustomization.yaml").read_bytes(), name=MODEL)

    assert found is not None
    assert f"{found.new_name}:{found.tag}@{found.digest}" == IMAGE


@pytest.mark.xdist_group("contract")  # shares its environment
def test_kserve_knows_each_field_and_runs_the_image_of_the_release(tmp_path: Path) -> None:
    """A field that it drops is a probe that nobody asks."""
    service = of_kind("InferenceService", rendered(written(KSERVE, tmp_path)))
    misspelt = json.loads(
        json.dumps(service).replace('"minReplicas"', '"minReplica"').replace('"httpGet"', '"httpget"')
    )

    (container,) = service["spec"]["predictor"]["containers"]
    assert container["image"] == IMAGE
    assert fields_that_kserve_lacks(service) == []
    assert fields_that_kserve_lacks(misspelt) == [
        ".spec.predictor.containers[0].readinessProbe.httpget",
        ".spec.predictor.minReplica",
    ]


def test_the_volume_is_the_image_of_the_release_and_the_runtime_serves(tmp_path: Path) -> None:
    """Without the replacement the volume would be an image called `replaced`."""
    documents = rendered(written(VOLUME, tmp_path))
    pod = of_kind("Deployment", documents)["spec"]["template"]["spec"]

    validate(documents)
    assert [volume["image"]["reference"] for volume in pod["volumes"]] == [IMAGE]
    assert pod["containers"][0]["image"].startswith("ghcr.io/acme/runtime@sha256:")
    assert "PodTemplate" not in {document["kind"] for document in documents}


def test_a_rollout_takes_its_pods_from_the_deployment_of_the_release(tmp_path: Path) -> None:
    """Argo Rollouts follows names and labels, which kustomize writes into kinds of Kubernetes alone."""
    documents = rendered(written(ROLLOUTS, tmp_path))
    rollout, deployment = of_kind("Rollout", documents)["spec"], of_kind("Deployment", documents)

    assert rollout["workloadRef"]["name"] == deployment["metadata"]["name"]
    assert rollout["selector"]["matchLabels"] == deployment["spec"]["selector"]["matchLabels"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE
    assert of_kind("HorizontalPodAutoscaler", documents)["spec"]["scaleTargetRef"]["kind"] == "Rollout"


def test_a_route_sends_each_share_to_the_pods_of_one_version(tmp_path: Path) -> None:
    """A Service of the route that reached both would share out a second time."""
    documents = rendered(written(GATEWAY, tmp_path))
    services = {one["metadata"]["name"]: one["spec"]["selector"] for one in documents if one["kind"] == "Service"}
    pods = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"].items()
        for one in documents
        if one["kind"] == "Deployment"
    }

    reached = {
        backend["name"]: [name for name, labels in pods.items() if services[backend["name"]].items() <= labels]
        for backend in of_kind("HTTPRoute", documents)["spec"]["rules"][0]["backendRefs"]
    }
    assert reached == {
        f"{MODEL}-stable": [f"{MODEL}-server"],
        f"{MODEL}-canary": [f"{MODEL}-server-canary"],
    }


def test_the_guide_tells_of_every_engine_of_a_cluster_and_every_file_of_the_base() -> None:
    """A file that nobody explains is a file that nobody dares to edit."""
    base = ROOT / "deploy" / "base"
    names = {f"{path.name}/" if path.is_dir() else path.name for path in base.iterdir()} - {"kustomization.yaml"}

    assert [engine for engine in RolloutEngine if engine.is_cluster and f"`{engine}`" not in GUIDE] == []
    assert sorted(name for name in names if f"`{name}`" not in GUIDE) == []
