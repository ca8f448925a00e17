"""A Deployment with its ReplicaSets and pods, in the form in which an apiserver answers; tests change single fields."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters.rollout.kubernetes import objects
from slipway.adapters.rollout.kubernetes.objects import Deployment, Pod, ReplicaSet
from slipway.adapters.rollout.kubernetes.reading import Seen

OLD, NEW, OTHER = (f"sha256:{digit * 64}" for digit in "123")
CONTAINER = "server"
KUBECTL = str(Path(sys.prefix) / "bin" / "kubectl")


def image(digest: str) -> str:
    return f"127.0.0.1:5000/models/tip:v1.4.0@{digest}"


def deployment(digest: str = NEW, *, replicas: int = 2, generation: int = 3, **status: Any) -> dict[str, Any]:
    """Live, unless `status` says otherwise."""
    counts = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}
    return {
        "kind": "Deployment",
        "metadata": {"name": "tip-server", "uid": "deployment", "generation": generation},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "tip"}}, "template": _template(digest)},
        "status": {"observedGeneration": generation, **counts, **status},
    }


def replica_set(digest: str, revision: int) -> dict[str, Any]:
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"tip-server-{revision}",
            "uid": f"set-{revision}",
            "ownerReferences": [{"uid": "deployment"}],
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        },
        "spec": {"template": _template(digest)},
    }


def pod(name: str, revision: int, digest: str = NEW, *, ready: bool = True, **changes: Any) -> dict[str, Any]:
    """Of the ReplicaSet of that revision; `changes` are of its status, or `deletionTimestamp`."""
    leaving = {"deletionTimestamp": changes.pop("deletionTimestamp")} if "deletionTimestamp" in changes else {}
    status = {
        "phase": "Running",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": str(ready)}],
        "containerStatuses": [container(digest, ready=ready)],
    }
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": f"uid-{name}", "ownerReferences": [{"uid": f"set-{revision}"}], **leaving},
        "spec": {"nodeName": "node-1", **_template(digest)["spec"]},
        "status": {**status, **changes},
    }


def container(digest: str = NEW, *, ready: bool = False, restarts: int = 0, **changes: Any) -> dict[str, Any]:
    running = {"running": {"startedAt": "2026-03-01T12:00:00Z"}}
    told = {"imageID": f"127.0.0.1:5000/models/tip@{digest}", "restartCount": restarts, "state": running}
    return {"name": CONTAINER, "ready": ready, **told, **changes}


def look(deployed: dict[str, Any] | None, *below: dict[str, Any]) -> Seen:
    answer = {"items": list(below)}
    return Seen(
        container=CONTAINER,
        deployment=None if deployed is None else objects.read(deployed, Deployment),
        replica_sets=objects.of_kind(answer, "ReplicaSet", ReplicaSet),
        pods=objects.of_kind(answer, "Pod", Pod),
    )


def rolling(*pods: dict[str, Any], **changes: Any) -> Seen:
    """In the middle of a rollout: one pod of before that answers, and these."""
    deployed = deployment(updatedReplicas=1, availableReplicas=1, **changes)
    return look(deployed, replica_set(OLD, 1), replica_set(NEW, 2), pod("old", 1, OLD), *pods)


def live(*pods: dict[str, Any], replicas: int = 2) -> Seen:
    """All of the new version; with `pods` in place of the two that are well."""
    wanted = pods or (pod("a", 2), pod("b", 2))
    return look(deployment(replicas=replicas), replica_set(OLD, 1), replica_set(NEW, 2), *wanted)


def ends(pid: int) -> bool:
    """Whether it does within a moment: the kernel takes its time over a signal."""
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def runs(pid: int) -> bool:
    """A zombie that nobody waited for yet runs no more; one that ends while it is looked at has ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _template(digest: str) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 8080}]
    return {"spec": {"containers": [{"name": CONTAINER, "image": image(digest), "ports": ports}]}}


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    """A program that is called kubectl and does what no apiserver can be made to do."""

    def write(body: str) -> str:
        path = tmp_path / "kubectl"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return write
