"""The control plane of a Kubernetes 1.20 without a node: etcd, the apiserver, and the controllers of Deployments.

What a kubelet would say is written into the status of pods through the API. So every state can be had in a second,
also those that no machine can be made to be in; what counts pods is real, and so is what answers.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
_CONTROLLERS = "deployment,replicaset,namespace,resourcequota,garbagecollector,serviceaccount,serviceaccount-token"
_READY = 60.0


@dataclass
class ControlPlane:
    """`users` are kubeconfigs: of `admin`, who may do all, of `nobody`, who may nothing, and of a `stranger`.

    `api` is asked as `admin`, without a program that has to start first.
    """

    programs: Path
    folder: Path
    ports: dict[str, int]
    users: dict[str, Path]
    api: httpx.Client
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def kubectl(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """What a command of the one who may do all printed."""
        done = subprocess.run(
            [KUBECTL, f"--kubeconfig={self.users['admin']}", *words],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if check and done.returncode:
            pytest.fail(f"kubectl {' '.join(words)}: {done.stderr}")
        return done.stdout

    def create(self, path: str, document: dict[str, Any]) -> None:
        self._answer(self.api.post(f"/api/v1/{path}", json={"apiVersion": "v1", **document}))

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._answer(self.api.get(f"/api/v1/namespaces/{namespace}/pods"))["items"]
        return found

    def say(self, path: str, status: dict[str, Any]) -> None:
        """Write a status, as a kubelet does."""
        kind = {"content-type": "application/merge-patch+json"}
        self.api.patch(f"/api/v1/{path}/status", json={"status": status}, headers=kind)  # a pod may be gone by now

    def end(self, path: str) -> None:
        """As a kubelet does with a pod that was told to leave."""
        self.api.request("DELETE", f"/api/v1/{path}", json={"gracePeriodSeconds": 0})

    def _answer(self, response: httpx.Response) -> Any:
        assert response.is_success, response.text
        return response.json()

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(self._command(name), stdout=log, stderr=log, cwd=self.folder)

    def stop(self, name: str) -> None:
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def stop_all(self) -> None:
        for name in tuple(self._running)[::-1]:
            self.stop(name)

    def wait_until_ready(self) -> None:
        until(lambda: self.kubectl("get", "--raw=/readyz", check=False) == "ok", what="the apiserver", seconds=_READY)

    def _command(self, name: str) -> list[str]:
        return {"etcd": self._etcd, "apiserver": self._apiserver, "controllers": self._controllers}[name]()

    def _etcd(self) -> list[str]:
        mine, peers = (f"http://127.0.0.1:{self.ports[name]}" for name in ("etcd", "peers"))
        data = ["--data-dir=etcd", "--unsafe-no-fsync"]
        clients = [f"--listen-client-urls={mine}", f"--advertise-client-urls={mine}"]
        return ["etcd", *data, *clients, f"--listen-peer-urls={peers}"]

    def _apiserver(self) -> list[str]:
        key = self.folder / "service-accounts.key"
        return [
            str(self.programs / "kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.ports['etcd']}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.ports['apiserver']}",
            "--cert-dir=certificates",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://tests.invalid",
        ]

    def _controllers(self) -> list[str]:
        return [
            str(self.programs / "kube-controller-manager"),
            f"--kubeconfig={self.users['admin']}",
            f"--service-account-private-key-file={self.folder / 'service-accounts.key'}",
            "--leader-elect=false",
            "--port=0",
            f"--secure-port={self.ports['controllers']}",
            "--bind-address=127.0.0.1",
            "--cert-dir=certificates-of-controllers",
            f"--controllers={_CONTROLLERS}",
        ]


@contextlib.contextmanager
def control_plane(programs: Path, folder: Path) -> Iterator[ControlPlane]:
    """A new one that is ready; all of it ends with the tests."""
    ports = {name: _free_port() for name in ("etcd", "peers", "apiserver", "controllers")}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / "service-accounts.key").write_bytes(pem)
    users = _users(folder, ports["apiserver"])
    token = yaml.safe_load(users["admin"].read_text())["users"][0]["user"]["token"]
    api = httpx.Client(
        base_url=f"https://127.0.0.1:{ports['apiserver']}", headers={"authorization": f"Bearer {token}"}, verify=False
    )
    made = ControlPlane(programs, folder, ports, users, api)
    try:
        for name in ("etcd", "apiserver"):
            made.start(name)
        made.wait_until_ready()
        made.start("controllers")
        yield made
    finally:
        made.stop_all()
        api.close()


def until(true: Callable[[], bool], *, what: str, seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            pytest.fail(f"{what} did not come within {seconds:g} s")
        time.sleep(0.1)


def _users(folder: Path, port: int) -> dict[str, Path]:
    """Kubeconfigs with the context `there`, and who their tokens are."""
    tokens = {name: secrets.token_hex(16) for name in ("admin", "nobody", "stranger")}
    groups = {"admin": ",system:masters", "nobody": ""}
    lines = [f"{tokens[name]},{name},{name}{group}" for name, group in groups.items()]
    (folder / "tokens.csv").write_text("\n".join(lines) + "\n")
    users = {name: folder / f"{name}.kubeconfig" for name in tokens}
    for name, path in users.items():
        path.write_text(yaml.safe_dump(_kubeconfig(f"https://127.0.0.1:{port}", tokens[name])))
    return users


def _kubeconfig(server: str, token: str) -> dict[str, Any]:
    """Whom one talks to is not looked at: the apiserver makes its certificate when it starts."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "there", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "there",
    }


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
