"""Versions to roll out by docker compose, what the engine shows of them, and clients who ask meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from slipway.adapters.registry import open_registry
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import model_layer
from slipway.adapters.rollout import Deployment, Live
from slipway.adapters.rollout.docker.engine import DockerRollout
from slipway.adapters.rollout.docker.project import Project

from tests.e2e.clients import load as clients
from tests.e2e.clients.load import Load, two_rows
from tests.team import Tip
from tests.workflows.engine import docker

MODEL, ENVIRONMENT = "tip", "production"
INPUTS = two_rows()
_SILENT = 'FROM {base}\nENTRYPOINT ["python3", "-c", "import time; print(1); time.sleep(600)"]\n'
_CLIENTS, _A_SECOND = 4, 1_500  # of each kind, and of all


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Makes versions of `tip` on a runtime image, in a registry."""

    registry: str
    runtime: str  # digest
    folder: Path

    def good(self, version: str, *, bias: float = 0.0) -> Deployment:
        return self.of(version, self._appended(version, Tip(bias=bias).onnx()))

    def broken(self, version: str) -> Deployment:
        """Its server ends as soon as it has read its model."""
        return self.of(version, self._appended(version, b"half a mod"))

    def silent(self, version: str) -> Deployment:
        """Its server runs and never listens."""
        name = f"{self.registry}/{MODEL}:{version}"
        lines = _SILENT.format(base=f"{self.registry}/runtime@{self.runtime}")
        subprocess.run(["docker", "build", "--quiet", "--tag", name, "-"], input=lines, text=True, check=True)
        docker("push", name)
        return self.of(version, open_registry(self.registry).repository(MODEL).manifest(version).digest)

    def of(self, version: str, digest: str, *, registry: str | None = None) -> Deployment:
        return Deployment(
            model=MODEL,
            environment=ENVIRONMENT,
            version=version,
            digest=digest,
            image=f"{registry or self.registry}/{MODEL}:{version}@{digest}",
            commit="c0ffee" * 6,
            model_directory=self.folder,
            served_log=str(self.folder / "served"),
        )

    def _appended(self, version: str, model: bytes) -> str:
        home = open_registry(self.registry)
        base = Base(home, "runtime", self.runtime)
        layer = model_layer({"model.onnx": model})
        origin = Origin(
            release=f"{MODEL}@{version}",
            version=version.removeprefix("v"),
            source="https://example.com/waiters",
            revision="c0ffee" * 6,
            created=datetime(2026, 3, 1, tzinfo=UTC),
            base_name="runtime",
        )
        return append_layer(home, MODEL, base=base, layer=layer, origin=origin, tag=version)


def project_of(rollout: DockerRollout) -> Project:
    return Project.of(rollout.state.resolve() / ENVIRONMENT / MODEL, front_image=rollout.front_image)


def running_in(rollout: DockerRollout) -> dict[str, str]:
    """The digest that each service of the project runs; the front's image has none."""
    project = project_of(rollout)
    found = {name: project.container(name) for name in ("front", "blue", "green")}
    return {name: one.image.partition("@")[2] for name, one in found.items() if one is not None}


def assert_alone(rollout: DockerRollout, live: Live) -> None:
    """One version is live, in one container, and the front passes requests on to that one."""
    (colour,) = running_in(rollout).keys() - {"front"}
    assert running_in(rollout) == {"front": "", colour: live.digest}
    assert project_of(rollout).front.named() == colour
    assert (project_of(rollout).place / "front" / "live.map").read_text() == f"live {colour}\n"
    assert rollout.live(MODEL, ENVIRONMENT) == live


@contextmanager
def load(live: Live, *, a_second: int = _A_SECOND) -> Iterator[Load]:
    """Ask again and again, until the end of the block; the first counts are there when it begins."""
    address = live.url.removeprefix("http://")
    with clients.load(address, model=live.model, inputs=INPUTS, clients=_CLIENTS, a_second=a_second) as asked:
        yield asked.look()
