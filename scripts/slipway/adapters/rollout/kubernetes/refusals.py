"""What kubectl's words mean to somebody who has slipway.yaml and deploy/ before him. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from slipway.errors import BadFile, ClusterRefused, SlipwayError, Unreachable

_MOST = 800  # characters of what kubectl said
_HIDDEN = "(hidden)"
_SECRETS = (
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # the user of an address
    re.compile(r"(?i)(?<=bearer )\S+"),
    re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+)*"),  # a token in JSON
    re.compile(r"(?i)(?<=token=)[^\s&]+|(?<=password=)[^\s&]+"),
    re.compile(r"-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|\Z)", re.DOTALL),
)
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_SILENCE = (
    r"unable to connect to the server",
    r"connection to the server .* was refused",
    r"connection (refused|reset|timed out)",
    r"\(?(ServiceUnavailable|InternalError|ServerTimeout|Timeout|TooManyRequests|Conflict|GatewayTimeout)\)?:",
    r"i/o timeout|handshake timeout|deadline exceeded|request canceled|client\.timeout|unexpected eof|\bEOF\b",
    r"timed out waiting for|no such host|no route to host|network is unreachable|broken pipe",
    r"etcdserver:|leader changed|server is currently unable|apiserver not ready|server was unable to return",
    r"error dialing backend|lost connection to pod|error upgrading connection",
)
_STRANGER = (
    r"\(Unauthorized\)|must be logged in|provide credentials|getting credentials|exec plugin|"
    r"executable .* not found|failed to refresh token"
)
_NO_KUBECONFIG = (
    r"no configuration has been provided|current-context is not set|"
    r"server localhost:8080 was refused|dial tcp (127\.0\.0\.1|\[::1\]):8080"
)


def bounded(said: bytes) -> str:
    """The last words of a program, without control characters and without what looks like a credential."""
    return without_secrets(clean(said.decode(errors="replace")).strip())[-_MOST:]


def without_secrets(text: str) -> str:
    for secret in _SECRETS:
        text = secret.sub(_HIDDEN, text)
    return text


def clean(text: str) -> str:
    """Text of somebody else's as lines that move no cursor and turn no direction."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The environment of slipway.yaml that was asked, its context, and the command as a person types it."""

    environment: str
    context: str | None
    command: str


def sorted_out(said: str, asked: Asked) -> SlipwayError:
    """The error that it is: nobody answered, or somebody said no, or slipway.yaml names what is not there."""
    for sort in (_no_such_context, _no_kubeconfig, _no_namespace, _unknown_user, _no_right, _silent):
        found = sort(said, asked)
        if found is not None:
            return found
    return ClusterRefused(
        f"the cluster of {asked.environment} refused `{asked.command}`: {said}", mend="correct what it names"
    )


def no_kubeconfig(environment: str) -> ClusterRefused:
    return ClusterRefused(
        f"there is no kubeconfig here, so that the cluster of {environment} cannot be asked",
        mend="set KUBECONFIG to its file; in GitHub's workflows, the secret SLIPWAY_KUBECONFIG to its content",
    )


def _no_such_context(said: str, asked: Asked) -> SlipwayError | None:
    if asked.context is None or not _has(said, r"context .*(does not exist|was not found)|no context exists"):
        return None
    return BadFile(
        f"slipway.yaml: environments: {asked.environment}: context: the kubeconfig has no context `{asked.context}`",
        mend="write one that `kubectl config get-contexts` lists, or add it to the kubeconfig",
    )


def _no_kubeconfig(said: str, asked: Asked) -> SlipwayError | None:
    return no_kubeconfig(asked.environment) if _has(said, _NO_KUBECONFIG) else None


def _no_namespace(said: str, asked: Asked) -> SlipwayError | None:
    found = re.search(r'namespaces "([^"]+)" not found', said)
    if found is None:
        return None
    words = ["kubectl", *(["--context", asked.context] if asked.context else []), "create", "namespace", found[1]]
    return ClusterRefused(
        f"the cluster of {asked.environment} has no namespace `{found[1]}`, and Slipway makes none",
        mend=f"make it, with the rights and the pull secret that it needs: {' '.join(words)}",
    )


def _unknown_user(said: str, asked: Asked) -> SlipwayError | None:
    if not _has(said, _STRANGER):
        return None
    return ClusterRefused(
        f"the cluster of {asked.environment} does not take who asks: {said}",
        mend="renew the kubeconfig's credentials, also in the secret SLIPWAY_KUBECONFIG, then roll out again",
    )


def _no_right(said: str, asked: Asked) -> SlipwayError | None:
    if not _has(said, r"forbidden.* cannot "):
        return None
    return ClusterRefused(
        f"the cluster of {asked.environment} does not allow it: {said}",
        mend="give the kubeconfig's user the rights that docs/rollouts.md lists, then roll out again",
    )


def _silent(said: str, asked: Asked) -> SlipwayError | None:
    if not any(_has(said, one) for one in _SILENCE):
        return None
    return Unreachable(
        f"the cluster of {asked.environment} does not answer: {said}",
        mend=f"roll out again once it does; this asks it: {asked.command}",
    )


def _has(said: str, pattern: str) -> bool:
    return re.search(pattern, said, flags=re.IGNORECASE) is not None
