"""A team that rolls out to the cluster, by the commands that a person has: tag, merge, roll out, go back."""

from __future__ import annotations

import contextlib
import difflib
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from slipway.adapters import deploy_tree, git
from slipway.adapters.registry import open_registry
from slipway.domain.release import Rollout
from slipway.domain.tag import ReleaseTag

from tests.e2e.clients.load import Load
from tests.e2e.cluster.cluster import Cluster
from tests.e2e.cluster.load import BILLS, load
from tests.e2e.cluster.place import run, wait_for
from tests.team import ENVIRONMENT, MODEL, ROOT, Team, Tip, copy_of
from tests.workflows.engine import docker

log = logging.getLogger(__name__)

READY_SECONDS, SETTLE_SECONDS = 300, 3
SERVERS = 2  # as deploy/base has it
_BIN = Path(sys.executable).parent
_WAITS = re.compile(rf"{MODEL} v\S+ in {ENVIRONMENT}: ")  # and what for
# `deploy/base` of these tests is this, on what a team gets as it is: what Kubernetes 1.20 lacks, and a served log, for
# which a team has a bucket.
_OVERLAY = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base-of-slipway]
patches:
  - target: {{kind: PodDisruptionBudget}}
    patch: |
      - {{op: replace, path: /apiVersion, value: policy/v1beta1}}
  - target: {{kind: HorizontalPodAutoscaler}}
    patch: |
      - {{op: replace, path: /apiVersion, value: autoscaling/v2beta2}}
  - target: {{kind: Deployment}}
    patch: |
      - {{op: add, path: /spec/template/spec/containers/0/args, value: [--served-log=/served/$(ENVIRONMENT)/$(MODEL)]}}
      - {{op: add, path: /spec/template/spec/containers/0/volumeMounts, value: [{{name: served, mountPath: /served}}]}}
      - {{op: add, path: /spec/template/spec/volumes, value: [{{name: served, hostPath: {{path: {served}}}}}]}}
