"""Run the program kubectl: without a shell, within a time, for one context; its words are sorted into our errors.

What it prints is read whole, and nothing is told of it but `refusals` lets through: no credential is.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from slipway.adapters.rollout.kubernetes import refusals
from slipway.errors import ClusterRefused, SlipwayError, Unreachable

KUBECONFIG = "SLIPWAY_KUBECONFIG"  # a whole kubeconfig, as a secret of a workflow gives it
_OURS = ("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_")  # and SLIPWAY_…: no plug-in that fetches credentials needs them


class Ended(NamedTuple):
    """`code` is None where time ran out."""

    code: int | None
    out: bytes
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """Asks the cluster of one environment of slipway.yaml; `context` None is the current one of the kubeconfig.

    The kubeconfig is what SLIPWAY_KUBECONFIG holds; without that, the one of KUBECONFIG or of the home folder.
    A command gets `last_seconds` beyond the `seconds` that the apiserver gets.
    """

    environment: str
    context: str | None = None
    seconds: float = 30.0
    last_seconds: float = 10.0
    program: str = "kubectl"
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def objects(self, *arguments: str) -> Any:
        """What a `get` of these arguments answers; None where there is no such thing.

        Raises:
            Unreachable: the cluster did not answer, or with something that is no JSON.
            ClusterRefused: it said no.
            BadFile: slipway.yaml names a context that is not there.
        """
        out = self.run("get", *arguments, "--ignore-not-found", "--output=json")
        try:
            return json.loads(out) if out.strip() else None
        except ValueError:
            raise Unreachable(
                f"kubectl answered with {len(out):,} bytes that are no JSON, for {self.environment}",
                mend=f"see what is called kubectl here: {self.shown('get', *arguments)}",
            ) from None

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run one command that should succeed; what it printed.

        Raises:
            Unreachable, ClusterRefused, BadFile: as `objects`.
        """
        ended = self.ended(*arguments, stdin=stdin)
        if ended.code != 0:
            raise self.failure(ended, *arguments)
        return ended.out

    def ended(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """Run one command and return however it ended.

        Raises:
            ClusterRefused: there is no kubectl.
        """
        with self.command(f"--request-timeout={self.seconds:g}s", *arguments) as (command, variables):
            return _bounded(command, variables, stdin=stdin, seconds=self.seconds + self.last_seconds)

    def failure(self, ended: Ended, *arguments: str) -> SlipwayError:
        """What a command that did not succeed means to who reads slipway.yaml."""
        said = ended.said or f"it ended with {ended.code}"
        if ended.code is None:
            said = f"Unable to connect to the server: kubectl did not end within {self.seconds + self.last_seconds:g} s"
        asked = refusals.Asked(environment=self.environment, context=self.context, command=self.shown(*arguments))
        return refusals.sorted_out(said, asked)

    def shown(self, *arguments: str) -> str:
        """A command as a person types it."""
        context = ["--context", self.context] if self.context else []
        return " ".join(["kubectl", *context, *arguments])

    @contextlib.contextmanager
    def command(self, *arguments: str) -> Iterator[tuple[list[str], dict[str, str]]]:
        """The words and variables of a process of it, as long as its kubeconfig has to be there."""
        context = [f"--context={self.context}"] if self.context else []
        words = [self.program, *context, *arguments]
        given = self.variables.get(KUBECONFIG, "")
        if not given.strip():
            yield words, self._passed_on()
            return
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder:  # ours alone to enter
            file = Path(folder) / "kubeconfig"
            file.touch(mode=0o600)
            file.write_text(given, encoding="utf-8")
            yield words, self._passed_on() | {"KUBECONFIG": str(file)}

    def _passed_on(self) -> dict[str, str]:
        kept = {name: value for name, value in self.variables.items() if not name.startswith((*_OURS, "SLIPWAY_"))}
        return kept | {"LC_ALL": "C"}


def no_program(error: OSError) -> ClusterRefused:
    return ClusterRefused(
        f"kubectl cannot be started: {error.strerror}",
        mend="install kubectl (https://kubernetes.io/docs/tasks/tools) where this runs; it asks the cluster",
    )


def _bounded(command: Sequence[str], variables: Mapping[str, str], *, stdin: bytes, seconds: float) -> Ended:
    """Neither it nor a plug-in that it started is left when this returns."""
    try:
        process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise no_program(error) from error
    with process:
        try:
            out, said = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            return Ended(None, b"", "")
        finally:
            _end_group(process)
    return Ended(process.returncode, out, refusals.bounded(said))


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of it is left
        os.killpg(process.pid, signal.SIGKILL)
