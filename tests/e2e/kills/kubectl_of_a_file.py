"""What kubectl says of a cluster that is a file beside the checkout, in which every pod is ready at once.

What a real cluster says is asked in tests/e2e/apiserver and tests/e2e/cluster; here are the commands that follow from
it, hundreds of times. A pod that is forwarded is our model server, with the layer of the image that it names. What
kustomize makes of a manifest is for the real kubectl.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

CLUSTER = "cluster.json"
_DEPLOYMENT, _BELOW = "deployment.apps", "replicasets.apps,pods"
_PROGRAM = """#!/bin/sh
case "$1$2$3" in *kustomize*) exec '{kubectl}' "$@" ;; esac
exec '{python}' '{here}' "$@"
"""

Named = dict[str, Any]


def install(folder: Path) -> None:
    """Put the program into a folder of the PATH."""
    folder.mkdir()
    program = folder / "kubectl"
    real = Path(sys.executable).with_name("kubectl")
    program.write_text(_PROGRAM.format(kubectl=real, python=sys.executable, here=__file__))
    program.chmod(0o755)


def deployments_of(world: Path) -> dict[str, str]:
    """Name → image of each Deployment that is there."""
    path = world / CLUSTER
    known: Named = json.loads(path.read_bytes()) if path.exists() else {}
    return {name: _container(one)["image"] for name, one in known.items()}


def main(words: Sequence[str]) -> int:
    options = {word.partition("=")[0]: word.partition("=")[2] for word in words if word.startswith("--")}
    verb, *named = _positional(words)
    path = Path.cwd().parent / CLUSTER
    known = json.loads(path.read_bytes()) if path.exists() else {}
    if verb == "get":
        print(json.dumps(_found(known, named, options.get("--selector", ""))))  # noqa: T201  # as kubectl does
    elif verb == "port-forward":
        _forward(known, named[0].removeprefix("pod/"))
    else:
        _change(known, verb, named, options.get("--selector", ""))
        scratch = path.with_name(f".{CLUSTER}.{os.getpid()}")
        scratch.write_text(json.dumps(known, indent=1, sort_keys=True))
        scratch.replace(path)
    return 0


def _positional(words: Sequence[str]) -> Iterator[str]:
    given = iter(words)
    for word in given:
        if word == "--namespace":
            next(given)
        elif not word.startswith("--"):
            yield word


def _change(known: Named, verb: str, named: Sequence[str], selector: str) -> None:
    if verb == "apply":
        for one in yaml.load_all(sys.stdin.buffer, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if one["kind"] == "Deployment":
                known[one["metadata"]["name"]] = one
        return
    assert verb == "delete", verb
    for name in [name for name, one in known.items() if name in named[1:] or _is_selected(one["metadata"], selector)]:
        del known[name]


def _found(known: Named, named: Sequence[str], selector: str) -> Named | None:
    what, *names = named
    if what == _DEPLOYMENT and names:
        return _as_it_runs(known[names[0]]) if names[0] in known else None
    if what == _DEPLOYMENT:
        return {"items": [_as_it_runs(one) for one in known.values() if _is_selected(one["metadata"], selector)]}
    chosen = [one for one in known.values() if _is_selected(one["spec"]["template"]["metadata"], selector)]
    return {"items": [below for one in chosen if what == _BELOW for below in _below(one)]}


def _is_selected(metadata: Named, selector: str) -> bool:
    asked = dict(one.split("=") for one in selector.split(",") if one)
    return bool(asked) and asked.items() <= metadata.get("labels", {}).items()


def _as_it_runs(deployment: Named) -> Named:
    name = deployment["metadata"]["name"]
    counted = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "observedGeneration"), 1)
    metadata = {**deployment["metadata"], "uid": name, "generation": 1}
    return {**deployment, "metadata": metadata, "spec": {**deployment["spec"], "replicas": 1}, "status": counted}


def _below(deployment: Named) -> Iterator[Named]:
    """Its ReplicaSet and its pod."""
    name, template = deployment["metadata"]["name"], deployment["spec"]["template"]
    above = {"name": f"{name}-1", "uid": f"{name}-1", "ownerReferences": [{"uid": name}]}
    yield {"kind": "ReplicaSet", "metadata": above, "spec": {"template": template}}
    server = {"name": _container(deployment)["name"], "ready": True, "state": {"running": {}}}
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [server]}
    mine = {"name": f"{name}-1-pod", "uid": f"{name}-1-pod", "ownerReferences": [{"uid": f"{name}-1"}]}
    yield {"kind": "Pod", "metadata": mine, "spec": template["spec"], "status": status}


def _container(deployment: Named) -> Named:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    found: Named = container
    return found


def _forward(known: Named, pod: str) -> None:
    """As long as kubectl does: until whoever holds it ends its group."""
    image = _container(known[pod.removesuffix("-1-pod")])["image"]
    layer = Path(".slipway", "layers", image.rpartition("sha256:")[2]).resolve()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "serving", f"--model-directory={layer}", f"--port={port}"]
    with subprocess.Popen(command) as server:
        while server.poll() is None and not _answers(port):
            time.sleep(0.02)
        print(f"Forwarding from 127.0.0.1:{port} -> 8080", flush=True)  # noqa: T201


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
