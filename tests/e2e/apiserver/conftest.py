"""One control plane for all of these tests, and a repository whose deploy/ is rolled out, a namespace a test."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters import git
from slipway.adapters.rollout import Deployment
from slipway.adapters.rollout.kubernetes.engine import KubernetesRollout
from slipway.domain.settings import RolloutEngine

from tests.e2e.apiserver.control_plane import KUBECTL, ControlPlane, control_plane
from tests.e2e.cluster.cluster import programs

OLD, NEW = (f"sha256:{digit * 64}" for digit in "12")
MODEL = "tip"
OURS = {"app.kubernetes.io/part-of": "slipway"}
_BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  replicas: 2
  selector: {matchLabels: {app: server}}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: server}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - {name: server, image: model, ports: [{name: http, containerPort: 8080, protocol: TCP}]}
"""
_PATCH = "spec: {template: {spec: {containers: [{name: server, image: tip}]}}}"


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with control_plane(programs(), tmp_path_factory.mktemp("control-plane")) as made:
        yield made


@dataclass
class Shop:
    """An environment that is a namespace of its own; `merge` is what a person does with a pull request."""

    plane: ControlPlane
    environment: str
    repository: Path
    engine: KubernetesRollout

    def merge(self, digest: str, version: str, *, more: str = "") -> Deployment:
        """What the default branch says should run from here on."""
        image = f"{{name: {MODEL}, newName: 127.0.0.1:5000/models/{MODEL}, newTag: {version}, digest: '{digest}'}}"
        patch = (
            f"patches: [{{patch: '{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: server}}, {_PATCH}}}'}}]"
        )
        header = f"resources: [../../base]\nnamespace: {self.environment}\nnamePrefix: {MODEL}-\n"
        self._write(f"{self.environment}/{MODEL}", f"{header}{patch}\nimages: [{image}]\n{more}")
        commit = self._commit()
        return Deployment(
            model=MODEL,
            environment=self.environment,
            version=version,
            digest=digest,
            image=f"127.0.0.1:5000/models/{MODEL}:{version}@{digest}",
            commit=commit,
            model_directory=self.repository,
            served_log=None,
            ready_seconds=3.0,
        )

    def sync(self) -> None:
        """What Argo CD and Flux do: apply what the default branch holds."""
        folder = self.repository / "deploy" / self.environment / MODEL
        self.plane.kubectl("apply", "--kustomize", str(folder))

    def by_hand(self, name: str, labels: dict[str, str], digest: str = NEW) -> None:
        """What somebody applies past git."""
        container = {"name": "server", "image": f"127.0.0.1:5000/models/ghost:v9.9.9@{digest}"}
        template = {"metadata": {"labels": {"hand": name, **labels}}, "spec": {"containers": [container]}}
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": dict(labels)},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"hand": name}}, "template": template},
        }
        self.plane.kubectl("apply", f"--namespace={self.environment}", "--filename=-", stdin=json.dumps(deployment))

    def with_engine(self, engine: RolloutEngine, **changes: Any) -> KubernetesRollout:
        return replace(self.engine, engine=engine, **changes)

    def names(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.plane.pods(self.environment)]

    def say(self, pod: str, status: dict[str, Any]) -> None:
        self.plane.say(f"namespaces/{self.environment}/pods/{pod}", status)

    def _write(self, folder: str, kustomization: str) -> None:
        path = self.repository / "deploy" / folder / "kustomization.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kustomization)

    def _commit(self) -> str:
        self._write("base", "resources: [server.yaml]\n")
        (self.repository / "deploy" / "base" / "server.yaml").write_text(_BASE)
        git.run("add", "deploy", cwd=self.repository)
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        git.run(*who, "commit", "--quiet", "--allow-empty", "--message=Deploy", cwd=self.repository)
        return git.head_commit(self.repository)


@pytest.fixture
def shop(plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("KUBECONFIG", str(plane.users["admin"]))
    monkeypatch.delenv("SLIPWAY_KUBECONFIG", raising=False)
    environment = f"staging-{uuid.uuid4().hex[:8]}"
    plane.create("namespaces", {"kind": "Namespace", "metadata": {"name": environment}})
    git.run("init", "--quiet", cwd=tmp_path)
    engine = KubernetesRollout(
        engine=RolloutEngine.KUBERNETES,
        repository=tmp_path,
        head=lambda: git.head_commit(tmp_path),
        contexts={environment: "there"},
        program=KUBECTL,
        call_seconds=5.0,
        turn_seconds=0.5,
    )
    return Shop(plane, environment, tmp_path, engine)
