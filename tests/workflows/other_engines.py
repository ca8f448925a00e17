"""Engines beside Docker's, each with a store of its own: containerd on a private socket, buildah without a daemon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_CONTAINERD = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/socket"
[ttrpc]
address = "{folder}/socket.ttrpc"
"""
_PATIENCE = 180  # seconds for one command
_CAPABILITIES = (  # that containerd gives to a process of root; `ctr` has no word for all of them
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
)


@dataclass(frozen=True, slots=True)
class Containerd:
    """A daemon of containerd, spoken to by `ctr`."""

    socket: Path
    snapshots: str  # where it cannot lay folders over each other, it copies them

    def __call__(self, *words: str) -> str:
        return _run(("ctr", "--address", str(self.socket), "--namespace", "slipway", *words))

    def pull(self, reference: str, *, platform: str = "linux/amd64") -> None:
        """From a registry on this machine, without TLS."""
        options = ("--plain-http", "--snapshotter", self.snapshots, "--platform", platform)
        self("images", "pull", *options, reference)

    @contextmanager
    def running(self, reference: str, name: str) -> Iterator[None]:
        """A container as production would run it, by the user that the image names; its network is its own."""
        dropped = [word for name in _CAPABILITIES for word in ("--cap-drop", f"CAP_{name}")]
        options = ("--snapshotter", self.snapshots, "--null-io", "--read-only", *dropped)
        self("run", "--detach", *options, reference, name)
        try:
            yield
        finally:
            self("tasks", "delete", "--force", name)  # which kills it, and waits until it has ended
            self("containers", "delete", name)

    def python_in(self, name: str, code: str) -> str:
        """What a program says that is started inside of a running container."""
        return self("tasks", "exec", "--exec-id", f"ask-{time.monotonic_ns()}", name, "python3", "-c", code)


@contextmanager
def containerd(folder: Path) -> Iterator[Containerd]:
    """Start a daemon and end it by its id; without the program the tests fail, they never skip."""
    configuration = folder / "containerd.toml"
    configuration.write_text(_CONTAINERD.format(folder=folder))
    log = folder / "log"
    with (
        log.open("wb") as said,
        subprocess.Popen(["containerd", "--config", str(configuration)], stdout=said, stderr=said) as daemon,
    ):
        try:
            yield Containerd(folder / "socket", _snapshots(folder / "socket", daemon, log))
        finally:
            daemon.terminate()


def _snapshots(socket: Path, daemon: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the daemon answers; how it keeps layers."""
    ask = ["ctr", "--address", str(socket), "plugins", "list"]
    for _ in range(150):
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            lines = [line.split() for line in done.stdout.splitlines()]
            return "overlayfs" if any(line[1:2] == ["overlayfs"] and line[-1] == "ok" for line in lines) else "native"
        if daemon.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"containerd did not start: {log.read_text()[-2000:]}")


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah with a store of its own."""

    folder: Path

    def __call__(self, *words: str) -> str:
        store = ("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"))
        return _run(("buildah", *store, *words))

    def build(self, context: Path, *, base: str, name: str) -> None:
        """As serving/Dockerfile says; tests may run in a container, where `chroot` is all the isolation there is."""
        self("pull", "--quiet", f"docker-daemon:{base}")
        options = ("--isolation", "chroot", "--format", "docker", "--build-arg", f"BASE_IMAGE={base}", "--quiet")
        self("build", *options, "--file", str(context / "serving/Dockerfile"), "--tag", name, str(context))

    def pull(self, reference: str) -> str:
        """From a registry on this machine; the id of the image."""
        return self("pull", "--quiet", "--tls-verify=false", f"docker://{reference}")

    def image(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self("inspect", "--type", "image", name))
        return told

    @contextmanager
    def container(self, image: str) -> Iterator[tuple[str, Path]]:
        """A container that nothing runs in: its name, and where its files lie."""
        name = self("from", "--pull-never", image)
        try:
            yield name, Path(self("mount", name))
        finally:
            self("umount", name)
            self("rm", name)


@contextmanager
def buildah(folder: Path) -> Iterator[Buildah]:
    engine = Buildah(folder)
    try:
        yield engine
    finally:
        engine("rm", "--all")
        engine("rmi", "--all", "--force")


def _run(command: tuple[str, ...]) -> str:
    if shutil.which(command[0]) is None:
        pytest.fail(f"{command[0]} is not installed; .ci/run installs it")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE, env=dict(os.environ))
    if done.returncode:
        pytest.fail(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return done.stdout.strip()
