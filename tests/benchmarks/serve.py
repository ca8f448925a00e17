"""One ONNX file in our server and in those that people use today: how many answers, how soon, and in how much memory.

    python -m tests.benchmarks.serve                  measure, and write docs/benchmarks/serve.json
    python -m tests.benchmarks.serve --draw           write docs/benchmarks.md and its plots from that file

Each server has an environment of its own, one process where it lets one choose, and onnxruntime with one thread. All
are asked by the same client, wrk, a program in C: a client in Python would be slower than what it measures. Servers
take turns, in rounds; each answers rightly before it is measured. One that cannot be installed or started is told so.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnxruntime

from tests.benchmarks.servers import page, questions
from tests.benchmarks.servers.peers import PEERS, Peer, Place, environment_of
from tests.benchmarks.servers.questions import Question
from tests.benchmarks.watching import family_of, shared_out_below

_ROOT = Path(__file__).resolve().parents[2]
_LOAD = Path(__file__).parent / "servers" / "adapters" / "load.lua"
_CONCURRENCIES = (1, 8, 32)
_BATCH = 1000
_PATIENCE = 90.0
_Cells = dict[str, Any]


class DoesNotRun(Exception):
    """A server could not be installed, started, or did not answer rightly; the command and what it said."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements share; the models by their names."""

    folder: Path
    environments: Path
    seconds: int
    models: Mapping[str, Path]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seconds", type=int, default=3, help="of load a cell, whole ones as wrk takes them; default: 3"
    )
    parser.add_argument(
        "--servers", nargs="+", choices=[one.name for one in PEERS], default=[one.name for one in PEERS]
    )
    parser.add_argument("--environments", type=Path, help="kept there for the next time; default: made anew")
    parser.add_argument("--conditions", default="", help="what else the machine did, for the page")
    parser.add_argument("--draw", action="store_true", help="measure nothing")
    options = parser.parse_args(arguments)
    if options.draw:
        page.write(_ROOT / "docs")
        return
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed\n  mend: apt-get install wrk")
    found = _measured(options)
    path = _ROOT / "docs" / "benchmarks" / "serve.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")
    click.echo(page.tables(found))


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="slipway-benchmark-") as scratch:
        folder = Path(scratch)
        models = {"numbers": folder / "numbers.onnx", "texts": folder / "texts.onnx"}
        questions.write_numbers(models["numbers"])
        questions.write_texts(models["texts"])
        bench = Bench(folder, options.environments or folder / "environments", options.seconds, models)
        peers = [one for one in PEERS if one.name in options.servers]
        servers, rounds = _installed(bench, peers)
        for number in range(options.rounds):
            raw = {"one_row_us": _raw(models["numbers"], 1), "batch_us": _raw(models["numbers"], _BATCH)}
            rounds.append({"onnxruntime": raw, "servers": {}})
            for peer in peers:
                if "error" not in servers[peer.name]:
                    click.echo(f"round {number + 1} of {options.rounds}: {peer.name}", err=True)
                    _measure(bench, peer, servers[peer.name], rounds[-1]["servers"])
    told = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "conditions": options.conditions, "machine": _machine()}
    return {**told, "servers": servers, "rounds": rounds}


def _installed(bench: Bench, peers: Sequence[Peer]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    servers: dict[str, Any] = {}
    for peer in peers:
        click.echo(f"installing {peer.name}", err=True)
        try:
            servers[peer.name] = _install(bench, peer)
        except DoesNotRun as reason:
            servers[peer.name] = {"error": str(reason)}
    return servers, []


def _measure(bench: Bench, peer: Peer, told: _Cells, into: dict[str, Any]) -> None:
    try:
        into[peer.name] = _cells(bench, peer)
    except DoesNotRun as reason:
        told["error"] = str(reason)


# --- one server ----------------------------------------------------------------------------------------------------


def _environment(bench: Bench, peer: Peer) -> Path:
    return bench.environments / peer.name.split(",")[0].lower()


def _install(bench: Bench, peer: Peer) -> _Cells:
    """Its environment, unless it is there, and the versions in it."""
    environment = _environment(bench, peer)
    uv = str(_ROOT / ".tools" / "bin" / "uv")
    if not (environment / "bin").exists():
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)])
        _run([uv, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), *peer.installs])
    listed = json.loads(_run([uv, "pip", "list", "--format", "json", "--python", str(environment / "bin" / "python")]))
    versions = {one["name"]: one["version"] for one in listed}
    size = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file() and not path.is_symlink())
    return {
        "versions": {name: versions[name] for name in peer.distributions},
        "packages": len(versions),
        "installed_bytes": size,
    }


