"""Tell an MLflow server, by a process of its own that has ten seconds: no rollout waits for a server that is away."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from slipway import errors
from slipway.adapters import crash_points, mlflow_server
from slipway.adapters.processes.pinned import environment_for, our_code
from slipway.adapters.sources import secrets
from slipway.domain.write_back import Telling
from slipway.errors import TrackingServerRefused, Unreachable

_PASSED_ON = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_AGAIN = "the next rollout tells it again; slipway tell-mlflow --all does so at once"


@dataclass(frozen=True, slots=True)
class TrackingServer:
    """`host` is its name; `variables` are those of the process that asks it, and hold the secrets."""

    host: str
    variables: Mapping[str, str] = field(repr=False)
    requirements: Path
    seconds: float = 10.0

    @classmethod
    def open(cls, environment: Mapping[str, str], *, requirements: Path) -> Self:
        """The server that MLFLOW_TRACKING_URI names; `requirements` is the folder of hashed files.

        Raises:
            TrackingServerRefused: it names none.
        """
        passed = {
            name: value
            for name, value in environment.items()
            if name.startswith("MLFLOW_") or name.upper() in _PASSED_ON
        }
        return cls(mlflow_server.host_of(environment), passed, requirements)

    def tell(self, telling: Telling) -> str | None:
        """Returns the model version that the alias named before, None where it named none or this one.

        Raises:
            TrackingServerRefused: the server does not have that version, or does not let us.
            Unreachable: it does not answer; what took too long was ended.
        """
        with tempfile.TemporaryDirectory(prefix="slipway-mlflow-") as folder:
            aside = Path(folder)
            result, job = aside / "result.json", aside / "job.json"
            asked = {"telling": telling.model_dump(), "seconds": self.seconds, "result": str(result)}
            job.write_text(json.dumps(asked))
            command = self.command(job)  # made before the time begins to run
            with crash_points.external_write("write-back"):
                self._run(command, aside)
            told = json.loads(result.read_text())
        if refusal := errors.refused(told):
            raise refusal
        moved_from: str | None = told["moved_from"]
        return moved_from

    def command(self, job: Path) -> list[str]:
        """What does the job, in an environment that is made where it is not there yet."""
        python = environment_for("sources", requirements=self.requirements / "sources.txt")
        return [str(python), "-s", "-P", "-m", "slipway.adapters.mlflow_telling", str(job)]

    def environment(self, aside: Path) -> dict[str, str]:
        """Of that process: nothing of a job's but what MLflow's client reads; the code lies in the folder `aside`."""
        own = {"PATH": os.defpath, "HOME": str(aside), "LANG": "C.UTF-8", "PYTHONPATH": str(our_code(aside))}
        return {**self.variables, **own}

    def _run(self, command: Sequence[str], aside: Path) -> None:
        ended = self._ended(command, aside)
        if ended is None or ended.returncode == -signal.SIGALRM:
            raise Unreachable(
                f"the MLflow server {self.host} did not answer within {self.seconds:g} s; what asked it was ended",
                mend=_AGAIN,
            )
        if ended.returncode != 0:
            words = secrets.hidden(ended.stderr.decode(errors="replace").strip(), self.variables).splitlines()[-1:]
            raise TrackingServerRefused(f"what tells the MLflow server failed: {' '.join(words)}", mend=_AGAIN)

    def _ended(self, command: Sequence[str], aside: Path) -> subprocess.CompletedProcess[bytes] | None:
        """None when time ran out: the process is gone then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run(
                command,
                cwd=aside,
                env=self.environment(aside),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.seconds,
                check=False,
            )
        return None
