"""What kubelets and a scheduler say of the pods of one Deployment, in a thread; a test chooses how each pod does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.apiserver.control_plane import ControlPlane

Says = Callable[[dict[str, Any]], dict[str, Any] | None]  # of a pod, its status; None: nothing new
CRASHED = {"terminated": {"exitCode": 1, "reason": "Error"}}
KILLED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
_LONG_AGO = "2026-01-01T00:00:00Z"  # ready for longer than any `minReadySeconds`, or who counts would wait that long


def ready(pod: dict[str, Any], *, restarts: int = 0, image_id: str = "") -> dict[str, Any]:
    status = _server(pod, ready=True, restarts=restarts)
    if image_id:
        status["imageID"] = image_id
    return _status(pod, ready=True, containers=[status])


def slow(pod: dict[str, Any], *, seconds: float = 3600.0) -> dict[str, Any]:
    """It runs for so long, and is not ready."""
    since = datetime.now(UTC) - timedelta(seconds=seconds)
    state = {"running": {"startedAt": since.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    return _status(pod, ready=False, containers=[_server(pod, ready=False) | {"state": state}])


def crashing(pod: dict[str, Any], *, restarts: int = 3, ended: dict[str, Any] = CRASHED) -> dict[str, Any]:
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}}
    told = {"state": state, "lastState": ended}
    return _status(pod, ready=False, containers=[_server(pod, ready=False, restarts=restarts) | told])


def waiting(pod: dict[str, Any], reason: str, message: str = "") -> dict[str, Any]:
    told = {"state": {"waiting": {"reason": reason, "message": message}}}
    return _status(pod, ready=False, phase="Pending", containers=[_server(pod, ready=False) | told])


def unplaced(pod: dict[str, Any], message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [condition]}


@contextlib.contextmanager
def kubelets(plane: ControlPlane, namespace: str, says: Says) -> Iterator[None]:
    """Every pod of the namespace that is there, and each that comes, is said what `says` says, until the block ends."""
    stopped = threading.Event()
    thread = threading.Thread(target=_run, args=[plane, namespace, says, stopped])
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _run(plane: ControlPlane, namespace: str, says: Says, stopped: threading.Event) -> None:
    told: dict[str, dict[str, Any]] = {}
    while not stopped.wait(0.1):
        for pod in plane.pods(namespace):
            _tell(plane, namespace, pod, says, told)


def _tell(plane: ControlPlane, namespace: str, pod: dict[str, Any], says: Says, told: dict[str, Any]) -> None:
    name = pod["metadata"]["name"]
    path = f"namespaces/{namespace}/pods/{name}"
    if "deletionTimestamp" in pod["metadata"]:
        plane.end(path)
        return
    status = says(pod)
    if status is not None and told.get(name) != status:
        told[name] = status
        plane.say(path, status)


def _server(pod: dict[str, Any], *, ready: bool, restarts: int = 0) -> dict[str, Any]:
    (container,) = pod["spec"]["containers"]
    named = {"name": container["name"], "image": container["image"], "imageID": container["image"]}
    return {**named, "ready": ready, "restartCount": restarts, "state": {"running": {}}}


def _status(
    pod: dict[str, Any], *, ready: bool, containers: list[dict[str, Any]], phase: str = "Running"
) -> dict[str, Any]:
    is_ready = {"type": "Ready", "status": str(ready), "lastTransitionTime": _LONG_AGO}
    conditions = [{"type": "PodScheduled", "status": "True"}, is_ready]
    return {"phase": phase, "conditions": conditions, "containerStatuses": containers}
