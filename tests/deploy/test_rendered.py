"""What a cluster is sent of a released model is valid to the last field, and loses no request by its shape."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
from slipway.domain.settings import RolloutEngine

from serving.options import parser
from tests.deploy.trees import IMAGE, MODEL, Document, edit, of_kind, released, rendered

CLUSTERS = [engine for engine in RolloutEngine if engine.is_cluster]
KINDS = {"Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service"}
TYPOS = {  # by file: a field as a person might misspell it
    "deployment.yaml": ("readinessProbe:", "readynessProbe:"),
    "service.yaml": ("targetPort:", "targetport:"),
    "disruption-budget.yaml": ("minAvailable:", "minAvailible:"),
    "autoscaler.yaml": ("averageUtilization:", "averageUtilisation:"),
    "network-policy.yaml": ("policyTypes:", "policyType:"),
}


def validate(documents: list[Document]) -> None:
    """As `kubernetes-validate --strict` does."""
    for document in documents:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


@pytest.fixture
def documents(tmp_path: Path) -> list[Document]:
    return rendered(released(tmp_path, engine=RolloutEngine.KUBERNETES))


@pytest.mark.parametrize("model", [MODEL, "on", "1"])
@pytest.mark.parametrize("engine", CLUSTERS)
def test_the_first_manifest_of_a_model_is_valid_as_it_is(engine: RolloutEngine, model: str, tmp_path: Path) -> None:
    """A team merges the pull request of its first release, and has edited nothing before."""
    documents = rendered(released(tmp_path, engine=engine, model=model))

    validate(documents)
    assert {document["kind"] for document in documents} == KINDS


@pytest.mark.parametrize("file", TYPOS)
def test_a_misspelt_field_is_found(file: str, tmp_path: Path) -> None:
    """A cluster drops what it does not know: a probe that nobody asks is a rollout that loses requests."""
    folder = released(tmp_path, engine=RolloutEngine.KUBERNETES)
    edit(tmp_path / "deploy" / "base" / file, *TYPOS[file])

    with pytest.raises(kubernetes_validate.ValidationError):
        validate(rendered(folder))


@pytest.mark.parametrize("engine", [engine for engine in RolloutEngine if not engine.is_cluster])
def test_a_manifest_without_a_base_renders_to_nothing(engine: RolloutEngine, tmp_path: Path) -> None:
    """So `check-manifests` has to tell it where the engine was changed: kustomize does not."""
    assert rendered(released(tmp_path, engine=engine)) == []


def test_the_container_has_the_image_of_the_release(documents: list[Document]) -> None:
    """People read the version, and the digest is what runs."""
    (container,) = of_kind("Deployment", documents)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == IMAGE


def test_two_models_share_nothing_but_the_namespace(tmp_path: Path) -> None:
    """A Service that selects the servers of another model answers with its answers."""
    other = "flight"
    one, two = (rendered(released(tmp_path, engine=RolloutEngine.FLUX, model=model)) for model in (MODEL, other))

    for kind in KINDS:
        first, second = of_kind(kind, one), of_kind(kind, two)
        assert first["metadata"]["namespace"] == second["metadata"]["namespace"]
        assert first["metadata"]["name"] != second["metadata"]["name"]
    for documents, model in ((one, MODEL), (two, other)):
        deployment, service = of_kind("Deployment", documents), of_kind("Service", documents)
        pod = deployment["spec"]["template"]
        for selector in (
            service["spec"]["selector"],
            deployment["spec"]["selector"]["matchLabels"],
            of_kind("PodDisruptionBudget", documents)["spec"]["selector"]["matchLabels"],
            of_kind("NetworkPolicy", documents)["spec"]["podSelector"]["matchLabels"],
            *(one["labelSelector"]["matchLabels"] for one in pod["spec"]["topologySpreadConstraints"]),
        ):
            assert selector["app.kubernetes.io/name"] == model
            assert selector.items() <= pod["metadata"]["labels"].items()


def test_the_autoscaler_finds_its_deployment_and_nobody_else_says_how_many(documents: list[Document]) -> None:
    """Each apply would set `replicas` back in the middle of the day."""
    deployment, autoscaler = of_kind("Deployment", documents), of_kind("HorizontalPodAutoscaler", documents)

    assert autoscaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert autoscaler["spec"]["minReplicas"] >= 2
    assert "replicas" not in deployment["spec"]


def test_a_rolling_update_never_has_fewer_servers_than_before(documents: list[Document]) -> None:
    """The new one answers before the old one is asked to leave."""
    spec = of_kind("Deployment", documents)["spec"]
    (container,) = spec["template"]["spec"]["containers"]

    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["minReadySeconds"] > 0
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()


def test_a_pod_has_the_time_that_its_server_takes_to_leave(documents: list[Document]) -> None:
    """Killed before, it drops requests in flight, or the last rows of its log."""
    pod = of_kind("Deployment", documents)["spec"]["template"]["spec"]
    command = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    server = parser().parse_args(["--model-directory", "model"])

    assert command[:2] == ["python3", "-c"]  # the image has no shell
    waited = float(command[2].removeprefix("import time; time.sleep(").removesuffix(")"))
    assert waited >= 5
    assert pod["terminationGracePeriodSeconds"] > waited + server.drain_deadline_seconds + server.log_closing_seconds


def test_a_pod_may_do_no_more_than_serve(documents: list[Document]) -> None:
    """The profile `restricted` of Kubernetes' pod security, and a root that nobody writes to."""
    pod = of_kind("Deployment", documents)["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} == container["resources"].keys()
