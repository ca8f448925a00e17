"""The command lines and files of what a cluster is made of; each part is started by `Place.start`."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

BRIDGE, ADDRESS = "cluster0", "10.90.0.1"  # of the machine that all nodes are
PODS = "10.91.0.0/16"
_ETCD = "http://127.0.0.1:2379"


@dataclass(frozen=True, slots=True)
class Files:
    """Where the programs are, and where the configuration of one cluster is written."""

    programs: Path
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def _key(self) -> Path:
        return self.folder / "service-accounts.key"

    @property
    def _tokens(self) -> Path:
        return self.folder / "tokens.csv"

    def write(self) -> None:
        """The one user may do all; every part is this user."""
        self.folder.mkdir()
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
        token = secrets.token_hex(16)
        self._tokens.write_text(f"{token},tests,tests,system:masters\n")
        self.kubeconfig.write_text(yaml.safe_dump(_kubeconfig(token, self.folder / "apiserver" / "apiserver.crt")))
        self.kubeconfig.chmod(0o600)

    def etcd(self) -> tuple[str, ...]:
        data = f"--data-dir={self.folder / 'etcd'}"
        return ("etcd", data, f"--listen-client-urls={_ETCD}", f"--advertise-client-urls={_ETCD}")

    def apiserver(self) -> tuple[str, ...]:
        return (
            str(self.programs / "kube-apiserver"),
            f"--etcd-servers={_ETCD}",
            f"--advertise-address={ADDRESS}",
            f"--cert-dir={self.folder / 'apiserver'}",
            f"--token-auth-file={self._tokens}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-key-file={self._key}",
            f"--service-account-signing-key-file={self._key}",
            "--service-account-issuer=https://tests.invalid",
            "--kubelet-preferred-address-types=InternalIP",  # nobody here knows a node by its name
        )

    def controllers(self) -> tuple[str, ...]:
        return (
            str(self.programs / "kube-controller-manager"),
            f"--kubeconfig={self.kubeconfig}",
            f"--service-account-private-key-file={self._key}",
            "--leader-elect=false",
            "--node-monitor-grace-period=40s",
        )

    def scheduler(self) -> tuple[str, ...]:
        return (str(self.programs / "kube-scheduler"), f"--kubeconfig={self.kubeconfig}", "--leader-elect=false")

    def proxy(self) -> tuple[str, ...]:
        """Of one for all nodes, since they share a network."""
        told = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": PODS,
            "clientConnection": {"kubeconfig": str(self.kubeconfig)},
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
            "iptables": {"minSyncPeriod": "0s"},
        }
        written = self._write("kube-proxy.yaml", told)
        return (str(self.programs / "kube-proxy"), f"--config={written}", "--hostname-override=node-1")

    def containerd(self, node: Node) -> tuple[str, ...]:
        """With the same paths on each node, for each has mounts of its own there; but not for images."""
        configuration = node.folder / "containerd.toml"
        network = node.folder / "network" / "bridge.conflist"
        network.parent.mkdir(parents=True)
        network.write_text(json.dumps(_network(node)))
        configuration.write_text(_CONTAINERD.format(folder=node.folder, pause=node.pause))
        return ("containerd", "--config", str(configuration))

    def kubelet(self, node: Node) -> tuple[str, ...]:
        written = self._write(f"{node.name}.yaml", _kubelet(node))
        return (
            str(self.programs / "kubelet"),
            f"--config={written}",
            f"--kubeconfig={self.kubeconfig}",
            "--container-runtime=remote",
            "--container-runtime-endpoint=unix:///run/containerd/containerd.sock",
            f"--hostname-override={node.name}",
            f"--node-ip={node.address}",
        )

    def _write(self, name: str, document: dict[str, Any]) -> Path:
        path = self.folder / name
        path.write_text(yaml.safe_dump(document))
        return path


@dataclass(frozen=True, slots=True)
class Node:
    """`number` from 1; `group` is the control group of its pods, `pause` the image that holds their networks."""

    number: int
    folder: Path
    group: str
    pause: str

    @property
    def name(self) -> str:
        return f"node-{self.number}"

    @property
    def address(self) -> str:
        return f"10.90.0.{10 + self.number}"


_CONTAINERD = """\
version = 2
root = "{folder}/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{folder}/network"
"""


def _kubeconfig(token: str, authority: Path) -> dict[str, Any]:
    server = {"server": f"https://{ADDRESS}:6443", "certificate-authority": str(authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": server}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "tests",
    }


def _network(node: Node) -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": f"pods{node.number}",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": f"10.91.{node.number}.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}


def _kubelet(node: Node) -> dict[str, Any]:
    """One that evicts nothing: the disk and the memory are those of the tests' machine."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "port": 10250,
        "healthzPort": 0,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.group,
        "failSwapOn": False,
        "evictionHard": {"memory.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        "nodeStatusUpdateFrequency": "5s",
        "oomScoreAdj": 0,
        "protectKernelDefaults": True,
        "resolvConf": "",
        "registerNode": True,
    }
