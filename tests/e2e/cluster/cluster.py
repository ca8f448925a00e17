"""A Kubernetes 1.20 of two nodes with a registry, on loopback and bridges that exist for it alone.

Both nodes are on this machine and share its network: each has a containerd and a kubelet with mounts of their own, and
a bridge for its pods. Tests enter the network by a prefix, and everything else is seen under the same names on both
sides: files, and the registry, which answers on the same address here and there.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster.parts import ADDRESS, BRIDGE, Files, Node
from tests.e2e.cluster.place import Place, group_of, place, wait_for
from tests.e2e.cluster.registry import Storage

_KUBECTL = str(Path(sys.executable).with_name("kubectl"))
_BUILD = Path(__file__).with_name("build.sh")
_READY = 240.0


@dataclass(frozen=True)
class Cluster:
    """`registry` is `HOST:PORT`, in the cluster and outside of it."""

    place: Place
    files: Files
    registry: str
    nodes: tuple[Node, ...]

    @property
    def kubeconfig(self) -> Path:
        return self.files.kubeconfig

    def kubectl(self, *words: str) -> str:
        """What a command of kubectl printed."""
        return self._kubectl(*words, check=True).stdout

    def asked(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same where the command may fail."""
        return self._kubectl(*words, check=False)

    def inside(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of this machine in the cluster's network."""
        return self.place.inside(*command, check=check)

    @property
    def entry(self) -> tuple[str, ...]:
        """Words before a command that is to run in the cluster's network."""
        return self.place.entry

    def object(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "--output=json"))
        return found

    def kill(self, part: str) -> None:
        """One of `apiserver`, `registry`, `kubelet-1` and so on: at once, as a lost machine goes."""
        self.place.kill(part)

    def start(self, part: str) -> None:
        """Start a part as it was before."""
        self.place.start(part)

    def pause(self, part: str) -> None:
        """It keeps its connections and answers nothing; `resume` lets it go on."""
        self.place.signal(part, signal.SIGSTOP)

    def resume(self, part: str) -> None:
        self.place.signal(part, signal.SIGCONT)

    def wait_until_ready(self) -> None:
        """The apiserver answers, and every node is ready."""
        wait_for(self._ready, what="a ready cluster", seconds=_READY)

    def logs(self) -> str:
        """The end of what each part wrote."""
        written = sorted((self.place.folder / "logs").iterdir())
        return "\n".join(f"{log.stem}: {log.read_text(errors='replace')[-1500:]}" for log in written)

    def _kubectl(self, *words: str, check: bool) -> subprocess.CompletedProcess[str]:
        return self.inside(_KUBECTL, f"--kubeconfig={self.kubeconfig}", *words, check=check)

    def _ready(self) -> bool:
        form = '--output=jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}'
        return self.asked("get", "nodes", form).stdout.split() == ["True"] * len(self.nodes)


@contextlib.contextmanager
def cluster(programs: Path, storage: Storage, *, nodes: int = 2) -> Iterator[Cluster]:
    """A new one that is ready; nothing of it is left afterwards. `storage` is that of its registry."""
    with place() as at:
        files = Files(programs, at.folder / "files")
        files.write()
        _connect(at)
        made = Cluster(at, files, storage.host, tuple(_node(at, number, storage) for number in range(1, nodes + 1)))
        try:
            _start(made, storage)
        except pytest.fail.Exception as failure:
            pytest.fail(f"{failure}\n{made.logs()}")
        yield made


def programs() -> Path:
    """Where the programs of Kubernetes are; they are built where they are not there yet, which takes minutes."""
    done = subprocess.run([str(_BUILD)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"Kubernetes cannot be built (.ci/run installs what it takes): {done.stderr[-3000:]}")
    return Path(done.stdout.strip())


def _connect(at: Place) -> None:
    """One address for the machine and one for each node, on a bridge that leads nowhere."""
    at.inside("ip", "link", "add", BRIDGE, "type", "bridge")
    for number in (1, 11, 12, 13):
        at.inside("ip", "address", "add", f"{ADDRESS.rpartition('.')[0]}.{number}/24", "dev", BRIDGE)
    at.inside("ip", "link", "set", BRIDGE, "up")
    at.inside("ip", "route", "add", "default", "dev", BRIDGE)  # or the address of a service has no route


def _node(at: Place, number: int, storage: Storage) -> Node:
    folder = at.folder / f"node-{number}"
    for name in ("lib", "log"):
        (folder / name).mkdir(parents=True)
    return Node(number, folder, group_of(at, folder.name), storage.pause)


def _start(made: Cluster, storage: Storage) -> None:
    at, files = made.place, made.files
    at.start("registry", *storage.command(at.folder / "files" / "registry.yml"))
    at.start("etcd", *files.etcd())
    at.start("apiserver", *files.apiserver())
    wait_for(lambda: made.asked("get", "--raw=/readyz").stdout == "ok", what="the apiserver", seconds=_READY)
    at.start("controllers", *files.controllers())
    at.start("scheduler", *files.scheduler())
    at.start("proxy", *files.proxy())
    for node in made.nodes:
        _start_node(made, node)
    made.wait_until_ready()


def _start_node(made: Cluster, node: Node) -> None:
    """Paths that kubelet and containerd take for granted are the node's own, and gone with it."""
    at, files = made.place, made.files
    hide = [f"mount --bind {node.folder / name} /var/{name}" for name in ("lib", "log")]
    own = " && ".join(["mount -t tmpfs node /run", *hide])
    pid = at.start(f"mounts-{node.number}", "unshare", "--mount", "sh", "-c", f"{own} && exec sleep infinity")
    entry = ("nsenter", f"--mount=/proc/{pid}/ns/mnt", "--")
    wait_for(
        lambda: at.within(*entry, "mountpoint", "--quiet", "/var/log", check=False).returncode == 0,
        what="a node's mounts",
        seconds=10,
    )
    at.start(f"containerd-{node.number}", *entry, *files.containerd(node))
    wait_for(
        lambda: at.within(*entry, "test", "-S", "/run/containerd/containerd.sock", check=False).returncode == 0,
        what="containerd",
        seconds=30,
    )
    at.start(f"kubelet-{node.number}", *entry, *files.kubelet(node))