def _cells(bench: Bench, peer: Peer) -> _Cells:
    one, many, texts = questions.numbers(1), questions.numbers(_BATCH), questions.texts()
    cells: _Cells = {}
    with _served(bench, peer, "numbers", one) as server:
        cells["first_answer_seconds"] = server.first_answer_seconds
        cells["idle_bytes"], cells["processes"] = shared_out_below(server.pid), len(family_of(server.pid))
        for clients in _CONCURRENCIES:
            cells[f"one_row_{clients}"] = _load(bench, server, peer.ask(one), clients=clients)
        cells["busy_bytes"] = shared_out_below(server.pid)
        for name, question in (("batch_json", peer.ask(many)), ("batch_binary", questions.in_binary(many))):
            if name == "batch_json" or peer.binary:
                server.check(question, bench.models["numbers"], many)
                cells[name] = _load(bench, server, question, clients=1)
    with _served(bench, peer, "texts", texts) as server:
        cells["texts_8"] = _load(bench, server, peer.ask(texts), clients=8)
    return cells


@dataclass(frozen=True, slots=True)
class _Server:
    pid: int
    port: int
    path: str
    first_answer_seconds: float

    def check(self, question: Question, model: Path, values: np.ndarray[Any, Any]) -> None:
        """Raises `DoesNotRun` where it answers otherwise than onnxruntime."""
        said = _ask(self.port, self.path, question)
        expected = _session(model).run(None, {"x": values})[0]
        if said is None or not np.allclose(np.ravel(expected), said, rtol=1e-4, atol=1e-5):
            raise DoesNotRun(f"{self.path} answers {str(said)[:200]}, onnxruntime {np.ravel(expected)[:3]}…")


@contextmanager
def _served(bench: Bench, peer: Peer, model: str, values: np.ndarray[Any, Any]) -> Iterator[_Server]:
    """A server that answered once, rightly; it is ended afterwards, with all that it started."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        place = Place(_environment(bench, peer) / "bin", Path(folder), bench.models[model], _free_port())
        command = peer.prepare(place)
        with (place.folder / "said").open("w+") as said:
            started = time.monotonic()
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment_of(peer, place),
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            try:
                server = _first_answer(process, place.port, peer, values, started=started, said=place.folder / "said")
                server.check(peer.ask(values), place.model, values)
                yield server
            finally:
                _end(process)


def _first_answer(
    process: subprocess.Popen[bytes],
    port: int,
    peer: Peer,
    values: np.ndarray[Any, Any],
    *,
    started: float,
    said: Path,
) -> _Server:
    question = peer.ask(values)
    while time.monotonic() - started < _PATIENCE:
        if _ask(port, peer.path, question) is not None:
            return _Server(process.pid, port, peer.path, time.monotonic() - started)
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise DoesNotRun(f"{' '.join(map(str, process.args))} does not answer:\n{said.read_text()[-1500:]}")  # type: ignore[arg-type]


def _ask(port: int, path: str, question: Question) -> Sequence[float] | None:
    """What a server answers; None where it does not, or not yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": question.content_type}
    if question.header_bytes:
        headers["Inference-Header-Content-Length"] = str(question.header_bytes)
    try:
        connection.request("POST", path, body=question.body, headers=headers)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if response.status != http.HTTPStatus.OK:
        return None
    length = response.getheader("Inference-Header-Content-Length")
    return questions.answer_in(body, None if length is None else int(length))


def _load(bench: Bench, server: _Server, question: Question, *, clients: int) -> _Cells:
    """What wrk says of some seconds of load."""
    body = bench.folder / "body"
    body.write_bytes(question.body)
    environment = {"BODY": str(body), "CONTENT_TYPE": question.content_type, "PATH": "/usr/bin:/bin"}
    if question.header_bytes:
        environment["HEADER_LENGTH"] = str(question.header_bytes)
    flags = ["--threads", "1", "--connections", str(clients), "--duration", f"{bench.seconds}s", "--timeout", "30s"]
    said = _run(
        ["wrk", *flags, "--script", str(_LOAD), f"http://127.0.0.1:{server.port}{server.path}"], env=environment
    )
    told = json.loads(said.splitlines()[-1])
    if told["failed"] or not told["requests"]:
        raise DoesNotRun(f"{told['failed']} of {told['requests']} requests failed at {clients} clients")
    return {
        "requests_a_second": told["requests"] / told["microseconds"] * 1e6,
        "p50_ms": told["p50_ms"],
        "p99_ms": told["p99_ms"],
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """First as an operator would; then all that is left of its session."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


# --- without a server ----------------------------------------------------------------------------------------------


def _session(model: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _raw(model: Path, rows: int) -> float:
    """Microseconds that the model itself takes, the middle of many runs."""
    session, asked = _session(model), {"x": questions.numbers(rows)}
    taken = []
    for _ in range(500):
        started = time.perf_counter()
        session.run(None, asked)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken) * 1e6)


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processors": os.cpu_count(), "memory_bytes": memory, "python": platform.python_version()}


def _free_port() -> int:
    """With two free ones behind it, as far as can be told."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _run(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise DoesNotRun(f"{' '.join(command)}\n{(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
