"""What is asked of Docker: its own command line, so that contexts, remote names and credentials are the user's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from slipway.errors import Unreachable

_SECONDS = 300.0
_LINES_SHOWN = 3
_MEND = "see that `docker info` and `docker compose version` answer for the user who rolls out, then run again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What Docker says of a container; `port` is the one of this machine that leads to its 8080, 0 without one."""

    id: str
    image: str
    status: str
    exit_code: int
    restarts: int
    out_of_memory: bool
    health: str
    error: str
    addresses: frozenset[str]
    port: int

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """From one entry of `docker inspect`."""
        state, network = told["State"], told["NetworkSettings"]
        published = (network.get("Ports") or {}).get("8080/tcp") or [{"HostPort": "0"}]
        return cls(
            id=told["Id"],
            image=told["Config"]["Image"],
            status=state["Status"],
            exit_code=state["ExitCode"],
            restarts=told["RestartCount"],
            out_of_memory=state["OOMKilled"],
            health=(state.get("Health") or {}).get("Status", "none"),
            error=state.get("Error", ""),
            addresses=frozenset(one["IPAddress"] for one in network["Networks"].values() if one["IPAddress"]),
            port=int(published[0]["HostPort"]),
        )

    @property
    def runs(self) -> bool:
        return self.status == "running" and self.health != "unhealthy"

    def fault_since(self, restarts: int) -> str | None:
        """Why its server is gone, or was since it had been started again `restarts` times; None if it is not."""
        if self.restarts > restarts or self.status in ("restarting", "exited", "dead"):
            code = f" with code {self.exit_code}" if self.exit_code else ""  # a server that runs again has none
            why = ", for it needs more memory than it is given" if self.out_of_memory else code
            return f"its server ended{why}" + (", and Docker started it again" if self.restarts > restarts else "")
        if self.status == "created" and self.exit_code:
            return f"its server cannot be started: {self.error or f'code {self.exit_code}'}"
        return None


@dataclass(frozen=True, slots=True)
class Docker:
    """Commands, given from `folder`."""

    folder: Path

    def __call__(self, *words: str, seconds: float = _SECONDS) -> str:
        """What a command printed.

        Raises:
            Unreachable: it failed, or took longer than `seconds`: no fault of the version that is rolled out.
        """
        done = self._run(words, seconds)
        if done.returncode:
            raise Unreachable(f"`docker {words[0]}` failed: {_last_of(done.stderr)}", mend=_MEND)
        return done.stdout.strip()

    def container(self, name: str) -> Container | None:
        """What there is by that name; None if nothing."""
        found = self("container", "ls", "--all", "--no-trunc", "--quiet", "--filter", f"name=^/{name}$").split()
        if not found:
            return None
        return Container.read(json.loads(self("container", "inspect", found[0]))[0])

    def log_of(self, name: str, *, lines: int) -> list[str]:
        done = self._run(("container", "logs", "--tail", str(lines), name), _SECONDS)
        return (done.stdout + done.stderr).splitlines()[-lines:]

    def has_image(self, reference: str) -> bool:
        return self._run(("image", "inspect", reference), _SECONDS).returncode == 0

    def _run(self, words: tuple[str, ...], seconds: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                ["docker", *words],
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError:
            raise Unreachable("there is no program `docker` here", mend="install Docker and its compose") from None
        except subprocess.TimeoutExpired:
            raise Unreachable(f"`docker {words[0]}` did not end within {seconds:g} s", mend=_MEND) from None


def _environment() -> dict[str, str]:
    """Ours, without what would change a project that its own files describe."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "SLIPWAY_"))}


def _last_of(printed: str) -> str:
    return " / ".join(line.strip() for line in printed.strip().splitlines()[-_LINES_SHOWN:]) or "it printed nothing"
