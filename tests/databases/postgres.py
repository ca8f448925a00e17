"""A PostgreSQL of this machine, as Debian packages it, which asks for a password."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_SECONDS = 60.0
PASSWORD = "dragon-under-the-bridge"


@dataclass(frozen=True, slots=True)
class Postgres:
    port: int

    def execute(self, *statements: str) -> None:
        """As who owns the database."""
        with psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=owner password={PASSWORD} dbname=postgres"
        ) as open_one:
            for statement in statements:
                open_one.execute(statement.encode())


@contextmanager
def running() -> Iterator[Postgres]:
    """It refuses to run as root, so that root starts it as the user that its package made."""
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")
        made = [str(_PROGRAMS / "initdb"), "-D", f"{folder}/data", "-U", "owner", "-A", "scram-sha-256", "--no-sync"]
        _as_nobody_great([*made, f"--pwfile={folder}/password"], folder).wait(_SECONDS)
        port = _free_port()
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": name, "fsync": "off"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [str(_PROGRAMS / "postgres"), "-D", f"{folder}/data", "-p", str(port), *options]
        process = _as_nobody_great(command, folder)
        try:
            yield _ready(Postgres(port), process)
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _as_nobody_great(command: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    user = "postgres" if os.geteuid() == 0 else None
    return subprocess.Popen(
        command,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _ready(server: Postgres, process: subprocess.Popen[bytes]) -> Postgres:
    until = time.monotonic() + _SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return server


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