"""
_NEVER_READY = """\
FROM {runtime}
ENTRYPOINT ["python3", "-c", "import signal; signal.signal(signal.SIGTERM, signal.default_int_handler); signal.pause()"]
"""


@dataclass(frozen=True)
class Waiters:
    """`runtime` is the image that releases stand on, `HOST/PREFIX/runtime@DIGEST`."""

    cluster: Cluster
    team: Team
    runtime: str

    def slipway(self, *words: str, expected: int = 0) -> str:
        """What a command printed, run where the cluster can be reached."""
        done = subprocess.run(
            self._command(*words),
            cwd=self.team.root,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == expected, f"slipway {' '.join(words)}: {done.returncode}\n{said}"
        log.info("slipway %s: %s", " ".join(words), said)
        return said

    @contextlib.contextmanager
    def rolling_out(self, *, expected: int) -> Iterator[None]:
        """Let a rollout begin, hand over once it waits for its pods, and see how it ends."""
        said = self.team.root.parent / "said"
        with (
            said.open("w") as told,
            subprocess.Popen(
                self._command("rollout", MODEL),
                cwd=self.team.root,
                env=self._environment(),
                stdout=told,
                stderr=subprocess.STDOUT,
            ) as rollout,
        ):
            try:
                wait_for(lambda: bool(_WAITS.search(said.read_text())), what="a rollout that waits", seconds=60)
                yield
                code = rollout.wait(2 * READY_SECONDS)
            finally:
                rollout.kill()
        log.info("slipway rollout %s: %s", MODEL, said.read_text())
        assert code == expected, said.read_text()

    def _command(self, *words: str) -> list[str]:
        return [*self.cluster.entry, str(_BIN / "slipway"), *words]

    def _environment(self) -> dict[str, str]:
        names = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "SLIPWAY_"))}
        path = f"{_BIN}{os.pathsep}{os.environ['PATH']}"
        return {**names, "PATH": path, "KUBECONFIG": str(self.cluster.kubeconfig)}

    @property
    def served(self) -> Path:
        """The folder of the served log, which the pods share with whoever reads it."""
        return _served(self.team.root.parent)

    def release(self, *, runtime: str | None = None, nan_above: float | None = None) -> tuple[str, int]:
        """Train, commit, tag and release the next version; the version and its pull request."""
        number = len(git.run("tag", cwd=self.team.root).split())
        version = f"v1.{number}.0"
        weight = 0.02 + 1e-6 * number  # another file, and no decision that needs more rows
        self.team.write_model(Tip(weight=weight, nan_above=nan_above))
        self._settle("slipway.yaml", runtime_image=runtime or self.runtime)
        self.team.commit(f"Train for {version}")
        pull = self.team.release(self.team.tag(f"{MODEL}@{version}")).body.pull
        assert pull is not None
        return version, pull

    def allow(self, *, ready_seconds: int, canary: Mapping[str, float] | None = None) -> None:
        """Say in policies/rollout.yaml how long a version may take, and what it gets first."""
        limit = {"ready_seconds": ready_seconds, "settle_seconds": SETTLE_SECONDS, "canary": canary}
        self._settle("policies/rollout.yaml", limit=limit)
        self.team.commit("Say how long a version may take")

    def merge(self, pull: int) -> None:
        self.slipway("merge", str(pull))
        self.team.commit("Look at what was merged")

    def merge_the_only_one(self) -> None:
        (pull,) = self.team.workplace.forge.open_pulls()
        self.merge(pull.number)

    def never_ready(self) -> str:
        """A runtime image whose server never answers."""
        name = f"{self.runtime.partition('@')[0]}:never-ready"
        words = ["docker", "build", "--quiet", "--tag", name, "-"]
        subprocess.run(
            words, input=_NEVER_READY.format(runtime=self.runtime), text=True, check=True, capture_output=True
        )
        return _pushed(name)

    def address(self, *, namespace: str = ENVIRONMENT) -> str:
        """`HOST:PORT` of the service, which kube-proxy spreads over the pods."""
        service = self.cluster.object("service", f"{MODEL}-server", f"--namespace={namespace}")
        return f"{service['spec']['clusterIP']}:8080"

    def load(self, *, bills: tuple[float, float] = BILLS) -> contextlib.AbstractContextManager[Load]:
        return load(self.cluster, self.address(), bills=bills)

    def wait_until_served(self, *, namespace: str = ENVIRONMENT) -> None:
        """As many servers are ready as the autoscaler asks for."""
        words = ("deployment", f"{MODEL}-server", f"--namespace={namespace}")
        wait_for(lambda: _is_whole(self.cluster.object(*words)), what=f"two servers in {namespace}", seconds=240)

    def running(self) -> set[str]:
        """The versions of all pods that do not leave."""
        listed = self.cluster.object("pods", f"--namespace={ENVIRONMENT}")["items"]
        images = [pod["spec"]["containers"][0]["image"] for pod in listed if "deletionTimestamp" not in pod["metadata"]]
        return {image.partition("@")[0].rpartition(":")[2] for image in images}

    def deployed(self) -> str:
        """The version that git says."""
        found = deploy_tree.deployed(self.team.workplace.forge, environment=ENVIRONMENT, model=MODEL)
        assert found is not None
        return found.tag

    def verified(self, version: str) -> int:
        """How often the ledger says that it went live."""
        return len(self.team.workplace.history.pages(ReleaseTag.parse(f"{MODEL}@{version}"), Rollout))

    def _settle(self, name: str, **changed: object) -> None:
        kept = yaml.safe_load((self.team.root / name).read_text())
        self.team.write(name, json.dumps({**kept, **changed}))


def waiters(cluster: Cluster, tooled: Team, *, base: str, folder: Path) -> Waiters:
    """With version 1 live in two pods."""
    team = copy_of(tooled, folder)
    registry = f"{cluster.registry}/waiters"
    settings = {"image_registry": registry, "rollout_engine": "kubernetes", "environments": [{"name": ENVIRONMENT}]}
    served = _served(folder)
    served.mkdir()
    served.chmod(0o777)  # the user of the pods is none of this machine's
    team.write("slipway.yaml", json.dumps({**settings, "served_log": str(served)}))
    _bring_deploy(team, served)
    team.commit("Roll out to the cluster")
    made = Waiters(cluster, team, _built(team, base, registry))
    cluster.kubectl("create", "namespace", ENVIRONMENT)
    made.allow(ready_seconds=READY_SECONDS)
    made.merge(made.release()[1])
    made.slipway("rollout", MODEL)
    return made


def _is_whole(deployment: dict[str, Any]) -> bool:
    wanted, status = deployment["spec"]["replicas"], deployment["status"]
    return bool(wanted == status.get("availableReplicas") == status.get("updatedReplicas") == SERVERS)


def changed_by_the_overlay(team: Team) -> str:
    """What these tests apply otherwise than a team would."""

    def rendered(name: str) -> list[str]:
        return run(str(_BIN / "kubectl"), "kustomize", str(team.root / "deploy" / name)).stdout.splitlines()

    given, taken = rendered("base-of-slipway"), rendered("base")
    return "\n".join(difflib.unified_diff(given, taken, "deploy/base", "for Kubernetes 1.20", lineterm="", n=0))


def _served(folder: Path) -> Path:
    return folder / "served"


def _bring_deploy(team: Team, served: Path) -> None:
    for path in sorted((ROOT / "deploy" / "base").rglob("*")):
        if path.is_file():
            beside = path.relative_to(ROOT / "deploy" / "base")
            team.write(f"deploy/base-of-slipway/{beside}", path.read_text())
            if beside.parts[0] == "canary":  # a manifest takes it in by this name, as it is
                team.write(f"deploy/base/{beside}", path.read_text())
    team.write("deploy/base/kustomization.yaml", _OVERLAY.format(served=served))


def _built(team: Team, base: str, registry: str) -> str:
    """The runtime image, by the script of runtime-image.yml."""
    done = subprocess.run(
        ["bash", "actions/propose-runtime/build.sh"],
        cwd=team.root,
        env={**os.environ, "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}", "BASE_IMAGE": base},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stderr)
    tag = done.stdout.strip().rpartition("tag=")[2]
    return f"{registry}/runtime@{open_registry(registry).repository('runtime').manifest(tag).digest}"


def _pushed(name: str) -> str:
    docker("push", "--quiet", name)
    registry, _, rest = name.rpartition("/")
    repository, _, tag = rest.partition(":")
    return f"{registry}/{repository}@{open_registry(registry).repository(repository).manifest(tag).digest}"
