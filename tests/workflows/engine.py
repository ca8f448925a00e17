"""A container engine, and a base image of this machine's own Debian packages: a test pulls nothing from outside."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.rig import ROOT

PACKAGES = ("python3-pip", "base-files", "bash", "dash", "coreutils", "findutils", "libstdc++6")
FRONT_PACKAGES = ("haproxy", "base-files")
_LEFT_OUT = ("/usr/share/doc/", "/usr/share/locale/", "/usr/share/man/")
_LINKED = ("/bin", "/lib", "/lib64", "/sbin")  # to /usr, where Debian has them since 12
_DEPENDENCY = re.compile(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)")
_PIP = b"[global]\nno-index = true\nfind-links = /wheels\n"


def docker(*words: str) -> str:
    """What one command of the engine printed; without an engine the tests fail, they never skip."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"docker {' '.join(words)}: {done.stderr}\n(.ci/run starts an engine where none answers)")
    return done.stdout.strip()


def logs(container: str) -> str:
    done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@contextmanager
def base_image(folder: Path) -> Iterator[str]:
    """An image with Python, pip and the wheels that are locked; afterwards all that was built on it is gone."""
    with _imported("base", PACKAGES, folder) as (name, tar):
        for wheel in _wheels(folder / "wheels"):
            tar.add(wheel, arcname=f"wheels/{wheel.name}")
        _add(tar, "etc/pip.conf", _PIP)
    with _removed_afterwards(name):
        yield name


@contextmanager
def front_image(folder: Path) -> Iterator[str]:
    """An image of Debian's HAProxy, in the place of the official one."""
    with _imported("haproxy", FRONT_PACKAGES, folder) as (name, _tar):
        pass
    with _removed_afterwards(name):
        yield name


@contextmanager
def _imported(kind: str, wanted: tuple[str, ...], folder: Path) -> Iterator[tuple[str, tarfile.TarFile]]:
    """The name of an image of these packages, and the archive that it is made of in the end, to add to it."""
    name = f"localhost/slipway-{kind}:{uuid.uuid4().hex[:12]}"
    archive = folder / f"{kind}.tar"
    packages = _with_dependencies(wanted)
    with tarfile.open(archive, "w") as tar:
        for path in _files_of(packages):
            tar.add(path, recursive=False)
        _add(tar, "var/lib/dpkg/status", _status_of(packages))
        _add(tar, "etc/slipway-base", name.encode())  # so that no other run's layer is the same
        yield name, tar
    docker("import", str(archive), name)
    archive.unlink()


@contextmanager
def _removed_afterwards(name: str) -> Iterator[None]:
    layer = docker("image", "inspect", "--format", "{{index .RootFS.Layers 0}}", name)
    try:
        yield
    finally:
        _remove_all_on(layer)


def runtime_image(root: Path, *, base: str) -> str:
    """Run the script of runtime-image.yml in a checkout, without GitHub; the tag that it pushed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "SLIPWAY_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "actions/propose-runtime/build.sh"],
        cwd=root,
        env={**kept, "PATH": path, "BASE_IMAGE": base},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().rpartition("tag=")[2]


@contextmanager
def running(image: str) -> Iterator[tuple[str, str]]:
    """A container as production would run it: the name, and the address of port 8080."""
    name = f"slipway-{uuid.uuid4().hex[:12]}"
    strict = ("--user", "65532:65532", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    docker("run", "--detach", "--name", name, *strict, "--publish", "127.0.0.1::8080", image)
    try:
        yield name, f"http://{docker('port', name, '8080')}"
    finally:
        docker("rm", "--force", "--volumes", name)


def becomes(true: Callable[[], bool], *, within: float = 120) -> bool:
    """Whether it does, asked again and again."""
    end = time.monotonic() + within
    while not (is_true := true()) and time.monotonic() < end:
        time.sleep(0.2)
    return is_true


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/v2/health/ready", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def infer(address: str, model: str, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    asked = json.dumps({"inputs": inputs}).encode()
    with urllib.request.urlopen(f"{address}/v2/models/{model}/infer", data=asked, timeout=30) as response:
        answer: dict[str, Any] = json.loads(response.read())
    return answer


def _with_dependencies(wanted: tuple[str, ...]) -> list[str]:
    """All that the packages need of what is installed here."""
    form = "${Package}\t${Pre-Depends},${Depends}\n"
    lines = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    needs = {name: _DEPENDENCY.findall(rest) for name, _, rest in (line.partition("\t") for line in lines.splitlines())}
    assert needs.keys() >= set(wanted), f"apt-get install {' '.join(sorted(set(wanted) - needs.keys()))}"
    found, waiting = set[str](), list(wanted)
    while waiting:
        name = waiting.pop()
        if name in needs and name not in found:
            found.add(name)
            waiting += needs[name]
    return sorted(found)


def _status_of(packages: list[str]) -> bytes:
    """What dpkg knows of them, as it is kept in an image of Debian."""
    return subprocess.run(["dpkg-query", "--status", *packages], check=True, capture_output=True).stdout


def _files_of(packages: list[str]) -> list[Path]:
    lines = subprocess.run(["dpkg-query", "-L", *packages], check=True, capture_output=True, text=True).stdout
    named = [Path(line) for line in lines.splitlines() if line.startswith("/") and not line.startswith(_LEFT_OUT)]
    real = {path.parent.resolve() / path.name for path in named if path.name not in ("", ".")}
    return sorted(path for path in real | {Path(link) for link in _LINKED} if os.path.lexists(path))


def _wheels(folder: Path) -> list[Path]:
    """From the index that this machine is set up for; a build inside of the engine needs no network then."""
    python = "/usr/bin/python3"  # of Debian: the one that the image will have
    version = subprocess.run([python, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    options = ("--no-deps", "--only-binary=:all:", "--require-hashes", "--python-version", version.rpartition(".")[0])
    for locked in (ROOT / "requirements" / "serving.txt", ROOT / "requirements" / "sbom.txt"):
        command = [python, "-m", "pip", "download", "--quiet", *options, "--dest", str(folder), "-r", str(locked)]
        subprocess.run(command, check=True, capture_output=True)
    return sorted(folder.iterdir())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _remove_all_on(layer: str) -> None:
    """Take away every image whose first layer it is: ours, and nobody else's. A parent goes after its children."""
    while ours := _images_on(layer):
        subprocess.run(["docker", "image", "rm", "--force", *ours], capture_output=True, check=False)
        assert set(_images_on(layer)) < set(ours), f"docker keeps {ours}"


def _images_on(layer: str) -> list[str]:
    """Of the images that are there; one that another run takes away meanwhile is none of them."""
    form = "{{.Id}} {{if .RootFS.Layers}}{{index .RootFS.Layers 0}}{{end}}"
    everything = docker("image", "ls", "--all", "--quiet", "--no-trunc").split()
    asked = ["docker", "image", "inspect", "--format", form, *set(everything)]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout if everything else ""
    return [line.split()[0] for line in listed.splitlines() if line.endswith(layer)]
