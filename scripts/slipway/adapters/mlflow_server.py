"""A tracking server of MLflow, asked by its own client; what goes wrong is told in our words, and holds no secret.

Runs in the environment of requirements/sources.txt, where alone the client is installed. So it is imported inside of
the functions, after the variables that silence its telemetry were set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from slipway.errors import SlipwayError, TrackingServerRefused, Unreachable

ADDRESS = "MLFLOW_TRACKING_URI"
SECRETS = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
_KEYS = "MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
_LONGEST = 300  # characters of what a server said
_UNKNOWN, _NOT_KNOWN_HERE, _NOT_ALLOWED, _LATER, _OF_THE_SERVER = 404, 401, 403, 429, 500


def host_of(environment: Mapping[str, str]) -> str:
    """The name of the server's host, without its port.

    Raises:
        TrackingServerRefused: none is named, or not by http, or with credentials: addresses end up in logs.
    """
    address = environment.get(ADDRESS, "")
    host = _host_of(address)
    if not host:
        said = f"{ADDRESS} is no address of a tracking server" if address else f"{ADDRESS} is not set"
        raise TrackingServerRefused(
            said,
            mend=f"set {ADDRESS} to https://HOST, where `mlflow server` answers; credentials are no part of it, but "
            f"{_KEYS} (docs/mlflow.md)",
        )
    return host


def _host_of(address: str) -> str:
    """Empty where it is none that may be asked."""
    try:
        parts = urlsplit(address)
    except ValueError:  # half an address of IPv6
        return ""
    is_plain = parts.scheme in ("http", "https") and parts.username is None
    return parts.hostname or "" if is_plain else ""


def client(defaults: Mapping[str, str]) -> Any:
    """An `MlflowClient`; `defaults` are variables that hold where the environment does not say otherwise."""
    for name, value in {**defaults, **_QUIET}.items():
        os.environ.setdefault(name, value)
    return import_module("mlflow").MlflowClient()


@contextmanager
def asking(host: str, what: str) -> Iterator[None]:
    """Around whatever asks the server for `what`.

    Raises:
        TrackingServerRefused: it does not have that, or does not let us.
        Unreachable: it does not answer, or not now.
    """
    try:
        yield
    except SlipwayError:
        raise
    except Exception as error:
        if not _is_of_the_client(error):
            raise
        raise _told(error, host, what) from None  # what it says may hold the address, and credentials with it


def _is_of_the_client(error: Exception) -> bool:
    return isinstance(
        error, (import_module("mlflow.exceptions").MlflowException, import_module("requests").RequestException)
    )


def _told(error: Exception, host: str, what: str) -> SlipwayError:
    server, status = f"the MLflow server {host}", _status(error)
    if status == _NOT_KNOWN_HERE:
        return TrackingServerRefused(f"{server} does not know who asks for {what} (401)", mend=f"set {_KEYS}")
    if status == _NOT_ALLOWED:
        return TrackingServerRefused(
            f"{server} does not allow {what} to who asks (403)",
            mend=f"give that user the right to it there, or set {_KEYS} to another one's",
        )
    if status == _UNKNOWN:
        return TrackingServerRefused(
            f"{server} has no {what}: {_words(error)}",
            mend=f"name what it lists, or let {ADDRESS} name the server that has it",
        )
    if status == _LATER or status >= _OF_THE_SERVER:
        return Unreachable(
            f"{server} does not answer ({_reason(error)})",
            mend=f"run again once it does; {ADDRESS} says where it is",
        )
    return TrackingServerRefused(
        f"{server} refuses {what}: {_words(error)}", mend="name what it lists, by its own name"
    )


def _status(error: Exception) -> int:
    """Of HTTP; 500 where nothing came back, as the client itself says it."""
    answer = getattr(error, "response", None)
    if answer is not None:
        return int(answer.status_code)
    of = getattr(error, "get_http_status_code", None)
    return int(of()) if of is not None else _OF_THE_SERVER


def _reason(error: Exception) -> str:
    """In a word or two: the whole text of a failed request names its address."""
    text = str(error).lower()
    signs = {"timed out": "no answer in time", "timeout": "no answer in time", "refused": "connection refused"}
    return next((word for sign, word in signs.items() if sign in text), type(error).__name__)


def _words(error: Exception) -> str:
    """What the server said, without what it may repeat of our secrets."""
    said = " ".join(str(error).split())
    for secret in (os.environ.get(name, "") for name in SECRETS):
        said = said.replace(secret, "***") if len(secret) > 3 else said
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
