"""Appending a model to its runtime image, against `docker build` and `docker push` with a warm cache.

The Dockerfile that a user would write puts the model last, so nothing else is built again; beside it buildah, and a
Dockerfile that installs the server anew, as a fresh runner without a cache does. A way that fails is reported with its
command and error, and the others go on.

    python -m tests.benchmarks.release [MEGABYTES …]     by default 1 100 1000

All push to one registry on this machine. Each round changes 24 bytes of the model, and the ways take turns. CPU is that
of client, engine and registry together; memory is that of the client.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

from tests.workflows.engine import base_image, docker

_MEGABYTE = 1_000_000
_NAMES = ("append", "docker build, push", "buildah", "docker build without cache, push")
_HEAD = "| model | way | time | CPU | sent | memory of client | time ÷ append | CPU ÷ append |\n" + "|---" * 8 + "|"
_EVERY_SECONDS = 0.01
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")
_APPEND = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from slipway.adapters.registry import open_registry
from slipway.adapters.registry.append import Base, append_layer
from slipway.adapters.registry.documents import Origin
from slipway.adapters.registry.layer import model_layer
home, runtime, model, tag = sys.argv[1:]
registry = open_registry(home)
base, layer = Base(registry, "runtime", runtime), model_layer({"model.onnx": Path(model)})
origin = Origin("large@v1.0.0", "1.0.0", "acme/models", "0" * 40, datetime(2026, 3, 1, tzinfo=UTC), "runtime")
append_layer(registry, "append", base=base, layer=layer, origin=origin, tag=tag)
"""
_WARM = "FROM {runtime}\nCOPY model.onnx /model/model.onnx\n"
_COLD = """FROM {base}
COPY serving.txt /requirements.txt
RUN python3 -m pip install --no-deps --require-hashes --target=/opt/libraries --requirement=/requirements.txt
COPY serving /opt/serving
COPY model.onnx /model/model.onnx
"""
_REGISTRY = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one release: seconds by the clock, seconds of all processors, bytes on the network, bytes of the client."""

    seconds: float
    cpu: float
    sent: int
    memory: int


@dataclass(frozen=True, slots=True)
class Place:
    """What every way works with."""

    folder: Path
    home: str  # HOST:PORT/bench
    base: str  # a plain Python, as the engine calls it
    runtime: str  # HOST:PORT/bench/runtime@sha256:…
    services: tuple[int, ...]  # processes of engine and registry


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", nargs="*", type=int, default=[1, 100, 1000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=_NAMES, default=_NAMES, metavar="WAY", help=", ".join(_NAMES))
    parser.add_argument("--json", action="store_true", help="print each release as a JSON line")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as folder, _place(Path(folder)) as place:
        if not options.json:
            click.echo(_HEAD)
        for megabytes in options.megabytes:
            for line in _measured(place, megabytes, options):
                click.echo(line)


def _measured(place: Place, megabytes: int, options: argparse.Namespace) -> Iterator[str]:
    model = place.folder / "model.onnx"
    np.random.default_rng(7).standard_normal(megabytes * _MEGABYTE // 4, dtype=np.float32).tofile(model)
    ways = {name: way for name, way in _ways(place).items() if name in options.ways}
    for name, way in list(ways.items()):  # the first round warms caches, is not counted, and tells what works here
        _change(model, -1)
        try:
            way(f"{megabytes}-0")
        except (OSError, RuntimeError) as problem:
            del ways[name]
            yield json.dumps({"way": name, "failed": str(problem)}) if options.json else f"| | {name} | {problem} |"
    costs: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(options.rounds):
        for name, way in ways.items():
            _change(model, number)
            costs[name].append(cost := _cost(place, way, f"{megabytes}-{number + 1}"))
            if options.json:
                yield json.dumps({"megabytes": megabytes, "way": name, "round": number, **asdict(cost)})
    if not options.json:
        yield from _lines(megabytes, costs)


def _lines(megabytes: int, costs: dict[str, list[Cost]]) -> Iterator[str]:
    ours = costs["append"]
    for name, all_of in costs.items():
        time_ratio = statistics.median(one.seconds / mine.seconds for one, mine in zip(all_of, ours, strict=True))
        cpu_ratio = statistics.median(one.cpu / mine.cpu for one, mine in zip(all_of, ours, strict=True))
        middle = {key: statistics.median(asdict(one)[key] for one in all_of) for key in asdict(all_of[0])}
        yield (
            f"| {megabytes:,} MB | {name} | {middle['seconds']:.2f} s | {middle['cpu']:.2f} s "
            f"| {middle['sent'] / _MEGABYTE:,.1f} MB | {middle['memory'] / _MEGABYTE:,.0f} MB "
            f"| {time_ratio:.1f}× | {cpu_ratio:.1f}× |"
        )


def _ways(place: Place) -> dict[str, Callable[[str], int]]:
    """Each releases the model under a tag, and returns the most memory that its client held."""
    warm, cold = place.folder / "warm.Dockerfile", place.folder / "cold.Dockerfile"
    warm.write_text(_WARM.format(runtime=place.runtime))
    cold.write_text(_COLD.format(base=place.base))
    return {
        _NAMES[0]: lambda tag: _append(place, tag),
        _NAMES[1]: lambda tag: _build(place, warm, f"{place.home}/warm:{tag}"),
        _NAMES[2]: lambda tag: _buildah(place, f"{place.home}/buildah:{tag}"),
        _NAMES[3]: lambda tag: _build(place, cold, f"{place.home}/cold:{tag}", "--no-cache"),
    }


def _append(place: Place, tag: str) -> int:
    digest = place.runtime.partition("@")[2]
    return _run(place, [sys.executable, "-c", _APPEND, place.home, digest, str(place.folder / "model.onnx"), f"v{tag}"])


def _build(place: Place, file: Path, image: str, *options: str) -> int:
    build = ["docker", "build", "--quiet", *options, "--file", str(file), "--tag", image, str(place.folder / "context")]
    return max(_run(place, build), _run(place, ["docker", "push", "--quiet", image]))


def _buildah(place: Place, image: str) -> int:
    working = image.rpartition("/")[2].replace(":", "-")
    most = [_run(place, ["buildah", "from", "--quiet", "--tls-verify=false", "--name", working, place.runtime])]
    try:
        model = str(place.folder / "model.onnx")
        most.append(_run(place, ["buildah", "copy", "--quiet", working, model, "/model/model.onnx"]))
        most.append(_run(place, ["buildah", "commit", "--quiet", "--rm", working, image]))
        most.append(_run(place, ["buildah", "push", "--quiet", "--tls-verify=false", image]))
    except RuntimeError:
        subprocess.run(["buildah", "rm", working], capture_output=True, check=False)
        raise
    return max(most)


def _run(place: Place, command: Sequence[str]) -> int:
    """Peak resident bytes of the process; it is waited for, so its CPU counts among our children's."""
    most = 0
    with (
        (place.folder / "said").open("w+") as said,
        subprocess.Popen(command, cwd=place.folder, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        while process.poll() is None:
            most = max(most, _peak(process.pid))
            time.sleep(_EVERY_SECONDS)
        said.seek(0)
        words = said.read()[-2000:]
    if process.returncode:
        raise RuntimeError(f"`{shlex.join(command[:3])} …` ended with {process.returncode}: {' '.join(words.split())}")
    return most


def _peak(pid: int) -> int:
    """`VmHWM` of proc(5); what `wait4` tells of a child includes what its parent held before `exec`."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:  # it ended
        return 0
    return int(found[1]) * 1024 if found else 0


def _cost(place: Place, way: Callable[[str], int], tag: str) -> Cost:
    cpu, sent, started = _cpu(place), _sent(), time.monotonic()
    memory = way(tag)
    return Cost(time.monotonic() - started, _cpu(place) - cpu, _sent() - sent, memory)


def _cpu(place: Place) -> float:
    """Of our children that ended, and of the services with theirs: fields 14 to 17 of proc(5) `stat`."""
    own = os.times()
    services = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15] for pid in place.services)
    return own.children_user + own.children_system + sum(sum(map(int, fields)) for fields in services) / _TICKS


def _sent() -> int:
    """Bytes over the loopback device, of everybody: nothing else should use it now."""
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if line.strip().startswith("lo:"))
    return int(line.split()[9])


def _change(model: Path, number: int) -> None:
    with model.open("r+b") as file:
        file.seek(model.stat().st_size // 2)
        file.write(f"{number:24d}".encode())
    context = model.parent / "context"
    context.mkdir(exist_ok=True)
    shutil.copy(model, context)


@contextmanager
def _place(folder: Path) -> Iterator[Place]:
    root = Path(__file__).parents[2]
    with _registry(folder) as (host, registry), base_image(folder) as base:
        home = f"{host}/bench"
        runtime = f"{home}/runtime:1"
        arguments = ("--build-arg", f"BASE_IMAGE={base}", "--tag", runtime)
        docker("build", "--quiet", "--file", str(root / "serving" / "Dockerfile"), *arguments, str(root))
        docker("push", "--quiet", runtime)
        (context := folder / "context").mkdir()
        shutil.copy(root / "requirements" / "serving.txt", context)
        shutil.copytree(root / "serving", context / "serving", ignore=shutil.ignore_patterns("__pycache__"))
        digest = docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", runtime)
        try:
            yield Place(folder, home, base, digest, (registry, *_engine()))
        finally:
            _forget(home)


def _forget(home: str) -> None:
    """Remove what buildah keeps of our registry; the engine's part goes with its base image."""
    if shutil.which("buildah"):
        listed = subprocess.run(
            ["buildah", "images", "--quiet", "--filter", f"reference={home}/*"],
            capture_output=True,
            text=True,
            check=False,
        )
        subprocess.run(["buildah", "rmi", "--force", *listed.stdout.split()], capture_output=True, check=False)


def _engine() -> tuple[int, ...]:
    """The processes of dockerd and its containerd, by name."""
    found = subprocess.run(["pidof", "dockerd", "containerd"], capture_output=True, text=True, check=False)
    if not found.stdout.split():
        raise RuntimeError("no dockerd runs here: its CPU cannot be seen")
    return tuple(int(pid) for pid in found.stdout.split())


@contextmanager
def _registry(folder: Path) -> Iterator[tuple[str, int]]:
    port = _free_port()
    configuration = folder / "registry.yml"
    configuration.write_text(_REGISTRY.format(storage=folder / "registry", port=port))
    with subprocess.Popen(["docker-registry", "serve", str(configuration)], stderr=subprocess.DEVNULL) as server:
        try:
            yield f"127.0.0.1:{port}", server.pid
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main(sys.argv[1:])
