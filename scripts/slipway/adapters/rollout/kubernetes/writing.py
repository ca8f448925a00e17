"""What is written to a cluster: a manifest as it was rendered, and Deployments that are to end. All else only asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from slipway.adapters import crash_points
from slipway.adapters.rollout.kubernetes.kubectl import Kubectl
from slipway.adapters.rollout.kubernetes.leaving import left_behind
from slipway.adapters.rollout.kubernetes.rendered import Rendered

_MANAGER = "slipway"
_STOP_SECONDS = 120.0


def apply(manifest: Rendered, kubectl: Kubectl, *, model: str) -> None:
    """What is applied is what was looked at, byte for byte; a person types the same with the folder.

    What is left of a canary that was withdrawn gets no requests from then on, and is deleted.
    """
    with crash_points.external_write("apply-manifest"):
        ended = kubectl.ended("apply", f"--field-manager={_MANAGER}", "--filename=-", stdin=manifest.content)
        if ended.code != 0:
            raise kubectl.failure(ended, "apply", "--kustomize", str(Path(manifest.path).parent))
        left = left_behind(model, manifest, kubectl)
        if left:
            words = ("--ignore-not-found", "--wait=false", *manifest.workload.place)
            kubectl.run("delete", "deployment.apps", *left, *words)


def delete(manifest: Rendered, kubectl: Kubectl) -> None:
    """End the servers of a model, its canary's included, and return when they have ended."""
    names = [one.name for one in (manifest.workload, manifest.canary) if one is not None]
    words = ("--ignore-not-found", "--cascade=foreground", f"--timeout={_STOP_SECONDS:g}s")
    with crash_points.external_write("delete-deployment"):
        slow = replace(kubectl, seconds=_STOP_SECONDS)
        slow.run("delete", "deployment.apps", *names, *words, *manifest.workload.place)
