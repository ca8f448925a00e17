"""A team with keys, cosign, and a real registry whose files can be altered behind its back."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from slipway.adapters.signatures.cosign import KEY, PASSWORD

from tests.team import MODEL, Team, copy_of, new_team
from tests.unit.adapters.registry import docker_registry

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Pair:
    """What `cosign generate-key-pair` wrote."""

    private: str
    public: str
    password: str = "open sesame"

    def give(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As the publishing job is given it."""
        monkeypatch.setenv(KEY, self.private)
        monkeypatch.setenv(PASSWORD, self.password)


@dataclass(frozen=True)
class Served:
    """A running docker-registry, and where its files are."""

    host: str
    storage: Path

    def tags(self, repository: str) -> Path:
        return self.storage / "docker/registry/v2/repositories" / repository / "_manifests/tags"

    def blob(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        return self.storage / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


@dataclass(frozen=True)
class Signing:
    """A team in a corner of the registry that nobody else uses."""

    team: Team
    served: Served
    prefix: str

    def push(self, text: str = "{}") -> str:
        """A small image; returns its digest."""
        repository = self.team.workplace.registry.repository(MODEL)
        content = text.encode()
        blob = f"sha256:{hashlib.sha256(content).hexdigest()}"
        repository.put_blob(blob, size=len(content), chunks=lambda: iter([content]))
        about = {"digest": blob, "size": len(content)}
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **about},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **about}],
        }
        written = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(written).hexdigest()}"
        return repository.put_manifest(written, media_type=_MANIFEST, reference=digest)

    def signature_of(self, digest: str, kind: str = "sig") -> Path:
        """Where the registry keeps which manifest holds the signatures of an image."""
        return self.served.tags(f"{self.prefix}/{MODEL}") / f"{digest.replace(':', '-')}.{kind}"

    def signed(self, digest: str, kind: str = "sig") -> list[str]:
        """The digests of the blobs that hold signatures, or attestations, of an image."""
        found = self.team.workplace.registry.repository(MODEL).manifest(f"{digest.replace(':', '-')}.{kind}")
        return [layer["digest"] for layer in json.loads(found.content)["layers"]]

    def use(self, **keys: Pair) -> Signing:
        """Commit public keys as `<name>.pub`, and name them in slipway.yaml in this order."""
        for name, pair in keys.items():
            self.team.write(f"{name}.pub", pair.public)
        settings = {
            "image_registry": f"{self.served.host}/{self.prefix}",
            "environments": [{"name": "production"}],
            "signing_keys": [f"{name}.pub" for name in keys],
        }
        self.team.write("slipway.yaml", json.dumps(settings))
        self.team.commit("Say who signs")
        return self

    def move_to(self, host: str) -> None:
        """What this checkout takes for the registry from now on."""
        self.team.edit("slipway.yaml", self.served.host, host)


def _pair(folder: Path) -> Pair:
    folder.mkdir()
    if shutil.which("cosign") is None:
        pytest.fail("cosign is not installed: .ci/run shows where it comes from on Debian 12")
    subprocess.run(
        ["cosign", "generate-key-pair"],
        cwd=folder,
        env={**os.environ, "COSIGN_PASSWORD": Pair.password},
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    return Pair((folder / "cosign.key").read_text(), (folder / "cosign.pub").read_text())


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("pair") / "ours")


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("pair") / "theirs")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("docker-registry")
    with docker_registry.running(folder, storage=folder / "storage") as host:
        yield Served(host, folder / "storage")


@pytest.fixture(scope="session")
def _fresh(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return new_team(tmp_path_factory.mktemp("fresh"))


@pytest.fixture
def corner(_fresh: Team, served: Served, tmp_path: Path, request: pytest.FixtureRequest) -> Signing:
    """Of a team without a key, yet."""
    prefix = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:80].strip("-")
    return Signing(copy_of(_fresh, tmp_path), served, prefix).use()


@pytest.fixture
def signing(corner: Signing, ours: Pair, monkeypatch: pytest.MonkeyPatch) -> Signing:
    """Of a team that signs."""
    ours.give(monkeypatch)
    return replace(corner).use(ours=ours)
