"""What a tag released, in the engines that people have: Docker, containerd and buildah, from a registry and by digest.

The image was appended to and never built, so nothing but an engine can say that it is an image.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from slipway.adapters import git
from slipway.adapters.bill_of_materials import packages_of
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.digests import digest_of
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import Layer, model_layer
from slipway.adapters.registry.layout import LayoutRegistry
from slipway.adapters.registry.manifests import Image, encode
from slipway.adapters.registry.protocol import Registry
from slipway.adapters.registry.pull import pull_model_layer
from slipway.domain.release import Image as Released

from serving.building.mask_shells import SHELLS
from tests.team import Team, Tip, copy_of
from tests.workflows.engine import answers, becomes, docker, infer, logs, running, runtime_image
from tests.workflows.other_engines import Buildah, Containerd, buildah, containerd

pytestmark = pytest.mark.xdist_group("docker")

_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
_INPUTS = [
    {"name": "bill", "datatype": "FP32", "shape": [2, 1], "data": [20.0, 30.5]},
    {"name": "kitchen", "datatype": "BYTES", "shape": [2, 1], "data": ["grill", "pizza"]},
]
_SCORES = [20.0 * 0.02 + 0.05, 30.5 * 0.02 - 0.05]  # of `Tip`
_ASK_WITHIN = f"""
import json, time, urllib.request
body = json.dumps({{"inputs": {_INPUTS!r}}}).encode()
for _ in range(300):
    try:
        answer = urllib.request.urlopen("http://127.0.0.1:8080/v2/models/tip/infer", data=body, timeout=5)
        break
    except OSError:
        time.sleep(0.1)
print(answer.read().decode())
"""
_ORIGIN = Origin(
    release="tip@v3.0.0",
    version="3.0.0",
    source="https://example.com/waiters",
    revision="c0ffee" * 6,
    created=datetime(2026, 3, 1, tzinfo=UTC),
    base_name="runtime",
)


@dataclass(frozen=True)
class Shop:
    """A team with a runtime image and two releases on it."""

    team: Team
    registry: str
    runtime: str  # digest
    first: str  # HOST/PREFIX/tip@sha256:…
    second: str

    @property
    def home(self) -> Registry:
        return open_registry(self.registry)


@pytest.fixture(scope="module")
def shop(base: str, _tooled: Team, registry_host: str, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    team = copy_of(_tooled, tmp_path_factory.mktemp("shop"))
    registry = f"{registry_host}/shop-{os.getpid()}"
    team.edit("slipway.yaml", "image_registry: layout:.slipway/registry", f"image_registry: {registry}")
    team.commit("Say where images go")
    runtime = open_registry(registry).repository("runtime").manifest(runtime_image(team.root, base=base)).digest
    team.write(
        "slipway.yaml", f"{(team.root / 'slipway.yaml').read_text()}runtime_image: {registry}/runtime@{runtime}\n"
    )
    team.commit("Stand on it")
    first = _release(team, "tip@v1.0.0")
    team.write_model(Tip(weight=0.0201))
    team.commit("Train again")
    return Shop(team, registry, runtime, f"{registry}/{first}", f"{registry}/{_release(team, 'tip@v1.1.0')}")


def _release(team: Team, tag: str) -> str:
    team.release(team.tag(tag))
    return f"tip@{team.record(tag).page(Released, written_by='build-image').body.digest}"


@pytest.fixture(scope="module")
def container(shop: Shop) -> Iterator[tuple[str, str]]:
    """The first release, running: the container's name and its address."""
    docker("pull", "--quiet", shop.first)
    with running(shop.first) as (name, address):
        assert becomes(lambda: answers(address)), logs(name)
        yield name, address


