"""Rollouts onto this machine: one server process a model and environment, swapped without a refused request.

    <state>/<environment>/<model>/live.json      what is live, replaced as a whole
    <state>/<environment>/<model>/servers/<id>/  a server that was started: its lock, its pid and control socket
    <state>/<environment>/<model>/logs/          what the servers printed

The order makes every kill harmless. A new server is held back until it is warm, and ends with us while it is. Then
it takes the listening socket and accepts beside the old one; `live.json` names it; the old one is told to leave.
Whatever `live.json` does not name is ended by the next run.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from slipway.adapters import atomic, crash_points
from slipway.adapters.rollout import Deployment, Live, Stray, client
from slipway.adapters.rollout.one_at_a_time import alone_in
from slipway.adapters.rollout.server_process import ServerProcess, Starting, start
from slipway.adapters.rollout.strays import strays
from slipway.errors import BadFile, RolloutFailed, Unreachable

_FLUSH_SECONDS = 120.0
_LOGS_KEPT = 10
_LOG_LINES_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRollout:
    """Rolls out to processes that are known by files under `state`."""

    state: Path
    accept_event_time: bool = False
    unknown_inputs: str = "ignore"
    drain_grace_seconds: float = 2.0
    drain_deadline_seconds: float = 30.0
    last_log_seconds: float = 10.0

    def apply(self, deployment: Deployment) -> Live:
        place = self._place(deployment.model, deployment.environment)
        with alone_in(place):
            current = _read(place)
            self._end_all(place, but=current)
            healthy = current if current and current.server.accepts() else None
            if healthy and healthy.live.digest == deployment.digest:
                return healthy.live
            new = self._start(deployment, place, old=healthy.server if healthy else None)
            _write(place, new)
            self._end_all(place, but=new)
            return new.live

    def live(self, model: str, environment: str) -> Live | None:
        current = _read(self._place(model, environment))
        return current.live if current else None

    ask = staticmethod(client.ask)

    def flush_log(self, live: Live) -> None:
        """Return when every row that was answered before is in the served log."""
        current = _read(self._place(live.model, live.environment))
        if current is None or current.server.command("flush", seconds=_FLUSH_SECONDS) is None:
            raise Unreachable(f"no server of {live.model} in {live.environment} flushes its log", mend="roll out again")

    def watch(self, live: Live, *, seconds: float) -> None:  # noqa: ARG002
        """Look once, for nothing starts a server anew that ended."""
        place = self._place(live.model, live.environment)
        current = _read(place)
        if current is None or current.live != live or not current.server.accepts():
            raise RolloutFailed(
                f"{live.model} {live.version} went live in {live.environment} and does not run any more",
                mend=f"read the newest log in {place / 'logs'}",
                log=_last_lines(place / "logs", of=live.version),
            )

    def stop(self, model: str, environment: str) -> None:
        place = self._place(model, environment)
        if not place.exists():
            return
        with alone_in(place):
            (place / "live.json").unlink(missing_ok=True)
            self._end_all(place, but=None)

    def _place(self, model: str, environment: str) -> Path:
        return self.state.resolve() / environment / model

    def _start(self, deployment: Deployment, place: Path, *, old: ServerProcess | None) -> _Current:
        name = f"{deployment.version}-{uuid.uuid4().hex[:8]}"
        log_file = place / "logs" / f"{name}.log"
        _forget_old_logs(place)
        inherit = ["--inherit-from", str(old.control)] if old else []
        starting = start(place / "servers" / name, [*self._arguments(deployment), *inherit], log_file=log_file)
        try:
            live = self._bring_to_life(starting, deployment)
        except BaseException as failure:  # also a Ctrl-C: nobody else knows of this server yet
            starting.give_up(patience=self._patience)
            if isinstance(failure, RolloutFailed):
                raise _never_ready(deployment, failure, log_file, serving=old is not None) from failure
            raise
        return _Current(live, starting.server)

    def _bring_to_life(self, starting: Starting, deployment: Deployment) -> Live:
        with crash_points.external_write("accept"):
            status = starting.wait_until_it_accepts(seconds=deployment.ready_seconds)
        return Live(
            model=deployment.model,
            environment=deployment.environment,
            version=deployment.version,
            digest=deployment.digest,
            url=str(status["url"]),
            pid=int(status["pid"]),
        )

    def _arguments(self, deployment: Deployment) -> list[str]:
        options = {
            "--model-directory": deployment.model_directory.resolve(),
            "--name": deployment.model,
            "--model-version": deployment.version,
            "--log-mode": deployment.log_mode,
            "--unknown-inputs": self.unknown_inputs,
            "--drain-grace-seconds": self.drain_grace_seconds,
            "--drain-deadline-seconds": self.drain_deadline_seconds,
        }
        if deployment.served_log is not None:
            options["--served-log"] = f"{deployment.served_log}/{deployment.environment}/{deployment.model}"
        event_time = ["--accept-event-time"] if self.accept_event_time else []
        return [str(part) for option in options.items() for part in option] + event_time

    def strays(self, environment: str, *, known: Collection[Live]) -> list[Stray]:
        """Models that this machine serves, and that were asked for by nobody."""
        return strays(self.state, environment, known=known, live=self.live)

    @property
    def _patience(self) -> float:
        return self.drain_deadline_seconds + self.last_log_seconds  # it cuts at its deadline, then writes its log

    def _end_all(self, place: Path, *, but: _Current | None) -> None:
        for folder in sorted((place / "servers").glob("*")):
            if but is None or folder != but.server.folder:
                with crash_points.external_write("end-server"):
                    ServerProcess(folder).end(patience=self._patience)


def stop_all(state: Path) -> None:
    """Stop every server that was rolled out with `state`, in every environment."""
    rollout = ProcessRollout(state=state)
    for servers in sorted(state.glob("*/*/servers")):
        rollout.stop(servers.parent.name, servers.parent.parent.name)


@dataclass(frozen=True, slots=True)
class _Current:
    live: Live
    server: ServerProcess


def _read(place: Path) -> _Current | None:
    """What `live.json` names, if it is alive."""
    path = place / "live.json"
    try:
        record = json.loads(path.read_bytes())
        server = ServerProcess(place / "servers" / record.pop("server"))
        live = Live(**record)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as failure:
        raise BadFile(f"{path} is not what a rollout wrote: {failure}", mend=f"delete {path} and roll out") from failure
    return _Current(live, server) if server.alive() else None


def _write(place: Path, current: _Current) -> None:
    record = asdict(current.live) | {"server": current.server.folder.name}
    atomic.write(place / "live.json", json.dumps(record, indent=2).encode() + b"\n")


def _never_ready(deployment: Deployment, failure: RolloutFailed, log_file: Path, *, serving: bool) -> RolloutFailed:
    lines = log_file.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
    end = "what served before still does" if serving else "nothing is served"
    return RolloutFailed(
        f"{deployment.model} {deployment.version} does not go live in {deployment.environment}: "
        f"{failure.problem}; {end}",
        mend=f"read {log_file}; what it says mends it, then roll out again",
        log=lines or ["(it printed nothing)"],
    )


def _last_lines(logs: Path, *, of: str) -> list[str]:
    """What the newest server of a version printed last."""
    newest = _by_age(logs.glob(f"{of}-*.log"))[-1:]
    return [line for path in newest for line in path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]]


def _by_age(logs: Iterable[Path]) -> list[Path]:
    return sorted(logs, key=lambda path: path.stat().st_mtime)


def _forget_old_logs(place: Path) -> None:
    logs = _by_age((place / "logs").glob("*.log"))
    for path in logs[: max(0, len(logs) - _LOGS_KEPT + 1)]:
        path.unlink()
