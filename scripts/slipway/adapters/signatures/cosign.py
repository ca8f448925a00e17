"""The program cosign, with a key: nothing is asked of a transparency log, and nothing secret stands on a command line.

A process of cosign sees the variables that are named here and no other. The private key and its password are given to
it in its environment, who we are to the registry in a file of its own that ends with it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from slipway.adapters.crash_points import external_write
from slipway.adapters.registry.credentials import Credentials, credentials_for
from slipway.errors import CannotSign, Unreachable

KEY, PASSWORD = "SLIPWAY_SIGNING_KEY", "SLIPWAY_SIGNING_PASSWORD"  # the names of the variables
PREDICATE = "slsaprovenance1"
_SECONDS = 180.0
_NOT_THERE, _NOT_MATCHING = 10, 12  # exit codes of cosign's own: no signature, and none by this key
_NO_LOG = ("--insecure-ignore-tlog=true",)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY")
_PASSED_ON = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", *_PROXIES, *(name.lower() for name in _PROXIES))
_INSTALL = "install cosign (https://docs.sigstore.dev/cosign) where this runs; actions/setup does in a workflow"


class Ended(NamedTuple):
    code: int
    out: str
    said: str  # its last words, for a person


@dataclass(frozen=True, slots=True)
class Cosign:
    """Asks about images of one host, and signs them; a private key is read from `environment` alone."""

    host: str
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def public_key(self) -> bytes:
        """The public part of the private key that this process was given.

        Raises:
            CannotSign: there is none, or the password does not open it.
        """
        ended = self._run("public-key", "--key", f"env://{KEY}", secrets=self._secrets())
        if ended.code != 0:
            raise CannotSign(
                f"cosign cannot read the key in {KEY}: {ended.said}",
                mend=f"set {KEY} to the whole cosign.key of `cosign generate-key-pair`, and {PASSWORD} to its password",
            )
        return ended.out.encode()

    def sign(self, image: str) -> None:
        """Add a signature to `host/repository@digest`."""
        with external_write("image-signature"):
            self._write(image, "sign", "--recursive=false")

    def attest(self, image: str, predicate: Mapping[str, Any]) -> None:
        """Put SLSA provenance beside the image, in place of what of it was there."""
        with tempfile.TemporaryDirectory(prefix="slipway-") as folder, external_write("image-provenance"):
            file = Path(folder) / "predicate.json"
            file.write_text(json.dumps(predicate), encoding="utf-8")
            self._write(image, "attest", "--replace", "--type", PREDICATE, "--predicate", str(file))

    def verifies(self, image: str, public: Path) -> bool | str:
        """Whether a signature of the image is by that key; words of cosign's where it could not tell."""
        ended = self._run("verify", "--key", str(public), *_NO_LOG, image)
        if ended.code == 0:
            return True
        return False if ended.code in (_NOT_THERE, _NOT_MATCHING) else ended.said

    def attested(self, image: str, public: Path) -> list[Mapping[str, Any]]:
        """The predicates of provenance that are signed by that key; empty also where cosign could not look."""
        ended = self._run("verify-attestation", "--key", str(public), *_NO_LOG, "--type", PREDICATE, image)
        return [_predicate(line) for line in ended.out.splitlines() if line.strip()] if ended.code == 0 else []

    def _write(self, image: str, verb: str, *options: str) -> None:
        ended = self._run(
            verb, "--key", f"env://{KEY}", "--tlog-upload=false", "--yes", *options, image, secrets=self._secrets()
        )
        if ended.code != 0:
            raise Unreachable(
                f"cosign could not {verb} {image}: {ended.said}", mend="run again; it goes on where it was"
            )

    def _secrets(self) -> dict[str, str]:
        key = self.environment.get(KEY, "")
        if not key.strip():
            raise CannotSign(
                f"slipway.yaml names signing_keys, and {KEY} is not set here",
                mend=f"gh secret set {KEY} --env slipway < cosign.key, and {PASSWORD} alike; on a laptop, "
                f'export {KEY}="$(cat cosign.key)"',
            )
        return {KEY: key, "COSIGN_PASSWORD": self.environment.get(PASSWORD, "")}

    def _run(self, *words: str, secrets: Mapping[str, str] | None = None) -> Ended:
        with tempfile.TemporaryDirectory(prefix="slipway-cosign-") as home:
            variables = {**self._variables(Path(home)), **(secrets or {})}
            try:
                done = subprocess.run(
                    ["cosign", *words],
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=_SECONDS,
                )
            except FileNotFoundError:
                raise CannotSign("slipway.yaml names signing_keys, and cosign is not here", mend=_INSTALL) from None
            except subprocess.TimeoutExpired:
                raise Unreachable(
                    f"cosign {words[0]} did not end within {_SECONDS:.0f} s", mend="run again; it goes on where it was"
                ) from None
        return Ended(done.returncode, done.stdout, _last_words(done.stderr))

    def _variables(self, home: Path) -> dict[str, str]:
        passed = {name: self.environment[name] for name in _PASSED_ON if name in self.environment}
        found = credentials_for(self.host, environment=self.environment)
        login = self._docker_folder() if found is None else _login(home, self.host, found)
        return {**passed, "HOME": str(home), "TMPDIR": str(home), "DOCKER_CONFIG": str(login)}

    def _docker_folder(self) -> Path:
        return Path(self.environment.get("DOCKER_CONFIG") or Path.home() / ".docker")


@contextmanager
def written(key: bytes) -> Iterator[Path]:
    """A public key as the file that cosign wants, as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        path = Path(folder) / "cosign.pub"
        path.write_bytes(key)
        yield path


def _login(home: Path, host: str, credentials: Credentials) -> Path:
    """A folder like that of `docker login`, for this host alone; the folder around it is ours alone, by tempfile."""
    auth = credentials.basic.removeprefix("Basic ")
    (home / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}), encoding="utf-8")
    return home


def _predicate(envelope: str) -> Mapping[str, Any]:
    """That of an in-toto statement in a DSSE envelope."""
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    found: Mapping[str, Any] = statement["predicate"]
    return found


def _last_words(said: str) -> str:
    """One line, without the program's advice and its warning that no log was asked."""
    lines = [line.removeprefix("Error: ").strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("WARNING", "error during command", "Using payload"))]
    return (told[0] if told else "it gave no reason")[:300]
