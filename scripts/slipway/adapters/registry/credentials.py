"""Who we are to a registry: from the environment, else from the file that `docker login` writes."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from slipway.errors import BadFile


class Credentials(NamedTuple):
    """A user and a password or access token; prints without the latter."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"

    @property
    def basic(self) -> str:
        """The value of an `Authorization` header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def credentials_for(host: str, *, environment: Mapping[str, str] = os.environ) -> Credentials | None:
    """Find the credentials for `host[:port]`; None means anonymous.

    `SLIPWAY_REGISTRY_USER` and `SLIPWAY_REGISTRY_PASSWORD` go first. They are for every registry unless
    `SLIPWAY_REGISTRY_HOST` names the one that may see them: set it where the base image lives in another.

    Raises:
        BadFile: docker's file cannot be read.
    """
    user, password = environment.get("SLIPWAY_REGISTRY_USER"), environment.get("SLIPWAY_REGISTRY_PASSWORD")
    if user and password and environment.get("SLIPWAY_REGISTRY_HOST", host) in ("", host):
        return Credentials(user, password)
    folder = environment.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    return _from_docker(Path(folder) / "config.json", host)


def _from_docker(path: Path, host: str) -> Credentials | None:
    if not path.is_file():
        return None
    try:
        logins = json.loads(path.read_bytes()).get("auths") or {}
        entry = logins.get(host) or logins.get(f"https://{host}") or {}
        return _credentials(entry)
    except (ValueError, AttributeError):  # the cause is not chained: it may quote the file
        raise BadFile(
            f"{path} holds no readable login for {host}", mend=f"docker logout {host} && docker login {host}"
        ) from None


def _credentials(entry: Mapping[str, Any]) -> Credentials | None:
    if entry.get("username") and entry.get("password"):
        return Credentials(str(entry["username"]), str(entry["password"]))
    if not entry.get("auth"):  # a credential helper keeps it; the mend of a refusal names the variables
        return None
    user, colon, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    if not colon:
        raise ValueError
    return Credentials(user, password.rstrip("\0"))