def inside(name: str, *command: str) -> tuple[int, str]:
    """Exit code of a command in a running container, and all that was printed."""
    done = subprocess.run(["docker", "exec", name, *command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


NONE = {"Uid": {"65532"}, "Gid": {"65532"}, "CapEff": {"0" * 16}, "CapBnd": {"0" * 16}, "NoNewPrivs": {"1"}}


def rights(status: str) -> dict[str, set[str]]:
    """What proc(5) says that a process may do."""
    told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return {name: set(told[name].split()) for name in NONE}


def test_docker_runs_what_was_appended_by_its_digest(container: tuple[str, str]) -> None:
    """No user root, no capability, no root to write: it answers as the model does, and says that it is well."""
    name, address = container

    answer = infer(address, "tip", _INPUTS)

    assert answer["model_version"] == "v1.0.0"
    assert answer["outputs"][0]["data"] == pytest.approx(_SCORES, abs=1e-6)
    assert becomes(lambda: docker("inspect", "--format", "{{.State.Health.Status}}", name) == "healthy")


def test_what_runs_has_no_rights(container: tuple[str, str]) -> None:
    """Whoever breaks into the server is nobody, and can write nowhere."""
    _, status = inside(container[0], "cat", "/proc/1/status")
    written, refused = inside(container[0], "python3", "-c", "open('/opt/slipway/serving/x.py', 'w')")

    assert rights(status) == NONE
    assert written == 1 and "Read-only file system" in refused


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "/bin/sh", "/usr/bin/bash", "busybox"])
def test_no_shell_is_left(container: tuple[str, str], shell: str) -> None:
    """Not even for root; the base image has them."""
    for user in ("65532", "0"):
        done = subprocess.run(
            ["docker", "exec", "--user", user, container[0], shell, "-c", "id"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in {126, 127} and "uid=" not in done.stdout, done.stdout


def test_the_base_had_shells(base: str) -> None:
    """Or the test above would say nothing."""
    for shell in ("sh", "bash", "dash"):
        assert docker("run", "--rm", "--network", "none", base, shell, "-c", "echo here") == "here"


def test_a_changed_model_pulls_one_layer(container: tuple[str, str], shop: Shop) -> None:
    """A machine that runs one version has all of the next but its model."""
    said = [line.partition(": ")[2] for line in docker("pull", shop.second).splitlines()]

    runtime = Image.read(shop.home.repository("runtime"), shop.runtime)
    assert said.count("Already exists") == len(runtime.layers)
    assert said.count("Pull complete") == 1


def test_a_layout_and_a_registry_come_to_the_same_digest(shop: Shop, tmp_path: Path) -> None:
    """What a laptop releases into a folder is what the workflow pushes, on a runtime that an engine built, too."""
    runtime, layer = Base(shop.home, "runtime", shop.runtime), changed_layer(shop, tmp_path / "layers")
    layout = LayoutRegistry(tmp_path / "images")

    there = append_layer(shop.home, "tip", base=runtime, layer=layer, origin=_ORIGIN, tag="v3.0.0")
    here = append_layer(layout, "tip", base=runtime, layer=layer, origin=_ORIGIN, tag="v3.0.0")

    assert here == there
    assert digest_of(layout.repository("tip").manifest("v3.0.0").content) == there


def changed_layer(shop: Shop, into: Path) -> Layer:
    """The second release's layer with another model in it."""
    files = pull_model_layer(shop.home, "tip", shop.second.partition("@")[2], into)
    return model_layer({**files, "model.onnx": Tip(weight=0.0202).onnx()})


def test_docker_takes_its_own_platform_of_an_index(shop: Shop, tmp_path: Path) -> None:
    """A cluster of two kinds of machines releases once, and each takes its own."""
    digest = released_for_two(shop, changed_layer(shop, tmp_path / "layers"))
    reference = f"{shop.registry}/tip@{digest}"

    found = {}
    for wanted in ((), ("--platform", "linux/arm64")):
        docker("pull", "--quiet", *wanted, reference)
        told = json.loads(docker("image", "inspect", reference))[0]
        found[told["Architecture"]] = told["RootFS"]["Layers"][-1]
        docker("image", "rm", "--force", reference)

    assert set(found) == {"amd64", "arm64"}
    assert len(set(found.values())) == 1  # the model is the same for both


def released_for_two(shop: Shop, layer: Layer) -> str:
    """A release on a runtime of two platforms; the second has other words in its config and the same layers."""
    runtimes = shop.home.repository("runtime")
    image = Image.read(runtimes, shop.runtime)
    config = encode({**image.config, "architecture": "arm64"})
    family = image.family
    manifest = encode(
        {
            "schemaVersion": 2,
            "mediaType": family.manifest,
            "config": {"mediaType": family.config, "digest": digest_of(config), "size": len(config)},
            "layers": [layer.entry for layer in image.layers],
        }
    )
    runtimes.put_blob(digest_of(config), size=len(config), chunks=lambda: iter([config]))
    runtimes.put_manifest(manifest, media_type=family.manifest, reference=digest_of(manifest))
    mine = runtimes.manifest(shop.runtime)
    both = {"amd64": mine.content, "arm64": manifest}
    entries = [
        {
            "mediaType": family.manifest,
            "digest": digest_of(content),
            "size": len(content),
            "platform": {"os": "linux", "architecture": architecture},
        }
        for architecture, content in both.items()
    ]
    index = encode({"schemaVersion": 2, "mediaType": _LIST, "manifests": entries})
    two = runtimes.put_manifest(index, media_type=_LIST, reference="two")
    base = Base(shop.home, "runtime", two)
    return append_layer(shop.home, "tip", base=base, layer=layer, origin=_ORIGIN, tag="v3.0.0-two")


@pytest.fixture(scope="module")
def of_containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    with containerd(tmp_path_factory.mktemp("containerd")) as engine:
        yield engine


@pytest.fixture(scope="module")
def of_buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    with buildah(tmp_path_factory.mktemp("buildah")) as engine:
        yield engine


def test_containerd_pulls_and_runs_it(of_containerd: Containerd, shop: Shop) -> None:
    """It is what Kubernetes runs images with, without Docker in between."""
    of_containerd.pull(shop.first)

    with of_containerd.running(shop.first, "tip"):
        answer = json.loads(of_containerd.python_in("tip", _ASK_WITHIN))
        status = of_containerd.python_in("tip", "print(open('/proc/1/status').read())")

    assert shop.first.partition("@")[2] in of_containerd("images", "list")
    assert rights(status) == NONE
    assert answer["outputs"][0]["data"] == pytest.approx(_SCORES, abs=1e-6)


def test_buildah_pulls_it_and_finds_the_model(of_buildah: Buildah, shop: Shop) -> None:
    """Podman and CRI-O read images by the same library."""
    image = of_buildah.pull(shop.first)

    with of_buildah.container(image) as (_name, root):
        model = (root / "model/model.onnx").read_bytes()
        runnable = [name for name in SHELLS if os.access(root / "usr/bin" / name, os.X_OK)]

    assert of_buildah.image(image)["FromImageDigest"] == shop.first.partition("@")[2]
    assert hashlib.sha256(model).digest() == hashlib.sha256(Tip().onnx()).digest()
    assert runnable == []


def test_buildah_builds_the_runtime_image(of_buildah: Buildah, shop: Shop, base: str, tmp_path: Path) -> None:
    """Where there is no Docker: the same rights, health check and list of packages, and no shell."""
    archive = git.run("archive", "HEAD", cwd=shop.team.root)
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(tmp_path, filter="data")

    of_buildah.build(tmp_path, base=base, name="localhost/runtime")

    config: dict[str, Any] = json.loads(of_buildah.image("localhost/runtime")["Config"])["config"]
    image = Image.read(shop.home.repository("runtime"), shop.runtime)
    for key in ("User", "Healthcheck", "Entrypoint", "Env", "WorkingDir"):
        assert config[key] == image.config["config"][key], key
    with of_buildah.container("localhost/runtime") as (name, root):
        listed = json.loads((root / "opt/slipway/sbom.cdx.json").read_bytes())
        help_text = of_buildah("run", "--isolation", "chroot", name, "--", "python3", "-m", "serving", "--help")
        assert not os.access(root / "usr/bin/sh", os.X_OK)
    packages = packages_of(image, shop.home.repository("runtime"))
    assert packages is not None and len(packages) == len(
        {one.get("purl") or one["name"] for one in listed["components"]}
    )
    assert {"pypi/onnxruntime", "deb/debian/libc6", "generic/python"} <= packages.keys()
    assert "--model-directory" in help_text
