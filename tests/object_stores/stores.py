"""Object stores on loopback, each a process that can be killed, stopped and started again."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pytest

ACCESS_KEY, SECRET = "slipway:log", "a-secret-that-nobody-may-read"
_SWIFT = ("/usr/bin/python3", str(Path(__file__).with_name("whole_swift.py")))


class Store:
    """One process; `scheme` is how an address of it begins."""

    scheme: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.bucket = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What a client has to know."""
        raise NotImplementedError

    def client(self) -> Any:
        """A look at what is stored, that remembers nothing."""
        return fsspec.filesystem(self.scheme, skip_instance_cache=True, use_listings_cache=False)

    def start(self) -> None:
        """Nothing is done where it runs."""
        if self._process is not None:
            return
        self._process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self._process.stdout.close()
        if not line:
            self.kill()
            pytest.fail(f"it did not start: {' '.join(self.command()[:2])}; apt-get install python3-swift brings Swift")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """It takes connections and says nothing from now on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


class Swift(Store):
    scheme = "s3"

    def command(self) -> list[str]:
        account, _, user = ACCESS_KEY.partition(":")
        return [*_SWIFT, str(self.folder), str(self.port), account, user, SECRET]

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


class GoogleStorage(Store):
    """The emulator of PyPI: it keeps objects as Google does, and looks at no credentials."""

    scheme = "gs"

    def command(self) -> list[str]:
        code = (
            "import sys, time; from gcp_storage_emulator.server import create_server\n"
            "server = create_server('127.0.0.1', int(sys.argv[1]), False, default_bucket=None, data_dir=sys.argv[2])\n"
            "server.start(); print('listening', flush=True); time.sleep(3600)"
        )
        return [sys.executable, "-c", code, str(self.port), str(self.folder)]

    def environment(self) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": self.url}


def _free_port() -> int:
    """None of those that the system gives away: a client who asks a dead store again and again would get it himself."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            return int(probe.getsockname()[1])
